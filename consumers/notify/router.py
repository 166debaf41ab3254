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

from sqlalchemy import Connection, Row, func, insert, or_, select, update

from consumers.database.database import Database
from consumers.database.notices import (
    ChannelRow,
    JudgingRow,
    MessageRow,
    MessageStepRow,
    NoticeRow,
    OutboxRow,
)
from consumers.database.warnings import SegmentWarningRow, SegmentWarningStepRow, WarningRow, WarningStepRow
from consumers.muting.judge import NoticeContext, in_quiet_hours, silenced
from consumers.muting.notice import OVERDUE, Notice, NoticeCause, NoticeVerdict
from consumers.notify.bundles import GATHERED, MOST_STEPS, NOTICE, SEGMENT, withheld
from consumers.notify.digests import due_digests, make_digests
from consumers.notify.notices import OPEN, notice_of
from consumers.notify.routes import Receiver, Route, RouteTree, labels_of, labels_of_segment
from consumers.notify.schedule import send_at
from consumers.notify.waiting import silences_in_force

log = logging.getLogger(__name__)

CHUNK: Final = 500
ROUTES: Final = "routes"
SEGMENTS: Final = "segments"
"""Names of the rows of `judging` that say how far messages are made."""
_SEGMENT_KINDS: Final = ("churn.segment.opened", "churn.segment.escalated")

WAITING: Final = "waiting"
ENTERED: Final = "entered"
DROPPED: Final = "dropped"


