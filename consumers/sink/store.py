"""Storing what the polls of several topics gave, in one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import Connection, select

from consumers.broker.records import Record
from consumers.database.aside import UnreadableRow
from consumers.database.database import Database
from consumers.database.many_rows import RowRefused
from consumers.sink.reading import Entry, PutAside, Reading, Unreadable, aside_row
from consumers.sink.record_kind import RecordKind
from streams.contract.instants import EPOCH, LAST_US

Work = tuple[RecordKind[Any], Reading[Any]]
"""The records of one topic, and what they become."""


@dataclass(slots=True)
class Counts:
    """How many records came, and what became of each of them."""

    records: int = 0
    stored: int = 0
    repeats: int = 0
    """What they say was stored already."""
    refused: int = 0
    """Events that the worker refuses too."""
    unreadable: int = 0
    """Put aside in the table `unreadable`."""
    erased: int = 0
    """Of a customer who was erased later than they are dated."""

    def add(self, other: Counts) -> None:
        """Add another count to this one."""
        for item in fields(self):
            setattr(self, item.name, getattr(self, item.name) + getattr(other, item.name))


@dataclass(slots=True)
class SinkCounts:
    """Counts by kind of record."""

    by_kind: defaultdict[str, Counts] = field(default_factory=lambda: defaultdict(Counts))
    stored_at: float | None = None
    """When records were last stored, seconds since the epoch."""

    @property
    def total(self) -> Counts:
        """The sums of all kinds."""
        total = Counts()
        for counts in self.by_kind.values():
            total.add(counts)
        return total

    def add(self, other: SinkCounts) -> None:
        """Add another count to this one."""
        for name, counts in other.by_kind.items():
            self.by_kind[name].add(counts)


class Erased(Protocol):
    """Which customers were erased."""

    def covers(self, customer_id: str, time: datetime) -> bool:
        """Return whether what a customer did at `time` was erased."""


def read_poll(kinds: Mapping[str, RecordKind[Any]], records: Iterable[Record], now: datetime) -> list[Work]:
    """Return what the records of a poll become, by topic, at the time of a wall clock."""
    by_topic: defaultdict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_topic[record.topic].append(record)
    return [(kinds[topic], kinds[topic].read(found, now)) for topic, found in by_topic.items()]


def write(
    database: Database,
    work: Sequence[Work],
    clock: Callable[[], datetime],
    *,
    erased: Callable[[Connection], Erased | None] = lambda connection: None,
    on_aside: Callable[[PutAside], None] = lambda aside: None,
) -> SinkCounts:
    """Store what was read, in one transaction where the database takes all of it, and return the counts.

    Where it refuses a row for its values, the entries are halved until that one is alone and put aside.
    """

    def write_part(part: Sequence[Work]) -> SinkCounts:
        return write(database, part, clock, erased=erased, on_aside=on_aside)

    try:
        with database.writing() as connection:
            # Asked for within the transaction: writers take turns, so what is stored later has a later time,
            # and whoever is erased meanwhile is erased before this or after it.
            counts, aside = _write(database, connection, work, clock(), erased(connection))
    except RowRefused as error:
        return _write_parts(work, error, write_part)
    for each in aside:
        on_aside(each)
    return counts


def _write(
    database: Database, connection: Connection, work: Iterable[Work], now: datetime, erased: Erased | None
) -> tuple[SinkCounts, list[PutAside]]:
    counts = SinkCounts()
    put_aside: list[PutAside] = []
    for kind, reading in work:
        kept = [entry for entry in reading.entries if not _is_erased(entry, erased)]
        readable = [aside for aside in reading.unreadable if not _is_of_erased(aside.record, erased)]
        stored = kind.rule.store(database, connection, kept, now) if kept else None
        conflicts = stored.conflicts if stored else []
        aside = readable + [_conflict(entry) for entry in conflicts]
        counts.by_kind[kind.name].add(
            Counts(
                records=len(reading),
                stored=stored.new if stored else 0,
                repeats=stored.repeats if stored else 0,
                refused=len(reading.refused),
                unreadable=len(aside),
                erased=len(reading.entries) - len(kept) + len(reading.unreadable) - len(readable),
            )
        )
        put_aside += aside
    if put_aside:
        rows = [aside_row(each, now) for each in put_aside]
        connection.execute(database.insert_new(UnreadableRow), rows)
    return counts, put_aside


def _is_erased(entry: Entry, erased: Erased | None) -> bool:
    """Return whether an entry is of an erased customer: of before the erasure, or of a warning of before.

    A worker carries an erasure out a moment after the request, and the step that withdraws is dated then.
    """
    customer = entry.row.get("customer_id")
    if erased is None or customer is None:
        return False
    times = (entry.row["time"], entry.row.get("opened_at"), (entry.newest or {}).get("opened_at"))
    return erased.covers(customer, min(time for time in times if time is not None))


def _is_of_erased(record: Record, erased: Erased | None) -> bool:
    """Return whether an unreadable record has the key of an erased customer and is older than the erasure."""
    if erased is None or record.key is None:
        return False
    at = EPOCH + timedelta(milliseconds=min(max(record.timestamp_ms, 0), LAST_US // 1000))
    return erased.covers(record.key.decode(errors="replace"), at)


def _conflict(entry: Entry) -> PutAside:
    return PutAside(entry.record, Unreadable.CONFLICT, "the id is stored already, with another content")


def _write_parts(
    work: Sequence[Work],
    error: RowRefused,
    write_part: Callable[[Sequence[Work]], SinkCounts],
) -> SinkCounts:
    """Store in parts what the database refuses as a whole."""
    with_entries = [number for number, (_, reading) in enumerate(work) if reading.entries]
    if not with_entries:
        raise error
    number = with_entries[0]
    kind, reading = work[number]
    if len(with_entries) > 1:
        first, second = work[: number + 1], work[number + 1 :]
    elif len(reading.entries) > 1:
        middle = len(reading.entries) // 2
        half = Reading(reading.entries[:middle], reading.unreadable, reading.refused)
        first = [*work[:number], (kind, half), *work[number + 1 :]]
        second = [(kind, Reading(reading.entries[middle:]))]
    else:
        refused = PutAside(reading.entries[0].record, Unreadable.REFUSED, str(error))
        alone: Reading[Any] = Reading([], [*reading.unreadable, refused], reading.refused)
        return write_part([*work[:number], (kind, alone), *work[number + 1 :]])
    counts = write_part(first)
    counts.add(write_part(second))
    return counts


def topics_without_rows(database: Database, kinds: Mapping[str, RecordKind[Any]]) -> list[str]:
    """Return the topics, by which `kinds` go, of which the database holds no record."""
    with database.reading() as connection:
        return [
            topic
            for topic, kind in kinds.items()
            if connection.execute(select(kind.rule.table).limit(1)).first() is None
            and connection.scalar(
                select(UnreadableRow.seq).where(UnreadableRow.source_topic == topic).limit(1)
            )
            is None
        ]
