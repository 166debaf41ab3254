from __future__ import annotations

import inspect
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import exc, func, insert, select, text
from sqlalchemy import inspect as look

from consumers.database.aside import SchemaVersionRow, UnreadableRow
from consumers.database.database import Database, StoreAway, StoreBusy, store_error
from consumers.database.many_rows import RowRefused
from consumers.database.migrations.runner import (
    LAST_BEFORE_ALEMBIC,
    newest_version,
)
from consumers.database.schema import METADATA
from consumers.loop import Retryable
from streams.errors import StoreError

NOW = datetime(2011, 3, 1, 12, 30, 0, 123456, tzinfo=UTC)


def row(offset: int, at: datetime = NOW) -> dict[str, object]:
    return {
        "source_topic": "t",
        "source_partition": 0,
        "source_offset": offset,
        "digest": "d",
        "reason": "invalid",
        "detail": "",
        "value": b"\x00\xff",
        "received_at": at,
    }


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    opened.prepare()
    yield opened
    opened.close()


def test_a_new_database_has_all_tables_and_the_newest_version(database: Database) -> None:
    with database.reading() as connection:
        assert set(look(connection).get_table_names()) >= set(METADATA.tables)
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == f"{newest_version():04}"
        assert connection.scalar(select(func.max(SchemaVersionRow.version))) == LAST_BEFORE_ALEMBIC + 1
        if database.dialect == "sqlite":
            assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
            assert connection.scalar(text("PRAGMA synchronous")) == 2
            assert connection.scalar(text("PRAGMA foreign_keys")) == 1


def test_instants_come_back_as_they_went_in_from_whatever_zone(database: Database) -> None:
    east = NOW.astimezone(timezone(timedelta(hours=9)))
    with database.writing() as connection:
        connection.execute(insert(UnreadableRow).values(row(1, east)))
    with database.reading() as connection:
        back = connection.scalar(select(UnreadableRow.received_at))
        assert back == NOW
        assert back is not None
        assert back.utcoffset() == timedelta(0)
        if database.dialect == "sqlite":
            stored = connection.scalar(text("SELECT received_at FROM unreadable"))
            assert stored == "2011-03-01 12:30:00.123456"


def test_a_reader_sees_one_state_whatever_others_write_meanwhile(database: Database) -> None:
    count = select(func.count()).select_from(UnreadableRow)
    with database.reading() as connection:
        assert connection.scalar(count) == 0
        with database.writing() as other:
            other.execute(insert(UnreadableRow).values(row(1)))
        assert connection.scalar(count) == 0
    with database.writing() as connection:
        assert connection.scalar(count) == 1
        connection.execute(insert(UnreadableRow).values(row(2)))
    with database.reading() as connection:
        assert connection.scalar(count) == 2


ERRORS = [
    kind
    for _, kind in inspect.getmembers(exc, inspect.isclass)
    if issubclass(kind, exc.SQLAlchemyError) and kind.__module__ == exc.__name__
]


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_every_error_of_sqlalchemy_leaves_as_ours_in_one_line_without_values(
    kind: type[exc.SQLAlchemyError],
) -> None:
    database = Database("sqlite://")
    message = "what went wrong\nDETAIL: customer c1"
    error: exc.SQLAlchemyError = kind.__new__(kind)
    error.args = (message,)
    if issubclass(kind, exc.DBAPIError):
        error = kind("SELECT 1", {"id": "c1"}, Exception(message))
    elif issubclass(kind, exc.StatementError):
        error = kind(message, "SELECT 1", {"id": "c1"}, Exception(message))
    with pytest.raises(StoreError) as caught, database.reading():
        raise error
    assert "\n" not in str(caught.value)
    assert "c1" not in str(caught.value)
    assert database.place in str(caught.value)


class FromServer(Exception):
    def __init__(self, sqlstate: str | None) -> None:
        super().__init__("what the server answers")
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("sqlstate", "kind"),
    [
        (None, StoreAway),
        ("57P01", StoreAway),
        ("08006", StoreAway),
        ("40P01", StoreBusy),
        ("53100", StoreAway),
        ("22001", StoreError),
        ("42P01", StoreError),
    ],
)
def test_which_of_postgresqls_errors_may_pass(sqlstate: str | None, kind: type[StoreError]) -> None:
    error = exc.OperationalError("SELECT", {}, FromServer(sqlstate))
    assert type(store_error(error, "db")) is kind


def test_a_value_without_room_is_the_rows_own_fault(database: Database) -> None:
    with pytest.raises(RowRefused), database.writing() as connection:
        connection.execute(insert(UnreadableRow).values(row(2**70)))
    with pytest.raises(RowRefused), database.writing() as connection:
        connection.execute(insert(UnreadableRow).values({**row(1), "detail": "\ud800"}))


def test_a_file_that_cannot_be_opened_or_is_no_database_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"nowhere/w\.db.*unable to open"):
        Database(f"sqlite:///{tmp_path}/nowhere/w.db").prepare()
    (tmp_path / "text.db").write_text("no database at all, but a text long enough to be looked at" * 9)
    with pytest.raises(StoreError, match="not a database") as caught:
        Database(f"sqlite:///{tmp_path}/text.db").prepare()
    assert not isinstance(caught.value, Retryable)


def test_a_locked_file_may_be_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consumers.database.database.BUSY_MS", 1)
    database = Database(f"sqlite:///{tmp_path / 'w.db'}")
    database.prepare()
    other = sqlite3.connect(tmp_path / "w.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreAway, match="locked"), database.writing():
        pass
    with database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(UnreadableRow)) == 0
    other.close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql+pymysql://u@h/x", "PostgreSQL|only sqlite"),
        ("not a url", "not a database URL"),
    ],
)
def test_other_databases_are_refused(url: str, message: str) -> None:
    with pytest.raises(StoreError, match=message):
        Database(url)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("postgresql://lapwing:hunter2@127.0.0.1:1/x", "lapwing:****@127.0.0.1:1/x"),
        ("postgresql+psycopg://u@127.0.0.1:1/x?password=hunter2", "u@127.0.0.1:1/x?password=****"),
        ("postgresql://u@127.0.0.1:1/x?sslmode=prefer&sslpassword=hunter2", "sslpassword=****"),
    ],
)
def test_the_password_is_in_no_text(url: str, place: str) -> None:
    database = Database(url)
    with pytest.raises(StoreAway) as caught:
        database.prepare()
    for shown in (str(caught.value), database.place):
        assert "hunter2" not in shown
        assert place in shown


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:hunter2@h:port/x",
        "postgresql+asyncpg://u:hunter2@h/x",
        "postgresql+nodriver://u:hunter2@h/x",
        "mysql://u:hunter2@h/x?password=hunter2",
        "hunter2",
    ],
)
def test_an_address_that_is_none_of_ours_is_refused_without_its_secrets(url: str) -> None:
    with pytest.raises(
        StoreError, match=r"only sqlite:/// and postgresql:// are known|not a database URL"
    ) as caught:
        Database(url)
    assert "hunter2" not in str(caught.value)
