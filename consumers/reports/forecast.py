"""How many of those who are active now will leave, and how earlier forecasts came out.

The expectation is the model's: the sum of the churn probabilities at a census. Its interval comes from how
far past censuses came out from theirs, never from p (1 - p) alone, which would take customers as independent
and the model as right.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
from scipy.special import stdtrit  # type: ignore[import-untyped]  # ships no type hints
from sqlalchemy import ColumnElement, Connection, func, select, text

from consumers.database.outcomes import CensusRow
from consumers.reports.census_months import SMALLEST, CensusMonth, Mark, read_censuses, taken_between
from consumers.reports.knowledge import Knowledge
from consumers.reports.period import Period, PeriodKind, local_day
from streams.contract.instants import format_instant, read_instant, to_us
from streams.share import Share

MIN_MATURED: Final = 6
"""Matured censuses below which there is no interval."""
LEVEL: Final = 0.95


@dataclass(frozen=True, slots=True)
class Expectation:
    """Customers active at a census, and how many of them the model expected to leave within the horizon."""

    active: int
    scored: int
    """Of the active, those with a churn probability."""
    expected: float
    """The sum of these probabilities."""

    @property
    def share(self) -> float | None:
        """The mean probability; `None` where nobody was scored."""
        return self.expected / self.scored if self.scored else None


@dataclass(frozen=True, slots=True)
class Fact:
    """What became of the active of a census, or of those whom nobody treated."""

    before: Expectation
    churned: int

    @property
    def share(self) -> Share:
        """The share that left."""
        return Share(self.churned, self.before.active)

    @property
    def error(self) -> float | None:
        """How far what happened lies from what was expected, as a difference of logits.

        Half a customer is added on both sides, so that a census of which nobody left has one too (Haldane
        1956, Anscombe 1956).
        """
        given = self.before.share
        if given is None or not 0 < given < 1 or not self.before.active:
            return None
        return math.log((self.churned + 0.5) / (self.before.active - self.churned + 0.5)) - _logit(given)


@dataclass(frozen=True, slots=True)
class MaturedCensus:
    """What became of a census's active customers in the horizon after it."""

    at: datetime
    """Of the census."""
    matured_at: datetime
    all: Fact
    untreated: Fact


@dataclass(frozen=True, slots=True)
class ForecastFacts:
    """The censuses of a store: complete ones, in which no partition is missing."""

    now: datetime | None
    """Of the census that the forecast is made from; `None` where there is none."""
    expectation: Expectation | None
    matured: tuple[MaturedCensus, ...]
    """In the order of time, also those that matured after `now`."""
    left_out: int = 0
    """Censuses in which a partition is missing or a source was quiet."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Where the share that leaves should lie in 95 of 100 such forecasts."""

    low: float
    middle: float
    """The expectation, moved by how far past ones lay off on the mean."""
    high: float

    def as_dict(self) -> dict[str, float]:
        """Return the shares as plain JSON values."""
        return {"low": self.low, "middle": self.middle, "high": self.high}


@dataclass(frozen=True, slots=True)
class Prediction:
    """How many of some customers leave within the horizon."""

    before: Expectation
    interval: Interval | None
    """`None` where too few censuses had matured by then."""
    learnt_from: int
    """Censuses that had matured by then."""

    @property
    def leaves(self) -> tuple[float, float, float] | None:
        """Low, middle and high as numbers of customers, of the scored."""
        if self.interval is None:
            return None
        n = self.before.scored
        return self.interval.low * n, self.interval.middle * n, self.interval.high * n

    def as_dict(self) -> dict[str, Any]:
        """Return all figures as plain JSON values."""
        return {
            "active": self.before.active,
            "scored": self.before.scored,
            "expected": self.before.expected,
            "share": self.before.share,
            "interval": None if self.interval is None else self.interval.as_dict(),
            "customers": None if self.leaves is None else list(self.leaves),
            "learnt_from": self.learnt_from,
        }


@dataclass(frozen=True, slots=True)
class PastForecast:
    """A forecast as it would have been made at a past census, beside what happened."""

    at: datetime
    prediction: Prediction
    fact: Fact

    @property
    def is_covered(self) -> bool | None:
        """Whether what happened lies in the interval; `None` where there was none."""
        found, happened = self.prediction.interval, self.fact.share.value
        if found is None or happened is None:
            return None
        return found.low <= happened <= found.high

    def as_dict(self) -> dict[str, Any]:
        """Return all figures as plain JSON values."""
        return {
            "at": format_instant(to_us(self.at)),
            **self.prediction.as_dict(),
            "left": self.fact.share.as_dict(),
            "covered": self.is_covered,
        }


