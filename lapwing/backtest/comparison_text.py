"""Two rule sets compared, as text for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from lapwing.backtest.text import console, literal, table
from lapwing.backtest.words import capacity, day, difference, in_two_lines, number, spread
from streams.backtest.comparison import Comparison, CustomerChange, RuleEffect, one_line
from streams.backtest.figures import BacktestFigures
from streams.core.events.calendar import DAY
from streams.rulebook.diff import RuleChange


def print_comparison(result: Comparison, old: str, new: str, most: int) -> None:
    """Print a comparison."""
    out = console()
    out.print(
        f"[bold]{literal(old)}[/bold] ({result.old_set}) -> [bold]{literal(new)}[/bold] ({result.new_set}): "
        f"{day(result.period.since)} to {day(result.period.until)}, {result.events:,} events of "
        f"{result.customers:,} customers, horizon {result.horizon_us // DAY} days\n"
    )
    _print_rules(out, result.rules)
    made = table("All active rules", "", "old", "new", "change")
    for name, cells in rows(result):
        made.add_row(name, *cells)
    out.print(made)
    out.print(
        f"[bold]Customers[/bold]: {len(result.gained):,} gained, {len(result.lost):,} lost, "
        f"{len(result.changed):,} changed in tier, {result.kept:,} as before"
    )
    for name, changes in (
        ("gained", result.gained),
        ("lost", result.lost),
        ("changed in tier", result.changed),
    ):
        if changes and most:
            out.print(f"  {name}: {_named(changes, most)}")


def rows(result: Comparison) -> list[tuple[str, tuple[str, str, str]]]:
    """Return the figures of both sets and what changes, as cells."""
    old, new = result.old, result.new
    loads = old.load.as_dict(), new.load.as_dict()
    made = [
        ("warnings", (f"{old.alarms:,}", f"{new.alarms:,}", f"{new.alarms - old.alarms:+,}")),
        *(
            (
                what,
                (number(loads[0][key]["value"]), number(loads[1][key]["value"]), _by(loads, key)),
            )
            for what, key in (("a day", "per_day"), ("a working day", "per_working_day"))
        ),
    ]
    if old.load.over is not None and new.load.over is not None:
        over = f"{new.load.over - old.load.over:+,}"
        made.append(("working days over capacity", (capacity(loads[0]), capacity(loads[1]), over)))
    made += [
        (
            "precision",
            (in_two_lines(old.precision), in_two_lines(new.precision), difference(result.precision)),
        ),
        ("recall", (in_two_lines(old.recall), in_two_lines(new.recall), difference(result.recall))),
        ("lead days (quartiles)", (spread(old.lead_days), spread(new.lead_days), _lead(old, new))),
    ]
    return made


def _by(loads: Sequence[dict[str, dict[str, float | None]]], key: str) -> str:
    old, new = (load[key]["value"] for load in loads)
    return "-" if old is None or new is None else f"{new - old:+,.1f}"


def _lead(old: BacktestFigures, new: BacktestFigures) -> str:
    before, after = old.lead_days.median, new.lead_days.median
    return "-" if before is None or after is None else f"{after - before:+.1f}"


def effect_lines(effect: RuleEffect) -> list[str]:
    """Return what changed in a rule, a line each."""
    lines = change_lines(effect.change)
    if effect.old is not None or effect.new is not None:
        lines.append(f"  opens {_opened(effect.old)} -> {_opened(effect.new)} times")
    return lines


def change_lines(change: RuleChange) -> list[str]:
    """Return a rule that is not the same, and its fields that are not, a line each."""
    versions = f"{change.version_before or 'none'} -> {change.version_after or 'none'}"
    lines = [f"{change.rule}: {change.change} ({versions})"]
    for each in change.fields:
        lines.append(f"  {each.field}: {one_line(each.before) or '(none)'}")
        lines.append(f"  {' ' * len(each.field)}  -> {one_line(each.after) or '(none)'}")
    return lines


def _opened(figures: BacktestFigures | None) -> str:
    return "0" if figures is None else f"{figures.alarms:,}"


def _print_rules(out: Console, changes: Sequence[RuleEffect]) -> None:
    out.print("[bold]Rules[/bold]: " + ("no rule differs" if not changes else f"{len(changes)} differ"))
    for change in changes:
        for line in effect_lines(change):
            out.print("  " + line, markup=False)
    out.print()


def _named(changes: Sequence[CustomerChange], most: int) -> str:
    words = []
    for change in changes[:most]:
        tiers = [tier.label for tier in (change.old, change.new) if tier is not None]
        words.append(f"{literal(change.customer_id)} ({' -> '.join(tiers)})")
    rest = len(changes) - most
    return ", ".join(words) + (f" and {rest:,} more" if rest > 0 else "")
