"""Who was active at the beginning and at the end of a period, by the outcomes of each customer's life.

The newest outcome before an instant says whether a customer was active then: acquired or returned, and not
lapsed or closed since. A lapse at the instant itself counts, as it is judged at the sweep, which comes before
the events of its instant. All is counted in the database, as there may be a million customers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Subquery,
    and_,
    case,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute, aliased

from consumers.database.outcomes import OutcomeRow
from consumers.database.warnings import WarningRow
from consumers.reports.knowledge import Knowledge
from consumers.reports.open_warnings import open_steps
from consumers.reports.period import Period, add_months, midnight
from consumers.scorecard.facts import CLOSED, LAPSED, LIVES
from consumers.scorecard.store import newest_outcome

ACQUIRED: Final = "churn.customer.acquired"
RETURNED: Final = "churn.customer.returned"
ATTRIBUTES: Final = ("customer_class", "segment", "region", "origin", "channel")
AGE_DAYS: Final = (30, 90, 180, 365)
"""Bounds of the bands of how long ago a customer was lost: beyond the last one they stand apart."""
TENURE_MONTHS: Final = (3, 6, 12, 24)
"""Bounds of the bands of tenure, in months since that of the first activity."""
NEVER: Final = -1
"""The band of what does not apply."""


@dataclass(frozen=True, slots=True)
class Standing:
    """So many customers with the same standing at both ends of a period."""

    active_begin: bool
    active_end: bool
    tier: str | None
    """Of the warning that was open at the beginning; `None` without one."""
    lost_band: int
    """Of those not active at the end, in which band of `AGE_DAYS` the loss lies; else `NEVER`."""
    acquired: bool
    """Whether the first activity lies in the period."""
    n: int


@dataclass(frozen=True, slots=True)
class Profile:
    """So many customers with the same attributes, active at the begin or the end of a period."""

    values: tuple[str | None, ...]
    """By `ATTRIBUTES`, as the outcome of the last acquisition or return has them."""
    tenure_band: int
    """At the beginning, by `TENURE_MONTHS`."""
    stays: bool
    """Whether they were active at the other end too."""
    acquired: bool
    """Whether the first activity lies in the period."""
    n: int


@dataclass(frozen=True, slots=True)
class Flows:
    """How many outcomes of each kind lie in a period: a customer who left twice counts twice."""

    acquired: int
    returned: int
    lapsed: int
    closed: int

    def as_dict(self) -> dict[str, int]:
        """Return them as plain JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}


def is_known(connection: Connection, period: Period, knowledge: Knowledge) -> bool:
    """Return whether outcomes say anything of a period: some lie before its end, and not all before it."""
    newest = newest_outcome(connection, knowledge.as_of)
    if newest is None or newest <= period.begin_at:
        return False
    for kind in LIVES:
        query = select(OutcomeRow.time).where(OutcomeRow.type == kind).order_by(OutcomeRow.time).limit(1)
        oldest = connection.scalar(knowledge.known(query, OutcomeRow.stored_at))
        if oldest is not None and oldest < period.end_at:
            return True
    return False


def read_flows(connection: Connection, period: Period, knowledge: Knowledge) -> Flows:
    """Count the outcomes of a period."""
    query = (
        select(OutcomeRow.type, func.count())
        .where(OutcomeRow.type.in_(LIVES), in_period(period))
        .group_by(OutcomeRow.type)
    )
    rows = connection.execute(knowledge.known(query, OutcomeRow.stored_at))
    found: dict[str, int] = {kind: n for kind, n in rows}  # noqa: C416  # rows are no pairs to mypy
    return Flows(*(found.get(kind, 0) for kind in (ACQUIRED, RETURNED, LAPSED, CLOSED)))


def in_period(period: Period) -> ColumnElement[bool]:
    """Return the condition of the outcomes in a period."""
    begin, end, kind = period.begin_at, period.end_at, OutcomeRow.type
    return or_(
        and_(kind == LAPSED, within(OutcomeRow.time, LAPSED, begin, end)),
        and_(kind != LAPSED, within(OutcomeRow.time, CLOSED, begin, end)),
    )


