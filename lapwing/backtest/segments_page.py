"""Rules of segments in a backtest and a comparison, as sections of a page."""

from __future__ import annotations

from collections.abc import Sequence

from consumers.page import html
from lapwing.backtest.comparison_text import change_lines
from lapwing.backtest.words import day, interval, number, of_whole, percent
from streams.backtest.segments import SegmentEffect, SegmentFigures
from streams.core.events.calendar import DAY
from streams.core.rules.rule import RuleStatus
from streams.share import Share

OPENINGS_SHOWN = 100
"""Warnings of segments that are listed one by one; the rest is counted."""


def segment_sections(figures: Sequence[SegmentFigures], horizon_us: int) -> list[str]:
    """Return what rules of segments would have done; nothing where there are none."""
    if not figures:
        return []
    heads = (
        *("", "by", "warnings", "segments", "open at the end", "days open, median"),
        *(f"left within {horizon_us // DAY} days", "left elsewhere"),
    )
    rows = [("", [_name(each), html.cell(each.rule.by), *_cells(each)]) for each in figures]
    note = (
        "Each rule judged by itself. Of the segments' active customers at the openings, how many left; "
        "elsewhere are all other active customers at the same instants."
    )
    return [
        html.section("Rules of segments", note, html.table(heads, rows), wide=True),
        html.section("Warnings of segments", _shown(figures), _openings(figures), wide=True),
    ]


def effect_sections(effects: Sequence[SegmentEffect]) -> list[str]:
    """Return what changed in rules of segments; nothing where nothing did."""
    if not effects:
        return []
    changed = "".join(
        "<p><code>" + "<br>".join(html.spaced(line) for line in change_lines(effect.change)) + "</code></p>"
        for effect in effects
    )
    heads = ("", "warnings", "segments", "left", "left elsewhere")
    rows = [
        ("", [html.cell(effect.change.rule, which), *_few_cells(figures)])
        for effect in effects
        for which, figures in (("old", effect.old), ("new", effect.new))
    ]
    return [html.section("Rules of segments", "", changed + html.table(heads, rows), wide=True)]


def _name(figures: SegmentFigures) -> str:
    rule = figures.rule.rule
    tags = [rule.tier.label, *(["shadow"] if rule.status is RuleStatus.SHADOW else [])]
    return html.cell(rule.id) + "".join(f'<span class="tag">{tag}</span>' for tag in tags)


def _cells(figures: SegmentFigures) -> list[str]:
    return [
        html.cell(f"{len(figures.openings):,}"),
        html.cell(f"{_segments(figures):,}"),
        html.cell(f"{sum(opening.ended_at is None for opening in figures.openings):,}"),
        html.cell(number(figures.days_open)),
        _share(figures.left),
        _share(figures.left_elsewhere),
    ]


def _few_cells(figures: SegmentFigures | None) -> list[str]:
    if figures is None:
        return [html.cell("-")] * 4
    return [
        html.cell(f"{len(figures.openings):,}"),
        html.cell(f"{_segments(figures):,}"),
        _share(figures.left),
        _share(figures.left_elsewhere),
    ]


def _segments(figures: SegmentFigures) -> int:
    return len({opening.value for opening in figures.openings})


def _share(share: Share | None) -> str:
    if share is None or share.interval is None:
        return html.cell("-")
    return html.cell(percent(share.value), of_whole(share), interval(share))


def _shown(figures: Sequence[SegmentFigures]) -> str:
    count = sum(len(each.openings) for each in figures)
    return f"The newest {OPENINGS_SHOWN:,} of {count:,}." if count > OPENINGS_SHOWN else f"{count:,} in all."


def _openings(figures: Sequence[SegmentFigures]) -> str:
    found = [(opening, each.rule) for each in figures for opening in each.openings]
    found.sort(key=lambda row: (row[0].opened_at, row[1].rule.id, row[0].value), reverse=True)
    rows = [
        (
            "",
            [
                html.cell(rule.rule.id),
                html.cell(f"{rule.by}={opening.value}"),
                html.cell(day(opening.opened_at)),
                html.cell("open" if opening.ended_at is None else day(opening.ended_at)),
            ],
        )
        for opening, rule in found[:OPENINGS_SHOWN]
    ]
    return html.table(("rule", "segment", "opened", "ended"), rows) if rows else "<p>None.</p>"
