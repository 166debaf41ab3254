"""What people do at the desk, from the click until the store shows that it has arrived."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, func, select, update

from consumers.database.database import Database
from consumers.database.desk import DeskActionRow, DeskAuditRow
from consumers.database.group_commit import GroupCommit
from consumers.database.warnings import WarningRow
from consumers.desk.clock import DeskClock
from consumers.desk.people.person import Person, Role
from consumers.drafts import CHANGING_KINDS, Draft, action_bytes
from streams.contract.instants import to_us
from streams.errors import ActError

UNDO_FOR: Final = timedelta(seconds=10)
"""For so long an action that cannot be taken back is held."""
HELD_KINDS: Final = ("expire", "contact", "offer")
"""Nothing opens a closed warning again, and a contact makes a customer a treated one."""
ON_THE_WAY: Final = ("held", "sending", "sent")
AT_ONCE: Final = 500
"""Values of a query."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PendingAction:
    """An action of the desk."""

    event_id: str
    group_id: str
    customer_id: str
    warning_id: str | None
    kind: str
    actor: str
    state: str
    """`held`, `sending`, `sent`, `taken` or `undone`."""
    content: Mapping[str, Any]
    """The event as it goes to the topic."""
    created_at: datetime
    send_at: datetime
    error: str | None
    """Why the last attempt to send it failed."""


@dataclass(frozen=True, slots=True)
class Undone:
    """What became of the actions of a group."""

    undone: int = 0
    """Were not sent."""
    corrected: int = 0
    """Were sent, and are taken back by corrections."""
    too_late: int = 0
    """Were sent, and cannot be taken back."""


@dataclass(frozen=True, slots=True)
class Click:
    """What was done with one click."""

    group_id: str
    kind: str
    count: int
    """Of actions."""


_NOT_TRIED: Final = dict.fromkeys(("sent_at", "claimed_by", "claimed_until", "error"))
"""The columns of an action that nobody has tried to send."""
_PENDING: Final = select(
    *(getattr(DeskActionRow, name) for name in PendingAction.__dataclass_fields__)
).order_by(DeskActionRow.seq)


