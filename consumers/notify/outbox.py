"""The outbox: what is to be sent to which channel, who is sending it, and the result."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, func, insert, or_, select, update

from consumers.database.database import Database
from consumers.database.notices import ChannelRow, NoticeRow, OutboxRow
from consumers.database.warnings import WarningStepRow
from consumers.muting.notice import Limits, NoticeVerdict
from consumers.notify.notices import NoticeCounts, Notices
from consumers.notify.waiting import not_muted

log = logging.getLogger(__name__)

FILL: Final = 1_000
STEP: Final = [
    WarningStepRow.type,
    WarningStepRow.data,
    WarningStepRow.time,
    WarningStepRow.warning_id,
    WarningStepRow.step,
    WarningStepRow.customer_id,
    WarningStepRow.tier,
]
LEASE: Final = timedelta(seconds=90)
"""How long a claim holds; a notifier that died gives its deliveries back after this."""


class State(StrEnum):
    """What has become of a delivery."""

    PENDING = "pending"
    SENT = "sent"
    GIVEN_UP = "given_up"
    MUTED = "muted"
    """A silence deferred it in the outbox until its warning had ended."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One step's message to one channel."""

    seq: int
    step_id: str
    channel: str
    attempts: int
    created_at: datetime
    type: str
    data: Mapping[str, Any]
    time: datetime
    """Event time of the step."""
    note: str | None = None
    """What the message says beside the warning itself."""


