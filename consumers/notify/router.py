"""From notices to messages: each to the receivers of its routes, at once, after quiet hours or in a digest.

All of a turn is one transaction of the only writer, and each message has a key that is there once. So a turn
that is cut off at any point, or made by two notifiers side by side, makes each message once.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select, update

from consumers.database.database import Database
from consumers.database.notices import ChannelRow, JudgingRow, MessageRow, NoticeRow
from consumers.database.warnings import SegmentWarningRow, SegmentWarningStepRow, WarningStepRow
from consumers.muting.notice import OVERDUE, NoticeVerdict
from consumers.notify.bundles import NOTICE, SEGMENT, WAITING, is_open
from consumers.notify.digests import due_digests, make_digests
from consumers.notify.due_messages import DueMessages
from consumers.notify.notices import notice_of
from consumers.notify.routes import Receiver, Route, RouteTree, labels_of, labels_of_segment
from consumers.notify.schedule import send_at
from consumers.notify.scheduled_reports import KnownTo, due_reports, make_report_messages

log = logging.getLogger(__name__)

CHUNK: Final = 500
ROUTES: Final = "routes"
SEGMENTS: Final = "segments"
"""Names of the rows of `judging` that say how far messages are made."""
_SEGMENT_KINDS: Final = ("churn.segment.opened", "churn.segment.escalated")


class Router:
    """Makes messages and enters those that are due in the outbox."""

    def __init__(
        self,
        database: Database,
        tree: RouteTree,
        *,
        routes_customers: bool = True,
        known_to: KnownTo = lambda connection: None,
    ) -> None:
        """Without `routes_customers` only segments' warnings are routed.

        `known_to` returns up to when the store knows what became of customers: reports wait for it.
        """
        self.routes_customers = routes_customers
        self._known_to = known_to
        self._database = database
        self._tree = tree

    def begin(self, connection: Connection, *, from_now: bool) -> None:
        """Set the places from which on messages are made, where there are none yet.

        What channels have had without routes counts as sent.
        """
        known = set(connection.scalars(select(JudgingRow.name)))
        filled = connection.scalar(select(func.max(ChannelRow.filled_to))) or 0
        newest = {
            ROUTES: connection.scalar(select(func.max(NoticeRow.seq))) or 0,
            SEGMENTS: connection.scalar(select(func.max(SegmentWarningStepRow.seq))) or 0,
        }
        for name, place in ((ROUTES, filled), (SEGMENTS, 0)):
            if name not in known:
                row = {"name": name, "judged_to": newest[name] if from_now else place}
                connection.execute(insert(JudgingRow).values(row))
        if self.routes_customers:
            behind = update(JudgingRow).where(JudgingRow.name == ROUTES, JudgingRow.judged_to < filled)
            connection.execute(behind.values(judged_to=filled))

    def unmade(self) -> list[Any]:
        """Return queries: how many notices and segments' steps have no message yet, and since when."""
        steps = SegmentWarningStepRow
        queries: list[Any] = [
            select(func.count(), func.min(steps.received_at)).where(steps.seq > _place(SEGMENTS))
        ]
        if self.routes_customers:
            notices = select(func.count(), func.min(NoticeRow.judged_at))
            queries.append(notices.where(NoticeRow.seq > _place(ROUTES)))
        return queries

    def turn(self, channels: Sequence[str], now: datetime) -> int:
        """Make the messages of new notices and of digests, enter what is due; return how many deliveries."""
        entered = 0
        while self._has_work(now):
            with self._database.writing() as connection:
                turn = _Turn(connection, self._database, self._tree, channels, now)
                more = turn.run(customers=self.routes_customers)
            entered += turn.due.entered
            if not more:
                break
        if self.routes_customers:
            entered += self._digest(channels, now)
        if self._tree.reports:
            entered += self._report(channels, now)
        return entered

    def _report(self, channels: Sequence[str], now: datetime) -> int:
        with self._database.reading() as connection:
            if not due_reports(connection, self._tree, now, self._known_to):
                return 0
        with self._database.writing() as connection:
            due = DueMessages(connection, self._database, self._tree, channels, now)
            if make_report_messages(connection, self._tree, now, self._known_to):
                due.enter()
        return due.entered

    def _digest(self, channels: Sequence[str], now: datetime) -> int:
        with self._database.reading() as connection:
            if not due_digests(connection, self._tree, now):
                return 0
        with self._database.writing() as connection:
            due = DueMessages(connection, self._database, self._tree, channels, now)
            if make_digests(connection, self._tree, now):
                due.enter()
        return due.entered

    def _has_work(self, now: datetime) -> bool:
        # Without the write lock: most times there is nothing to do.
        with self._database.reading() as connection:
            queries: list[Any] = [
                select(MessageRow.seq).where(MessageRow.state == WAITING, MessageRow.due_at <= now),
                _new_segments(1),
            ]
            if self.routes_customers:
                queries.append(_new_notices(1))
            return any(connection.execute(query.limit(1)).first() is not None for query in queries)


