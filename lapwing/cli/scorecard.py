"""`lapwing scorecard`: how good alarms are, by rule and tier, and who left without one."""

from __future__ import annotations

from typing import Any

import click

from lapwing.cli.record_source import as_of_option, period_options, source_options
from lapwing.settings.options import FILE, settings_options


@click.command("scorecard")
@settings_options("database", "horizon")
@source_options
@period_options(
    "Only what opened, or who left, at or after this time.",
    "Only what opened, or who left, before this time.",
)
@as_of_option
@click.option(
    "--missed",
    "missed_most",
    type=click.IntRange(0),
    default=10,
    show_default=True,
    help="How many customers who left without a warning to list, those worth most first.",
)
@click.option("--html", "page", type=FILE, help="Write a page with plots here.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def command(**given: Any) -> None:
    """Measure how good alarms are: precision, recall and lead time by rule and tier.

    Counted is what has matured, a horizon after its opening; what is not yet known is counted apart. Shadow
    rules are scored too. Beside it stand the team's verdicts, and who left without a warning, by class,
    segment and value. docs/scorecard.md defines every figure.
    """
    from lapwing.commands.scorecard import run

    run(**given)
