"""Two rule sets compared, as a page."""

from __future__ import annotations

from collections.abc import Sequence

from consumers.page import html
from lapwing.backtest.comparison_text import effect_lines, rows
from lapwing.backtest.page import load_plot
from lapwing.backtest.segments_page import effect_sections
from lapwing.backtest.words import day, difference
from streams.backtest.comparison import Comparison, CustomerChange
from streams.backtest.segments import SegmentEffect
from streams.core.events.calendar import DAY


def comparison_page(
    result: Comparison, old: str, new: str, customers: int, segments: Sequence[SegmentEffect] = ()
) -> str:
    """Return a comparison as one HTML file, with what changed in rules of segments."""
    lead = [
        f"{old} ({result.old_set}) against {new} ({result.new_set})",
        f"{day(result.period.since)} to {day(result.period.until)}: {result.events:,} events of "
        f"{result.customers:,} customers, horizon {result.horizon_us // DAY} days.",
    ]
    tiles = [
        (f"{len(result.gained):,}", "Customers gained", "warned of under the new rules alone"),
        (f"{len(result.lost):,}", "Customers lost", "warned of under the old rules alone"),
        (f"{len(result.changed):,}", "Changed in tier", f"{result.kept:,} as before"),
        (f"{result.new.alarms - result.old.alarms:+,}", "Warnings", f"{result.old.alarms:,} before"),
        (*_points(difference(result.precision), "Precision"),),
        (*_points(difference(result.recall), "Recall"),),
    ]
    changed = "".join(
        "<p><code>" + "<br>".join(html.spaced(line) for line in effect_lines(change)) + "</code></p>"
        for change in result.rules
    )
    figures = html.table(
        ("", "old", "new", "change"),
        [
            ("", [html.cell(name), *(html.cell(*cell.split("\n")) for cell in cells)])
            for name, cells in rows(result)
        ],
    )
    # Both plots have one scale, so that the eye can compare them.
    most = max(int(load.by_working_day.max(initial=0)) for load in (result.old.load, result.new.load))
    sections = [
        html.section("What changed", "", changed or "<p>No rule differs.</p>", wide=True),
        html.section(
            "All active rules",
            "Differences with 95 % intervals: of precision as if counted on different customers (Newcombe), "
            "so wider than need be; of recall on the same churns (Bonett and Price).",
            figures,
            wide=True,
        ),
        html.section("Old: warnings each working day", "", load_plot(result.old.load, most), wide=True),
        html.section("New: warnings each working day", "", load_plot(result.new.load, most), wide=True),
        *effect_sections(segments),
        *(
            html.section(title, f"{len(changes):,} customers", _customers(changes, customers))
            for title, changes in (
                ("Gained", result.gained),
                ("Lost", result.lost),
                ("Changed in tier", result.changed),
            )
        ),
    ]
    return html.page("Lapwing rules diff", lead, tiles, sections)


def _points(text: str, what: str) -> tuple[str, str, str]:
    value, _, interval = text.partition(" points ")
    return value, f"{what}, change in points", interval


def _customers(changes: Sequence[CustomerChange], most: int) -> str:
    shown = [
        ("", [html.cell(c.customer_id), *(html.cell(t.label if t else "-") for t in (c.old, c.new))])
        for c in changes[:most]
    ]
    return html.table(("customer", "old tier", "new tier"), shown) if shown else "<p>None.</p>"