class ActionDesk:
    """Writes actions and takes them back; `on_change` is called after either."""

    def __init__(self, database: Database, clock: DeskClock) -> None:
        self._database = database
        self._clock = clock
        self._numbers = _Numbers()
        self.writes = GroupCommit(database)
        """Agents who act at the same moment share a transaction, and the calls of `on_change` after it."""
        self.on_change: list[Callable[[], None]] = []

    def submit(
        self,
        person: Person,
        drafts: Sequence[Draft],
        hold: bool | None = None,
        *,
        group_id: str | None = None,
    ) -> str:
        """Write actions in one transaction and return the id of their group.

        They are sent at once, or where they are to be held once nobody can undo them any more; by default
        those are held that could not be taken back. A `group_id` that was given before writes nothing: it is
        the same click again. Of several those are left out whose warning has ended; raises `ActError` where
        nothing is left, and where one of them cannot be.
        """
        if not person.may(Role.AGENT):
            msg = f"{person.name} may look and not act"
            raise ActError(msg)
        group_id = _own(person, group_id) if group_id else secrets.token_hex(16)
        now, wall = self._clock.now(), self._clock.wall()
        rows = [self._row(person, draft, group_id, hold, now, wall) for draft in drafts]

        def write(connection: Connection) -> None:
            if _group(connection, group_id):
                return
            possible = list(_possible(connection, person, rows))
            if not possible:
                msg = "the warning has ended: nothing can be done about it any more"
                raise ActError(msg)
            self._insert(connection, possible)

        self.writes.run(write, self._changed)
        return group_id

    def _row(
        self, person: Person, draft: Draft, group_id: str, hold: bool | None, now: datetime, wall: datetime
    ) -> dict[str, Any]:
        held = draft.kind in HELD_KINDS if hold is None else hold
        at = to_us(now)
        if draft.until is not None and draft.until <= at:
            msg = "until: has passed already"
            raise ActError(msg)
        event = draft.event(self._numbers.event_id(wall), at, person.name)
        action_bytes(event)
        return {
            "event_id": event["event_id"],
            "group_id": group_id,
            "customer_id": draft.customer_id,
            "warning_id": draft.warning_id,
            "kind": draft.kind,
            "actor": person.name,
            "content": event,
            "state": "held",
            "created_at": wall,
            "send_at": wall + UNDO_FOR if held else wall,
        }

    def undo(self, person: Person, group_id: str) -> Undone:
        """Take back one's own actions of a group; done again it changes nothing more."""
        now, wall = self._clock.now(), self._clock.wall()

        def write(connection: Connection) -> Undone:
            group = [each for each in _group(connection, group_id) if each.actor == person.name]
            if not group:
                msg = "there is no such action of yours"
                raise ActError(msg)
            # What was tried may have arrived.
            untried = update(DeskActionRow).where(
                DeskActionRow.group_id == group_id,
                DeskActionRow.state == "held",
                DeskActionRow.claimed_by.is_(None),
            )
            connection.execute(untried.values(state="undone"))
            group = _group(connection, group_id)
            sent = [each for each in group if each.state != "undone"]
            takable = [each for each in sent if each.kind not in ("expire", "correct")]
            undoing = f"undo:{group_id}"
            if takable and not _group(connection, undoing):
                rows = [self._correction(person, each, undoing, now, wall) for each in takable]
                self._insert(connection, rows)
            return Undone(len(group) - len(sent), len(takable), len(sent) - len(takable))

        return self.writes.run(write, self._changed)

    def _correction(
        self, person: Person, each: PendingAction, group_id: str, now: datetime, wall: datetime
    ) -> dict[str, Any]:
        draft = Draft(each.customer_id, "correct", each.warning_id, corrects=each.event_id)
        return self._row(person, draft, group_id, False, now, wall)

    def _insert(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
        # A hundred thousand may come of one click.
        self._database.insert_many(connection, DeskActionRow, [_NOT_TRIED | row for row in rows])
        self._database.insert_many(connection, DeskAuditRow, [_audit(row) for row in rows])

    def click(self, person: Person, group_id: str) -> Click | None:
        """Return what somebody did with one click, `None` where they did nothing."""
        row = DeskActionRow
        own = row.group_id == group_id, row.actor == person.name
        with self._database.reading() as connection:
            kind = connection.scalar(select(row.kind).where(*own).order_by(row.seq).limit(1))
            count = connection.scalar(select(func.count()).select_from(row).where(*own)) or 0
        return None if kind is None else Click(group_id, kind, count)

    def group(self, group_id: str) -> tuple[PendingAction, ...]:
        """Return the actions of one click."""
        with self._database.reading() as connection:
            return tuple(_group(connection, group_id))

    def pending(self, warning_ids: Collection[str] | None = None) -> Mapping[str, tuple[PendingAction, ...]]:
        """Return by warning the actions that are on their way, the oldest first; `None` stands for all."""
        query = _PENDING.where(DeskActionRow.state.in_(ON_THE_WAY))
        queries = (
            [query.where(DeskActionRow.warning_id.is_not(None))]
            if warning_ids is None
            else [query.where(DeskActionRow.warning_id.in_(ids)) for ids in portions(sorted(warning_ids))]
        )
        found: dict[str, list[PendingAction]] = defaultdict(list)
        with self._database.reading() as connection:
            for each in queries:
                for row in connection.execute(each):
                    found[row.warning_id].append(PendingAction(*row))
        return {warning_id: tuple(several) for warning_id, several in found.items()}

    def of_customer(self, customer_id: str) -> tuple[PendingAction, ...]:
        """Return all actions about a customer that are on their way, the oldest first."""
        return self.of_customers([customer_id]).get(customer_id, ())

    def of_customers(self, customer_ids: Collection[str]) -> Mapping[str, tuple[PendingAction, ...]]:
        """Return by customer the actions that are on their way, the oldest first."""
        query = _PENDING.where(DeskActionRow.state.in_(ON_THE_WAY))
        found: dict[str, list[PendingAction]] = defaultdict(list)
        with self._database.reading() as connection:
            for ids in portions(sorted(customer_ids)):
                for row in connection.execute(query.where(DeskActionRow.customer_id.in_(ids))):
                    found[row.customer_id].append(PendingAction(*row))
        return {customer_id: tuple(several) for customer_id, several in found.items()}

    def _changed(self) -> None:
        for call in self.on_change:
            call()


class _Numbers:
    """Ids of events that sort as they were made: at one instant the engine takes them in their order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def event_id(self, wall: datetime) -> str:
        with self._lock:
            self._last = max(self._last + 1, to_us(wall))
            return f"desk-{self._last:016x}-{secrets.token_hex(4)}"


def portions(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield values in portions that a query has room for.

    >>> [len(each) for each in portions(range(AT_ONCE + 1))]
    [500, 1]
    """
    for begin in range(0, len(values), AT_ONCE):
        yield values[begin : begin + AT_ONCE]


def _own(person: Person, group_id: str) -> str:
    """Return the id of somebody's group: nobody meets another's by naming it."""
    return hashlib.sha256(f"{person.name}\0{group_id}".encode()).hexdigest()[:32]


def _group(connection: Connection, group_id: str) -> list[PendingAction]:
    query = _PENDING.where(DeskActionRow.group_id == group_id)
    return [PendingAction(*row) for row in connection.execute(query)]


def _audit(row: Mapping[str, Any]) -> dict[str, Any]:
    event = row["content"]
    return {
        "at": row["created_at"],
        "person": row["actor"],
        "what": f"action.{row['kind']}",
        "customer_id": row["customer_id"],
        "detail": {
            name: value for name, value in event.items() if name not in ("customer_id", "actor", "kind")
        }
        | {"group_id": row["group_id"]},
    }


def _possible(
    connection: Connection, person: Person, rows: Sequence[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Yield the rows whose warnings are there and, where they must be, open. Raises `ActError`."""
    known: dict[str, tuple[str, str, bool | None]] = {}
    named = {row["warning_id"] for row in rows if row["warning_id"] is not None}
    query = select(WarningRow.id, WarningRow.customer_id, WarningRow.state, WarningRow.holdout)
    for ids in portions(sorted(named)):
        for row in connection.execute(query.where(WarningRow.id.in_(ids))):
            known[row.id] = (row.customer_id, row.state, row.holdout)
    for each in rows:
        if each["warning_id"] is None:
            yield each
            continue
        customer_id, state, holdout = known.get(each["warning_id"], (None, "", None))
        if customer_id != each["customer_id"] or (holdout and not person.may(Role.OPERATOR)):
            msg = f"there is no warning {each['warning_id']}"
            raise ActError(msg)
        if state == "open" or each["kind"] not in CHANGING_KINDS:
            yield each