@dataclass(frozen=True, slots=True)
class Forecast:
    """The forecast of a report, and every earlier one scored."""

    now: datetime | None
    horizon: timedelta
    all: Prediction | None
    untreated: Prediction | None
    """The same for customers on whom nobody acts: the expectation is the same, the past errors are theirs."""
    outcome: Fact | None
    """What became of it, where its horizon is over already."""
    past: tuple[PastForecast, ...]
    """Of all matured censuses before it, in the order of time."""
    left_out: int
    """Censuses in which a partition is missing or a source was quiet."""

    @property
    def coverage(self) -> Share:
        """The share of past forecasts with an interval in which what happened lay."""
        judged = [each.is_covered for each in self.past if each.is_covered is not None]
        return Share(sum(judged), len(judged))

    @property
    def missing(self) -> int:
        """How many more censuses have to mature until there is an interval."""
        known = 0 if self.all is None else self.all.learnt_from
        return max(0, MIN_MATURED - known)

    def as_dict(self) -> dict[str, Any]:
        """Return all figures as plain JSON values."""
        return {
            "at": None if self.now is None else format_instant(to_us(self.now)),
            "horizon_days": self.horizon / timedelta(days=1),
            "all": None if self.all is None else self.all.as_dict(),
            "untreated": None if self.untreated is None else self.untreated.as_dict(),
            "outcome": None if self.outcome is None else self.outcome.share.as_dict(),
            "past": [each.as_dict() for each in self.past],
            "coverage": self.coverage.as_dict(),
            "left_out": self.left_out,
            "min_matured": MIN_MATURED,
        }


def forecast(facts: ForecastFacts, horizon: timedelta) -> Forecast:
    """Return the forecast of the newest census, and what each earlier one would have been."""
    if facts.now is None or facts.expectation is None:
        return Forecast(facts.now, horizon, None, None, None, (), facts.left_out)
    now, expectation = facts.now, facts.expectation
    outcome = next((each.all for each in facts.matured if each.at == now), None)
    past = tuple(
        PastForecast(each.at, _predicted(facts, each.at, each.all.before, horizon), each.all)
        for each in facts.matured
        if each.at < now
    )
    return Forecast(
        now=now,
        horizon=horizon,
        all=_predicted(facts, now, expectation, horizon),
        untreated=_predicted(facts, now, expectation, horizon, untreated=True),
        outcome=outcome,
        past=past,
        left_out=facts.left_out,
    )


def _predicted(
    facts: ForecastFacts,
    at: datetime,
    expectation: Expectation,
    horizon: timedelta,
    *,
    untreated: bool = False,
) -> Prediction:
    """Return the prediction at a census, from the censuses that had matured by then."""
    known = [each for each in facts.matured if each.matured_at <= at]
    errors = [(each.at, (each.untreated if untreated else each.all).error) for each in known]
    found = [(when, error) for when, error in errors if error is not None]
    return Prediction(expectation, interval(expectation.share, found, horizon), len(found))


def interval(
    share: float | None, errors: Sequence[tuple[datetime, float]], horizon: timedelta
) -> Interval | None:
    """Return where the share that leaves should lie, from the errors of (n,) past censuses with their times.

    Two censuses closer than the horizon see the same weeks: their errors are taken as correlated by the part
    of the horizon that they share, c = max(0, 1 - |distance| / horizon). With C the matrix of these, m the
    mean error and s² the sum of squares about it, s² / trace(M C) with M = I - 11'/n estimates the variance
    without bias, and is nearly chi-squared with trace(MC)² / trace(MCMC) degrees of freedom (Satterthwaite,
    F. E. (1946): An approximate distribution of estimates of variance components. Biometrics Bulletin 2,
    110-114). The interval is logit(share) + m ± t s sqrt(1 + mean of C): a new census shares no week with
    those that have matured. Without overlap it is Student's prediction interval.
    """
    if share is None or not 0 < share < 1 or len(errors) < MIN_MATURED:
        return None
    n = len(errors)
    places = np.array([(when - errors[0][0]) / horizon for when, _ in errors])
    off = np.array([error for _, error in errors])
    common = np.maximum(0.0, 1.0 - np.abs(places[:, None] - places[None, :]))
    centred = (np.eye(n) - 1 / n) @ common
    trace = float(np.trace(centred))
    freedom = trace**2 / float(np.sum(centred * centred.T))
    variance = float(np.sum((off - off.mean()) ** 2)) / trace
    # The quantile of Student's t; `scipy.stats`, which has it as `t.ppf`, takes most of a second to import.
    half = float(stdtrit(freedom, (1 + LEVEL) / 2)) * math.sqrt(variance * (1 + float(common.mean())))
    middle = _logit(share) + float(off.mean())
    low, centre, high = (1 / (1 + math.exp(-each)) for each in (middle - half, middle, middle + half))
    return Interval(low, centre, high)


