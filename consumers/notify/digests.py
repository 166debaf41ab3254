"""The daily digest: each open warning of medium and low tier in one digest of a receiver a day.

Warnings of customers and of segments; also those that opened after the digest before and have ended since.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, and_, case, func, insert, or_, select

from consumers.database.notices import MessageRow, MessageStepRow
from consumers.database.warnings import SegmentWarningRow, SegmentWarningStepRow, WarningRow, WarningStepRow
from consumers.muting.judge import NoticeContext, in_quiet_hours, silenced
from consumers.notify.bundles import DIGEST, DROPPED, MOST_STEPS, WAITING, withheld
from consumers.notify.notices import OPEN, notice_of, segment_notice
from consumers.notify.routes import DIGESTED, Route, RouteTree, labels_of, labels_of_segment
from consumers.notify.schedule import due_digest
from consumers.notify.waiting import silences_in_force

log = logging.getLogger(__name__)

CHUNK: Final = 500
ENDED: Final = ("resolved", "withdrawn", "expired")
DAYS_BACK: Final = 7
"""How far back the digest before is looked for: longer ago than this, what has ended is no news."""


@dataclass(frozen=True, slots=True)
class DigestGroup:
    """Digests that are one: the same receiver, time, language and templates."""

    receiver: str
    at: str
    language: str
    template: str | None

    def key(self, day: date, part: int) -> str:
        """Return the key of a part of the digest of a day: there is one of it."""
        style = f"{self.at}/{self.language}/{self.template or '-'}"
        return f"{DIGEST}/{self.receiver}/{day}/{style}/{part}"


def _group(route: Route) -> DigestGroup:
    assert route.digest is not None
    return DigestGroup(route.receiver.name, route.digest, route.language, route.template)


def make_digests(connection: Connection, tree: RouteTree, now: datetime) -> int:
    """Make the digests that are due and not made yet; return how many messages they are.

    Where there is nothing to report, an empty one is recorded and not sent: what opens later that day waits
    for the next.
    """
    due = due_digests(connection, tree, now)
    if not due:
        return 0
    found: dict[DigestGroup, list[Row[Any]]] = {group: [] for group in due}
    before = {group: _made_before(connection, group, day, now) for group, (_, day) in due.items()}
    for row, group in _to_report(connection, tree, now, min(before.values())):
        if group not in found or _is_reported(connection, group.receiver, due[group][1], row.warning_id):
            continue
        if row.state == OPEN or _opened_since(connection, row, before[group]):
            found[group].append(row)
    return sum(_make(connection, group, route, day, found[group], now) for group, (route, day) in due.items())


def due_digests(
    connection: Connection, tree: RouteTree, now: datetime
) -> dict[DigestGroup, tuple[Route, date]]:
    """Return the digests that are due and not made yet, each with a route of it and its local day."""
    due: dict[DigestGroup, tuple[Route, date]] = {}
    for route in tree.root.walk():
        if route.digest is not None and _group(route) not in due:
            day = due_digest(route, now)
            if day is not None and not _is_made(connection, _group(route), day):
                due[_group(route)] = (route, day)
    return due


def _is_made(connection: Connection, group: DigestGroup, day: date) -> bool:
    made = select(MessageRow.seq).where(MessageRow.key == group.key(day, 1))
    return connection.execute(made).first() is not None


def _is_reported(connection: Connection, receiver: str, day: date, warning_id: str) -> bool:
    """Return whether another digest of the receiver has the warning on that day already."""
    steps = MessageStepRow
    reported = select(steps.seq).where(
        steps.receiver == receiver, steps.day == day, steps.warning_id == warning_id
    )
    return connection.execute(reported).first() is not None


def _made_before(connection: Connection, group: DigestGroup, day: date, now: datetime) -> datetime:
    """Return when the digest before was made; a day ago where there is none."""
    keys = [group.key(day - timedelta(days=back), 1) for back in range(1, DAYS_BACK + 1)]
    made = connection.scalar(select(func.max(MessageRow.created_at)).where(MessageRow.key.in_(keys)))
    return made or now - timedelta(days=1)


def _opened_since(connection: Connection, row: Row[Any], before: datetime) -> bool:
    """Return whether the first step of a warning that has ended was stored after the digest before."""
    steps = WarningStepRow if _is_customers(row) else SegmentWarningStepRow
    first = select(steps.received_at).where(steps.warning_id == row.warning_id).order_by(steps.step).limit(1)
    stored = connection.scalar(first)
    return stored is not None and stored >= before


def _to_report(
    connection: Connection, tree: RouteTree, now: datetime, before: datetime
) -> Iterator[tuple[Row[Any], DigestGroup]]:
    """Yield the newest steps of warnings that wait for a digest, for each group that has them.

    They are open, or ended lately. Of a receiver only the first route counts.
    """
    context = NoticeContext(now, now, silences_in_force(connection, now))
    for customers in (True, False):
        rows = connection.execute(newest_steps(before, customers=customers)).all()
        for begin in range(0, len(rows), CHUNK):
            chunk = rows[begin : begin + CHUNK]
            barred = withheld(connection, {row.warning_id for row in chunk}) if customers else set()
            for row in chunk:
                if row.warning_id not in barred:
                    yield from _groups_of(row, tree, context)


def _groups_of(
    row: Row[Any], tree: RouteTree, context: NoticeContext
) -> Iterator[tuple[Row[Any], DigestGroup]]:
    try:
        notice = notice_of(row.id, row) if _is_customers(row) else segment_notice(row)
        labels = labels_of(row.data) if _is_customers(row) else labels_of_segment(row.data)
    except (KeyError, TypeError, AttributeError, ValueError):
        log.error("step %s is left out of the digest: its data cannot be read", row.id)
        return
    if silenced(notice, context) or in_quiet_hours(notice, context):
        return
    receivers: set[str] = set()
    for route in tree.find(labels):
        if route.receiver.name not in receivers and route.gathers(row.tier):
            receivers.add(route.receiver.name)
            yield row, _group(route)


def newest_steps(before: datetime, *, customers: bool) -> Select[Any]:
    """Return the query of the newest steps of warnings that are open or may have ended since.

    Times of warnings are event times, which a worker that is behind reaches later: a day is allowed for that.
    """
    warnings: type[WarningRow | SegmentWarningRow] = WarningRow if customers else SegmentWarningRow
    steps: type[WarningStepRow | SegmentWarningStepRow] = (
        WarningStepRow if customers else SegmentWarningStepRow
    )
    rank = case({tier: number for number, tier in enumerate(DIGESTED)}, value=warnings.tier)
    ended = and_(warnings.state.in_(ENDED), warnings.updated_at > before - timedelta(days=1))
    query = (
        select(steps)
        .join(warnings, and_(warnings.id == steps.warning_id, warnings.last_step == steps.step))
        .where(or_(warnings.state == OPEN, ended), warnings.tier.in_(DIGESTED))
        .order_by(warnings.state != OPEN, rank, warnings.opened_at, warnings.id)
    )
    return query.where(WarningRow.holdout.is_not(True)) if customers else query


def _is_customers(row: Row[Any]) -> bool:
    return "customer_id" in row._mapping


def _make(
    connection: Connection, group: DigestGroup, route: Route, day: date, rows: list[Row[Any]], now: datetime
) -> int:
    parts = [rows[begin : begin + MOST_STEPS] for begin in range(0, len(rows), MOST_STEPS)] or [[]]
    for number, part in enumerate(parts, start=1):
        message = {
            "key": group.key(day, number),
            "kind": DIGEST,
            "receiver": group.receiver,
            "route": route.name,
            "language": group.language,
            "template": group.template,
            "time_zone": route.receiver.time_zone,
            "day": day,
            "part": number,
            "parts": len(parts),
            "total": len(rows),
            "state": WAITING if part else DROPPED,
            "why": None if part else "empty",
            "due_at": now,
            "created_at": now,
        }
        made = connection.execute(insert(MessageRow).values(message).returning(MessageRow.seq))
        seq = made.scalar_one()
        if part:
            steps = [
                {
                    "message_seq": seq,
                    "receiver": group.receiver,
                    "day": day,
                    "warning_id": row.warning_id,
                    "customer_id": row.customer_id if _is_customers(row) else None,
                    "step_id": row.id if _is_customers(row) else None,
                    "segment_step_id": None if _is_customers(row) else row.id,
                }
                for row in part
            ]
            connection.execute(insert(MessageStepRow), steps)
    return sum(bool(part) for part in parts)
