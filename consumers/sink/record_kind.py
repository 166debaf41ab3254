"""What the records of a topic become: how they are read, and what happens to an id that is stored already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from sqlalchemy import Connection, select

from consumers.database.base import Base
from consumers.database.database import Database
from consumers.sink.reading import Entry, Reader, Row

AnyEntry = TypeVar("AnyEntry", bound=Entry)
OwnEntry = TypeVar("OwnEntry", bound=Entry, contravariant=True)


@dataclass(slots=True)
class Stored:
    """What became of the entries of one kind."""

    new: int = 0
    repeats: int = 0
    conflicts: list[Entry] = field(default_factory=list)
    """Entries whose id is stored with another content; the first one stays."""


class StoreRule(Protocol[OwnEntry]):
    """How entries get into their table."""

    @property
    def table(self) -> type[Base]:
        """The table."""

    def store(
        self, database: Database, connection: Connection, entries: Sequence[OwnEntry], now: datetime
    ) -> Stored:
        """Store what is new in the transaction of `connection`, at the time `now` of the sink's clock."""


@dataclass(frozen=True, slots=True)
class RecordKind(Generic[AnyEntry]):
    """What the records of a topic become."""

    name: str
    """As in `lapwing sink --json`."""
    read: Reader[AnyEntry]
    rule: StoreRule[AnyEntry]


@dataclass(frozen=True, slots=True)
class AppendOnly:
    """Each id is stored once, and what was stored first stays."""

    table: type[Base]
    key: tuple[str, ...] = ("id",)
    """The columns of the id; the first one alone nearly identifies it."""
    stamp: str = "stored_at"

    def store(
        self, database: Database, connection: Connection, entries: Sequence[Entry], now: datetime
    ) -> Stored:
        """Store the entries whose id is not there."""
        fresh, stored = self.sorted(connection, entries)
        if fresh:
            rows = [entry.row | {self.stamp: now} for entry in fresh]
            database.insert_many(connection, self.table, rows)
        return stored

    def sorted(self, connection: Connection, entries: Sequence[Entry]) -> tuple[list[Entry], Stored]:
        """Return the entries whose id is new, and what becomes of all."""
        known = self._digests(connection, entries)
        fresh: list[Entry] = []
        stored = Stored()
        for entry in entries:
            key = tuple(entry.row[name] for name in self.key)
            if key not in known:
                known[key] = entry.row["digest"]
                fresh.append(entry)
            elif known[key] == entry.row["digest"]:
                stored.repeats += 1
            else:
                stored.conflicts.append(entry)
        stored.new = len(fresh)
        return fresh, stored

    def _digests(self, connection: Connection, entries: Sequence[Entry]) -> dict[tuple[str, ...], str]:
        columns = [self.table.__table__.c[name] for name in (*self.key, "digest")]
        # By the first column alone, which an index begins with: hardly two customers share an event's id, and
        # PostgreSQL plans thousands of pairs for long.
        wanted = columns[0].in_([entry.row[self.key[0]] for entry in entries])
        found = connection.execute(select(*columns).where(wanted))
        return {tuple(row[:-1]): row[-1] for row in found}


@dataclass(frozen=True, slots=True)
class Steps:
    """Each step is stored once; beside them each warning as its highest step leaves it."""

    steps: AppendOnly
    warnings: type[Base]

    @property
    def table(self) -> type[Base]:
        """The table of the steps."""
        return self.steps.table

    def store(
        self, database: Database, connection: Connection, entries: Sequence[Entry], now: datetime
    ) -> Stored:
        """Store the steps that are new, and the warnings that they change."""
        fresh, stored = self.steps.sorted(connection, entries)
        if fresh:
            rows = [entry.row | {self.steps.stamp: now} for entry in fresh]
            database.insert_many(connection, self.table, rows)
            newest: dict[str, Row] = {}
            for entry in sorted(fresh, key=lambda each: int(each.row["step"])):
                if entry.newest is not None:
                    newest[entry.row["warning_id"]] = entry.newest
            database.upsert_many(connection, self.warnings, "last_step", list(newest.values()))
        return stored
