"""The report on the model as a page."""

from __future__ import annotations

from collections.abc import Sequence

from consumers import charts
from consumers.page import html
from lapwing.backtest.words import interval, of_whole, percent, with_interval
from lapwing.quality.words import drifts, figure, funnel_rows, hidden, period, title
from streams.quality.measures import Measures
from streams.quality.report import CAUTIONS, GroupFigures, Grouping, ModelReport
from streams.share import Share

HEADS = (
    "n", "base rate", "mean probability", "AUC", "average precision", "lift at 10 %", "log loss", "Brier",
    "calibration error",
)  # fmt: skip


def report_page(report: ModelReport) -> str:
    """Return the report as one HTML file."""
    every = report.all
    state = "ready" if report.ready else "not ready"
    lead = [
        period(report),
        f"Model {', '.join(report.versions) or 'none'} ({state}); rule set {report.rule_set}.",
    ]
    if report.heaviest > 1:
        lead.append(f"Decisions count by their weights, {figure(report.heaviest, 1)} at most.")
    tiles = [
        (figure(every.auc), "AUC", "0.5 is chance"),
        (figure(every.average_precision), "Average precision", f"base rate {figure(every.base_rate)}"),
        (figure(every.lift, 2), "Lift at 10 %", "rate of the top tenth over the base rate"),
        (figure(every.log_loss), "Log loss", f"the base rate alone {figure(every.base_log_loss)}"),
        (figure(every.brier), "Brier score", "mean squared error"),
        (figure(every.calibration_error), "Calibration error", "mean over ten bins"),
    ]
    sections = [html.section("Decisions", "", _funnel(report), wide=not report.bins)]
    if report.bins:
        sections += [
            html.section(
                "Reliability",
                "Each dot is a tenth of the decisions: the share that churned, with its 95 % interval, over "
                "the mean probability given. On the dashed line both agree.",
                _reliability_plot(report),
            ),
            html.section("Reliability by tenth", "", _reliability(report)),
            html.section("AUC by month", "By month of the decision.", _month_plot(report)),
            html.section(
                "Given and observed by month",
                "What moves apart was not foreseen.",
                _rate_plot(report),
                wide=True,
            ),
            html.section(
                "What the model goes by",
                "The mean size of each group's share of the log odds, and what raises the probability most.",
                _importance(report),
                wide=True,
            ),
            html.section("By month", "", _months(report), wide=True),
        ]
    for grouping in report.groupings:
        if len(grouping.groups) > 1 or grouping.hidden:
            sections += _grouping(grouping, report.least_customers)
    drift = html.listed(drifts(report.drift)) if report.drift else "<p>None found.</p>"
    sections.append(
        html.section("Drift", "Means that moved for good, and when it was found.", drift, wide=True)
    )
    sections.append(html.section("To keep in mind", "", html.listed(CAUTIONS), wide=True))
    return html.page("Lapwing model", lead, tiles, sections)


def _funnel(report: ModelReport) -> str:
    rows = [("", [html.cell(name), html.cell(f"{count:,}")]) for name, count in funnel_rows(report.funnel)]
    return html.table(("", "n"), rows)


def _reliability_plot(report: ModelReport) -> str:
    points = []
    for each in report.bins:
        observed = Share(each.churned, each.n)
        low, high = observed.interval or (each.rate, each.rate)
        shown = f"given {each.mean_probability:.1%}, churned {each.rate:.1%}: {of_whole(observed)}"
        points.append((each.mean_probability, charts.Dot(each.rate, low, high, shown)))
    return charts.for_both(
        lambda width: charts.agreement(
            points, "Churned over probability given", "mean probability given", "churned", width=width
        ),
        charts.WIDTH,
    )


def _reliability(report: ModelReport) -> str:
    rows = [
        (
            "",
            [
                html.cell(f"{each.low:.3f} to {each.high:.3f}"),
                html.cell(f"{each.n:,}"),
                html.cell(percent(each.mean_probability)),
                html.cell(percent(each.rate), f"{each.churned:,}"),
            ],
        )
        for each in report.bins
    ]
    return html.table(("probability", "n", "mean", "churned"), rows)


