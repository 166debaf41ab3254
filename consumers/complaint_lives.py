"""The life of each complaint by its id: when it was opened, answered, resolved and opened again.

The rules are those of the engine (`streams/core/features/complaints.py`) for events in order of event time,
those of one instant by their id. The engine judges what comes late at its arrival; a life is what all events
say that are stored by now.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby

from sqlalchemy import select

from consumers.database.database import Database
from consumers.database.events import ComplaintRow


class ComplaintState(StrEnum):
    """Where a complaint stands."""

    OPEN = "open"
    ANSWERED = "answered"
    """Open, and answered since it was opened."""
    RESOLVED = "resolved"
    UNKNOWN = "unknown"
    """It was answered, but its opening is not known."""


@dataclass(frozen=True, slots=True)
class ComplaintEvent:
    """One event of a complaint."""

    customer_id: str
    complaint_id: str
    time: datetime
    event_id: str
    status: str
    """`opened`, `answered`, `resolved` or `reopened`."""
    category: str | None = None
    satisfaction: int | None = None


@dataclass(frozen=True, slots=True)
class ComplaintLife:
    """A complaint from its first event to its newest."""

    customer_id: str
    complaint_id: str
    state: ComplaintState = ComplaintState.UNKNOWN
    opened_at: datetime | None = None
    """The first opening; `None` where it is not known."""
    first_answered_at: datetime | None = None
    """The first answer while the complaint was open."""
    first_response: timedelta | None = None
    """From the opening, or from the reopening, to `first_answered_at`."""
    first_resolved_at: datetime | None = None
    """The first resolution of the complaint while it was open."""
    resolved_at: datetime | None = None
    """The newest resolution, also of a complaint that was opened again."""
    reopened_at: tuple[datetime, ...] = ()
    """When it went from resolved to open, in order."""
    category: str | None = None
    """The newest one given."""
    satisfaction: int | None = None
    """That of the newest resolution with one."""

    @property
    def open_since(self) -> datetime | None:
        """When it last went from closed to open, where it is open."""
        if self.state not in (ComplaintState.OPEN, ComplaintState.ANSWERED):
            return None
        return self.reopened_at[-1] if self.reopened_at else self.opened_at


_COLUMNS = (
    ComplaintRow.customer_id,
    ComplaintRow.complaint_id,
    ComplaintRow.time,
    ComplaintRow.event_id,
    ComplaintRow.status,
    ComplaintRow.category,
    ComplaintRow.satisfaction,
)


def find_complaint_lives(
    database: Database, customers: Collection[str] = (), as_of: datetime | None = None
) -> list[ComplaintLife]:
    """Return the life of each stored complaint, of these customers where any are named.

    With `as_of` it is what was stored by then.
    """
    query = select(*_COLUMNS).order_by(ComplaintRow.customer_id, ComplaintRow.complaint_id, ComplaintRow.time)
    if customers:
        query = query.where(ComplaintRow.customer_id.in_(sorted(customers)))
    if as_of is not None:
        query = query.where(ComplaintRow.stored_at <= as_of)
    with database.reading() as connection:
        rows = connection.execution_options(yield_per=1_000).execute(query)
        return list(complaint_lives(ComplaintEvent(*row) for row in rows))


def complaint_lives(events: Iterable[ComplaintEvent]) -> Iterator[ComplaintLife]:
    """Yield the life of each complaint from events that stand together by customer and complaint.

    The events of a complaint may have any order, and each stands once.
    """
    for (customer, complaint), own in groupby(events, lambda each: (each.customer_id, each.complaint_id)):
        life = ComplaintLife(customer, complaint)
        answered_at: datetime | None = None
        for event in sorted(own, key=lambda each: (each.time, each.event_id)):
            since = life.open_since
            if event.status == "resolved":
                first = life.first_resolved_at if since is None else life.first_resolved_at or event.time
                life = replace(
                    life,
                    state=ComplaintState.RESOLVED,
                    first_resolved_at=first,
                    resolved_at=event.time,
                    satisfaction=event.satisfaction or life.satisfaction,
                )
            elif event.status == "answered":
                if since is not None and (answered_at is None or answered_at < since):
                    answered_at = event.time
                    life = _answered(life, since, event.time)
            elif since is None:
                life = _opened(life, event.time)
            if event.category is not None:
                life = replace(life, category=event.category)
        yield life


def _answered(life: ComplaintLife, since: datetime, at: datetime) -> ComplaintLife:
    if life.first_answered_at is None:
        life = replace(life, first_answered_at=at, first_response=at - since)
    return replace(life, state=ComplaintState.ANSWERED)


def _opened(life: ComplaintLife, at: datetime) -> ComplaintLife:
    if life.resolved_at is not None:
        life = replace(life, reopened_at=(*life.reopened_at, at))
    else:
        life = replace(life, opened_at=at)
    return replace(life, state=ComplaintState.OPEN)
