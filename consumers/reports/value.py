"""What those who left were worth, what is at risk, and what the forecast comes to in money."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from consumers.reports.census_months import CensusMonth, read_censuses
from consumers.reports.forecast import Forecast, forecast, read_forecast
from consumers.reports.knowledge import Knowledge
from consumers.reports.losses import Loss, LossReader, losses_of
from consumers.reports.open_warnings import OpenWarnings, read_open_warnings
from consumers.reports.period import Period
from consumers.scorecard.facts import LAPSED
from consumers.scorecard.scorecard import TIERS

MONTHS: Final = 12
"""Over how many months the mean value of those lost goes."""


@dataclass(frozen=True, slots=True)
class Amount:
    """A sum of values, of those of whom it is known."""

    total: float
    known: int
    n: int
    """All, those of whom it is not known too."""

    @classmethod
    def of(cls, values: Iterable[float | None]) -> Amount:
        """Return the sum."""
        given = list(values)
        known = [value for value in given if value is not None]
        return cls(float(sum(known)), len(known), len(given))

    @property
    def mean(self) -> float | None:
        """Of those of whom it is known; `None` of nobody."""
        return self.total / self.known if self.known else None

    @property
    def unknown(self) -> int:
        """Those of whom it is not known: they are not in the sum."""
        return self.n - self.known

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {"total": self.total, "known": self.known, "n": self.n, "mean": self.mean}


@dataclass(frozen=True, slots=True)
class AtRisk:
    """The warnings open at the end of a period."""

    tier: str | None
    """`None` for all."""
    at_risk: Amount
    """What their customers are worth if they stay, times the churn probability."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {"tier": self.tier, "value_at_risk": self.at_risk.as_dict()}


@dataclass(frozen=True, slots=True)
class ValueFacts:
    """What values are counted from."""

    losses: tuple[Loss, ...]
    open: tuple[OpenWarnings, ...]
    """By tier, just before the period's end."""
    months: tuple[CensusMonth, ...]
    """The last that were over when the period was."""
    forecast: Forecast


@dataclass(frozen=True, slots=True)
class LeavingValue:
    """The forecast times the mean value of those who were lost; the mean is taken as given."""

    low: float
    middle: float
    high: float

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {"low": self.low, "middle": self.middle, "high": self.high}


@dataclass(frozen=True, slots=True)
class Value:
    """The money side of a period; a value is that of `value_horizon` to come, of a customer who stays."""

    period: Period
    lapsed: Amount
    """As known at each lapse."""
    closed: int
    """Customers who closed without a lapse before: a closure does not know their value."""
    at_risk: tuple[AtRisk, ...]
    """All first, then by tier."""
    base: Amount | None
    """All customers of the newest month whose original customers are known, at its begin."""
    base_month: Period | None
    lost: Amount
    """Those lost over the last months, as the census knew their value at the beginning of each."""
    original: Amount
    """All original customers of these months."""
    months: int
    leaving: LeavingValue | None
    """`None` where there is no forecast with an interval, or nobody lost has a value."""
    expected: float | None
    """The same by the model's expectation alone."""

    def as_dict(self) -> dict[str, Any]:
        """Return all figures as plain JSON values."""
        return {
            "lapsed": self.lapsed.as_dict(),
            "closed": self.closed,
            "open_warnings": [each.as_dict() for each in self.at_risk],
            "base": None if self.base is None else self.base.as_dict(),
            "base_month": None if self.base_month is None else self.base_month.key,
            "lost_over_months": self.lost.as_dict(),
            "original_over_months": self.original.as_dict(),
            "months": self.months,
            "leaving": None if self.leaving is None else self.leaving.as_dict(),
            "expected": self.expected,
        }


def read_value(
    connection: Connection, period: Period, knowledge: Knowledge, losses: LossReader | None = None
) -> ValueFacts:
    """Return what the values of a period are counted from."""
    months = period.trailing_months(MONTHS)
    censuses = read_censuses(connection, months, knowledge)
    left = (losses or LossReader(knowledge)).between(connection, period.begin_at, period.end_at)
    return ValueFacts(
        losses=losses_of(left),
        open=read_open_warnings(connection, period.end_at, knowledge),
        months=tuple(censuses.month(month) for month in months),
        forecast=forecast(read_forecast(connection, period, knowledge), knowledge.horizon),
    )


def value_figures(facts: ValueFacts, period: Period) -> Value:
    """Return the values."""
    first = [loss for loss in facts.losses if loss.is_first]
    known = [month for month in facts.months if month.has_rate]
    counts = [month.counts for month in known]
    lost = Amount(
        sum(each.value_lost for each in counts),
        sum(each.value_lost_n for each in counts),
        sum(each.lost for each in counts),
    )
    original = Amount(
        sum(each.value_original for each in counts),
        sum(each.value_original_n for each in counts),
        sum(each.original for each in counts),
    )
    base = None
    if known:
        last = known[-1].counts
        base = Amount(last.value_original, last.value_original_n, last.original)
    prediction, mean = facts.forecast.all, lost.mean
    leaves = None if prediction is None else prediction.leaves
    return Value(
        period=period,
        lapsed=Amount.of(loss.value for loss in first if loss.type == LAPSED),
        closed=sum(loss.type != LAPSED for loss in first),
        at_risk=tuple(_at_risk(tier, facts.open) for tier in (None, *TIERS)),
        base=base,
        base_month=known[-1].month if known else None,
        lost=lost,
        original=original,
        months=len(known),
        leaving=None if leaves is None or mean is None else LeavingValue(*(n * mean for n in leaves)),
        expected=None if prediction is None or mean is None else prediction.before.expected * mean,
    )


def _at_risk(tier: str | None, open_: Iterable[OpenWarnings]) -> AtRisk:
    own = [each for each in open_ if tier in (None, each.tier)]
    total, known = sum(each.at_risk for each in own), sum(each.known for each in own)
    return AtRisk(tier, Amount(total, known, sum(each.n for each in own)))
