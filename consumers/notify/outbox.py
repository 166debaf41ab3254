"""The outbox: what is to be sent to which channel, who is sending it, and the result."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, and_, case, func, insert, not_, or_, select, update

from consumers.database.database import Database
from consumers.database.notices import ChannelRow, MessageRow, NoticeRow, OutboxRow
from consumers.database.warnings import WarningStepRow
from consumers.muting.notice import Limits, NoticeVerdict
from consumers.notify.bundles import REPORT, WAITING, contents_of
from consumers.notify.message import Bundle, ReportContent, StepContent, Style
from consumers.notify.notices import STEPS, NoticeCounts, Notices
from consumers.notify.router import Router
from consumers.notify.scheduled_reports import content_of
from consumers.notify.waiting import MARK, not_muted

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
    """A message to one channel."""

    seq: int
    channel: str
    attempts: int
    created_at: datetime
    content: StepContent | Bundle | ReportContent
    style: Style = field(default_factory=Style)
    note: str | None = None
    """What the message says beside the warning itself."""
    again: bool = False
    """Whether an earlier attempt may have arrived."""

    @property
    def step_id(self) -> str:
        """The id of the step, of the bundle of several, or of the report."""
        return self.content.id


class Outbox:
    """The deliveries of one database; `owner` is the name that this notifier claims under."""

    def __init__(
        self,
        database: Database,
        owner: str,
        limits: Limits | None = None,
        router: Router | None = None,
    ) -> None:
        """With a `router` of customers' notices it fills the channels; else each channel gets all of them."""
        self.judged = NoticeCounts()
        """What was decided about the notices so far."""
        self._database = database
        self._owner = owner
        self._notices = Notices(database, limits)
        self._router = router

    def add_channels(self, names: Sequence[str], now: datetime, *, from_now: bool) -> dict[str, int | None]:
        """Make channels known; return for each new one how many notices are still to be sent to it.

        It is `None` where routes decide that.
        """
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
            if self._router is not None:
                self._router.begin(connection, from_now=from_now)
                if self._router.routes_customers:
                    return dict.fromkeys(new)
            return dict.fromkeys(new, waiting)

    def fill(self, names: Sequence[str], now: datetime) -> int:
        """Judge the steps stored since the last time and enter the notices to send; return how many.

        The place up to which a channel is filled moves in the same transaction, so that no step is entered
        twice or left out, however many notifiers run.
        """
        made = 0
        self._judge(now)
        if self._router is not None:
            made += self._router.turn(names, now)
            if self._router.routes_customers:
                return made
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
            .join(ChannelRow, and_(ChannelRow.name == OutboxRow.channel, ChannelRow.disabled_at.is_(None)))
            .outerjoin(WarningStepRow, WarningStepRow.id == OutboxRow.step_id)
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
            # Whoever claimed it before may have sent it and died.
            again = {row.seq for row in rows if row.unsure or row.claimed_by is not None}
            unsure = update(OutboxRow).where(OutboxRow.seq.in_(again))
            connection.execute(unsure.values(unsure=True))
            return _deliveries(connection, rows, again)

    def sent(self, delivery: Delivery, now: datetime) -> None:
        """Record that the receiver has taken it."""
        self._settle(delivery, state=State.SENT.value, sent_at=now, last_error=None)

    def failed(self, delivery: Delivery, error: str, due_at: datetime, *, unsure: bool = False) -> None:
        """Record a failed attempt; the next is at `due_at`. With `unsure` it may have arrived."""
        self._settle(delivery, due_at=due_at, last_error=error, unsure=unsure or delivery.again)

    def give_up(self, delivery: Delivery, error: str) -> None:
        """Record that no further attempt is made."""
        self._settle(delivery, state=State.GIVEN_UP.value, last_error=error)

    def _settle(self, delivery: Delivery, **values: object) -> None:
        mine = update(OutboxRow).where(OutboxRow.seq == delivery.seq, OutboxRow.claimed_by == self._owner)
        values |= {"attempts": delivery.attempts + 1, "claimed_by": None, "claimed_until": None}
        with self._database.writing() as connection:
            connection.execute(mine.values(values))

    def drop(self, delivery: Delivery) -> None:
        """Record that nothing is left to send."""
        self._settle(delivery, state=State.MUTED.value)

    def disable(self, channel: str, now: datetime) -> None:
        """Send nothing more to a channel until somebody enables it."""
        with self._database.writing() as connection:
            connection.execute(update(ChannelRow).where(ChannelRow.name == channel).values(disabled_at=now))

    def enable(self, names: Sequence[str]) -> list[str]:
        """Send to channels again whose receivers wanted no more; return which there were."""
        with self._database.writing() as connection:
            off = select(ChannelRow.name).where(
                ChannelRow.name.in_(names), ChannelRow.disabled_at.is_not(None)
            )
            found = list(connection.scalars(off.order_by(ChannelRow.name)))
            connection.execute(update(ChannelRow).where(ChannelRow.name.in_(found)).values(disabled_at=None))
        return found

    def disabled(self) -> list[str]:
        """Return the channels whose receivers want no more."""
        with self._database.reading() as connection:
            off = select(ChannelRow.name).where(ChannelRow.disabled_at.is_not(None))
            return list(connection.scalars(off.order_by(ChannelRow.name)))

    def release(self, deliveries: Sequence[Delivery], *, unsure: bool = False) -> None:
        """Give claimed deliveries back; with `unsure` one may have arrived."""
        if not deliveries:
            return
        mine = update(OutboxRow).where(
            OutboxRow.seq.in_([delivery.seq for delivery in deliveries]), OutboxRow.claimed_by == self._owner
        )
        with self._database.writing() as connection:
            change = {"claimed_by": None, "claimed_until": None} | ({"unsure": True} if unsure else {})
            connection.execute(mine.values(change))

    def postpone(self, delivery: Delivery, due_at: datetime) -> None:
        """Give a claimed delivery back that cannot be written yet; that is no attempt."""
        mine = update(OutboxRow).where(OutboxRow.seq == delivery.seq, OutboxRow.claimed_by == self._owner)
        with self._database.writing() as connection:
            connection.execute(mine.values(due_at=due_at, claimed_by=None, claimed_until=None))

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

    def backlog(self, now: datetime) -> tuple[int, datetime | None]:
        """Return how many deliveries are pending, and since when the oldest is due, of open channels."""
        off = select(ChannelRow.name).where(ChannelRow.disabled_at.is_not(None))
        query = select(func.count(), func.min(due_since(now))).where(
            OutboxRow.state == State.PENDING.value, OutboxRow.channel.not_in(off)
        )
        with self._database.reading() as connection:
            count, oldest = connection.execute(query).one()
        return count, oldest

    def lag(self, names: Sequence[str]) -> tuple[int, datetime | None]:
        """Return how many stored steps are not judged or not entered yet, and since when the oldest waits."""
        queries: list[Any] = [
            STEPS.with_only_columns(func.count(), func.min(WarningStepRow.received_at)).order_by(None)
        ]
        if self._router is not None:
            queries += self._router.unmade()
        if self._router is None or not self._router.routes_customers:
            places = select(func.min(ChannelRow.filled_to)).where(ChannelRow.name.in_(names))
            unfilled = select(func.count(), func.min(NoticeRow.judged_at))
            queries.append(unfilled.where(NoticeRow.seq > places.scalar_subquery()))
        with self._database.reading() as connection:
            found = [tuple(connection.execute(query).one()) for query in queries]
        return sum(count for count, _ in found), min((at for _, at in found if at is not None), default=None)

    def waiting(self) -> dict[str, int]:
        """Return for each receiver how many messages wait for their time: quiet hours, a rate limit."""
        query = (
            select(MessageRow.receiver, func.count())
            .where(MessageRow.state == WAITING)
            .group_by(MessageRow.receiver)
            .order_by(MessageRow.receiver)
        )
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}


