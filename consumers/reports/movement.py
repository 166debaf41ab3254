"""What moved with the churn rate from month to month; it does not say what caused what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final

from scipy.special import bdtr  # type: ignore[import-untyped]  # ships no type hints
from sqlalchemy import Connection, and_, func, or_, select
from sqlalchemy.orm import aliased

from consumers.database.events import ActionRow
from consumers.database.outcomes import CensusRow
from consumers.reports.census_months import SMALLEST, CensusMonth, read_censuses, spans, taken_between
from consumers.reports.knowledge import Knowledge
from consumers.reports.period import Period, PeriodKind, local_day
from streams.share import Share

MONTHS: Final = 24
"""How far back it looks."""
MIN_CHANGES: Final = 8
"""Months with a change of both below which nothing is said."""
ALPHA: Final = 0.05
OFFER: Final = "offer"
FLOWS: Final = ("orders", "logins", "complaints", "answers", "satisfaction")
"""Sums of a census since the one before."""


@dataclass(frozen=True, slots=True)
class Flows:
    """What all customers did in a month, and what was offered to them."""

    orders: int = 0
    logins: int = 0
    complaints: int = 0
    answers: int = 0
    """Complaints resolved with a satisfaction."""
    satisfaction: int = 0
    """The sum of these."""
    offers: int = 0

    def __add__(self, other: Flows) -> Flows:
        """Return the sums of both."""
        return Flows(*(getattr(self, name) + getattr(other, name) for name in (*FLOWS, "offers")))


@dataclass(frozen=True, slots=True)
class MovementFacts:
    """Months in order, each with its census and its flows."""

    months: tuple[CensusMonth, ...]
    flows: tuple[Flows, ...]


class Together(StrEnum):
    """Whether two series moved with each other."""

    WITH = "with"
    AGAINST = "against"
    UNCLEAR = "unclear"
    """Chance alone would do the same in more than one of twenty such comparisons."""
    NOT_ENOUGH = "not_enough"
    """Fewer changes than `MIN_CHANGES`."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """An amount for each of so many; missing where there are none."""

    part: int
    whole: int
    per: int
    """For so many of the whole it is shown."""

    @property
    def value(self) -> float | None:
        """The quotient."""
        return self.part / self.whole * self.per if self.whole else None

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {"part": self.part, "whole": self.whole, "per": self.per, "value": self.value}


@dataclass(frozen=True, slots=True)
class Series:
    """One thing by month, beside the churn rate."""

    key: str
    """`complaints`, `satisfaction`, `offers`, `orders` or `logins`."""
    values: tuple[Ratio | None, ...]
    """`None` of a month that the census does not wholly cover."""
    same: Share
    """Of the changes from month to month, those in the direction of the churn rate's."""
    verdict: Together

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "key": self.key,
            "values": [None if value is None else value.as_dict() for value in self.values],
            "same_direction": self.same.as_dict(),
            "verdict": self.verdict.value,
        }


@dataclass(frozen=True, slots=True)
class Movement:
    """The churn rate by month, and what moved with it."""

    months: tuple[Period, ...]
    churn: tuple[Share | None, ...]
    series: tuple[Series, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "months": [month.key for month in self.months],
            "churn": [None if each is None else each.as_dict() for each in self.churn],
            "series": [each.as_dict() for each in self.series],
            "min_changes": MIN_CHANGES,
        }


def movement(facts: MovementFacts) -> Movement:
    """Return what moved with the churn rate; a change needs both months on both sides."""
    churn = tuple(
        Share(each.counts.lost, each.counts.original) if each.has_rate and each.counts.original else None
        for each in facts.months
    )
    # Of a month whose census lacks a partition the flows lack it as well.
    covered = [each.has_rate for each in facts.months]
    found = []
    for key in _PER:
        values = tuple(
            _ratio(key, flows, each.counts.active) if known else None
            for each, flows, known in zip(facts.months, facts.flows, covered, strict=True)
        )
        found.append(_series(key, values, churn))
    return Movement(tuple(each.month for each in facts.months), churn, tuple(found))


def _ratio(key: str, flows: Flows, active: int) -> Ratio:
    if key == "satisfaction":
        return Ratio(flows.satisfaction, flows.answers, 1)
    return Ratio(getattr(flows, key), active, _PER[key])


_PER: Final = {"complaints": 1_000, "satisfaction": 1, "offers": 1_000, "orders": 1, "logins": 1}
"""The series, and of how many active customers each is shown; satisfaction is of those who rated."""


