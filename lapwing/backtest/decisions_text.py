"""The decisions under two rule sets compared, as text for the terminal."""

from __future__ import annotations

from lapwing.backtest.text import console, literal, table
from streams.backtest.decisions import NONE, Choice, DecisionComparison


def print_decisions(result: DecisionComparison | None, most: int) -> None:
    """Print how many warnings are decided which way, and the expected money."""
    if result is None:
        return
    out = console()
    made = table("Decisions at the opening", "", "old", "new", "change", "net old", "net new")
    for choice in result.choices:
        old, new = result.old.get(choice, NONE), result.new.get(choice, NONE)
        counts = (f"{old.warnings:,}", f"{new.warnings:,}", f"{new.warnings - old.warnings:+,}")
        made.add_row(literal(choice_words(choice)), *counts, f"{old.net:,.2f}", f"{new.net:,.2f}")
    out.print(made)
    for name, figures in (("old", result.old), ("new", result.new)):
        rescues = [each for (verdict, _), each in figures.items() if verdict == "rescue"]
        count, cost, net = (sum(getattr(r, n) for r in rescues) for n in ("warnings", "cost", "net"))
        out.print(f"  {name}: {count:,} rescues cost {cost:,.2f} and are expected to gain {net:,.2f} more")
    moved = sum(result.moved.values())
    out.print(
        f"  of the warnings that open under both, {result.same:,} are decided alike, {moved:,} otherwise"
    )
    for (before, after), count in list(result.moved.items())[:most]:
        out.print(f"    {count:,}: {literal(choice_words(before))} -> {literal(choice_words(after))}")


def choice_words(choice: Choice) -> str:
    """Return a verdict and its play."""
    verdict, play = choice
    words = {"dont": "do not rescue", "unknown": "undecided"}.get(verdict, verdict)
    return f"{words}, {play or 'no play'}"
