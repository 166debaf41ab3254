"""`lapwing explain`: why a customer is warned of, or not."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import click

from lapwing.settings.options import ENGINE_SETTINGS, PATH, InstantParam, settings_options


class MomentParam(InstantParam):
    """An RFC 3339 time as microseconds since the epoch, or a date."""

    name = "time|date"

    def convert(  # type: ignore[override]  # a date is one more answer
        self, value: str | int | date, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | date:
        """Return the instant or the date, or refuse the text."""
        if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            try:
                return date.fromisoformat(value)
            except ValueError:
                self.fail(f"{value!r} is no date", param, ctx)
        return value if isinstance(value, date) else super().convert(value, param, ctx)


@click.command()
@click.argument("customer")
@click.argument("events", nargs=-1, type=PATH)
@settings_options("rules", "inputs", *ENGINE_SETTINGS)
@click.option(
    "--at",
    type=MomentParam(),
    help="The instant, RFC 3339, or a date: the end of that day. By default that of the last event.",
)
@click.option(
    "--checkpoint",
    help="Explain from a worker's checkpoints in this directory or at this URL, not from EVENTS.",
)
@click.option(
    "--partitions",
    type=click.IntRange(1, 10_000),
    help="Partitions of the topics: 1 by default with EVENTS, with --checkpoint as many as it shows.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(**given: Any) -> None:
    """Explain why CUSTOMER is warned of at an instant, or why not, and what would end it.

    Either from EVENTS (.jsonl, .jsonl.gz, .jsonl.zst or .parquet) or, with --checkpoint, from what a worker
    has saved; then by the worker's rules, unless --rules gives others.
    """
    from lapwing.commands.explain import run

    run(**given)
