from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import JSON, Connection, Date, Table, func, insert, select
from sqlalchemy import inspect as look

from consumers.database.aside import UnreadableRow
from consumers.database.base import Base, UtcDateTime
from consumers.database.database import Database
from consumers.database.erasure import BY_CONTENT, WITHOUT_CUSTOMERS, erase_rows
from consumers.database.notices import OutboxRow, SilenceRow
from consumers.database.schema import METADATA
from consumers.notify.outbox import Outbox
from streams.contract.silences import Silence, encode_silence
from tests.consumers.notify.notice_shop import BEGIN, DAY, put, silence
from tests.consumers.stored import store_records
from tests.consumers.stubs import NOW
from tests.consumers.warning_events import attended_life, life, records

GONE: Final = "cust-é/7"
STAYS: Final = "cust-8"
MODELS: Final = sorted(
    (mapper.class_ for mapper in Base.registry.mappers), key=lambda model: str(model.__tablename__)
)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    opened.prepare()
    yield opened
    opened.close()


def names_customer(table: Table) -> bool:
    """Return whether a table has the customer in a column, or refers to one that has."""
    return "customer_id" in table.c or any(names_customer(key.column.table) for key in table.foreign_keys)


def test_of_every_table_it_is_known_where_it_names_a_customer() -> None:
    # Who adds a table decides this: by a column `customer_id`, by a foreign key, or in a list of `erasure`.
    by_column = {model for model in MODELS if names_customer(METADATA.tables[model.__tablename__])}
    assert not by_column & (BY_CONTENT | WITHOUT_CUSTOMERS)
    assert not BY_CONTENT & WITHOUT_CUSTOMERS
    assert by_column | BY_CONTENT | WITHOUT_CUSTOMERS == set(MODELS)


def a_row(table: Table, customer: str, number: int) -> dict[str, Any]:
    """Return a row that names the customer wherever it can."""
    values: dict[type, Any] = {str: f"{customer} {number}", int: number, float: 0.5, bool: True}
    row: dict[str, Any] = {}
    for column in table.columns:
        if column.name == "seq":
            continue
        if column.name == "customer_id":
            row[column.name] = customer
        elif isinstance(column.type, UtcDateTime):
            row[column.name] = NOW
        elif isinstance(column.type, Date):
            row[column.name] = date(2026, 3, 1)
        elif isinstance(column.type, JSON):
            row[column.name] = {"customer_id": customer, "number": number}
        else:
            row[column.name] = values[column.type.python_type]
    return row


def everything(connection: Connection) -> dict[str, str]:
    """Return for each table all that its rows hold, as text."""
    return {
        name: "\n".join(
            json.dumps(dict(row), default=str, ensure_ascii=False)
            for row in connection.execute(select(table)).mappings()
        )
        for name, table in METADATA.tables.items()
    }


def test_the_rows_of_a_customer_leave_every_table_and_those_of_others_stay(database: Database) -> None:
    stored = [
        model.__table__
        for model in MODELS
        if names_customer(METADATA.tables[model.__tablename__]) and model is not OutboxRow
    ]
    lives: list[bytes | None] = [*life(GONE), *attended_life(f"{GONE}0"), *life(STAYS)]
    store_records(database, records(lives))
    box = Outbox(database, "x")
    box.add_channels(["desk"], NOW, from_now=False)
    assert box.fill(["desk"], NOW) == 7
    with database.writing() as connection:
        step_of: dict[str, str] = {}
        steps = METADATA.tables["warning_steps"].c
        for step, customer in connection.execute(select(steps.id, steps.customer_id).order_by(steps.seq)):
            step_of[customer] = step
        messages: dict[str, int] = {}
        for table in sorted(stored, key=METADATA.sorted_tables.index):
            for number, customer in enumerate((GONE, STAYS), start=50):
                row = a_row(table, customer, number)
                refers_to: dict[str, dict[str, Any]] = {"warning_steps": step_of, "messages": messages}
                for key in table.foreign_keys:
                    row[key.parent.name] = refers_to.get(key.column.table.name, {}).get(customer)
                connection.execute(insert(table).values(row))
                if table.name == "messages":
                    messages[customer] = connection.scalar(select(func.max(table.c.seq))) or 0
        before = everything(connection)
        assert all(GONE in before[table.name] for table in stored)
        counts = erase_rows(connection, GONE)
        after = everything(connection)
    assert {table.name for table in stored} <= counts.keys()
    assert counts["warning_steps"] == 5
    assert counts["outbox"] == 2
    for name, cells in after.items():
        assert cells.count(GONE) == cells.count(f"{GONE}0"), name
        assert cells.count(STAYS) == before[name].count(STAYS), name
        assert cells.count(f"{GONE}0") == before[name].count(f"{GONE}0"), name
    with database.writing() as connection:
        assert erase_rows(connection, GONE) == {}