def due_since(now: datetime) -> ColumnElement[datetime | None]:
    """Return since when a pending delivery should be sent; `NULL` of one that waits for a silence's end.

    A delivery that failed is due all the while.
    """
    is_muted = func.coalesce(OutboxRow.last_error, "").startswith(MARK)
    return case(
        (and_(is_muted, OutboxRow.due_at <= now), OutboxRow.due_at), (not_(is_muted), OutboxRow.created_at)
    )


def _deliveries(connection: Connection, rows: Sequence[Row[Any]], again: set[int]) -> list[Delivery]:
    """Return claimed rows with what they are about."""
    wanted = [row.message_seq for row in rows if row.message_seq is not None]
    messages: dict[int, Row[Any]] = {}
    if wanted:
        found = select(MessageRow.__table__).where(MessageRow.seq.in_(wanted))
        messages = {row.seq: row for row in connection.execute(found)}
    made: list[Delivery] = []
    for row in rows:
        message = messages.get(row.message_seq)
        content: StepContent | Bundle | ReportContent
        if row.step_id is not None:
            content = StepContent(row.step_id, row.type, row.time, row.data)
        elif message is not None and message.kind == REPORT:
            content = content_of(message)
        else:
            content = contents_of(connection, messages[row.message_seq])
        style, note = Style(), row.note
        if message is not None:
            style = Style(
                *(message.language, message.template, message.time_zone, message.route, message.receiver)
            )
            note = message.note
        made.append(
            Delivery(
                *(row.seq, row.channel, row.attempts, row.created_at),
                *(content, style, note, row.seq in again),
            )
        )
    return made
