"""A backtest as text for the terminal."""

from __future__ import annotations

import sys

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lapwing.backtest.words import (
    capacity,
    day,
    in_two_lines,
    number,
    of_whole,
    percent,
    spread,
    with_interval,
)
from lapwing.terminal.text import printable
from streams.backtest.figures import BacktestFigures
from streams.backtest.missed import by_rule
from streams.backtest.report import CAUTIONS, Backtest
from streams.core.events.calendar import DAY
from streams.core.rules.rule import RuleStatus

WIDTH = 140
"""Of a table where the output is no terminal."""


def console() -> Console:
    """Return where tables are printed: as wide as the terminal, or as wide as they need in a file."""
    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else WIDTH, highlight=False)


def literal(text: str) -> str:
    """Return text of customers or callers so that it stands as it is: no markup, no control codes."""
    return escape(printable(text))


def table(title: str, *columns: str) -> Table:
    """Return an empty table: the first column is text, the others are numbers."""
    made = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, title_style="bold")
    for place, column in enumerate(columns):
        made.add_column(column, justify="right" if place else "left", overflow="fold")
    return made


def print_backtest(result: Backtest, missed_most: int) -> None:
    """Print a backtest."""
    out = console()
    horizon = result.horizon_us // DAY
    out.print(
        f"[bold]{day(result.period.since)} to {day(result.period.until)}[/bold] ({result.time_zone}): "
        f"{result.events:,} events of {result.customers:,} customers, {result.repeats:,} repeats left out; "
        f"rule set {result.rule_set}"
    )
    out.print(
        f"Left = no order for {horizon} days, or a closure. Judged are warnings opened {horizon} days or "
        f"more before the end: {result.all.precision.whole:,} of {result.all.alarms:,}."
    )
    out.print(f"By chance: of active customers, {with_interval(result.base)} leave within {horizon} days.\n")
    out.print(_rules(result))
    out.print(_load(result))
    out.print(_tiers(result))
    for name, title in (("customer_class", "class"), ("segment", "segment")):
        out.print(_groups(result.all, name, title))
    out.print(_missed(result))
    if missed_most and result.missed:
        out.print(_nearest(result, missed_most))
    for caution in CAUTIONS:
        out.print(f"[dim]* {caution}[/dim]")


def _rules(result: Backtest) -> Table:
    made = table(
        "Warnings and rules",
        "", "warnings", "a day", "a working day\n(over capacity)", "precision", "recall",
        "lead days\n(quartiles)", "only\nthis rule",
    )  # fmt: skip
    made.add_row("[bold]all active rules[/bold]", *_cells(result.all), "")
    for each in result.rules:
        shown = each.rule.id + ("" if each.rule.status is RuleStatus.ACTIVE else " [dim](shadow)[/dim]")
        alone = f"{percent(each.alone.value)}\n{of_whole(each.alone)}" if each.alone.whole else "-"
        made.add_row(shown, *_cells(each.figures), alone)
    return made


def _cells(figures: BacktestFigures) -> tuple[str, ...]:
    load = figures.load.as_dict()
    over = f"\n({capacity(load)})" if load["capacity"] is not None else ""
    return (
        f"{figures.alarms:,}",
        number(load["per_day"]["value"]),
        number(load["per_working_day"]["value"]) + over,
        in_two_lines(figures.precision),
        in_two_lines(figures.recall),
        spread(figures.lead_days),
    )


def _load(result: Backtest) -> Table:
    load = result.all.load.as_dict()
    worked = load["per_working_day"]
    made = table("Load", "", "warnings", "days", "mean", "most")
    per_day = load["per_day"]
    made.add_row(
        "a day", f"{per_day['part']:,}", f"{per_day['whole']:,}", number(per_day["value"]),
        f"{int(result.all.load.daily.max(initial=0)):,}",
    )  # fmt: skip
    made.add_row(
        f"a working day ({', '.join(result.team.working_days)})",
        f"{worked['part']:,}", f"{worked['whole']:,}", number(worked["value"]), f"{worked['most']:,}",
    )  # fmt: skip
    if load["over_capacity"] is not None:
        made.caption = (
            f"Over the capacity of {load['capacity']:g} on {load['over_capacity']:,} of "
            f"{worked['whole']:,} working days."
        )
        made.caption_justify = "left"
    return made


def _tiers(result: Backtest) -> Table:
    made = table("Precision by the tier at the opening", "tier", "precision", "without those already lost")
    for tier, figures in result.tiers.items():
        made.add_row(tier.label, with_interval(figures.precision), with_interval(figures.precision_not_lost))
    return made


def _groups(figures: BacktestFigures, name: str, title: str) -> Table:
    made = table(f"False alarms by {title}", title, "false rate within it", "its share of all false alarms")
    for group in figures.groups[name]:
        of_all = f"{group.false:,} of {group.all_false:,}"
        rate = group.as_dict()["false_rate"]
        interval = "" if rate["low"] is None else f"; {rate['low']:.0%} to {rate['high']:.0%}"
        within = f"{percent(rate['value'])} ({group.false:,} of {group.judged:,}{interval})"
        made.add_row(literal(group.value or "(none)"), within, of_all)
    return made


def _missed(result: Backtest) -> Table:
    recall = result.all.recall
    made = table(
        f"Left unwarned: {recall.whole - recall.part:,} of {recall.whole:,}, by the rule that came nearest",
        "nearest rule", "churns", "within a tenth of its threshold", "distance: median (quartiles)",
    )  # fmt: skip
    for row in by_rule(result.missed):
        far = "-" if row["median"] is None else f"{row['median']:.2f} ({row['q1']:.2f} to {row['q3']:.2f})"
        made.add_row(
            row["rule"] or "(none has a distance)", f"{row['part']:,}", f"{row['within_a_tenth']:,}", far
        )
    return made


def _nearest(result: Backtest, most: int) -> Table:
    made = table(
        "Those that came nearest to a warning",
        "customer", "last order", "known as lost", "nearest rule", "on", "distance",
    )  # fmt: skip
    for each in result.missed[:most]:
        made.add_row(
            literal(each.customer_id),
            day(each.last_order),
            day(each.known_at),
            each.rule or "-",
            "-" if each.at is None else day(each.at),
            "-"
            if each.distance is None
            else "true, not for long enough"
            if each.distance == 0
            else f"{each.distance:.3f}",
        )
    return made
