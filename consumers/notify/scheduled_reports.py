"""Reports that receivers get by a schedule: one message for each period that has ended.

What a message is about stands in its key. The report itself is written when it is sent, from what was stored
when the message was made, so that a delivery that is tried again has the same figures.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, insert, select

from consumers.database.notices import MessageRow
from consumers.muting.windows import local_instant
from consumers.notify.bundles import REPORT, WAITING
from consumers.notify.message import ReportContent
from consumers.notify.routes import RouteTree, ScheduledReport
from consumers.reports.document import Document
from consumers.reports.period import Period, PeriodKind

log = logging.getLogger(__name__)

WAIT: Final = timedelta(hours=12)
"""How long a report waits for the store to know the whole period; then it is made of what is known."""
LATEST: Final = {
    PeriodKind.DAY: timedelta(days=1),
    PeriodKind.WEEK: timedelta(days=3),
    PeriodKind.MONTH: timedelta(days=10),
}
"""How long after its time a report that was not made is still news."""

KnownTo = Callable[[Connection], datetime | None]
"""Returns the event time up to which the store knows what became of customers."""


class ReportNotReady(Exception):
    """The report is being made: ask again."""


class ReportWriter(Protocol):
    """What makes reports."""

    def __call__(self, period: Period, view: str, language: str, as_of: datetime) -> Document:
        """Return a report; raises `LapwingError` where it cannot be made now, or `ReportNotReady`."""


def key_of(each: ScheduledReport, period: Period) -> str:
    """Return the key of the message about a period: there is one of it."""
    return "/".join((REPORT, each.receiver.name, period.key, period.zone, each.view, each.language))


def content_of(message: Row[Any]) -> ReportContent:
    """Return what a message is about, as its key has it; a zone may have slashes of its own."""
    parts = message.key.split("/")
    period = Period.parse(parts[2], "/".join(parts[3:-2]))
    return ReportContent(message.key, period, parts[-2], message.created_at)


def due_period(each: ScheduledReport, now: datetime) -> Period | None:
    """Return the period whose report is due, whether or not it was made."""
    period = Period.last_ended(PeriodKind(each.every), now, each.zone)
    due = due_at(each, period)
    return period if due <= now < due + LATEST[period.kind] else None


def due_at(each: ScheduledReport, period: Period) -> datetime:
    """Return when the report of a period is sent: by the receiver's clock, after the period has ended."""
    zone = ZoneInfo(each.receiver.time_zone)
    at = time.fromisoformat(each.at)
    due = local_instant(datetime.combine(period.end, at, zone))
    # Where the receiver's day begins earlier, the business's may not have ended yet.
    if due < period.end_at:
        due = local_instant(datetime.combine(period.end + timedelta(days=1), at, zone))
    return due


def next_due(each: ScheduledReport, now: datetime) -> datetime:
    """Return when the next report is sent."""
    period = Period.last_ended(PeriodKind(each.every), now, each.zone)
    due = due_at(each, period)
    return due if due > now else due_at(each, Period.containing(period.end, period.kind, period.zone))


def due_reports(
    connection: Connection, tree: RouteTree, now: datetime, known_to: KnownTo
) -> list[tuple[ScheduledReport, Period]]:
    """Return the reports that are due, can be made and are not made yet."""
    found = []
    for each in tree.reports:
        period = due_period(each, now)
        if period is None or _is_made(connection, key_of(each, period)):
            continue
        if now < due_at(each, period) + WAIT:
            known = known_to(connection)
            if known is None or known < period.end_at:
                continue
        found.append((each, period))
    return found


def _is_made(connection: Connection, key: str) -> bool:
    return connection.execute(select(MessageRow.seq).where(MessageRow.key == key)).first() is not None


def make_report_messages(connection: Connection, tree: RouteTree, now: datetime, known_to: KnownTo) -> int:
    """Make the messages of reports that are due; return how many."""
    due = due_reports(connection, tree, now, known_to)
    for each, period in due:
        message = {
            "key": key_of(each, period),
            "kind": REPORT,
            "receiver": each.receiver.name,
            "route": each.name,
            "language": each.language,
            "template": None,
            "time_zone": each.receiver.time_zone,
            "day": period.begin,
            "part": 1,
            "parts": 1,
            "total": 0,
            "state": WAITING,
            "due_at": now,
            "created_at": now,
        }
        connection.execute(insert(MessageRow).values(message))
        log.info("the report of %s is made for %s", period.key, each.receiver.name)
    return len(due)