def _series(key: str, values: Sequence[Ratio | None], churn: Sequence[Share | None]) -> Series:
    known = [
        None
        if value is None or value.value is None or share is None or share.value is None
        else (value.value, share.value)
        for value, share in zip(values, churn, strict=True)
    ]
    moved = [
        (after[0] > before[0]) == (after[1] > before[1])
        for before, after in pairwise(known)
        if before is not None and after is not None and before[0] != after[0] and before[1] != after[1]
    ]
    same = Share(sum(moved), len(moved))
    return Series(key, tuple(values), same, together(same))


def together(same: Share) -> Together:
    """Return what so many changes in the same direction say, by the sign test (two-sided, 5 %).

    Its p is twice the smaller tail of a binomial with one half, the `binomtest` of `scipy.stats`, which takes
    most of a second to import.
    """
    if same.whole < MIN_CHANGES:
        return Together.NOT_ENOUGH
    fewer = min(same.part, same.whole - same.part)
    if 2 * float(bdtr(fewer, same.whole, 0.5)) > ALPHA:
        return Together.UNCLEAR
    return Together.WITH if 2 * same.part > same.whole else Together.AGAINST


def read_movement(connection: Connection, period: Period, knowledge: Knowledge) -> MovementFacts:
    """Return the months up to a period's end, from the first that has a census."""
    months = period.trailing_months(MONTHS)
    censuses = read_censuses(connection, months, knowledge)
    first = censuses.first_month()
    months = tuple(month for month in months if first is not None and month >= first)
    flows = _flows(connection, months, knowledge)
    offers = _offers(connection, months, knowledge)
    return MovementFacts(
        tuple(censuses.month(month) for month in months),
        tuple(flows.get(month, Flows()) + Flows(offers=offers[month]) for month in months),
    )


def _flows(connection: Connection, months: Sequence[Period], knowledge: Knowledge) -> Mapping[Period, Flows]:
    found: dict[Period, Flows] = {}
    for begin, end in spans(month.after() for month in months):
        query = (
            select(CensusRow.time, *(func.sum(CensusRow.data[name].as_integer()) for name in FLOWS))
            .where(*taken_between(begin, end), CensusRow.by == SMALLEST)
            .group_by(CensusRow.time)
        )
        for at, *counts in connection.execute(knowledge.known(query, CensusRow.stored_at)):
            day = local_day(at, knowledge.zone)
            month = Period.containing(day, PeriodKind.MONTH, knowledge.zone).before()
            found[month] = found.get(month, Flows()) + Flows(*(count or 0 for count in counts))
    return found


def _offers(connection: Connection, months: Sequence[Period], knowledge: Knowledge) -> Counter[Period]:
    """Count the offers of each month that nobody took back (as `consumers.actions.standing`)."""
    found: Counter[Period] = Counter()
    for month in months:
        inside = ActionRow.time >= month.begin_at, ActionRow.time < month.end_at
        query = select(func.count()).where(ActionRow.kind == OFFER, *inside)
        found[month] = connection.scalar(knowledge.known(query, ActionRow.stored_at)) or 0
    if months:
        found.subtract(_taken_back(connection, months, knowledge))
    return found


def _taken_back(connection: Connection, months: Sequence[Period], knowledge: Knowledge) -> Iterator[Period]:
    """Yield the month of each offer that was taken back: they are few, and are found by what names them."""
    other = aliased(ActionRow)
    after = or_(
        other.time > ActionRow.time,
        and_(other.time == ActionRow.time, other.event_id > ActionRow.event_id),
    )
    query = (
        select(ActionRow.customer_id, ActionRow.event_id, ActionRow.time)
        .join(
            other,
            and_(other.customer_id == ActionRow.customer_id, other.corrects == ActionRow.event_id),
        )
        .where(
            other.corrects.is_not(None),  # there is an index of these alone
            ActionRow.kind == OFFER,
            ActionRow.time >= months[0].begin_at,
            ActionRow.time < months[-1].end_at,
            other.actor.is_not_distinct_from(ActionRow.actor),
            after,
            knowledge.by_then(other.stored_at),
        )
        .distinct()
    )
    for _customer, _event, at in connection.execute(knowledge.known(query, ActionRow.stored_at)):
        day = local_day(at, knowledge.zone)
        yield Period.containing(day, PeriodKind.MONTH, knowledge.zone)
