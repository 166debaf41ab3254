"""The report on effects as text for the terminal."""

from __future__ import annotations

from rich.table import Table

from consumers.effects.reasons import ReasonTable
from consumers.effects.report import CAUTIONS, EffectsReport
from lapwing.backtest.text import console, literal, table
from lapwing.effects import words


def print_effects(report: EffectsReport) -> None:
    """Print the report."""
    out = console()
    out.print(f"[bold]{literal(words.heading(report))}[/bold]\n")
    if not report.plays:
        out.print("No warning with a play has matured: there is nothing to compare.\n")
    else:
        if report.compared:
            out.print(_effects(report))
            out.print(_money(report))
        for line in words.uncompared(report):
            out.print(literal(line))
        for play in report.plays:
            for note in words.notes(play):
                out.print(literal(note))
        out.print()
    if report.reasons is None:
        out.print("Reasons are not compared: that needs --warnings beside --outcomes.\n")
    else:
        out.print("[bold]Reasons, suggested and found[/bold]")
        for line in words.agreement_lines(report.reasons):
            out.print(f"  {line}")
        out.print()
        for title, what, each in words.reason_tables(report.reasons):
            out.print(_reasons(f"{title}: {what}, and found", each))
    for caution in CAUTIONS:
        out.print(f"[dim]* {caution}[/dim]")


def _effects(report: EffectsReport) -> Table:
    made = table(
        "Who churned: held out against not held out",
        *(
            "play, tier",
            "held out",
            "not held out",
            "of these contacted",
            "difference, points",
            "s",
            "claim",
        ),
    )
    for effect, _ in report.compared:
        cells = (
            words.churn(effect.held_out),
            words.churn(effect.shown),
            words.contact(effect.shown),
            words.points(effect.difference),
            words.success(effect),
            words.claim(effect, report.min_holdout),
        )
        lines = ("\n".join(part for part in cell if part) for cell in cells)
        made.add_row(literal(words.group(effect)), *lines)
    return made


def _money(report: EffectsReport) -> Table:
    made = table(
        "What was spent and gained, in the currency of the orders; without a claim it may all be chance",
        *("play, tier", "spent", "churns avoided", "mean value", "gained", "net"),
    )
    for effect, money in report.compared:
        cells = ("\n".join(part for part in cell if part) for cell in words.money(money))
        made.add_row(literal(words.group(effect)), *cells)
    return made


def _reasons(title: str, of: ReasonTable) -> Table:
    made = table(title, "", *map(literal, of.found))
    made.min_width = len(title)
    for row, counts in zip(of.suggested, of.counts, strict=True):
        made.add_row(literal(row), *(f"{count:,}" if count else "-" for count in counts))
    return made