def within(
    time: InstrumentedAttribute[datetime], kind: str, begin: datetime, end: datetime
) -> ColumnElement[bool]:
    """Return the condition of the outcomes of a kind between two instants that begin local days.

    What a sweep at the end judged belongs to it: a lapse at the begin was judged by the sweep that ended the
    day before. All other outcomes lie in [begin, end).
    """
    if kind == LAPSED:
        return and_(time > begin, time <= end)
    return and_(time >= begin, time < end)


def read_standings(connection: Connection, period: Period, knowledge: Knowledge) -> tuple[Standing, ...]:
    """Count the customers of a period by their standing."""
    lives = _lives(period, knowledge)
    tiers = _tiers(connection, period.begin_at, knowledge)
    each = (
        select(
            *_ends(lives, period),
            tiers.c.tier.label("tier"),
            _lost_band(lives, period.end_at).label("lost_band"),
        )
        .select_from(lives.outerjoin(tiers, tiers.c.customer_id == lives.c.customer_id))
        .where(_came(lives, "end").is_not(None))
    ).subquery()
    columns = (each.c.active_begin, each.c.active_end, each.c.tier, each.c.lost_band, each.c.fresh)
    query = select(*columns, func.count()).group_by(*columns)
    found = [
        Standing(bool(begin), bool(end), tier if begin else None, band, bool(fresh), n)
        for begin, end, tier, band, fresh, n in connection.execute(query)
    ]
    return tuple(sorted(found, key=lambda s: (s.active_begin, s.active_end, s.tier or "", s.lost_band)))


def read_profiles(
    connection: Connection, period: Period, knowledge: Knowledge, edge: str
) -> tuple[Profile, ...]:
    """Count those active at an edge of a period, `begin` or `end`, by what is known of them."""
    lives = _lives(period, knowledge)
    ends = {column.name: column for column in _ends(lives, period)}
    other = "end" if edge == "begin" else "begin"
    row = aliased(OutcomeRow)
    newest = (
        knowledge.known(select(func.max(row.seq)), row.stored_at)
        .where(
            row.customer_id == lives.c.customer_id,
            row.type.in_((ACQUIRED, RETURNED)),
            row.time == _came(lives, edge),
        )
        .correlate(lives)
        .scalar_subquery()
    )
    members = (
        select(
            newest.label("seq"),
            ends[f"active_{other}"].label("stays"),
            ends["fresh"].label("fresh"),
            _tenure_band(lives, period).label("tenure_band"),
        )
        .where(ends[f"active_{edge}"] == literal(1))
        .subquery()
    )
    each = (
        select(
            *(OutcomeRow.data[name].as_string().label(name) for name in ATTRIBUTES),
            *(members.c.tenure_band, members.c.stays, members.c.fresh),
        )
        .join_from(members, OutcomeRow, OutcomeRow.seq == members.c.seq)
        .subquery()
    )
    columns = tuple(each.c)
    found = [
        Profile(tuple(values), band, bool(stays), bool(fresh), n)
        for *values, band, stays, fresh, n in connection.execute(
            select(*columns, func.count()).group_by(*columns)
        )
    ]
    return tuple(found)


def tenure_band(months: int) -> int:
    """Return the band of a tenure in months.

    >>> [tenure_band(months) for months in (0, 3, 4, 24, 25)]
    [0, 0, 1, 3, 4]
    """
    return sum(months > bound for bound in TENURE_MONTHS)


# -- what is asked of the database -----------------------------------------------------------------------


def _lives(period: Period, knowledge: Knowledge) -> Subquery:
    """Return each customer's newest outcome of each kind before both ends of a period."""
    columns = []
    for edge, at in (("begin", period.begin_at), ("end", period.end_at)):
        for kind in LIVES:
            before = OutcomeRow.time <= at if kind == LAPSED else OutcomeRow.time < at
            newest = func.max(case((and_(OutcomeRow.type == kind, before), OutcomeRow.time)))
            columns.append(newest.label(f"{kind.rpartition('.')[2]}_{edge}"))
    query = select(OutcomeRow.customer_id, *columns).where(
        OutcomeRow.type.in_(LIVES), OutcomeRow.time <= period.end_at
    )
    return knowledge.known(query, OutcomeRow.stored_at).group_by(OutcomeRow.customer_id).subquery()


