"""An empty database of each kind for a test, and its tables without running all migrations for each."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import inspect

from consumers.database.database import Database
from consumers.database.migrations.runner import MIGRATIONS, newest_version

REAL: Final = frozenset({"migrations", "integration", "faults"})
"""Folders whose tests run the migrations themselves, or have processes that do beside them."""
PREPARE: Final = Database.prepare
_one_at_a_time: Final = threading.Lock()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a file that is not there yet, and that of an empty PostgreSQL database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'w.db'}"
    found: str = request.getfixturevalue("postgres_url")
    return found


@pytest.fixture(autouse=True)
def _copied_tables(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copy the tables of a new SQLite database from one that the migrations made: 0.6 ms, not 160."""
    if not REAL.intersection(request.path.parts):
        monkeypatch.setattr(Database, "prepare", _prepare)


def _prepare(database: Database, to: int | None = None, migrations: Path = MIGRATIONS) -> tuple[int, int]:
    if database.dialect == "sqlite" and to is None and migrations == MIGRATIONS:
        with _one_at_a_time:
            with database.reading() as connection:
                is_empty = not inspect(connection).get_table_names()
            if is_empty:
                with contextlib.closing(database._engine.raw_connection()) as raw:
                    assert isinstance(raw.driver_connection, sqlite3.Connection)
                    _prepared().backup(raw.driver_connection)
                return 0, newest_version()
    return PREPARE(database, to, migrations)


@cache
def _prepared() -> sqlite3.Connection:
    """Return a database in memory as the migrations leave it."""
    made = Database("sqlite://")
    PREPARE(made)
    kept = sqlite3.connect(":memory:", check_same_thread=False)
    with contextlib.closing(made._engine.raw_connection()) as raw:
        assert isinstance(raw.driver_connection, sqlite3.Connection)
        raw.driver_connection.backup(kept)
    made.close()
    return kept