def _logit(share: float) -> float:
    return math.log(share / (1 - share))


# -- from the store -----------------------------------------------------------------------------------

MATURED: Final = "churn.census.matured"
_D: Final = CensusRow.data


def read_forecast(connection: Connection, period: Period, knowledge: Knowledge) -> ForecastFacts:
    """Return what a forecast at the newest census up to a period's end is made from."""
    months = read_censuses(connection, (), knowledge).months(None)
    censuses = read_censuses(connection, months, knowledge)
    known = [censuses.month(month) for month in months]
    counted = [each for each in known if each.is_counted]
    became = _became(connection, knowledge)
    matured = [
        _matured(each, list(became[each.month].values()))
        for each in counted
        if became[each.month].keys() >= set(each.partitions)
    ]
    newest = next((each for each in reversed(counted) if each.month.end <= period.end), None)
    return ForecastFacts(
        now=None if newest is None else max(newest.at),
        expectation=None if newest is None else _expected(connection, newest, knowledge),
        matured=tuple(matured),
        left_out=sum(not each.is_counted and Mark.MISSING not in each.marks for each in known),
    )


def _sums(path: tuple[str, ...] = ()) -> list[ColumnElement[Any]]:
    """Return the sums of an expectation; that of probabilities as an exact decimal, which has no order."""
    active, scored = (func.sum(_D[(*path, name)].as_integer()) for name in ("active", "scored"))
    expected = func.sum(_D[(*path, "expected")].as_numeric(38, 9, asdecimal=False))
    return [active, scored, expected]


def _expected(connection: Connection, census: CensusMonth, knowledge: Knowledge) -> Expectation:
    after = census.month.after()
    query = select(*_sums()).where(*taken_between(after.begin_at, after.end_at), CensusRow.by == SMALLEST)
    return _expectation(connection.execute(knowledge.known(query, CensusRow.stored_at)).one())


def _became(connection: Connection, knowledge: Knowledge) -> defaultdict[Period, dict[int, Sequence[Any]]]:
    """Return what became of the active at the end of each month, by partition."""
    churned = (func.sum(_D[path].as_integer()) for path in (("churned",), ("untreated", "churned")))
    query = (
        select(
            CensusRow.partition,
            _D["census_at"].as_string().label("census_at"),
            func.max(CensusRow.time),
            *churned,
            *_sums(),
            *_sums(("untreated",)),
        )
        .where(CensusRow.type == MATURED, CensusRow.by == SMALLEST)
        .group_by(CensusRow.partition, text("census_at"))  # PostgreSQL takes two parameters for two
    )
    found: defaultdict[Period, dict[int, Sequence[Any]]] = defaultdict(dict)
    for partition, at, *rest in connection.execute(knowledge.known(query, CensusRow.stored_at)):
        day = local_day(read_instant(at), knowledge.zone)
        found[Period.containing(day, PeriodKind.MONTH, knowledge.zone).before()][partition] = rest
    return found


def _matured(census: CensusMonth, partitions: Sequence[Sequence[Any]]) -> MaturedCensus:
    """Return the sums over partitions; of each: when it matured, who churned, and the expectations."""
    at, *columns = zip(*partitions, strict=True)
    churned, untreated, *sums = (sum(column) for column in columns)
    return MaturedCensus(
        max(census.at),
        max(at),
        Fact(_expectation(sums[:3]), churned),
        Fact(_expectation(sums[3:]), untreated),
    )


def _expectation(sums: Sequence[Any]) -> Expectation:
    active, scored, expected = (each or 0 for each in sums)
    return Expectation(active, scored, round(float(expected), 6))
