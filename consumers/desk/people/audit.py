"""The audit log: who did what at the desk, and when."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, insert, select

from consumers.database.database import Database
from consumers.database.desk import DeskAuditRow
from consumers.desk.people.person import Person

_AT_ONCE: Final = 1_000
EARLIER: Final = {
    "sign-in": "session.begin",
    "sign-in-failed": "session.refuse",
    "sign-out": "session.end",
    "silence-added": "silence.add",
    "silence-ended": "silence.end",
    "export": "export.list",
}
"""How entries of before were called, and what they are now."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What somebody did; `what` is a noun and a verb, such as `view.save`."""

    seq: int
    at: datetime
    person: str | None
    what: str
    customer_id: str | None
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries: all that is given must match."""

    person: str | None = None
    what: str | None = None
    customer_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    """Entries below this number: the next page."""


class AuditLog:
    """What people do at the desk, written as they do it."""

    def __init__(self, database: Database, wall: Callable[[], datetime]) -> None:
        self._database = database
        self._wall = wall

    def write(self, person: Person | None, what: str, customer_id: str | None = None, **detail: Any) -> None:
        """Write down that somebody did something; `None` is somebody who has not signed in."""
        with self._database.writing() as connection:
            connection.execute(
                insert(DeskAuditRow).values(
                    at=self._wall(),
                    person=person.name if person is not None else None,
                    what=what,
                    customer_id=customer_id,
                    detail=detail,
                )
            )

    def page(self, wanted: AuditFilter, limit: int) -> list[AuditEntry]:
        """Return the newest entries that match, the newest first."""
        with self._database.reading() as connection:
            rows = connection.execute(_query(wanted).limit(limit))
            return [AuditEntry(**(dict(row) | {"what": _now(row["what"])})) for row in rows.mappings()]

    def all(self, wanted: AuditFilter) -> Iterator[AuditEntry]:
        """Yield all entries that match, the newest first; none is lost or given twice while others write."""
        while page := self.page(wanted, _AT_ONCE):
            yield from page
            wanted = replace(wanted, before=page[-1].seq)

    def kinds(self) -> list[str]:
        """Return all that was ever done."""
        with self._database.reading() as connection:
            return sorted({_now(what) for what in connection.scalars(select(DeskAuditRow.what).distinct())})


def _now(what: str) -> str:
    return EARLIER.get(what, what)


def _query(wanted: AuditFilter) -> Select[Any]:
    query = select(
        DeskAuditRow.seq,
        DeskAuditRow.at,
        DeskAuditRow.person,
        DeskAuditRow.what,
        DeskAuditRow.customer_id,
        DeskAuditRow.detail,
    ).order_by(DeskAuditRow.seq.desc())
    for column, value in (
        (DeskAuditRow.person, wanted.person),
        (DeskAuditRow.customer_id, wanted.customer_id),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.what is not None:
        names = (wanted.what, *(before for before, now in EARLIER.items() if now == wanted.what))
        query = query.where(DeskAuditRow.what.in_(names))
    if wanted.since is not None:
        query = query.where(DeskAuditRow.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(DeskAuditRow.at < wanted.until)
    if wanted.before is not None:
        query = query.where(DeskAuditRow.seq < wanted.before)
    return query
