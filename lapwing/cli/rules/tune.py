"""`lapwing rules tune`: what another threshold would do to precision, recall and load."""

from __future__ import annotations

import math
from typing import Any

import click

from lapwing.cli.history import (
    history_events,
    judging_options,
    page_options,
)
from lapwing.settings.options import InstantParam, NumberParam

MOST_VALUES = 200


class Values(click.ParamType):
    """Numbers with commas between them, or `LOW:HIGH:STEP`."""

    name = "values"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        """Return the numbers, or refuse the text."""
        text = str(value)
        try:
            if ":" not in text:
                numbers = [float(part) for part in text.split(",")]
            else:
                low, high, step = (float(part) for part in text.split(":"))
                count = math.floor((high - low) / step + 1e-9) + 1
                numbers = [round(low + i * step, 10) for i in range(min(count, MOST_VALUES + 1))]
        except (ValueError, ZeroDivisionError, OverflowError):
            numbers = []
        if not numbers or len(numbers) > MOST_VALUES or not all(0 <= number < 1e15 for number in numbers):
            msg = f"{text!r} is no list such as 2,2.5,3 nor a range such as 1:4:0.5 of at most {MOST_VALUES}"
            self.fail(f"{msg} numbers, none of them negative", param, ctx)
        return tuple(sorted(set(numbers)))


@click.command("tune")
@click.argument("rule_id", metavar="RULE")
@history_events
@click.option(
    "--param",
    "addresses",
    multiple=True,
    required=True,
    help="The feature whose number in the rule's `when` is moved, such as `overdue`; `overdue>=`, or "
    "`overdue>=3` as it stands, where there are several. Each one given has a curve of its own.",
)
@click.option(
    "--values",
    type=Values(),
    help="What to try: `2,2.5,3` or `LOW:HIGH:STEP`; by default quantiles of the data.",
)
@click.option(
    "--candidates",
    "count",
    type=click.IntRange(2, 50),
    default=12,
    show_default=True,
    help="How many quantiles to try.",
)
@judging_options
@click.option(
    "--capacity-of",
    type=click.Choice(["all", "rule"]),
    default="all",
    show_default=True,
    help="Whose warnings are compared with --capacity: those of all active rules, or the rule's alone.",
)
@click.option(
    "--min-precision", type=NumberParam(0, 1), help="Choose no value with less precision of the rule."
)
@click.option(
    "--split",
    type=InstantParam(),
    help="Choose by what was known at this instant, RFC 3339, and report on what came after it.",
)
@page_options
def command(**given: Any) -> None:
    """Move a threshold of RULE through its range and print precision, recall and load at each value.

    The history is EVENTS (.jsonl, .jsonl.gz, .jsonl.zst or .parquet) or, with --broker, what its topics hold.
    With --capacity or --min-precision it chooses the value that meets them with the most recall.
    docs/backtest.md defines every figure.
    """
    from lapwing.commands.rules.tune import run

    run(**given)