@pytest.mark.parametrize(
    ("key", "value", "detail", "goes"),
    [
        (b"cust-\xc3\xa9/7", None, "", True),
        (b"cust-\xc3\xa9/77", None, "", False),
        (None, '{"customer_id": "cust-é/7", "x'.encode(), "", True),
        (None, b'{"customer_id": "cust-\\u00e9/7"}', "", True),
        (None, b'{"customer_id": "cust-\\u00E9\\/7"}', "", True),
        (None, b'\xff\x00"cust-\xc3\xa9\\/7"', "", True),
        (None, b'{"customer_id": "cust-8"}', "", False),
        (None, b'{"customer_id": "my-cust-\xc3\xa9/77"}', "", False),
        (b"x", b"{}", r"not an order: customer_id is 'cust-\xe9/7'", True),
        (b"x", b"{}", "not an order", False),
    ],
)
def test_records_put_aside_go_where_they_hold_the_id(
    database: Database, key: bytes | None, value: bytes | None, detail: str, goes: bool
) -> None:
    where = {"source_topic": "t", "source_partition": 0, "source_offset": 1, "digest": "d"}
    row = {**where, "reason": "invalid", "detail": detail, "key": key, "value": value, "received_at": NOW}
    with database.writing() as connection:
        connection.execute(insert(UnreadableRow).values(row))
        assert erase_rows(connection, GONE) == ({"unreadable": 1} if goes else {})
        assert connection.scalars(select(UnreadableRow.seq)).all() == ([] if goes else [1])


@pytest.mark.parametrize(
    ("matchers", "reason", "left"),
    [
        ({"customers": [GONE, STAYS]}, "moving", [STAYS]),
        ({"customers": [GONE]}, "moving", None),
        ({"customers": [STAYS]}, "moving", [STAYS]),
        ({"customers": [STAYS]}, f"for {GONE}", None),
        ({"customers": [GONE, STAYS]}, f"for {GONE}", None),
        ({"rules": ["r"]}, "moving", []),
    ],
)
def test_a_silence_stays_for_the_others_whom_it_names_and_never_becomes_one_of_everybody(
    database: Database, matchers: dict[str, list[str]], reason: str, left: list[str] | None
) -> None:
    made = silence("s", BEGIN, BEGIN + DAY, matchers=matchers)
    put(database, Silence.model_validate(json.loads(encode_silence(made)) | {"reason": reason}))
    with database.writing() as connection:
        changed = left is None or GONE in matchers.get("customers", ())
        assert erase_rows(connection, GONE) == ({"silences": 1} if changed else {})
        contents = connection.scalars(select(SilenceRow.content)).all()
    assert [list(Silence.model_validate(content).matchers.customers) for content in contents] == (
        [] if left is None else [left]
    )


def test_no_byte_of_the_id_is_left_in_the_file(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'w.db'}")
    database.prepare()
    lives: list[bytes | None] = [content for n in range(40) for content in life(f"someone-{n}")]
    store_records(database, records(lives))

    def is_there(name: str) -> bool:
        return any(name.encode() in path.read_bytes() for path in tmp_path.iterdir())

    assert is_there("someone-17")
    with database.writing() as connection:
        assert erase_rows(connection, "someone-17") == {"warnings": 1, "warning_steps": 4}
    assert database.purge()
    assert not is_there("someone-17")
    assert is_there("someone-18")
    database.close()


def test_a_reader_is_in_the_way_of_the_purge_and_the_result_says_so(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("consumers.database.database.BUSY_MS", 1)
    database, other = (Database(f"sqlite:///{tmp_path / 'w.db'}") for _ in range(2))
    database.prepare()
    with other.reading() as connection:
        connection.execute(select(SilenceRow.id)).all()
        put(database, silence("s", BEGIN, BEGIN + DAY))
        assert not database.purge()
    assert database.purge()
    database.close()
    other.close()


def test_a_purge_of_postgresql_vacuums(postgres_url: str) -> None:
    database = Database(postgres_url)
    database.prepare()
    store_records(database, records([*life(GONE)]))
    with database.writing() as connection:
        erase_rows(connection, GONE)
    assert database.purge()
    with database.reading() as connection:
        assert look(connection).has_table("warning_steps")
    database.close()
