"""From any older version of the database to this one, forward only, each version in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, func, insert, select

from consumers.database import schema
from streams.errors import StoreError

Migration = Callable[[Connection], None]


def _steps_and_warnings(connection: Connection) -> None:
    # These build the tables of `schema.py`. Who changes a table there freezes its older shape here first.
    for table in (schema.warning_steps, schema.warnings, schema.unreadable):
        table.create(connection)


def _outbox(connection: Connection) -> None:
    for table in (schema.channels, schema.outbox):
        table.create(connection)


MIGRATIONS: Final[Sequence[Migration]] = (_steps_and_warnings, _outbox)
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
