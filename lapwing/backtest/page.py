"""A backtest as a page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from consumers import charts
from consumers.page import html
from lapwing.backtest.segments_page import segment_sections
from lapwing.backtest.words import capacity, day, interval, number, of_whole, percent, spread, with_interval
from streams.backtest.figures import BacktestFigures
from streams.backtest.load import WEEKDAYS, Load
from streams.backtest.missed import by_rule
from streams.backtest.report import CAUTIONS, Backtest, RuleFigures
from streams.backtest.segments import SegmentFigures
from streams.core.events.calendar import DAY
from streams.core.rules.rule import RuleStatus
from streams.share import Share

HEADS = (
    "", "warnings", "a day", "a working day", "days over capacity", "precision", "recall",
    "lead time, days", "only this rule",
)  # fmt: skip


def backtest_page(result: Backtest, missed_most: int, segments: Sequence[SegmentFigures] = ()) -> str:
    """Return a backtest as one HTML file, with what rules of segments would have done."""
    horizon = result.horizon_us // DAY
    load = result.all.load.as_dict()
    lead = [
        f"{day(result.period.since)} to {day(result.period.until)} ({result.time_zone}). "
        f"{result.events:,} events of {result.customers:,} customers; rule set {result.rule_set}.",
        f"A customer has left when no order follows for {horizon} days, or with a closure. Only what "
        f"has matured is judged: warnings opened {horizon} days before the end, churns known by then.",
    ]
    tiles = [
        (percent(result.all.precision.value), "Precision", of_whole(result.all.precision) + " warnings"),
        (percent(result.all.recall.value), "Recall", of_whole(result.all.recall) + " churns"),
        (
            "-" if result.all.lead_days.median is None else f"{result.all.lead_days.median:.0f} days",
            "Median lead time",
            f"half lie in {spread(result.all.lead_days).partition('(')[2].rstrip(')')}"
            if result.all.lead_days.count
            else "",
        ),
        (number(load["per_working_day"]["value"]), "Warnings a working day", f"{result.all.alarms:,} in all"),
        (
            capacity(load),
            "Working days over capacity",
            "no --capacity given" if result.team.capacity is None else f"capacity {result.team.capacity:g}",
        ),
        (percent(result.base.value), "Base rate", f"{of_whole(result.base)} active customers leave"),
    ]
    sections = [
        html.section(
            "Warnings each working day",
            "Those of days off wait for the working day that follows.",
            load_plot(result.all.load),
            wide=True,
        ),
        html.section(
            "Precision and recall by rule",
            "Dot and 95 % interval (Wilson). Rules in italics are in shadow and warn nobody. The dashed line "
            "is the base rate: what warning any active customer would give.",
            _forest(result),
            wide=True,
        ),
        html.section(
            "Precision by tier",
            "The tier of a warning at its opening; on the right without the customers who were no longer "
            "active then. Dot and 95 % interval (Wilson).",
            _tiers(result),
            wide=True,
        ),
        html.section("Rules", "", _rules(result), wide=True),
        html.section(
            "Lead time",
            "Days from the warning's opening to the day on which the customer would be known as lost.",
            _lead(result),
        ),
        html.section("Load by weekday", "Mean warnings opened on each weekday.", _weekdays(result)),
        *(
            html.section(
                f"False alarms by {title}",
                "The rate within the group, and the group's share of all false alarms.",
                _groups(result.all, name, title),
            )
            for name, title in (("customer_class", "class"), ("segment", "segment"))
        ),
        html.section("Left unwarned", _missed_note(result), _missed(result, missed_most), wide=True),
        *segment_sections(segments, result.horizon_us),
        html.section("To keep in mind", "", html.listed(CAUTIONS), wide=True),
    ]
    return html.page("Lapwing backtest", lead, tiles, sections)


def load_plot(load: Load, most: float = 0.0) -> str:
    """Return the warnings that wait on each working day, and the capacity; the axis reaches to `most`."""
    days = np.flatnonzero(load.working)
    dates = [date(1970, 1, 1) + timedelta(days=int(d) + load.first_day) for d in days.tolist()]
    values = load.by_working_day.tolist()
    marks = [
        (place, f"{each:%b %Y}" if each.month == 1 or place == 0 else f"{each:%b}")
        for place, each in enumerate(dates)
        if place == 0 or each.month != dates[place - 1].month
    ]
    marks = marks[:: max(1, len(marks) // 12)]
    limit = load.team.capacity
    return charts.for_both(
        lambda width: charts.bars(
            values,
            [f"{each:%a %d %b %Y}: {value} warnings" for each, value in zip(dates, values, strict=True)],
            marks,
            "Warnings each working day",
            limit=limit,
            limit_label="" if limit is None else f"capacity {limit:g}",
            top_value=most,
            width=width,
            height=230,
        )
    )


def _dot(share: Share) -> charts.Dot:
    low, high = share.interval or (None, None)
    return charts.Dot(share.value, low, high, with_interval(share))


def _forest(result: Backtest) -> str:
    rows: list[tuple[str, str, Sequence[charts.Dot]]] = [
        ("all active rules", "all", (_dot(result.all.precision), _dot(result.all.recall)))
    ]
    for each in result.rules:
        kind = "shadow" if each.rule.status is RuleStatus.SHADOW else ""
        rows.append((each.rule.id, kind, (_dot(each.figures.precision), _dot(each.figures.recall))))
    return _forest_plot(result, rows, ("Precision", "Recall"), "Precision and recall of each rule")


def _tiers(result: Backtest) -> str:
    rows = []
    for tier, figures in result.tiers.items():
        every, not_lost = figures.precision, figures.precision_not_lost
        name = f"{tier.label} ({of_whole(every)})" if every.whole else tier.label
        rows.append((name, "", (_dot(every), _dot(not_lost))))
    return _forest_plot(result, rows, ("Precision", "Not already lost"), "Precision of each tier")


def _forest_plot(
    result: Backtest, rows: Sequence[tuple[str, str, Sequence[charts.Dot]]], heads: Sequence[str], label: str
) -> str:
    base = result.base.value
    reference = None if base is None else (0, base, "base rate")
    return charts.for_both(lambda width: charts.forest(rows, heads, label, reference=reference, width=width))


def _rules(result: Backtest) -> str:
    rows = [("all", ["All active rules", *_cells(result.all), ""])]
    rows += [("", [_name(each), *_cells(each.figures), _share(each.alone)]) for each in result.rules]
    return html.table(HEADS, rows)


def _name(each: RuleFigures) -> str:
    tags = [each.rule.tier.label, *(["shadow"] if each.rule.status is RuleStatus.SHADOW else [])]
    return html.cell(each.rule.id) + "".join(f'<span class="tag">{tag}</span>' for tag in tags)


def _share(share: Share) -> str:
    if share.interval is None:
        return html.cell("-")
    return html.cell(percent(share.value), of_whole(share), interval(share))


def _cells(figures: BacktestFigures) -> list[str]:
    load = figures.load.as_dict()
    lead = figures.lead_days
    quartiles = "" if lead.low is None else f"{lead.low:.0f} to {lead.high:.0f}"
    return [
        html.cell(f"{figures.alarms:,}"),
        html.cell(number(load["per_day"]["value"])),
        html.cell(number(load["per_working_day"]["value"])),
        html.cell(capacity(load)),
        _share(figures.precision),
        _share(figures.recall),
        html.cell(number(lead.median, 0), quartiles),
    ]


def _lead(result: Backtest) -> str:
    leads = result.all.leads
    if not len(leads):
        return "<p>No churn was warned of.</p>"
    width = max(1, round(float(np.quantile(leads, 0.98)) / 24))
    # What lies far out is gathered in the last bar, lest one customer flattens all others.
    edge = int(np.ceil(float(np.quantile(leads, 0.99)) / width)) or 1
    counts = np.bincount(np.minimum(leads // width, edge).astype(np.int64), minlength=edge + 1).tolist()
    titles = [
        f"{i * width} to {(i + 1) * width} days: {n:,} churns"
        if i < edge
        else f"{i * width} days or more: {n:,}"
        for i, n in enumerate(counts)
    ]
    marks = [(i, f"{i * width}" + ("+" if i == edge else "")) for i in range(0, edge + 1, max(1, edge // 8))]
    return charts.for_both(
        lambda width: charts.bars(
            counts, titles, marks, "Lead time in days", y_label="churns", height=240, width=width
        ),
        charts.WIDTH,
    )


def _weekdays(result: Backtest) -> str:
    rows = result.all.load.by_weekday()
    return charts.for_both(
        lambda width: charts.bars(
            [row["value"] or 0 for row in rows],
            [f"{row['weekday']}: {row['part']:,} warnings on {row['whole']:,} days" for row in rows],
            list(enumerate(name.capitalize() for name in WEEKDAYS)),
            "Mean warnings by weekday",
            y_label="warnings a day",
            height=240,
            width=width,
        ),
        charts.WIDTH,
    )


def _groups(figures: BacktestFigures, name: str, title: str) -> str:
    rows = [
        (
            "",
            [
                html.cell(group.value or "(none)"),
                _share(Share(group.false, group.judged)),
                html.cell(
                    percent(Share(group.false, group.all_false).value),
                    f"{group.false:,} of {group.all_false:,}",
                ),
            ],
        )
        for group in figures.groups[name]
    ]
    return html.table((title, "false rate within it", "share of all false alarms"), rows)


def _missed_note(result: Backtest) -> str:
    recall = result.all.recall
    return (
        f"{recall.whole - recall.part:,} of {recall.whole:,} churns came without a warning. For each, the "
        "active rule that came nearest between the last order and the day it was known, and how far its "
        "condition was from true as a share of the threshold: 0 was true but not for long enough."
    )


def _missed(result: Backtest, most: int) -> str:
    rows = []
    for row in by_rule(result.missed):
        far = "-" if row["median"] is None else f"{row['median']:.2f}"
        quartiles = "" if row["median"] is None else f"{row['q1']:.2f} to {row['q3']:.2f}"
        rows.append(
            (
                "",
                [
                    html.cell(row["rule"] or "(none has a distance)"),
                    html.cell(f"{row['part']:,}"),
                    html.cell(f"{row['within_a_tenth']:,}"),
                    html.cell(far, quartiles),
                ],
            )
        )
    shown = html.table(("nearest rule", "churns", "within a tenth", "median distance"), rows)
    if not most:
        return shown
    nearest = [
        (
            "",
            [
                html.cell(each.customer_id),
                html.cell(day(each.last_order)),
                html.cell(day(each.known_at)),
                html.cell(each.rule or "-"),
                html.cell("-" if each.at is None else day(each.at)),
                html.cell("-" if each.distance is None else f"{each.distance:.3f}"),
            ],
        )
        for each in result.missed[:most]
    ]
    heads = ("customer", "last order", "known as lost", "nearest rule", "on", "distance")
    return shown + "<h2 style='margin-top:18px'>Nearest to a warning</h2>" + html.table(heads, nearest)