class Outbox:
    """The deliveries of one database; `owner` is the name that this notifier claims under."""

    def __init__(self, database: Database, owner: str, limits: Limits | None = None) -> None:
        self.judged = NoticeCounts()
        """What was decided about the notices so far."""
        self._database = database
        self._owner = owner
        self._notices = Notices(database, limits)

    def add_channels(self, names: Sequence[str], now: datetime, *, from_now: bool) -> dict[str, int]:
        """Make channels known; return for each new one how many notices are still to be sent to it."""
        self._judge(now)
        with self._database.writing() as connection:
            known = set(connection.scalars(select(ChannelRow.name)))
            new = [name for name in names if name not in known]
            last = connection.scalar(select(func.max(NoticeRow.seq))) or 0
            waiting = 0
            if not from_now:
                stored = select(func.count()).where(NoticeRow.verdict == NoticeVerdict.SENT.value)
                waiting = connection.scalar(stored) or 0
            for name in new:
                row = {"name": name, "filled_to": last if from_now else 0, "added_at": now}
                connection.execute(insert(ChannelRow).values(row))
            return dict.fromkeys(new, waiting)

    def fill(self, names: Sequence[str], now: datetime) -> int:
        """Judge the steps stored since the last time and enter the notices to send; return how many.

        The place up to which a channel is filled moves in the same transaction, so that no step is entered
        twice or left out, however many notifiers run.
        """
        made = 0
        self._judge(now)
        for name in names:
            while True:
                entered, more = self._fill_some(name, now)
                made += entered
                if not more:
                    break
        return made

    def _judge(self, now: datetime) -> None:
        judged = self._notices.judge(now)
        self.judged.sent += judged.sent
        self.judged.muted += judged.muted

    def _fill_some(self, channel: str, now: datetime) -> tuple[int, bool]:
        # Looked at without the write lock first: most times there is nothing to enter.
        with self._database.reading() as connection:
            if not self._unfilled(connection, channel, 1):
                return 0, False
        with self._database.writing() as connection:
            found = self._unfilled(connection, channel, FILL)
            rows = [
                {
                    "step_id": step_id,
                    "channel": channel,
                    "state": State.PENDING.value,
                    "attempts": 0,
                    "created_at": now,
                    "due_at": now,
                }
                for _, step_id, verdict in found
                if verdict == NoticeVerdict.SENT
            ]
            if rows:
                connection.execute(self._database.insert_new(OutboxRow), rows)
            if found:
                place = update(ChannelRow).where(ChannelRow.name == channel)
                connection.execute(place.values(filled_to=found[-1][0]))
        return len(rows), len(found) == FILL

    def _unfilled(self, connection: Connection, channel: str, limit: int) -> list[tuple[int, str, str]]:
        place = select(ChannelRow.filled_to).where(ChannelRow.name == channel).scalar_subquery()
        query = (
            select(NoticeRow.seq, NoticeRow.step_id, NoticeRow.verdict)
            .where(NoticeRow.seq > place)
            .order_by(NoticeRow.seq)
            .limit(limit)
        )
        return [(row.seq, row.step_id, row.verdict) for row in connection.execute(query)]

    def claim(self, channel: str, limit: int, now: datetime) -> list[Delivery]:
        """Take deliveries that are due and not claimed, for the length of a lease."""
        due = (
            select(OutboxRow.__table__, *STEP, NoticeRow.note)
            .join(WarningStepRow, WarningStepRow.id == OutboxRow.step_id)
            .outerjoin(
                NoticeRow,
                and_(NoticeRow.step_id == OutboxRow.step_id, NoticeRow.verdict == NoticeVerdict.SENT.value),
            )
            .where(
                OutboxRow.channel == channel,
                OutboxRow.state == State.PENDING.value,
                OutboxRow.due_at <= now,
                or_(OutboxRow.claimed_until.is_(None), OutboxRow.claimed_until <= now),
            )
            .order_by(OutboxRow.due_at, OutboxRow.seq)
            .limit(limit)
        )
        with self._database.reading() as connection:
            if connection.execute(due.limit(1)).first() is None:
                return []
        with self._database.writing() as connection:
            rows: Sequence[Row[Any]] = []
            while not rows and (found := connection.execute(due).all()):
                rows, gone = not_muted(connection, found, now)
                over = update(OutboxRow).where(OutboxRow.seq.in_(gone))
                connection.execute(over.values(state=State.MUTED.value))
            taken = update(OutboxRow).where(OutboxRow.seq.in_([row.seq for row in rows]))
            connection.execute(taken.values(claimed_by=self._owner, claimed_until=now + LEASE))
        return [
            Delivery(
                *(row.seq, row.step_id, row.channel, row.attempts, row.created_at),
                *(row.type, row.data, row.time, row.note),
            )
            for row in rows
        ]

    def sent(self, delivery: Delivery, now: datetime) -> None:
        """Record that the receiver has taken it."""
        self._settle(delivery, state=State.SENT.value, sent_at=now, last_error=None)

    def failed(self, delivery: Delivery, error: str, due_at: datetime) -> None:
        """Record a failed attempt; the next is at `due_at`."""
        self._settle(delivery, due_at=due_at, last_error=error)

    def give_up(self, delivery: Delivery, error: str) -> None:
        """Record that no further attempt is made."""
        self._settle(delivery, state=State.GIVEN_UP.value, last_error=error)

    def _settle(self, delivery: Delivery, **values: object) -> None:
        mine = update(OutboxRow).where(OutboxRow.seq == delivery.seq, OutboxRow.claimed_by == self._owner)
        values |= {"attempts": delivery.attempts + 1, "claimed_by": None, "claimed_until": None}
        with self._database.writing() as connection:
            connection.execute(mine.values(values))

    def release(self, deliveries: Sequence[Delivery]) -> None:
        """Give claimed deliveries back untried."""
        if not deliveries:
            return
        mine = update(OutboxRow).where(
            OutboxRow.seq.in_([delivery.seq for delivery in deliveries]), OutboxRow.claimed_by == self._owner
        )
        with self._database.writing() as connection:
            connection.execute(mine.values(claimed_by=None, claimed_until=None))

    def retry_given_up(self, now: datetime) -> int:
        """Make what was given up due again, with no attempts counted; return how many."""
        with self._database.writing() as connection:
            # By channel, since the index begins with it.
            again = update(OutboxRow).where(
                OutboxRow.channel.in_(select(ChannelRow.name)), OutboxRow.state == State.GIVEN_UP.value
            )
            result = connection.execute(
                again.values(state=State.PENDING.value, attempts=0, created_at=now, due_at=now)
            )
            return result.rowcount

    def counts(self) -> dict[str, dict[str, int]]:
        """Return for each channel how many deliveries are in each state."""
        query = select(OutboxRow.channel, OutboxRow.state, func.count().label("n")).group_by(
            OutboxRow.channel, OutboxRow.state
        )
        counts: dict[str, dict[str, int]] = {}
        with self._database.reading() as connection:
            for name in connection.scalars(select(ChannelRow.name)):
                counts[name] = {state.value: 0 for state in State}
            for row in connection.execute(query):
                counts[row.channel][row.state] = row.n
        return counts
