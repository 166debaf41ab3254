"""Curves of thresholds as a page."""

from __future__ import annotations

from collections.abc import Sequence

from consumers import charts
from consumers.page import html
from lapwing.backtest.tuning_text import verdict
from lapwing.backtest.words import capacity, day, interval, number, of_whole, percent, spread
from streams.backtest.thresholds import written
from streams.backtest.tuning import TUNING_CAUTION, Curve, Tuning
from streams.share import Share


def tuning_page(results: Sequence[Tuning]) -> str:
    """Return the curves as one HTML file."""
    sections = []
    for result in results:
        name = f"{result.rule.id}: {result.threshold.address}"
        sections.append(
            html.section(name, verdict(result), f"<code>{html.spaced(result.rule.when)}</code>", wide=True)
        )
        for what, curve in (
            ("Chosen on" if result.after else "Judged on", result.curve),
            ("Then", result.after),
        ):
            if curve is not None:
                sections += _curve(result, curve, what)
    sections.append(html.section("To keep in mind", "", html.listed([TUNING_CAUTION]), wide=True))
    lead = [f"Rule {results[0].rule.id}, {results[0].rule.title}" if results else ""]
    return html.page("Lapwing rules tune", lead, [], sections)


def _curve(result: Tuning, curve: Curve, what: str) -> list[str]:
    values = [point.value for point in curve.points]
    period = f"{what} {day(curve.period.since)} to {day(curve.period.until)}"
    marks = [(result.threshold.value, "now", "mark")]
    if result.chosen is not None and result.chosen != result.threshold.value:
        marks.append((result.chosen, "chosen", "limit"))
    shares = [
        _line("precision", "", [point.rule.precision for point in curve.points]),
        _line("recall", "other", [point.rule.recall for point in curve.points]),
    ]
    loads = [
        charts.Line(
            name, kind, [f.load.as_dict()["per_working_day"]["value"] for f in of], [None] * len(values)
        )
        for name, kind, of in (
            ("all rules", "", [point.all for point in curve.points]),
            ("the rule", "other", [point.rule for point in curve.points]),
        )
    ]
    limit = result.team.capacity
    rows = [
        (
            "chosen" if point.value == result.chosen else "",
            [
                html.cell(written(point.value), "now" if point.value == result.threshold.value else ""),
                html.cell(f"{point.rule.alarms:,}"),
                html.cell(
                    percent(point.rule.precision.value),
                    of_whole(point.rule.precision),
                    interval(point.rule.precision),
                ),
                html.cell(
                    percent(point.rule.recall.value), of_whole(point.rule.recall), interval(point.rule.recall)
                ),
                html.cell(spread(point.rule.lead_days)),
                html.cell(number(point.all.load.as_dict()["per_working_day"]["value"])),
                html.cell(capacity(point.all.load.as_dict())),
                html.cell(
                    percent(point.all.recall.value), of_whole(point.all.recall), interval(point.all.recall)
                ),
            ],
        )
        for point in curve.points
    ]
    heads = (
        result.threshold.address, "warnings of the rule", "precision", "recall", "lead days",
        "all rules a working day", "days over capacity", "recall of all rules",
    )  # fmt: skip
    return [
        html.section(
            f"{period}: precision and recall of the rule",
            "Bands are 95 % intervals (Wilson).",
            charts.for_both(
                lambda width: charts.lines(
                    values,
                    shares,
                    "Precision and recall",
                    percent=True,
                    upright=marks,
                    x_label=result.threshold.address,
                    width=width,
                )
            ),
            wide=True,
        ),
        html.section(
            f"{period}: warnings on the mean working day",
            "",
            charts.for_both(
                lambda width: charts.lines(
                    values,
                    loads,
                    "Warnings a working day",
                    percent=False,
                    upright=marks,
                    level=None if limit is None else (limit, f"capacity {limit:g}"),
                    x_label=result.threshold.address,
                    width=width,
                )
            ),
            wide=True,
        ),
        html.section(period, "", html.table(heads, rows), wide=True),
    ]


def _line(name: str, kind: str, shares: Sequence[Share]) -> charts.Line:
    return charts.Line(name, kind, [share.value for share in shares], [share.interval for share in shares])
