"""Rows in one call of the driver, against SQLAlchemy's own way with each of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import delete

from consumers.database.base import Base
from consumers.database.database import Database
from consumers.database.events import ActionRow
from consumers.database.many_rows import RowRefused
from consumers.database.outcomes import CustomerDaysRow
from consumers.database.warnings import WarningRow
from consumers.sink.record_kind import AppendOnly, Steps
from tests.consumers.shop_records import KINDS, NOW, shop_records

Rows = Sequence[Mapping[str, Any]]


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    opened.prepare()
    yield opened
    opened.close()


def rows_of(topic: str) -> list[dict[str, Any]]:
    """Return the rows that the sink makes of a topic's records."""
    records = [record for record in shop_records() if record.topic == topic]
    kind = KINDS[topic]
    rule = kind.rule.steps if isinstance(kind.rule, Steps) else kind.rule
    assert isinstance(rule, AppendOnly)
    return [entry.row | {rule.stamp: NOW} for entry in kind.read(records, NOW).entries]


def stored(database: Database, table: type[Base]) -> list[tuple[Any, ...]]:
    """Return what the columns hold as the driver gives it, with SQLite's types, and empty the table."""
    names = [column.name for column in table.__table__.columns if column.name != "seq"]
    shown = [f"typeof({name}), {name}" if database.dialect == "sqlite" else name for name in names]
    with database.writing() as connection:
        found = connection.exec_driver_sql(f"SELECT {', '.join(shown)} FROM {table.__tablename__}").all()
        connection.execute(delete(table))
    return sorted((tuple(row) for row in found), key=repr)


@pytest.mark.parametrize(
    "topic",
    [topic for topic in KINDS if topic not in ("shop-samples", "lapwing-silences")],
)
def test_the_same_is_stored_as_by_sqlalchemy(database: Database, topic: str) -> None:
    table, rows = KINDS[topic].rule.table, rows_of(topic)
    with database.writing() as connection:
        connection.execute(database.insert_new(table), rows)
    slow = stored(database, table)
    with database.writing() as connection:
        database.insert_many(connection, table, rows)
    assert stored(database, table) == slow
    assert len(slow) == len(rows) > 0


def test_a_row_whose_key_is_there_is_skipped_or_replaced_by_its_rank(database: Database) -> None:
    records = [record for record in shop_records() if record.topic == "churn-warnings"]
    warnings = [entry.newest or {} for entry in KINDS["churn-warnings"].read(records, NOW).entries]
    first, last = warnings[0] | {"last_step": 1}, warnings[0] | {"last_step": 2, "tier": "low"}
    for newest, other in ((last, first), (first, last)):
        for given in ([newest], [other], [other]):
            with database.writing() as connection:
                database.upsert_many(connection, WarningRow, "last_step", given)
        with database.writing() as connection:
            connection.execute(database.upsert(WarningRow, "last_step"), [newest, other])
        ours = stored(database, WarningRow)
        with database.writing() as connection:
            connection.execute(database.upsert(WarningRow, "last_step"), [last])
        assert ours == stored(database, WarningRow)
    rows = rows_of("actions")[:1]
    with database.writing() as connection:
        database.insert_many(connection, ActionRow, rows)
        database.insert_many(connection, ActionRow, [rows[0] | {"kind": "another"}])
    assert len(stored(database, ActionRow)) == 1


def test_equal_instants_of_two_zones_are_one(database: Database) -> None:
    row = rows_of("shop.customer-days")[0]
    east = NOW.astimezone(timezone(timedelta(hours=8)))
    rows = [row | {"id": str(number), "time": time} for number, time in enumerate((east, NOW, east))]
    with database.writing() as connection:
        database.insert_many(connection, CustomerDaysRow, rows)
        connection.execute(database.insert_new(CustomerDaysRow), [rows[0] | {"id": "slow"}])
        name = "CAST(time AS TEXT)" if database.dialect == "sqlite" else "time"
        found = connection.exec_driver_sql(f"SELECT DISTINCT {name} FROM customer_days").all()
    assert len(found) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("time", "2024-01-01"),
        ("time", datetime.max.replace(tzinfo=timezone(-timedelta(hours=1)))),
        ("data", {"a": "\ud800"}),
        ("customer_id", "\ud800"),
        ("source_offset", 2**70),
    ],
)
def test_a_value_without_room_is_the_rows_own_fault_and_named_by_its_column_only(
    database: Database, name: str, value: object
) -> None:
    rows = [row | {name: value} if number == 1 else row for number, row in enumerate(rows_of("actions"))]
    with pytest.raises(RowRefused) as refused, database.writing() as connection:
        database.insert_many(connection, ActionRow, rows)
    assert "2024-01-01" not in str(refused.value)
    assert rows[1]["customer_id"] not in str(refused.value)
    assert stored(database, ActionRow) == []


def test_no_row_is_no_statement(database: Database) -> None:
    with database.writing() as connection:
        database.insert_many(connection, ActionRow, [])
