"""A document with every kind of cell, plot and part: what all formats have to show."""

from __future__ import annotations

from datetime import UTC, date, datetime

from consumers import charts
from consumers.reports.document import (
    HIDDEN,
    MISSING,
    NOT_ENOUGH,
    Between,
    Column,
    Definition,
    Document,
    Estimate,
    Kind,
    Plot,
    Section,
    Table,
    Tile,
    Under,
    Value,
)
from consumers.reports.pages.forecast import section as forecast_section
from consumers.reports.words import Words
from streams.share import Share, ShareDifference
from tests.consumers.reports.pages.test_forecast import made

HOSTILE = '=HYPERLINK("http://x","<b>") & \'q\''
"""A segment that somebody named to be run or to break out."""

TEXTS = {
    "en": (
        "Customers and churn", "March 2026", "By segment", "Segment", "North", "of which online",
        "Kept", "those active at the beginning", "How customers fared",
    ),
    "zh": (
        "客户与流失", "2026年3月", "按客户群", "客户群", "北方", "其中线上",
        "留存", "期初活跃客户", "客户去留情况",
    ),
}  # fmt: skip


def document(language: str = "en") -> Document:
    """Return it in a language."""
    words = Words(language, "Asia/Shanghai", "CNY" if language == "zh" else "EUR")
    title, period, by_segment, segment, north, online, kept, active, fared = TEXTS[language]
    groups = Table(
        "groups",
        by_segment,
        [
            Column("segment", segment),
            Column("churn", "Churn", Kind.SHARE, interval=True),
            Column("change", "Change", Kind.POINTS),
            Column("value", "Value lost", Kind.MONEY),
            Column("away", "Away", Kind.DAYS),
            Column("since", "Since", Kind.DATE),
        ],
        [
            [north, Share(38, 1000), ShareDifference(0.012, -0.004, 0.03), 12345.678, 41.5, date(2026, 3, 9)],
            [Under(online), Share(8, 200), NOT_ENOUGH, Estimate(950.5, 800.0, 1100.25), 7, MISSING],
            [HOSTILE, HIDDEN, MISSING, MISSING, MISSING, date(2026, 3, 31)],
            ["+49 30", Share(0, 0), MISSING, 0.0, 0, MISSING],
        ],
        total=["", Share(46, 1203), ShareDifference(0.01, None, None), 13296.18, 41, MISSING],
        note="Hidden are groups of fewer than five.",
    )
    months: list[list[Value]] = [
        [date(2025, month, 1), Share(20 + month, 1000) if month != 6 else MISSING, Between(0.01, 0.05), 3.25]
        for month in range(1, 13)
    ]
    trend = Table(
        "trend",
        fared,
        [
            Column("month", "Month", Kind.MONTH),
            Column("churn", "Churn", Kind.SHARE),
            Column("interval", "Interval", Kind.INTERVAL),
            Column("satisfaction", "Satisfaction", Kind.NUMBER),
        ],
        months,
    )
    shares = [row[1].value if isinstance(row[1], Share) else None for row in months]
    names = [words.month(row[0]) for row in months if isinstance(row[0], date)]

    def lines(width: float) -> str:
        line = charts.Line(kept, "", shares, [None] * 12)
        return charts.lines(range(12), [line], fared, percent=True, full=False, x_names=names, width=width)

    def funnel(width: float) -> str:
        steps = [charts.FunnelStep(f"{kept} {n}", n, f"{n} ({active})", "") for n in (900, 300, 20)]
        return charts.funnel(steps, fared, width=width)

    def heat(width: float) -> str:
        cells = [charts.Cell(each, words.percent(each, 0), "") for each in shares if each is not None]
        return charts.heat_map(
            [(name, cells[place:]) for place, name in enumerate(names[:6])], names, fared, width=width
        )

    plots = {"lines": lines, "funnel": funnel, "heat_map": heat}
    return Document(
        title=title,
        period=period,
        words=words,
        answer=[f"{words.share(Share(46, 1203))}.", f"{kept}: {words.points(0.01)}."],
        basis=[words.instant(datetime(2026, 4, 2, 3, tzinfo=UTC))],
        tiles=[Tile(words.percent(0.0382), kept, words.of(Share(46, 1203)), "groups"), Tile("41", fared)],
        sections=[
            Section(
                "groups", by_segment, "Two columns with two names.", tables=[groups], remarks=[HOSTILE],
                definitions=[
                    Definition(kept, kept, active, period, [(online, 12), ("nothing", 0)]),
                ],
            ),
            Section(
                "trend", fared, tables=[trend],
                plots=[Plot(kind, "trend", draw) for kind, draw in plots.items()],
            ),
            forecast_section(made(9), words),
        ],
        cautions=["Compared are customers, not orders."],
    )  # fmt: skip
