"""`lapwing effects`: what plays do, against customers who were held out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from lapwing.settings.options import FILE, PATH, InstantParam, settings_options


def source_options(*more: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command what effects are measured from, and the period; `more` are further settings."""
    options = [
        click.option(
            "--outcomes",
            multiple=True,
            type=PATH,
            help="Measure from this file of `lapwing replay --outcomes` instead of the database; may be "
            "given several times.",
        ),
        click.option(
            "--actions",
            multiple=True,
            type=PATH,
            help="With --outcomes: event files with the team's actions, for costs and reasons.",
        ),
        click.option(
            "--warnings",
            multiple=True,
            type=PATH,
            help="With --outcomes: files of `lapwing replay --out`, for the reasons that warnings suggest.",
        ),
        click.option("--since", type=InstantParam(), help="Only warnings opened at or after this time."),
        click.option("--until", type=InstantParam(), help="Only warnings opened before this time."),
        click.option(
            "--as-of",
            type=InstantParam(),
            help="As the database stood at this time: an old report made again.",
        ),
    ]

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            function = option(function)
        return settings_options("database", "rules", "min_holdout", *more)(function)

    return decorate


@click.command("effects")
@source_options()
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
