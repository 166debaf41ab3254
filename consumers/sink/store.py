"""Storing the steps of warnings, idempotent by their id and independent of their order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Final

from sqlalchemy import Connection, select

from consumers.broker.records import Record
from consumers.database.aside import UnreadableRow
from consumers.database.database import Database, RowRefused
from consumers.database.warnings import SegmentWarningRow, SegmentWarningStepRow, WarningRow, WarningStepRow
from consumers.sink.reading import Reading, Row, StepRows, Unreadable, put_aside


@dataclass(frozen=True, slots=True)
class WarningTables:
    """The tables that hold the warnings of one topic: their steps, and each as its highest step left it."""

    steps: type[WarningStepRow] | type[SegmentWarningStepRow]
    warnings: type[WarningRow] | type[SegmentWarningRow]


OF_CUSTOMERS: Final = WarningTables(WarningStepRow, WarningRow)
OF_SEGMENTS: Final = WarningTables(SegmentWarningStepRow, SegmentWarningRow)


@dataclass(slots=True)
class SinkCounts:
    """How many records came, and what became of them."""

    records: int = 0
    steps: int = 0
    """New steps stored."""
    repeats: int = 0
    """Records whose step was there already."""
    unreadable: int = 0

    def add(self, other: SinkCounts) -> None:
        """Add another count to this one."""
        for item in fields(self):
            setattr(self, item.name, getattr(self, item.name) + getattr(other, item.name))


def write(
    database: Database,
    reading: Reading,
    place: WarningTables = OF_CUSTOMERS,
    on_aside: Callable[[Record, Row], None] = lambda record, row: None,
) -> SinkCounts:
    """Store what was read, in one transaction where the database takes all of it, and return the counts.

    Where it refuses a row for its values, the rows are halved until that one is alone and put aside.
    """
    try:
        with database.writing() as connection:
            counts, aside = _write_steps(database, connection, reading.steps, place)
            aside += reading.unreadable
            if aside:
                connection.execute(database.insert_new(UnreadableRow), [row for _, row in aside])
    except RowRefused as error:
        return _write_halves(database, reading, place, on_aside, error)
    for record, row in aside:
        on_aside(record, row)
    counts.unreadable = len(aside)
    counts.records = len(reading.steps) + len(reading.unreadable)
    return counts


def _write_halves(
    database: Database,
    reading: Reading,
    place: WarningTables,
    on_aside: Callable[[Record, Row], None],
    error: RowRefused,
) -> SinkCounts:
    steps = reading.steps
    if not steps:
        raise error
    if len(steps) == 1:
        record, now = steps[0].record, steps[0].step["received_at"]
        aside = [(record, put_aside(record, now, Unreadable.REFUSED, str(error)))]
        return write(database, Reading([], reading.unreadable + aside), place, on_aside)
    middle = len(steps) // 2
    counts = write(database, Reading(steps[:middle], reading.unreadable), place, on_aside)
    counts.add(write(database, Reading(steps[middle:], []), place, on_aside))
    return counts


def is_empty(database: Database) -> bool:
    """Return whether no record of the warnings topics was ever stored."""
    with database.reading() as connection:
        return not any(
            connection.execute(select(rows.seq).limit(1)).first()
            for rows in (WarningStepRow, SegmentWarningStepRow, UnreadableRow)
        )


def _write_steps(
    database: Database, connection: Connection, steps: Sequence[StepRows], place: WarningTables
) -> tuple[SinkCounts, list[tuple[Record, Row]]]:
    """Store the steps that are new; return the counts and the rows of those whose id has another content."""
    ids = [step.step["id"] for step in steps]
    known = select(place.steps.id, place.steps.digest).where(place.steps.id.in_(ids))
    digests: dict[str, str] = dict(connection.execute(known).all()) if ids else {}
    fresh: list[StepRows] = []
    aside: list[tuple[Record, Row]] = []
    for step in steps:
        row = step.step
        digest = digests.setdefault(row["id"], "")
        if not digest:
            digests[row["id"]] = row["digest"]
            fresh.append(step)
        elif digest != row["digest"]:
            detail = "the id is stored already, with another content"
            aside.append(
                (step.record, put_aside(step.record, row["received_at"], Unreadable.CONFLICT, detail))
            )
    if fresh:
        connection.execute(database.insert_new(place.steps), [step.step for step in fresh])
        latest: dict[str, Row] = {}
        for step in sorted(fresh, key=lambda step: int(step.step["step"])):
            latest[step.warning["id"]] = step.warning
        connection.execute(database.upsert(place.warnings, rank="last_step"), list(latest.values()))
    return SinkCounts(steps=len(fresh), repeats=len(steps) - len(fresh) - len(aside)), aside