def _importance(report: ModelReport) -> str:
    rows = [
        (
            "",
            [
                html.cell(each.group.value),
                html.cell(each.text),
                html.cell(percent(each.part)),
                html.cell(figure(each.size, 2)),
                html.cell("; ".join(one.text() for one in each.inputs)),
            ],
        )
        for each in report.importance
    ]
    return html.table(
        ("inputs", "what they say", "share", "log odds", "what raises the probability most"), rows
    )


def _over_months(
    report: ModelReport, series: Sequence[charts.Line], label: str, width: float = charts.WIDE
) -> str:
    names = [month.month for month in report.months]
    return charts.for_both(
        lambda width: charts.lines(
            list(range(len(names))),
            series,
            label,
            percent=True,
            x_names=names,
            width=width,
        ),
        width,
    )


def _month_plot(report: ModelReport) -> str:
    values = [month.measures.auc for month in report.months]
    return _over_months(
        report, [charts.Line("AUC", "", values, [None] * len(values))], "AUC by month", charts.WIDTH
    )


def _rate_plot(report: ModelReport) -> str:
    none = [None] * len(report.months)
    given = charts.Line("given", "", [month.measures.mean_probability for month in report.months], none)
    seen = charts.Line("churned", "other", [month.measures.base_rate for month in report.months], none)
    return _over_months(report, [given, seen], "Mean probability and churn rate by month")


def _months(report: ModelReport) -> str:
    rows = [("all", ["All", *_cells(report.all)])]
    rows += [("", [html.cell(month.month), *_cells(month.measures)]) for month in report.months]
    return html.table(("", *HEADS), rows)


def _cells(measures: Measures) -> list[str]:
    return [
        html.cell(f"{measures.n:,}"),
        html.cell(percent(measures.base_rate)),
        html.cell(percent(measures.mean_probability)),
        html.cell(figure(measures.auc)),
        html.cell(figure(measures.average_precision)),
        html.cell(figure(measures.lift, 2)),
        html.cell(figure(measures.log_loss)),
        html.cell(figure(measures.brier)),
        html.cell(figure(measures.calibration_error)),
    ]


def _grouping(grouping: Grouping, least: int) -> list[str]:
    name = title(grouping)
    heads = ("Warned", "Of those who stayed", "Of those who churned")
    rows = [
        (_name(each), "", (_dot(each.warned), _dot(each.warned_kept), _dot(each.warned_churned)))
        for each in grouping.groups
    ]
    plot = charts.for_both(lambda width: charts.forest(rows, heads, f"Warning rate by {name}", width=width))
    return [
        html.section(
            f"Warning rate by {name}",
            "The share of decisions at which a warning was open. Dot and 95 % interval (Wilson).",
            plot if rows else "",
            wide=True,
        ),
        html.section(f"By {name}", hidden(grouping, least), _groups(grouping), wide=True),
    ]


def _groups(grouping: Grouping) -> str:
    heads = (
        "", "customers", "n", "base rate", "mean probability", "AUC", "log loss", "calibration error",
        "warned", "of those who stayed", "of those who churned",
    )  # fmt: skip
    rows = []
    for each in grouping.groups:
        measures = each.measures
        cells = [
            html.cell(_name(each)),
            html.cell(f"{each.customers:,}"),
            html.cell(f"{measures.n:,}"),
            html.cell(percent(measures.base_rate)),
            html.cell(percent(measures.mean_probability)),
            html.cell(figure(measures.auc)),
            html.cell(figure(measures.log_loss)),
            html.cell(figure(measures.calibration_error)),
        ]
        cells += [_share(share) for share in (each.warned, each.warned_kept, each.warned_churned)]
        rows.append(("", cells))
    return html.table(heads, rows)


def _name(each: GroupFigures) -> str:
    return "(unknown)" if each.group is None else each.group


def _share(share: Share) -> str:
    return (
        html.cell(percent(share.value), of_whole(share), interval(share)) if share.whole else html.cell("-")
    )


def _dot(share: Share) -> charts.Dot:
    low, high = share.interval or (None, None)
    return charts.Dot(share.value, low, high, with_interval(share))
