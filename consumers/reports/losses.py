"""Who left in a period: lapses, and closures of customers who had not left before."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from datetime import datetime
from typing import Final, NamedTuple

import polars as pl
from sqlalchemy import Connection, and_, func, select
from sqlalchemy.orm import aliased

from consumers.database.outcomes import OutcomeRow
from consumers.reports.columns import among, frame, instants, read_columns
from consumers.reports.knowledge import Knowledge
from consumers.reports.members import RETURNED, within
from consumers.reports.period import Period
from consumers.scorecard.facts import CLOSED, LAPSED, LIVES

NEVER: Final = 2**62


class Loss(NamedTuple):
    """A customer who left; times in microseconds."""

    customer_id: str
    at: int
    type: str
    """`churn.customer.lapsed` or `churn.customer.closed`."""
    customer_class: str | None
    segment: str | None
    region: str | None
    origin: str | None
    value: float | None
    """At a lapse; of a closure it is not known."""
    holdout: bool
    warned_id: str | None
    """The warning open then, or the last that opened in the horizon before."""
    warned_at: int | None
    warned_tier: str | None
    lead_days: float | None
    reason: str | None
    """Of a closure, as the customer stated it."""
    is_first: bool = True
    """Whether the customer had not left before without coming back since."""


SCHEMA: Final[dict[str, pl.DataType]] = {
    "customer_id": pl.String(),
    "at": pl.Int64(),
    "type": pl.String(),
    "customer_class": pl.String(),
    "segment": pl.String(),
    "region": pl.String(),
    "origin": pl.String(),
    "value": pl.Float64(),
    "holdout": pl.Boolean(),
    "warned_id": pl.String(),
    "warned_at": pl.Int64(),
    "warned_tier": pl.String(),
    "lead_days": pl.Float64(),
    "reason": pl.String(),
    "is_first": pl.Boolean(),
}
"""The fields of `Loss`, one row for each."""


def read_losses(connection: Connection, begin: datetime, end: datetime, knowledge: Knowledge) -> pl.DataFrame:
    """Return the lapses and closures between two instants that begin local days, in order (see `within`)."""
    data = OutcomeRow.data
    query = select(
        OutcomeRow.customer_id,
        OutcomeRow.time,
        OutcomeRow.type,
        data["customer_class"].as_string(),
        data["segment"].as_string(),
        data["region"].as_string(),
        data["origin"].as_string(),
        data["value"].as_float(),
        OutcomeRow.holdout,
        OutcomeRow.warning_id,
        data["warned", "opened_at"].as_string(),
        data["warned", "tier"].as_string(),
        data["warned", "lead_days"].as_float(),
        data["reason"].as_string(),
    ).where(knowledge.by_then(OutcomeRow.stored_at))
    frames = []
    for kind in (LAPSED, CLOSED):
        inside = within(OutcomeRow.time, kind, begin, end)
        *about, warned_at, tiers, leads, reasons = read_columns(
            connection, query.where(OutcomeRow.type == kind, inside)
        )
        customers, times = about[:2]
        first = [True] * len(customers)
        if kind == CLOSED:
            again = _already_gone(connection, set(customers), end, knowledge)
            first = [each not in again for each in zip(customers, times, strict=True)]
        frames.append(frame((*about, instants(warned_at), tiers, leads, reasons, first), SCHEMA))
    rank = pl.col("type").replace_strict({kind: n for n, kind in enumerate(LIVES)}, return_dtype=pl.Int64)
    return pl.concat(frames).sort("at", "customer_id", rank)


class LossReader:
    """Reads the losses between two instants for all parts of a report: each thread gets what one has read."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._found: dict[tuple[datetime, datetime], Future[pl.DataFrame]] = {}
        self._lock = threading.Lock()

    def between(self, connection: Connection, begin: datetime, end: datetime) -> pl.DataFrame:
        """Return what `read_losses` does, and raise what it raised for whoever asked first."""
        with self._lock:
            found = self._found.get((begin, end))
            is_first = found is None
            if found is None:
                found = self._found[begin, end] = Future()
        if is_first:
            try:
                found.set_result(read_losses(connection, begin, end, self._knowledge))
            except BaseException as error:
                found.set_exception(error)
                raise
        return found.result()


def losses_of(found: pl.DataFrame) -> tuple[Loss, ...]:
    """Return the rows of a frame of losses one by one."""
    return tuple(map(Loss, *(found[name] for name in SCHEMA)))


def _already_gone(
    connection: Connection, closed: Iterable[str], end: datetime, knowledge: Knowledge
) -> set[tuple[str, int]]:
    """Return the closures, up to an instant, of customers who had left before.

    Who lapses was active until then.
    """
    lives: defaultdict[str, list[tuple[int, int, str]]] = defaultdict(list)
    for theirs in among(connection, OutcomeRow.customer_id, closed):
        query = select(OutcomeRow.customer_id, OutcomeRow.time, OutcomeRow.type).where(
            theirs,
            OutcomeRow.type.in_(LIVES),
            OutcomeRow.time <= end,
            knowledge.by_then(OutcomeRow.stored_at),
        )
        for customer, at, kind in zip(*read_columns(connection, query), strict=True):
            lives[customer].append((at, LIVES.index(kind), kind))
    again = set()
    for customer, events in lives.items():
        gone = False
        for at, _, kind in sorted(events):
            if kind == CLOSED and gone:
                again.add((customer, at))
            gone = kind in (LAPSED, CLOSED)
    return again


class Lapse(NamedTuple):
    """A customer's first lapse in the period, and the return after it; microseconds."""

    customer_id: str
    at: int
    holdout: bool
    returned_at: int | None


def read_first_lapses(connection: Connection, period: Period, knowledge: Knowledge) -> tuple[Lapse, ...]:
    """Return each customer's first lapse of the period, as `read_losses` has them."""
    lapse, back = aliased(OutcomeRow), aliased(OutcomeRow)
    came = and_(
        back.customer_id == lapse.customer_id,
        back.type == RETURNED,
        back.time >= lapse.time,
        knowledge.by_then(back.stored_at),
    )
    query = (
        select(lapse.seq, lapse.customer_id, lapse.time, lapse.holdout, func.min(back.time))
        .outerjoin(back, came)
        .where(
            lapse.type == LAPSED,
            within(lapse.time, LAPSED, period.begin_at, period.end_at),
            knowledge.by_then(lapse.stored_at),
        )
        .group_by(lapse.seq, lapse.customer_id, lapse.time, lapse.holdout)
    )
    seqs, customers, times, holdouts, returns = read_columns(connection, query)
    found: dict[str, Lapse] = {}
    for at, _, customer, holdout, returned in sorted(
        zip(times, seqs, customers, holdouts, returns, strict=True), key=lambda row: row[:2]
    ):
        found.setdefault(customer, Lapse(customer, at, bool(holdout), returned))
    return tuple(found.values())


def read_returns(
    connection: Connection, since: Mapping[str, int], begin: datetime, knowledge: Knowledge
) -> dict[str, int]:
    """Return when customers came back after they left, by customer; `since` has when each left."""
    found: dict[str, int] = {}
    for theirs in among(connection, OutcomeRow.customer_id, since):
        query = select(OutcomeRow.customer_id, OutcomeRow.time).where(
            theirs,
            OutcomeRow.type == RETURNED,
            OutcomeRow.time >= begin,
            knowledge.by_then(OutcomeRow.stored_at),
        )
        for customer, at in zip(*read_columns(connection, query), strict=True):
            if at >= since[customer]:
                found[customer] = min(at, found.get(customer, NEVER))
    return found
