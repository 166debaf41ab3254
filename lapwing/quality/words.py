"""The report's figures in words, for text and page alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lapwing.backtest.words import day, number
from streams.core.events.calendar import DAY
from streams.learning.drift import LOSS, SCORE, Drift
from streams.quality.report import Funnel, Grouping, ModelReport

GROUPINGS: Final = {"customer_class": "class"}
"""What a grouping is called, where it is not its own name."""


def title(grouping: Grouping) -> str:
    """Return what customers are grouped by."""
    return GROUPINGS.get(grouping.name, grouping.name.replace("_", " "))


def period(report: ModelReport) -> str:
    """Return the time that the decisions are from, and what churn is."""
    horizon = report.horizon_us // DAY
    if report.since is None or report.until is None:
        return f"No decision is {horizon} days old yet: there is nothing to judge."
    return (
        f"{report.funnel.judged:,} decisions from {day(report.since)} to {day(report.until)} "
        f"({report.time_zone}), {report.events:,} events of {report.customers:,} customers. A customer has "
        f"churned when no activity follows within {horizon} days, or with a closure."
    )


def funnel_rows(funnel: Funnel) -> list[tuple[str, int]]:
    """Return the funnel's steps."""
    return [
        ("in the population at their decision instant", funnel.population),
        ("left out, as one sweep keeps no more", funnel.thinned),
        ("censored: the horizon is not over", funnel.censored),
        ("matured: the outcome is due", funnel.matured),
        ("of these excluded: a topic of activity was quiet", funnel.excluded),
        ("of these treated", funnel.treated),
        ("of these without a probability: the model was not ready", funnel.without_probability),
        ("of these judged", funnel.judged),
    ]


def hidden(grouping: Grouping, least: int) -> str:
    """Return what is not shown of a grouping; nothing where all is."""
    if not grouping.hidden:
        return ""
    groups = "1 group" if grouping.hidden == 1 else f"{grouping.hidden:,} groups"
    return f"Hidden: {groups} of fewer than {least} customers, {grouping.hidden_decisions:,} decisions."


SHOWN: Final = 12
"""Drifts that are shown, the newest; `--json` has all."""


def drifts(found: Sequence[Drift]) -> list[str]:
    """Return drifts in words, the newest first."""
    shown = [_drifted(each) for each in found[::-1][:SHOWN]]
    if len(found) > SHOWN:
        shown.append(f"and {len(found) - SHOWN:,} before; --json has all")
    return shown


def _drifted(found: Drift) -> str:
    """Return a drift in words."""
    what = {LOSS: "the log loss", SCORE: "the mean probability"}.get(found.series, found.series)
    if found.series in (LOSS, SCORE):
        return f"{day(found.at)}: {what} moved from {number(found.before, 3)} to {number(found.now, 3)}"
    return (
        f"{day(found.at)}: the mean of {what} moved from {found.before:.0%} to {found.now:.0%} of its range"
    )


def figure(value: float | None, digits: int = 3) -> str:
    """Return a measure; a dash where it is unknown."""
    return number(value, digits)