class Router:
    """Makes messages and enters those that are due in the outbox."""

    def __init__(self, database: Database, tree: RouteTree, *, routes_customers: bool = True) -> None:
        """Without `routes_customers` only segments' warnings are routed."""
        self.routes_customers = routes_customers
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

    def turn(self, channels: Sequence[str], now: datetime) -> int:
        """Make the messages of new notices and of digests, enter what is due; return how many deliveries."""
        entered = 0
        while self._has_work(now):
            with self._database.writing() as connection:
                turn = _Turn(connection, self._database, self._tree, channels, now)
                more = turn.run(customers=self.routes_customers)
            entered += turn.entered
            if not more:
                break
        if self.routes_customers:
            entered += self._digest(channels, now)
        return entered

    def _digest(self, channels: Sequence[str], now: datetime) -> int:
        with self._database.reading() as connection:
            if not due_digests(connection, self._tree, now):
                return 0
        with self._database.writing() as connection:
            turn = _Turn(connection, self._database, self._tree, channels, now)
            if make_digests(connection, self._tree, now):
                turn.enter_due()
        return turn.entered

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
    """One transaction: new notices and segments' steps become messages, and due ones are entered."""

    def __init__(
        self,
        connection: Connection,
        database: Database,
        tree: RouteTree,
        channels: Sequence[str],
        now: datetime,
    ) -> None:
        self.entered = 0
        self._connection = connection
        self._database = database
        self._tree = tree
        self._channels = frozenset(channels)
        self._now = now
        self._routes = {route.name: route for route in tree.root.walk()}
        self._silences = silences_in_force(connection, now)

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
        self.enter_due()
        return more or len(steps) == CHUNK

    def _move(self, name: str, place: int) -> None:
        self._connection.execute(update(JudgingRow).where(JudgingRow.name == name).values(judged_to=place))

    # -- from notices to messages --------------------------------------------------------------------

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
            receivers: list[tuple[Receiver, bool]] = []
            is_overdue = notice.weightiest == OVERDUE
            if is_overdue or not route.gathers(notice.tier):
                receivers.append((route.receiver, False))
            if is_overdue and (team := route.next_team(_level(row.data))) is not None:
                receivers.append((team, True))
            for receiver, _ in receivers:
                if receiver.name not in taken:
                    taken.add(receiver.name)
                    self._plan(route, receiver, about)

    def _take_segment(self, row: Row[Any]) -> None:
        if row.type not in _SEGMENT_KINDS or not self._is_open(SegmentWarningRow, row.warning_id):
            return
        taken: set[str] = set()
        for route in self._tree.find(labels_of_segment(row.data)):
            if route.receiver.name not in taken:
                taken.add(route.receiver.name)
                self._plan(route, route.receiver, _About(SEGMENT, row.id, row.warning_id, None))

    def _plan(self, route: Route, receiver: Receiver, about: _About) -> None:
        due = send_at(route, receiver, self._now)
        self._add(
            key=f"{about.kind}/{about.step_id}/{receiver.name}",
            kind=about.kind,
            route=route,
            receiver=receiver,
            due=due,
            why="quiet_hours" if due > self._now else None,
            step_id=about.step_id if about.kind == NOTICE else None,
            segment_step_id=about.step_id if about.kind == SEGMENT else None,
            customer_id=about.customer_id,
            note=about.note,
        )

    def _add(
        self,
        *,
        key: str,
        kind: str,
        route: Route,
        receiver: Receiver,
        due: datetime,
        why: str | None,
        step_id: str | None = None,
        segment_step_id: str | None = None,
        customer_id: str | None = None,
        note: str | None = None,
    ) -> None:
        row = {
            "key": key,
            "kind": kind,
            "receiver": receiver.name,
            "route": route.name,
            "language": route.language,
            "template": route.template,
            "time_zone": receiver.time_zone,
            "step_id": step_id,
            "segment_step_id": segment_step_id,
            "customer_id": customer_id,
            "note": note,
            "part": 1,
            "parts": 1,
            "total": 1,
            "state": WAITING,
            "why": why,
            "due_at": due,
            "created_at": self._now,
        }
        self._connection.execute(self._database.insert_new(MessageRow), [row])

    # -- from messages to the outbox -----------------------------------------------------------------

    def enter_due(self) -> None:
        """Enter what is due: as it is, or gathered with others where the rate limit is reached."""
        due = select(MessageRow.__table__).where(MessageRow.state == WAITING, MessageRow.due_at <= self._now)
        for message in self._connection.execute(due.order_by(MessageRow.due_at, MessageRow.seq)).all():
            if message.kind == NOTICE:
                self._enter_notice(message)
            elif message.kind == SEGMENT:
                self._enter_segment(message)
            else:
                self._enter(message)

    def _enter_notice(self, message: Row[Any]) -> None:
        step = self._step(message.step_id)
        if withheld(self._connection, [step.warning_id]):
            self._change(message, state=DROPPED, why="withheld")
            return
        if message.why is None:
            self._enter_or_gather(message, step)
            return
        # It waited for the end of quiet hours: what is sent is the warning as it is now.
        newest = self._connection.execute(
            select(WarningStepRow)
            .where(WarningStepRow.warning_id == step.warning_id)
            .order_by(WarningStepRow.step.desc())
            .limit(1)
        ).one()
        notice = notice_of(newest.id, newest)
        if newest.state != OPEN or notice.attended:
            self._change(message, state=DROPPED, why="over" if newest.state != OPEN else "attended")
            return
        if self._put_off(message):
            return
        if self._has_another(message, newest.id):
            self._change(message, state=DROPPED, why="another")
            return
        note = f"Deferred since {message.created_at:%Y-%m-%d %H:%M} UTC: quiet hours"
        note = f"{message.note} {note}" if message.note else note
        self._change(message, step_id=newest.id, note=note)
        self._enter_or_gather(message, newest)

    def _has_another(self, message: Row[Any], step_id: str) -> bool:
        """Return whether the receiver has a message on this step already: a later notice waited too."""
        another = select(MessageRow.seq).where(
            MessageRow.receiver == message.receiver,
            MessageRow.step_id == step_id,
            MessageRow.seq != message.seq,
            or_(MessageRow.state == ENTERED, MessageRow.why == GATHERED),
        )
        return self._connection.execute(another.limit(1)).first() is not None

    def _put_off(self, message: Row[Any]) -> bool:
        """Let a message wait on where it lies in quiet hours again: somebody changed them."""
        route = self._routes.get(message.route)
        receiver = self._tree.receivers.get(message.receiver)
        if route is None or receiver is None:
            return False
        due = send_at(route, receiver, self._now)
        if due > self._now:
            self._change(message, due_at=due)
        return due > self._now

    def _enter_segment(self, message: Row[Any]) -> None:
        step = self._connection.execute(
            select(SegmentWarningStepRow).where(SegmentWarningStepRow.id == message.segment_step_id)
        ).one()
        if message.why is not None and not self._is_open(SegmentWarningRow, step.warning_id):
            self._change(message, state=DROPPED, why="over")
            return
        context = NoticeContext(self._now, self._now, self._silences)
        notice = segment_notice(step)
        judgement = silenced(notice, context) or in_quiet_hours(notice, context)
        if judgement is not None:
            self._change(message, due_at=judgement.look_again_at or self._now, why="silence")
            return
        if message.why is not None and self._put_off(message):
            return
        self._enter_or_gather(message, step)

    def _enter_or_gather(self, message: Row[Any], step: Row[Any]) -> None:
        limit = self._limit_of(message.receiver)
        taken = self._times(message.receiver) if limit is not None else []
        if limit is None or sum(at <= self._now for at in taken) < limit.messages:
            self._enter(message, step.id if message.kind == NOTICE else None)
            return
        bundle = self._open_bundle(message)
        if bundle is None:
            # The time at which the newest but so many of those sent and planned leaves the period.
            free = sorted(taken)[-limit.messages] + limit.per
            bundle = self._new_bundle(message, free)
        row = {
            "message_seq": bundle,
            "receiver": message.receiver,
            "warning_id": step.warning_id,
            "customer_id": message.customer_id,
            "step_id": step.id if message.kind == NOTICE else None,
            "segment_step_id": step.id if message.kind == SEGMENT else None,
        }
        self._connection.execute(insert(MessageStepRow), [row])
        more = update(MessageRow).where(MessageRow.seq == bundle)
        self._connection.execute(more.values(total=MessageRow.total + 1))
        self._change(message, state=DROPPED, why=GATHERED)

    def _limit_of(self, receiver: str) -> Any:
        found = self._tree.receivers.get(receiver)
        return found.rate_limit if found is not None else None

    def _times(self, receiver: str) -> list[datetime]:
        """Return when messages of the period were entered, and when those that gather are to be."""
        limit = self._limit_of(receiver)
        sent = select(MessageRow.entered_at).where(
            MessageRow.receiver == receiver, MessageRow.entered_at > self._now - limit.per
        )
        planned = select(MessageRow.due_at).where(
            MessageRow.receiver == receiver, MessageRow.state == WAITING, MessageRow.kind == GATHERED
        )
        return [*self._connection.scalars(sent), *self._connection.scalars(planned)]

    def _open_bundle(self, message: Row[Any]) -> int | None:
        """Return the message that gathers what is over the rate limit, where one has room."""
        found: int | None = self._connection.scalar(
            select(MessageRow.seq)
            .where(
                MessageRow.receiver == message.receiver,
                MessageRow.kind == GATHERED,
                MessageRow.state == WAITING,
                MessageRow.language == message.language,
                MessageRow.template.is_(None)
                if message.template is None
                else MessageRow.template == message.template,
                MessageRow.total < MOST_STEPS,
            )
            .order_by(MessageRow.seq)
            .limit(1)
        )
        return found

    def _new_bundle(self, message: Row[Any], due: datetime) -> int:
        row = dict(message._mapping) | {
            "key": f"{GATHERED}/{message.receiver}/{message.seq}",
            "kind": GATHERED,
            "due_at": due,
            "why": "rate_limit",
            "total": 0,
            "created_at": self._now,
        }
        row |= dict.fromkeys(("step_id", "segment_step_id", "customer_id", "note"))
        del row["seq"]
        made = self._connection.execute(insert(MessageRow).values(row).returning(MessageRow.seq))
        seq: int = made.scalar_one()
        return seq

    def _enter(self, message: Row[Any], step_id: str | None = None) -> None:
        """Enter a message for each channel of its receiver."""
        receiver = self._tree.receivers.get(message.receiver, self._tree.root.receiver)
        rows = [
            {
                "step_id": step_id,
                "message_seq": message.seq,
                "channel": channel,
                "state": "pending",
                "attempts": 0,
                "created_at": self._now,
                "due_at": self._now,
            }
            for channel in receiver.channels
            if channel in self._channels
        ]
        if rows:
            before = self._connection.scalar(_rows_of(message.seq)) or 0
            self._connection.execute(self._database.insert_new(OutboxRow), rows)
            self.entered += (self._connection.scalar(_rows_of(message.seq)) or 0) - before
        self._change(message, state=ENTERED, entered_at=self._now)

    def _change(self, message: Row[Any], **values: Any) -> None:
        self._connection.execute(update(MessageRow).where(MessageRow.seq == message.seq).values(values))

    def _step(self, step_id: str) -> Row[Any]:
        query = select(WarningStepRow).where(WarningStepRow.id == step_id)
        return self._connection.execute(query).one()

    def _is_open(self, table: type[SegmentWarningRow | WarningRow], warning_id: str) -> bool:
        return self._connection.scalar(select(table.state).where(table.id == warning_id)) == OPEN


def _rows_of(message: int) -> Any:
    return select(func.count()).where(OutboxRow.message_seq == message)


def _level(data: Mapping[str, Any]) -> int:
    """Return how many deadlines have passed."""
    level = (data.get("attention") or {}).get("level")
    return level if isinstance(level, int) else 1


def segment_notice(row: Row[Any]) -> Notice:
    """Return what silences look at of a segment's step: tier, rule, reason and the dimension."""
    data, dimension = row.data, row.dimension
    return Notice(
        step_id=row.id,
        warning_id=row.warning_id,
        number=row.step,
        kind=row.type.rpartition(".")[2],
        time=row.time,
        customer_id="",
        customer_class=row.value if dimension == "customer_class" else None,
        segment=row.value if dimension == "segment" else None,
        region=row.value if dimension == "region" else None,
        account_owner=None,
        tier=row.tier,
        causes=tuple(
            NoticeCause(each["rule"], each["reason"], each["tier"], each["opened_at"], None)
            for each in data["causes"]
        ),
    )
