"""Curves of thresholds as text for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from lapwing.backtest.text import console, table
from lapwing.backtest.words import capacity, day, in_two_lines, number, spread
from streams.backtest.thresholds import written
from streams.backtest.tuning import TUNING_CAUTION, Curve, Point, Tuning


def print_tuning(results: Sequence[Tuning]) -> None:
    """Print the curves."""
    out = console()
    for result in results:
        out.print(
            f"[bold]{result.rule.id}[/bold]: {result.threshold.address} is {written(result.threshold.value)}"
        )
        out.print(_curve(result, result.curve, "Chosen on" if result.after else "Judged on"))
        if result.after is not None:
            out.print(_curve(result, result.after, "Then"))
        out.print(f"[bold]{verdict(result)}[/bold]\n")
    out.print(f"[dim]* {TUNING_CAUTION}[/dim]")


def verdict(result: Tuning) -> str:
    """Return what was chosen, in a sentence."""
    aims = []
    if result.team.capacity is not None:
        whose = "all active rules" if result.capacity_of == "all" else "the rule"
        aims.append(f"{result.team.capacity:g} warnings of {whose} on the mean working day")
    if result.min_precision is not None:
        aims.append(f"a precision of {result.min_precision:.0%}")
    if not aims:
        return "Give --capacity or --min-precision to have a value chosen."
    if result.chosen is None:
        return f"No value tried meets {' and '.join(aims)}."
    point = (result.after or result.curve).at(result.chosen)
    after = f" On what came after the split: {_said(point)}." if result.after else f": {_said(point)}."
    before = f" ({_said(result.curve.at(result.chosen))})." if result.after else ""
    return (
        f"{result.threshold.address}{written(result.chosen)} meets {' and '.join(aims)} with the most recall"
        f"{before}{after}"
    )


def _said(point: Point) -> str:
    load = point.all.load.as_dict()["per_working_day"]["value"]
    precision, recall = point.rule.precision.value, point.all.recall.value
    return (
        f"{number(load)} warnings a working day in all, precision of the rule "
        f"{'unknown' if precision is None else format(precision, '.0%')}, recall of all "
        f"{'unknown' if recall is None else format(recall, '.1%')}"
    )


def _curve(result: Tuning, curve: Curve, what: str) -> Table:
    made = table(
        f"{what} {day(curve.period.since)} to {day(curve.period.until)}",
        result.threshold.address, "the rule:\nwarnings", "a working day", "precision", "recall",
        "lead days\n(quartiles)", "all rules:\na working day", "over\ncapacity", "recall",
    )  # fmt: skip
    for point in curve.points:
        rule, everything = point.rule.load.as_dict(), point.all.load.as_dict()
        marks = [
            mark
            for mark, value in (("now", result.threshold.value), ("chosen", result.chosen))
            if value == point.value
        ]
        name = written(point.value) + (f" ({', '.join(marks)})" if marks else "")
        made.add_row(
            f"[bold]{name}[/bold]" if marks else name,
            f"{point.rule.alarms:,}",
            number(rule["per_working_day"]["value"]),
            in_two_lines(point.rule.precision),
            in_two_lines(point.rule.recall),
            spread(point.rule.lead_days),
            number(everything["per_working_day"]["value"]),
            capacity(everything),
            in_two_lines(point.all.recall),
        )
    return made
