"""`lapwing rules diff`: the same history under two rule sets."""

from __future__ import annotations

from typing import Any

import click

from lapwing.cli.history import (
    history_events,
    judging_options,
    page_options,
)
from lapwing.settings.options import InstantParam


@click.command("diff")
@click.argument("old")
@click.argument("new")
@history_events
@judging_options
@click.option(
    "--since",
    type=InstantParam(),
    help="Judge what began at this instant or later, RFC 3339; by default all.",
)
@click.option(
    "--customers",
    "most",
    type=click.IntRange(0),
    default=10,
    show_default=True,
    help="How many customers of each list to name.",
)
@page_options
def command(**given: Any) -> None:
    """Run the rules OLD and NEW over the same history and print what differs.

    The history is EVENTS (.jsonl, .jsonl.gz, .jsonl.zst or .parquet) or, with --broker, what its topics hold.
    OLD and NEW are files, folders or git revisions: `HEAD~1` (with the folder of --rules in it) or
    `HEAD~1:warning_rules`. It prints the rules that changed, the customers gained, lost and changed in
    tier, and the changes of load, precision and recall. docs/backtest.md defines every figure.
    """
    from lapwing.commands.rules.diff import run

    run(**given)
