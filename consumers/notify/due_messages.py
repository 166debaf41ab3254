"""Messages that are due: each goes to the outbox, or waits on, or is dropped, or is gathered with others."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, or_, select, update

from consumers.database.database import Database
from consumers.database.notices import MessageRow, MessageStepRow, OutboxRow
from consumers.database.warnings import SegmentWarningRow, SegmentWarningStepRow, WarningStepRow
from consumers.muting.judge import NoticeContext, in_quiet_hours, silenced
from consumers.muting.notes import DeferredNote, with_note
from consumers.muting.notice import MuteReason
from consumers.notify.bundles import (
    DROPPED,
    ENTERED,
    GATHERED,
    MOST_STEPS,
    NOTICE,
    SEGMENT,
    WAITING,
    is_open,
    withheld,
)
from consumers.notify.notices import OPEN, notice_of, segment_notice
from consumers.notify.routes import RouteTree
from consumers.notify.schedule import send_at
from consumers.notify.waiting import silences_in_force


class DueMessages:
    """The messages that are due in one transaction."""

    def __init__(
        self,
        connection: Connection,
        database: Database,
        tree: RouteTree,
        channels: Collection[str],
        now: datetime,
    ) -> None:
        self.entered = 0
        """Deliveries that the outbox got."""
        self._connection = connection
        self._database = database
        self._tree = tree
        self._channels = frozenset(channels)
        self._now = now
        self._routes = {route.name: route for route in tree.root.walk()}
        self._silences = silences_in_force(connection, now)

    def enter(self) -> None:
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
        late = DeferredNote(message.created_at, MuteReason.QUIET_HOURS.value)
        self._change(message, step_id=newest.id, note=with_note(message.note, late))
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
        if message.why is not None and not is_open(self._connection, SegmentWarningRow, step.warning_id):
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


def _rows_of(message: int) -> Any:
    return select(func.count()).where(OutboxRow.message_seq == message)
