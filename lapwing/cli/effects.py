"""`lapwing effects`: what plays do, against customers who were held out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from lapwing.cli.record_source import as_of_option, period_options, source_options
from lapwing.settings.options import FILE, settings_options


def effects_options(*more: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command what effects are measured from, and the period; `more` are further settings."""
    period = period_options(
        "Only warnings opened at or after this time.", "Only warnings opened before this time."
    )

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        sources = source_options(period(as_of_option(function)))
        return settings_options("database", "rules", "min_holdout", *more)(sources)

    return decorate


@click.command("effects")
@effects_options()
@click.option("--html", "page", type=FILE, help="Write a page with plots here.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def command(**given: Any) -> None:
    """Measure what plays do, by play and tier.

    Compared are customers who were drawn to be held out with those who were not, whether or not these were
    contacted: how many churned, the chance that a play keeps a customer who would leave, what was spent and
    gained. Where warnings are known, the reasons that they suggest are compared with those that were found.
    """
    from lapwing.commands.effects import run

    run(**given)