def _came(lives: Subquery, edge: str) -> ColumnElement[datetime | None]:
    """Return when a customer last became active."""
    return func.coalesce(lives.c[f"returned_{edge}"], lives.c[f"acquired_{edge}"])


def _active(lives: Subquery, edge: str) -> ColumnElement[bool]:
    """Return whether a customer was active."""
    came, lapsed, closed = _came(lives, edge), lives.c[f"lapsed_{edge}"], lives.c[f"closed_{edge}"]
    returned = lives.c[f"returned_{edge}"]
    row = aliased(OutcomeRow)
    # Late events may close and return a customer at one instant of the clock: then the order of storage says.
    last = (
        select(row.type)
        .where(
            row.customer_id == lives.c.customer_id,
            row.type.in_((CLOSED, RETURNED)),
            row.time == closed,
        )
        .order_by(row.seq.desc())
        .limit(1)
        .correlate(lives)
        .scalar_subquery()
    )
    return and_(
        came.is_not(None),
        or_(lapsed.is_(None), lapsed <= came),
        or_(closed.is_(None), closed < came, and_(closed == returned, last == RETURNED)),
    )


def _ends(lives: Subquery, period: Period) -> list[ColumnElement[Any]]:
    """Return, as 1 or 0, whether a customer was active at the begin and the end, and acquired in between."""
    fresh = and_(lives.c.acquired_begin.is_(None), lives.c.acquired_end.is_not(None))
    return [
        case((condition, 1), else_=0).label(name)
        for name, condition in (
            ("active_begin", _active(lives, "begin")),
            ("active_end", _active(lives, "end")),
            ("fresh", fresh),
        )
    ]


def _lost_band(lives: Subquery, end: datetime) -> ColumnElement[int]:
    """Return in which band the loss of a customer who is not active at the end lies."""
    came, lapsed, closed = _came(lives, "end"), lives.c.lapsed_end, lives.c.closed_end
    left = case((lapsed > came, lapsed), else_=closed)  # a closure after a lapse is no second loss
    bands = [(left > end - timedelta(days=days), number) for number, days in enumerate(AGE_DAYS)]
    return case((_active(lives, "end"), NEVER), *bands, else_=len(AGE_DAYS))


def _tenure_band(lives: Subquery, period: Period) -> ColumnElement[int]:
    acquired = lives.c.acquired_begin
    first = period.begin.replace(day=1)
    bounds = [midnight(add_months(first, -months), period.zone) for months in TENURE_MONTHS]
    bands = [(acquired >= bound, number) for number, bound in enumerate(bounds)]
    return case((acquired.is_(None), NEVER), *bands, else_=len(TENURE_MONTHS))


def _tiers(connection: Connection, at: datetime, knowledge: Knowledge) -> Subquery:
    """Return the customers with a warning open just before an instant, and its tier then."""
    # One at the most is open; of two that a store in pieces seems to have, the customer counts once.
    query, step = open_steps(connection, at, knowledge)
    rank = func.max(case(*((step.c.tier == tier, number) for tier, number in _RANKS), else_=0))
    ranked = (
        query.add_columns(WarningRow.customer_id, rank.label("rank"))
        .group_by(WarningRow.customer_id)
        .subquery()
    )
    tier = case(*((ranked.c.rank == number, tier) for tier, number in _RANKS))
    return select(ranked.c.customer_id, tier.label("tier")).subquery()


_RANKS: Final = (("high", 3), ("medium", 2), ("low", 1))


def counted(standings: Iterable[Standing], *, begin: bool | None = None, end: bool | None = None) -> int:
    """Return how many were active, or not, at the ends of the period."""
    return sum(
        each.n for each in standings if begin in (None, each.active_begin) and end in (None, each.active_end)
    )
