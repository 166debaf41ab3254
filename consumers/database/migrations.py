"""From any older version of the database to this one, forward only, each version in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Column, Connection, Index, MetaData, Table, func, insert, select, text

from consumers.database import schema
from streams.errors import StoreError

Migration = Callable[[Connection], None]


_LATER: Final = ("attention", "attended_by", "attended_until", "deadline")
"""Columns that `warnings` has not had from the beginning."""


def _without(table: Table, later: Sequence[str]) -> Table:
    """Return an older shape of a table: as it is in `schema.py`, without the columns that came later."""
    columns = [
        Column(c.name, c.type, primary_key=c.primary_key, nullable=c.nullable)
        for c in table.columns
        if c.name not in later
    ]
    indexes = [Index(index.name, *(c.name for c in index.columns)) for index in table.indexes]
    return Table(table.name, MetaData(), *columns, *indexes)


def _steps_and_warnings(connection: Connection) -> None:
    # These build the tables of `schema.py`. Who changes a table there freezes its older shape here first.
    for table in (schema.warning_steps, _without(schema.warnings, _LATER), schema.unreadable):
        table.create(connection)


def _outbox(connection: Connection) -> None:
    for table in (schema.channels, schema.outbox):
        table.create(connection)


def _attention(connection: Connection) -> None:
    for name in _LATER:
        kind = schema.warnings.c[name].type.compile(connection.dialect)
        connection.execute(text(f"ALTER TABLE warnings ADD COLUMN {name} {kind}"))


MIGRATIONS: Final[Sequence[Migration]] = (_steps_and_warnings, _outbox, _attention)
"""The n-th one leads from version n to version n + 1; version 0 is an empty database."""


def upgrade(
    connection: Connection, place: str, migrations: Sequence[Migration] = MIGRATIONS
) -> tuple[int, int]:
    """Bring the database up to date in the connection's transaction; return its old and new version."""
    schema.schema_version.create(connection, checkfirst=True)
    before = connection.scalar(select(func.max(schema.schema_version.c.version))) or 0
    newest = len(migrations)
    if before > newest:
        msg = (
            f"database {place} has version {before}, this Lapwing knows up to {newest}: "
            "use the Lapwing that wrote it, or a newer one"
        )
        raise StoreError(msg)
    for version, migrate in enumerate(migrations[before:], start=before + 1):
        migrate(connection)
        row = {"version": version, "applied_at": datetime.now(UTC)}
        connection.execute(insert(schema.schema_version).values(row))
    return before, newest
