"""`lapwing report`: what was lost in a period, why, and whether it helped."""

from __future__ import annotations

from typing import Any

import click

from lapwing.cli.record_source import as_of_option
from lapwing.settings.options import FILE, FOLDER, InstantParam, settings_options

VIEWS = ("all", "marketing", "product", "sales", "finance", "success")
DATE = click.DateTime(formats=["%Y-%m-%d"])


@click.command("report")
@settings_options(
    *("database", "rules", "time_zone", "horizon", "active_within", "currency", "min_holdout"),
    *("answer_within", "solve_within"),
)
@click.option(
    "--period",
    default="month",
    show_default=True,
    metavar="PERIOD",
    help="day, week, month, quarter or year; or one by its name: 2026-03-05, 2026-W09, 2026-03, 2026-Q1, "
    "2026, 2026-03-05..2026-04-20.",
)
@click.option(
    "--date", "day", type=DATE, help="A day in the period; by default the last whole period that is known."
)
@as_of_option
@click.option(
    "--corrected-since",
    type=InstantParam(),
    help="List what has changed in the period's figures since this time; by default, without --as-of, since "
    "one day after the period, where the database knew it then.",
)
@click.option("--view", type=click.Choice(VIEWS), default="all", show_default=True, help="For whom it is.")
@click.option(
    "--language", type=click.Choice(("en", "zh")), default="en", show_default=True, help="Of the text."
)
@click.option("--html", "page", type=FILE, help="Write it as a page here.")
@click.option("--pdf", type=FILE, help="Write it as a PDF here.")
@click.option("--xlsx", type=FILE, help="Write its tables as an Excel workbook here.")
@click.option("--csv", "folder", type=FOLDER, help="Write each of its tables as a CSV file into this folder.")
@click.option("--tables", is_flag=True, help="Print all tables, and not the summary only.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures of all views as JSON.")
def command(**given: Any) -> None:
    """Report what was lost in a period, why, and whether what was done about it helped.

    Read is the database alone. Every figure has its numerator, denominator, period and what is left out. A
    report with --as-of has what was known then, however much was stored since. The exit code is 1 where the
    figures contradict each other. docs/report.md defines every figure.
    """
    from lapwing.commands.report import run

    run(**given)
