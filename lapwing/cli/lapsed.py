"""`lapwing lapsed`: customers who are gone, to be won back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from lapwing.cli.record_source import as_of_option, period_options, source_options
from lapwing.settings.options import NumberParam, class_option, settings_options


def _words(flag: str, text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option(flag, multiple=True, metavar="WORD", help=f"{text}; may be given several times.")


@click.command("lapsed")
@settings_options("database", "holdout_exempt")
@source_options
@class_option("Only customers of this class")
@_words("--segment", "Only customers of this segment")
@_words("--region", "Only customers of this region")
@_words("--owner", "Only customers whom this account owner looks after")
@click.option("--min-value", type=NumberParam(0), help="Only customers worth at least this.")
@period_options("Only who left at or after this time.", "Only who left before this time.")
@as_of_option
@click.option("--holdout", is_flag=True, help="Also those who are held out for measuring.")
@click.option(
    "--limit", type=click.IntRange(1), help="How many to print, those worth most first; by default all."
)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def command(**given: Any) -> None:
    """List customers who are gone, those worth most first: since when, why, and what was tried.

    A customer is on the list from a lapse or a closure until the next order. Who must not be contacted, and
    who is held out, is counted and left out.
    """
    from lapwing.commands.lapsed import run

    run(**given)
