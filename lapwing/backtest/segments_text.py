"""Rules of segments in a backtest and a comparison, as text for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from lapwing.backtest.comparison_text import change_lines
from lapwing.backtest.text import console, literal, table
from lapwing.backtest.words import in_two_lines, number
from streams.backtest.segments import SegmentEffect, SegmentFigures
from streams.core.events.calendar import DAY
from streams.core.rules.rule import RuleStatus
from streams.share import Share


def print_segments(figures: Sequence[SegmentFigures], horizon_us: int) -> None:
    """Print what rules of segments would have done; nothing where there are none."""
    if not figures:
        return
    made = table(
        "Rules of segments", "", "by", "warnings", "segments", "open at\nthe end", "days open\n(median)",
        f"left within\n{horizon_us // DAY} days", "left\nelsewhere",
    )  # fmt: skip
    for each in figures:
        rule = each.rule.rule
        shown = rule.id + ("" if rule.status is RuleStatus.ACTIVE else f" [dim]({rule.status.value})[/dim]")
        made.add_row(
            shown,
            each.rule.by,
            f"{len(each.openings):,}",
            f"{len({opening.value for opening in each.openings}):,}",
            f"{sum(opening.ended_at is None for opening in each.openings):,}",
            number(each.days_open),
            _share(each.left),
            _share(each.left_elsewhere),
        )
    console().print(made)


def print_segment_effects(effects: Sequence[SegmentEffect]) -> None:
    """Print what changed in rules of segments; nothing where nothing did."""
    if not effects:
        return
    out = console()
    out.print(f"[bold]Rules of segments[/bold]: {len(effects)} differ")
    for effect in effects:
        for line in change_lines(effect.change):
            out.print("  " + literal(line))
        if effect.old is not None or effect.new is not None:
            out.print(f"    warns {_warnings(effect.old)} -> {_warnings(effect.new)} times")


def _warnings(figures: SegmentFigures | None) -> str:
    return "0" if figures is None else f"{len(figures.openings):,}"


def _share(share: Share | None) -> str:
    return "-" if share is None else in_two_lines(share)
