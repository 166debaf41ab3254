"""From any older version of the database to this one, forward only, each version in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import (
    Column,
    Connection,
    Index,
    MetaData,
    Table,
    bindparam,
    func,
    insert,
    select,
    text,
    update,
)

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
    for table in (schema.warning_steps, _without(schema.warnings, (*_LATER, "net")), schema.unreadable):
        table.create(connection)


def _outbox(connection: Connection) -> None:
    for table in (schema.channels, schema.outbox):
        table.create(connection)


def _attention(connection: Connection) -> None:
    for name in _LATER:
        kind = schema.warnings.c[name].type.compile(connection.dialect)
        connection.execute(text(f"ALTER TABLE warnings ADD COLUMN {name} {kind}"))


def _notices(connection: Connection) -> None:
    for table in (schema.silences, schema.notices, schema.judging):
        table.create(connection)
    # What channels have had counts as sent; from then on their places count notices, not steps.
    connection.execute(
        text(
            "INSERT INTO notices (step_id, warning_id, step, customer_id, kind, at, tier, rules, verdict,"
            " by_wall_clock, judged_at)"
            " SELECT id, warning_id, step, customer_id, substr(type, 15), time, tier, '[]', 'told',"
            " false, received_at FROM warning_steps"
            " WHERE type IN ('churn.warning.opened', 'churn.warning.escalated')"
            " AND seq <= (SELECT max(filled_to) FROM channels) ORDER BY seq"
        )
    )
    connection.execute(
        text(
            "INSERT INTO judging (name, judged_to)"
            " SELECT 'notices', coalesce(max(filled_to), 0) FROM channels"
        )
    )
    connection.execute(
        text(
            "UPDATE channels SET filled_to = (SELECT coalesce(max(notices.seq), 0) FROM notices"
            " JOIN warning_steps ON warning_steps.id = notices.step_id"
            " WHERE warning_steps.seq <= channels.filled_to)"
        )
    )


def _segments(connection: Connection) -> None:
    for table in (schema.segment_warning_steps, schema.segment_warnings):
        table.create(connection)


def _net(connection: Connection) -> None:
    kind = schema.warnings.c.net.type.compile(connection.dialect)
    connection.execute(text(f"ALTER TABLE warnings ADD COLUMN net {kind}"))
    steps, warnings = schema.warning_steps.c, schema.warnings.c
    decided = select(warnings.id, steps.data).where(
        warnings.decision.is_not(None), steps.warning_id == warnings.id, steps.step == warnings.last_step
    )
    found = [
        {"which": row.id, "net": row.data["decision"].get("net")}
        for row in connection.execute(decided)
        if isinstance(row.data.get("decision"), dict)
    ]
    if found:
        filled = update(schema.warnings).where(warnings.id == bindparam("which"))
        connection.execute(filled.values(net=bindparam("net")), found)


MIGRATIONS: Final[Sequence[Migration]] = (
    *(_steps_and_warnings, _outbox, _attention, _notices, _segments),
    _net,
)
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
