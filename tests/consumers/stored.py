"""Records of a topic, stored as the sink does it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from consumers.broker.records import Record
from consumers.database.database import Database
from consumers.database.schema import METADATA
from consumers.sink.kinds import WARNINGS, AnyKind
from consumers.sink.store import Counts, write
from tests.consumers.stubs import NOW


def empty_database() -> Database:
    """Return a database in memory with all tables, made without migrations: examples have their own."""
    database = Database("sqlite://")
    with database.writing() as connection:
        METADATA.create_all(connection)
    return database


def store_records(
    database: Database, records: Sequence[Record], now: datetime = NOW, kind: AnyKind = WARNINGS
) -> Counts:
    """Store the records of one topic at a time of the wall clock; return what became of them."""
    return write(database, [(kind, kind.read(records, now))], lambda: now).by_kind[kind.name]
