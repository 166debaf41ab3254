"""The report on the model as text for the terminal."""

from __future__ import annotations

from rich.table import Table

from lapwing.backtest.text import console, literal, table
from lapwing.backtest.words import in_two_lines, percent
from lapwing.quality.words import drifts, figure, funnel_rows, hidden, period, title
from streams.quality.measures import Measures
from streams.quality.report import CAUTIONS, Grouping, ModelReport

HEADS = (
    "n", "base rate", "mean\nprobability", "AUC", "average\nprecision", "lift\nat 10 %", "log loss", "Brier",
    "calibration\nerror",
)  # fmt: skip


def print_report(report: ModelReport) -> None:
    """Print the report."""
    out = console()
    out.print(f"[bold]{period(report)}[/bold]")
    state = "ready" if report.ready else "not ready"
    out.print(f"Model {', '.join(report.versions) or 'none'} ({state}); rule set {report.rule_set}.\n")
    out.print(_funnel(report))
    if not report.funnel.judged:
        return
    if report.heaviest > 1:
        out.print(f"Decisions count by their weights, {figure(report.heaviest, 1)} at most.\n")
    made = table("All, and by month of the decision", "", *HEADS)
    made.add_row("[bold]all[/bold]", *_cells(report.all))
    for month in report.months:
        made.add_row(month.month, *_cells(month.measures))
    out.print(made)
    out.print(_reliability(report))
    for grouping in report.groupings:
        if len(grouping.groups) > 1 or grouping.hidden:
            out.print(_grouping(grouping))
            if note := hidden(grouping, report.least_customers):
                out.print(f"{note}\n")
    out.print(_importance(report))
    out.print("[bold]Drift[/bold]")
    for each in drifts(report.drift):
        out.print(f"  {each}")
    if not report.drift:
        out.print("  none found")
    out.print()
    for caution in CAUTIONS:
        out.print(f"[dim]* {caution}[/dim]")


def _cells(measures: Measures) -> list[str]:
    return [
        f"{measures.n:,}",
        percent(measures.base_rate),
        percent(measures.mean_probability),
        figure(measures.auc),
        figure(measures.average_precision),
        figure(measures.lift, 2),
        figure(measures.log_loss),
        figure(measures.brier),
        figure(measures.calibration_error),
    ]


def _funnel(report: ModelReport) -> Table:
    made = table("Decisions", "", "n")
    for name, count in funnel_rows(report.funnel):
        made.add_row(name, f"{count:,}")
    return made


def _reliability(report: ModelReport) -> Table:
    made = table("Reliability by tenth of the decisions", "probability", "n", "mean", "churned", "rate")
    for each in report.bins:
        made.add_row(
            f"{each.low:.3f} to {each.high:.3f}",
            f"{each.n:,}",
            percent(each.mean_probability),
            f"{each.churned:,}",
            percent(each.rate),
        )
    return made


def _grouping(grouping: Grouping) -> Table:
    made = table(
        f"By {title(grouping)}",
        "", "customers", "n", "base rate", "mean\nprobability", "AUC", "log loss", "calibration\nerror",
        "warned", "of those\nwho stayed", "of those\nwho churned",
    )  # fmt: skip
    for each in grouping.groups:
        measures = each.measures
        made.add_row(
            "(unknown)" if each.group is None else literal(each.group),
            f"{each.customers:,}",
            f"{measures.n:,}",
            percent(measures.base_rate),
            percent(measures.mean_probability),
            figure(measures.auc),
            figure(measures.log_loss),
            figure(measures.calibration_error),
            in_two_lines(each.warned),
            in_two_lines(each.warned_kept),
            in_two_lines(each.warned_churned),
        )
    return made


def _importance(report: ModelReport) -> Table:
    made = table("What the model goes by", "inputs", "share", "log odds", "what raises the probability most")
    for each in report.importance:
        made.add_row(
            f"{each.group.value}: {each.text}",
            percent(each.part),
            figure(each.size, 2),
            "\n".join(one.text() for one in each.inputs),
        )
    return made
