"""Sends the actions that are due, whichever process of the desk wrote them, and notes what has arrived."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, and_, func, or_, select, update

from consumers.broker.records import RecordSender
from consumers.database.database import Database
from consumers.database.desk import DeskActionRow
from consumers.database.events import ActionRow
from consumers.database.group_commit import GroupCommit
from consumers.database.warnings import WarningStepRow
from consumers.desk.acting.action_desk import AT_ONCE, portions
from consumers.desk.clock import DeskClock
from consumers.drafts import action_bytes
from consumers.loop import Backoff
from streams.errors import BrokerError, StoreError

log = logging.getLogger(__name__)

CLAIMED_FOR: Final = timedelta(seconds=40)
"""Longer than a flush waits: then others may take a process for dead."""
AT_MOST: Final = 2_000
"""Actions that are sent together."""
LOOK_S: Final = 0.5
"""How often it looks for what other processes wrote and what has arrived."""
NO_EFFECT_AFTER: Final = timedelta(seconds=60)
"""So long after an action is in the store a step that it would make has arrived too."""
CLOCKS_APART: Final = timedelta(seconds=5)
"""So far may the clocks of desk and sink be apart. A step stored so shortly before is taken for its own."""
_STEPS: Final = {
    "acknowledge": "churn.warning.acknowledged",
    "snooze": "churn.warning.snoozed",
    "expire": "churn.warning.expired",
}


class ActionSender:
    """Sends due actions in the order in which they were written.

    `sender` is for this alone: its flush is then about these records only.

    One process sends at a time: it claims what is due, sends it, and notes that it is sent. Where it dies in
    between, another one sends the same events again, with the same ids, and a repeat changes nothing.
    """

    def __init__(
        self,
        database: Database,
        clock: DeskClock,
        sender: RecordSender,
        topic: str,
        on_arrival: Callable[[], None] = lambda: None,
        writes: GroupCommit | None = None,
    ) -> None:
        self._database = database
        self._writes = writes or GroupCommit(database)
        self._clock = clock
        self._sender = sender
        self._topic = topic
        self._on_arrival = on_arrival
        self._name = secrets.token_hex(8)
        self._wake = threading.Event()
        self._stopped = False
        self._thread: threading.Thread | None = None
        self.trouble: str | None = None
        """Why nothing can be sent at the moment."""

    # -- the thread --------------------------------------------------------------------------------

    def start(self) -> None:
        """Send in a thread of its own until `stop`."""
        self._thread = threading.Thread(target=self._run, name="desk actions")
        self._thread.start()

    def wake(self) -> None:
        """Look at once."""
        self._wake.set()

    def stop(self) -> None:
        """End the thread; what is still held is sent by the next desk."""
        self._stopped = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        backoff, failures, wait = Backoff(first_s=LOOK_S, limit_s=15.0), 0, LOOK_S
        looked = -LOOK_S
        while not self._stopped:
            self._wake.wait(wait)
            self._wake.clear()
            try:
                self.send_due()
                arrived = 0
                if time.monotonic() - looked >= LOOK_S:  # not each time that somebody acts
                    looked = time.monotonic()
                    arrived = self.note_arrivals()
            except (BrokerError, StoreError) as error:
                failures += 1
                wait = backoff.delay(failures)
                if self.trouble is None:
                    log.warning("actions of the desk cannot be sent: %s; trying again", error)
                self.trouble = str(error)
                self._on_arrival()  # who looks is shown that there is trouble
                continue
            if self.trouble is not None:
                log.info("actions of the desk are sent again")
            failures, wait, self.trouble = 0, LOOK_S, None
            if arrived:
                self._on_arrival()

    # -- sending -----------------------------------------------------------------------------------

    def send_due(self) -> int:
        """Send what is due and return how many that were. Raises `BrokerError` or `StoreError`."""
        sent = 0
        while rows := self._claim():
            seqs = [row.seq for row in rows]
            try:
                self._send(rows)
            except BrokerError as error:
                self._mark(seqs, state="held", claimed_until=None, error=str(error)[:400])
                raise
            self._mark(seqs, state="sent", sent_at=self._clock.wall(), claimed_until=None, error=None)
            sent += len(rows)
        return sent

    def _due(self) -> Select[tuple[int, dict[str, object]]]:
        now = self._clock.wall()
        free = or_(DeskActionRow.claimed_until.is_(None), DeskActionRow.claimed_until <= now)
        return (
            select(DeskActionRow.seq, DeskActionRow.content)
            .where(
                DeskActionRow.state.in_(("held", "sending")),
                DeskActionRow.send_at <= now,
                or_(free, DeskActionRow.claimed_by == self._name),
            )
            .order_by(DeskActionRow.seq)
            .limit(AT_MOST)
        )

    def _claim(self) -> Sequence[Row[tuple[int, dict[str, object]]]]:
        with self._database.reading() as connection:
            if connection.execute(self._due().limit(1)).first() is None:
                return []
        now = self._clock.wall()

        def claim(connection: Connection) -> Sequence[Row[tuple[int, dict[str, object]]]]:
            # Two at once could send a correction before what it corrects.
            another = select(DeskActionRow.seq).where(
                DeskActionRow.state == "sending",
                DeskActionRow.claimed_by != self._name,
                DeskActionRow.claimed_until > now,
            )
            if connection.execute(another.limit(1)).first() is not None:
                return []
            rows = connection.execute(self._due()).all()
            for seqs in portions([row.seq for row in rows]):
                connection.execute(
                    update(DeskActionRow)
                    .where(DeskActionRow.seq.in_(seqs))
                    .values(state="sending", claimed_by=self._name, claimed_until=now + CLAIMED_FOR)
                )
            return rows

        return self._writes.run(claim)

    def _send(self, rows: Sequence[Row[tuple[int, dict[str, object]]]]) -> None:
        unsure: set[object] = set()
        for row in rows:
            # A client that sends anew may change the order of what is on its way.
            if row.content.get("corrects") in unsure:
                self._sender.flush()
                unsure.clear()
            unsure.add(row.content["event_id"])
            key = str(row.content["customer_id"]).encode()
            self._sender.send(self._topic, key, action_bytes(row.content))
        self._sender.flush()

    def _mark(self, seqs: Sequence[int], **values: object) -> None:
        def mark(connection: Connection) -> None:
            for some in portions(seqs):
                own = DeskActionRow.seq.in_(some)
                # Another process may have taken over.
                mine = and_(own, DeskActionRow.claimed_by == self._name, DeskActionRow.state == "sending")
                connection.execute(update(DeskActionRow).where(mine).values(**values))

        self._writes.run(mark)

    # -- arrival -----------------------------------------------------------------------------------

    def note_arrivals(self) -> int:
        """Note which sent actions the store shows to have arrived; return how many that were."""
        found, last = 0, 0
        while True:
            query = select(DeskActionRow).where(DeskActionRow.state == "sent", DeskActionRow.seq > last)
            with self._database.reading() as connection:
                rows = connection.execute(query.order_by(DeskActionRow.seq).limit(AT_ONCE)).all()
                taken = self._taken(connection, rows) if rows else []
            if taken:
                self._writes.run(partial(_note_taken, taken))
            found += len(taken)
            if len(rows) < AT_ONCE:
                return found
            last = rows[-1].seq

    def _taken(self, connection: Connection, rows: Sequence[Row[Any]]) -> list[int]:
        stored = {
            (row.event_id, row.customer_id): row.stored_at
            for row in connection.execute(
                select(ActionRow.event_id, ActionRow.customer_id, ActionRow.stored_at).where(
                    ActionRow.event_id.in_([row.event_id for row in rows])
                )
            )
        }
        changing = [row for row in rows if row.kind in _STEPS]
        steps = _steps(connection, changing)
        settled = self._clock.wall() - NO_EFFECT_AFTER
        taken = []
        for row in rows:
            stored_at = stored.get((row.event_id, row.customer_id))
            if row.kind not in _STEPS:
                if stored_at is not None:
                    taken.append(row.seq)
                continue
            at = datetime.fromisoformat(row.content["occurred_at"])
            newest = steps.get((row.warning_id, _STEPS[row.kind]))
            # A step has the time of its partition, which may be behind the one that the desk goes by.
            has_step = newest is not None and (newest[0] >= at or newest[1] > row.sent_at - CLOCKS_APART)
            # Where the warning has ended meanwhile, or the like, there is no step.
            if has_step or (stored_at is not None and stored_at <= settled):
                taken.append(row.seq)
        return taken


def _note_taken(seqs: Sequence[int], connection: Connection) -> None:
    connection.execute(update(DeskActionRow).where(DeskActionRow.seq.in_(seqs)).values(state="taken"))


def _steps(
    connection: Connection, rows: Sequence[Row[Any]]
) -> dict[tuple[str, str], tuple[datetime, datetime]]:
    """Return by warning and type when the newest such step was, in event time and as it was stored."""
    if not rows:
        return {}
    newest = func.max(WarningStepRow.time), func.max(WarningStepRow.received_at)
    query = (
        select(WarningStepRow.warning_id, WarningStepRow.type, *newest)
        .where(WarningStepRow.warning_id.in_(sorted({row.warning_id for row in rows})))
        .where(WarningStepRow.type.in_(_STEPS.values()))
        .group_by(WarningStepRow.warning_id, WarningStepRow.type)
    )
    return {(warning_id, kind): (at, stored) for warning_id, kind, at, stored in connection.execute(query)}
