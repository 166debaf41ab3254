"""Churn month by month: missing months stay missing, a moving average says of how many months it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from consumers.reports.census_months import Censuses, CensusMonth, read_censuses
from consumers.reports.knowledge import Knowledge
from consumers.reports.period import Period
from consumers.reports.rate import AmountRate, Rate, points
from consumers.reports.retention import KEPT, LOST, ORIGINAL, VALUE, VALUE_LOST
from streams.share import Share, ShareDifference

MONTHS: Final = 13
"""How many months a trend has: that of a year ago is the first."""
YEAR: Final = 12
WINDOW: Final = 3
"""Over how many months the moving average goes."""


@dataclass(frozen=True, slots=True)
class TrendMonth:
    """A month of the trend."""

    month: CensusMonth
    year_before: CensusMonth | None
    average: Share | None
    """Lost of original over the last `WINDOW` months that nothing is the matter with; `None` without one."""
    average_of: int
    """Over how many months it really goes."""

    @property
    def churn(self) -> Rate | None:
        """Lost of original; `None` where it is not known."""
        return churn_of(self.month)

    @property
    def retention(self) -> Rate | None:
        """Kept of original; `None` where it is not known."""
        return _rate(self.month, self.month.counts.kept, KEPT)

    @property
    def relative(self) -> AmountRate | None:
        """Value lost of value; `None` where it is not known."""
        counts = self.month.counts
        if not self.month.has_rate or not counts.value_original_n:
            return None
        amounts = (counts.value_lost, counts.value_original, counts.value_lost_n, counts.value_original_n)
        return AmountRate(*amounts, VALUE_LOST, VALUE, self.month.month)

    @property
    def since_year_before(self) -> ShareDifference | None:
        """The churn less that of the same month a year ago; times 100 it is points."""
        then = None if self.year_before is None else churn_of(self.year_before)
        now = self.churn
        return None if now is None or then is None else now.points_since(then)

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        counts, change = self.month.counts, self.since_year_before
        rates = {"retention": self.retention, "absolute_churn": self.churn, "relative_churn": self.relative}
        return {
            **self.month.as_dict(),
            **{
                name: getattr(counts, name) if self.month.has_rate else None
                for name in ("original", "kept", "lost")
            },
            **{name: None if rate is None else rate.as_dict() for name, rate in rates.items()},
            "since_year_before": None if change is None else points(change),
            "moving_average": None
            if self.average is None
            else {**self.average.as_dict(), "months": self.average_of, "of": WINDOW},
        }


@dataclass(frozen=True, slots=True)
class Trend:
    """The months up to the end of a period, oldest first, from the first census on."""

    months: tuple[TrendMonth, ...]
    average: Share | None
    """Lost of original over all months that nothing is the matter with."""
    average_of: int

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        return {
            "months": [each.as_dict() for each in self.months],
            "average": None
            if self.average is None
            else {**self.average.as_dict(), "months": self.average_of, "of": len(self.months)},
        }


def churn_of(month: CensusMonth) -> Rate | None:
    """Return the churn of a month, `None` where it is not known."""
    return _rate(month, month.counts.lost, LOST)


def _rate(month: CensusMonth, part: int, what: str) -> Rate | None:
    if not month.has_rate or not month.counts.original:
        return None
    return Rate(Share(part, month.counts.original), what, ORIGINAL, month.month)


def read_trend(connection: Connection, period: Period, knowledge: Knowledge) -> Censuses:
    """Read the censuses of the trend up to the end of a period."""
    return read_censuses(connection, period.trailing_months(MONTHS + YEAR), knowledge)


def trend_figures(facts: Censuses, period: Period) -> Trend:
    """Return the trend up to the end of a period."""
    first = facts.first_month()
    shown = [
        facts.month(month) for month in period.trailing_months(MONTHS) if first is not None and month >= first
    ]
    made = []
    for place, month in enumerate(shown):
        average, count = _pooled(shown[max(0, place + 1 - WINDOW) : place + 1])
        before = month.month.year_before()
        there = first is not None and before >= first
        made.append(TrendMonth(month, facts.month(before) if there else None, average, count))
    average, count = _pooled(shown)
    return Trend(tuple(made), average, count)


def _pooled(months: Sequence[CensusMonth]) -> tuple[Share | None, int]:
    """Return lost of original over the months that nothing is the matter with, and how many these are."""
    whole = [each.counts for each in months if each.is_whole and each.counts.original]
    if not whole:
        return None, 0
    return Share(sum(each.lost for each in whole), sum(each.original for each in whole)), len(whole)