def _place(name: str) -> Any:
    return select(JudgingRow.judged_to).where(JudgingRow.name == name).scalar_subquery()


def _new_notices(limit: int) -> Any:
    return (
        select(NoticeRow.seq, NoticeRow.note, NoticeRow.verdict, WarningStepRow)
        .join(WarningStepRow, WarningStepRow.id == NoticeRow.step_id)
        .where(NoticeRow.seq > _place(ROUTES))
        .order_by(NoticeRow.seq)
        .limit(limit)
    )


def _new_segments(limit: int) -> Any:
    steps = SegmentWarningStepRow
    return select(steps).where(steps.seq > _place(SEGMENTS)).order_by(steps.seq).limit(limit)


@dataclass(frozen=True, slots=True)
class _About:
    """The step that a message is about."""

    kind: str
    step_id: str
    warning_id: str
    customer_id: str | None
    note: str | None = None


class _Turn:
    """One transaction: new notices and segments' steps become messages, and due ones go to the outbox."""

    def __init__(
        self,
        connection: Connection,
        database: Database,
        tree: RouteTree,
        channels: Sequence[str],
        now: datetime,
    ) -> None:
        self.due = DueMessages(connection, database, tree, channels, now)
        self._connection = connection
        self._database = database
        self._tree = tree
        self._now = now

    def run(self, *, customers: bool) -> bool:
        """Work through a chunk of each; return whether there may be more."""
        more = False
        if customers:
            rows = self._connection.execute(_new_notices(CHUNK)).all()
            for row in rows:
                self._take_notice(row)
            if rows:
                self._move(ROUTES, rows[-1][0])
                # Should somebody take the routes away, channels go on from here.
                place = update(ChannelRow).where(ChannelRow.filled_to < rows[-1][0])
                self._connection.execute(place.values(filled_to=rows[-1][0]))
            more = len(rows) == CHUNK
        steps = self._connection.execute(_new_segments(CHUNK)).all()
        for step in steps:
            self._take_segment(step)
        if steps:
            self._move(SEGMENTS, steps[-1].seq)
        self.due.enter()
        return more or len(steps) == CHUNK

    def _move(self, name: str, place: int) -> None:
        self._connection.execute(update(JudgingRow).where(JudgingRow.name == name).values(judged_to=place))

    def _take_notice(self, row: Row[Any]) -> None:
        if row.verdict != NoticeVerdict.SENT.value:
            return
        notice = notice_of(row.id, row)
        about = _About(NOTICE, row.id, row.warning_id, row.customer_id, row.note)
        try:
            labels = labels_of(row.data)
        except (KeyError, TypeError, AttributeError, ValueError):
            labels = {}  # of an older sink: the root's receiver has it, and the notifier gives it up
        taken: set[str] = set()
        for route in self._tree.find(labels):
            receivers: list[Receiver] = []
            is_overdue = notice.weightiest == OVERDUE
            if is_overdue or not route.gathers(notice.tier):
                receivers.append(route.receiver)
            if is_overdue and (team := route.next_team(_level(row.data))) is not None:
                receivers.append(team)
            for receiver in receivers:
                if receiver.name not in taken:
                    taken.add(receiver.name)
                    self._plan(route, receiver, about)

    def _take_segment(self, row: Row[Any]) -> None:
        if row.type not in _SEGMENT_KINDS or not is_open(self._connection, SegmentWarningRow, row.warning_id):
            return
        taken: set[str] = set()
        for route in self._tree.find(labels_of_segment(row.data)):
            if route.receiver.name not in taken and not route.gathers(row.tier):
                taken.add(route.receiver.name)
                self._plan(route, route.receiver, _About(SEGMENT, row.id, row.warning_id, None))

    def _plan(self, route: Route, receiver: Receiver, about: _About) -> None:
        due = send_at(route, receiver, self._now)
        row = {
            "key": f"{about.kind}/{about.step_id}/{receiver.name}",
            "kind": about.kind,
            "receiver": receiver.name,
            "route": route.name,
            "language": route.language,
            "template": route.template,
            "time_zone": receiver.time_zone,
            "step_id": about.step_id if about.kind == NOTICE else None,
            "segment_step_id": about.step_id if about.kind == SEGMENT else None,
            "customer_id": about.customer_id,
            "note": about.note,
            "part": 1,
            "parts": 1,
            "total": 1,
            "state": WAITING,
            "why": "quiet_hours" if due > self._now else None,
            "due_at": due,
            "created_at": self._now,
        }
        self._connection.execute(self._database.insert_new(MessageRow), [row])


def _level(data: Mapping[str, Any]) -> int:
    """Return how many deadlines have passed."""
    level = (data.get("attention") or {}).get("level")
    return level if isinstance(level, int) else 1
