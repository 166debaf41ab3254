"""`lapwing backtest`: what rules would have done over a history, and how good it would have been."""

from __future__ import annotations

from typing import Any

import click

from lapwing.cli.history import judging_options, page_options
from lapwing.settings.options import PATH, InstantParam


@click.command(name="backtest")
@click.argument("events", nargs=-1, type=PATH)
@judging_options
@click.option(
    "--since",
    type=InstantParam(),
    help="Judge what began at this instant or later, RFC 3339; by default all. Events before it count "
    "all the same in what the rules see.",
)
@click.option(
    "--missed",
    "missed_most",
    type=click.IntRange(0),
    default=10,
    show_default=True,
    help="How many customers who left without a warning to list, the nearest to a warning first.",
)
@page_options
def command(**given: Any) -> None:
    """Run rules over a history and measure how good their warnings are.

    The history is EVENTS (.jsonl, .jsonl.gz, .jsonl.zst or .parquet) or, with --broker, what its topics hold.
    A file whose name fits a source of --inputs is read by its mapping.

    It prints warnings a day and a working day, precision, recall and lead time of all active rules together
    and of each rule, shadow rules too, and who left without a warning. docs/backtest.md defines every figure.
    """
    from lapwing.commands.backtest import run

    run(**given)
