"""What the queue reads of the database: open warnings, and what has come since."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Text, and_, cast, func, or_, select
from sqlalchemy.orm import aliased

from consumers.actions import Action, stored_action
from consumers.database.aside import ErasureRow
from consumers.database.database import Database
from consumers.database.desk import DeskActionRow
from consumers.database.events import ActionRow
from consumers.database.outcomes import CustomerDaysRow
from consumers.database.warnings import WarningRow, WarningStepRow
from consumers.desk.queue.open_warnings import DaysHead, StepHead
from streams.contract.instants import instant_us, to_us

CHUNK: Final = 500
"""Ids that are asked for at once."""
_ROWS: Final = 2_000
"""Rows that are read at once."""
ON_THEIR_WAY: Final = ("held", "sending", "sent")
"""States of actions of the desk that the store does not show yet."""
_ACTION: Final = (
    *(ActionRow.seq, ActionRow.event_id, ActionRow.customer_id, ActionRow.time, ActionRow.kind),
    *(ActionRow.warning_id, ActionRow.play, ActionRow.result, ActionRow.actor, ActionRow.reasons),
    *(ActionRow.cost, ActionRow.corrects, ActionRow.until, ActionRow.assignee),
)
_step_head = msgspec.json.Decoder(StepHead)
_days_head = msgspec.json.Decoder(DaysHead)


@dataclass(frozen=True, slots=True)
class StoredStep:
    """A step as the queue needs it."""

    seq: int
    kind: str
    """The type of its CloudEvent."""
    at: int
    head: StepHead


@dataclass(frozen=True, slots=True)
class StoredDays:
    """The decision of a sweep."""

    seq: int
    id: str
    warning_id: str
    at: int
    head: DaysHead


@dataclass(frozen=True, slots=True)
class Position:
    """Up to which row of each table the queue has read."""

    steps: int = 0
    days: int = 0
    actions: int = 0
    erasures: int = 0
    """How many there are."""


def newest_position(connection: Connection) -> Position:
    """Return where the tables end now."""

    def last(column: Any) -> int:
        return connection.scalar(select(func.max(column))) or 0

    return Position(
        last(WarningStepRow.seq), last(CustomerDaysRow.seq), last(ActionRow.seq), count_erasures(connection)
    )


def count_erasures(connection: Connection) -> int:
    """Return how many customers were erased."""
    return connection.scalar(select(func.count()).select_from(ErasureRow)) or 0


def count_open(connection: Connection) -> int:
    """Return how many warnings are open."""
    query = select(func.count()).select_from(WarningRow).where(WarningRow.state == "open")
    return connection.scalar(query) or 0


_STEP_COLUMNS: Final = (
    WarningStepRow.seq,
    WarningStepRow.type,
    WarningStepRow.time,
    cast(WarningStepRow.data, Text).label("data"),
)
_DAYS_COLUMNS: Final = (
    CustomerDaysRow.seq,
    CustomerDaysRow.id,
    CustomerDaysRow.warning_id,
    CustomerDaysRow.time,
    cast(CustomerDaysRow.data, Text).label("data"),
)


def _step(row: Any) -> StoredStep:
    return StoredStep(row.seq, row.type, to_us(row.time), _step_head.decode(row.data))


def _days(row: Any) -> StoredDays:
    return StoredDays(row.seq, row.id, row.warning_id, to_us(row.time), _days_head.decode(row.data))


def open_steps(connection: Connection) -> Iterator[StoredStep]:
    """Yield the newest step of each open warning."""
    newest = and_(WarningRow.id == WarningStepRow.warning_id, WarningRow.last_step == WarningStepRow.step)
    query = select(*_STEP_COLUMNS).join(WarningRow, newest).where(WarningRow.state == "open")
    if connection.dialect.name == "sqlite":
        yield from map(_step, connection.execution_options(yield_per=_ROWS).execute(query))
        return
    # In one statement PostgreSQL would read the whole table of steps.
    ids = connection.scalars(select(WarningRow.id).where(WarningRow.state == "open")).all()
    for some in chunks(ids):
        yield from map(_step, connection.execute(query.where(WarningRow.id.in_(some))))


def newest_days(
    connection: Connection, warning_ids: Sequence[str], until: datetime | None = None
) -> Iterator[StoredDays]:
    """Yield the newest days of each of the warnings, up to an instant where one is given."""
    other = aliased(CustomerDaysRow)
    for some in chunks(warning_ids):
        newest = select(other.seq).where(other.warning_id == WarningRow.id)
        if until is not None:
            newest = newest.where(other.time <= until)
        newest = newest.order_by(other.time.desc(), other.seq.desc()).limit(1)
        query = select(*_DAYS_COLUMNS).join(WarningRow, CustomerDaysRow.seq == newest.scalar_subquery())
        yield from map(_days, connection.execute(query.where(WarningRow.id.in_(some))))


def steps_after(connection: Connection, seq: int) -> list[StoredStep]:
    """Return steps that were stored after another, in that order."""
    query = select(*_STEP_COLUMNS).where(WarningStepRow.seq > seq).order_by(WarningStepRow.seq)
    return list(map(_step, connection.execute(query.limit(_ROWS))))


def days_after(connection: Connection, seq: int) -> list[StoredDays]:
    """Return days that were stored after others, in that order."""
    query = select(*_DAYS_COLUMNS).where(CustomerDaysRow.seq > seq).order_by(CustomerDaysRow.seq)
    return list(map(_days, connection.execute(query.limit(_ROWS))))


def customers_acted_on_after(connection: Connection, seq: int) -> tuple[int, set[str]]:
    """Return the customers of the actions that were stored after another, and the last of these."""
    query = select(ActionRow.seq, ActionRow.customer_id).where(ActionRow.seq > seq)
    rows = connection.execute(query.order_by(ActionRow.seq).limit(_ROWS)).all()
    return (rows[-1].seq if rows else seq), {row.customer_id for row in rows}


def customers_acted_on_since(connection: Connection, instant: datetime) -> set[str]:
    """Return the customers of the actions since an instant."""
    return set(connection.scalars(select(ActionRow.customer_id).where(ActionRow.time >= instant)))


def actions_of_open_warnings(connection: Connection) -> Iterator[Action]:
    """Yield all actions about the customers who have an open warning."""
    query = select(*_ACTION).join(WarningRow, WarningRow.customer_id == ActionRow.customer_id)
    query = query.where(WarningRow.state == "open")
    for row in connection.execution_options(yield_per=_ROWS).execute(query).mappings():
        yield stored_action(dict(row))


def actions_of(
    connection: Connection, customers: Iterable[str], until: datetime | None = None
) -> Iterator[Action]:
    """Yield all actions about customers, up to an instant where one is given."""
    for some in chunks(sorted(customers)):
        query = select(*_ACTION).where(ActionRow.customer_id.in_(some))
        if until is not None:
            query = query.where(ActionRow.time <= until)
        for row in connection.execute(query).mappings():
            yield stored_action(dict(row))


def desk_actions(connection: Connection) -> list[Action]:
    """Return the actions of the desk that the store does not show yet."""
    query = select(DeskActionRow.content).where(DeskActionRow.state.in_(ON_THEIR_WAY))
    return [_of_event(content) for content in connection.scalars(query)]


def _of_event(event: dict[str, Any]) -> Action:
    cost = event.get("cost")
    until = event.get("until")
    return Action(
        event_id=event["event_id"],
        customer_id=event["customer_id"],
        at=instant_us(event["occurred_at"]),
        kind=event["kind"],
        warning_id=event.get("warning_id"),
        play=event.get("play"),
        result=event.get("result"),
        actor=event.get("actor"),
        reasons=tuple(event.get("reasons") or ()),
        cost=cost if isinstance(cost, dict) else {} if cost is None else {"other": float(cost)},
        corrects=event.get("corrects"),
        assignee=event.get("assignee"),
        until=None if until is None else instant_us(until),
    )


def are_open(connection: Connection, warning_ids: Sequence[str]) -> set[str]:
    """Return which of the warnings the database has as open."""
    found: set[str] = set()
    for some in chunks(warning_ids):
        query = select(WarningRow.id).where(WarningRow.id.in_(some), WarningRow.state == "open")
        found.update(connection.scalars(query))
    return found


def open_at(connection: Connection, instant: datetime) -> Iterator[StoredStep]:
    """Yield for each warning that was open at an instant its newest step of then."""
    ended = or_(WarningRow.closed_at.is_(None), WarningRow.closed_at > instant)
    then_open = select(WarningRow.id).where(WarningRow.opened_at <= instant, ended)
    other = aliased(WarningStepRow)
    newest = select(other.id).where(other.warning_id == WarningRow.id, other.time <= instant)
    newest = newest.order_by(other.step.desc()).limit(1)
    for some in chunks(list(connection.scalars(then_open))):
        query = select(*_STEP_COLUMNS).join(WarningRow, WarningStepRow.id == newest.scalar_subquery())
        yield from map(_step, connection.execute(query.where(WarningRow.id.in_(some))))


def contents(
    database: Database, step_ids: Sequence[str], days_ids: Sequence[str]
) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Return the data of steps and of days, by their ids, as JSON."""
    with database.reading() as connection:
        return (
            _contents(connection, WarningStepRow.id, WarningStepRow.data, step_ids),
            _contents(connection, CustomerDaysRow.id, CustomerDaysRow.data, days_ids),
        )


def _contents(connection: Connection, key: Any, data: Any, ids: Sequence[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for some in chunks(ids):
        query = select(key, cast(data, Text)).where(_in(key, some))
        found |= {id_: text.encode() for id_, text in connection.execute(query)}
    return found


def _in(key: Any, ids: Sequence[str]) -> ColumnElement[bool]:
    found: ColumnElement[bool] = key.in_(ids)
    return found


def chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the ids in groups that one statement takes."""
    for begin in range(0, len(ids), CHUNK):
        yield ids[begin : begin + CHUNK]
