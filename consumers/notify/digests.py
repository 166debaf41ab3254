"""The daily digest: each open warning of medium and low tier in one digest of a receiver a day."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, case, insert, select

from consumers.database.notices import MessageRow, MessageStepRow
from consumers.database.warnings import WarningRow, WarningStepRow
from consumers.muting.judge import NoticeContext, in_quiet_hours, silenced
from consumers.notify.bundles import DIGEST, MOST_STEPS, withheld
from consumers.notify.notices import OPEN, notice_of
from consumers.notify.routes import DIGESTED, Route, RouteTree, labels_of
from consumers.notify.schedule import due_digest
from consumers.notify.waiting import silences_in_force

log = logging.getLogger(__name__)

WAITING: Final = "waiting"
EMPTY: Final = "dropped"
CHUNK: Final = 500


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
    for row, group in _open_warnings(connection, tree, now):
        if group in found and not _is_reported(connection, group.receiver, due[group][1], row.warning_id):
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


def _open_warnings(
    connection: Connection, tree: RouteTree, now: datetime
) -> Iterator[tuple[Row[Any], DigestGroup]]:
    """Yield the newest steps of open warnings that wait for a digest, for each group that has them.

    Of a receiver only the first route counts.
    """
    context = NoticeContext(now, now, silences_in_force(connection, now))
    rank = case({tier: number for number, tier in enumerate(DIGESTED)}, value=WarningRow.tier)
    query = (
        select(WarningStepRow)
        .join(
            WarningRow,
            and_(WarningRow.id == WarningStepRow.warning_id, WarningRow.last_step == WarningStepRow.step),
        )
        .where(WarningRow.state == OPEN, WarningRow.tier.in_(DIGESTED), WarningRow.holdout.is_not(True))
        .order_by(rank, WarningRow.opened_at, WarningRow.id)
    )
    rows = connection.execute(query).all()
    for begin in range(0, len(rows), CHUNK):
        chunk = rows[begin : begin + CHUNK]
        barred = withheld(connection, {row.warning_id for row in chunk})
        for row in chunk:
            if row.warning_id in barred:
                continue
            notice = notice_of(row.id, row)
            if silenced(notice, context) or in_quiet_hours(notice, context):
                continue
            try:
                labels = labels_of(row.data)
            except (KeyError, TypeError, AttributeError, ValueError):
                log.error("step %s is left out of the digest: its data cannot be read", row.id)
                continue
            receivers: set[str] = set()
            for route in tree.find(labels):
                if route.receiver.name not in receivers and route.gathers(row.tier):
                    receivers.add(route.receiver.name)
                    yield row, _group(route)


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
            "state": WAITING if part else EMPTY,
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
                    "customer_id": row.customer_id,
                    "step_id": row.id,
                }
                for row in part
            ]
            connection.execute(insert(MessageStepRow), steps)
    return sum(bool(part) for part in parts)
