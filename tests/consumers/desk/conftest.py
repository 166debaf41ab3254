"""A database for the desk: a file, as its threads share it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from consumers.database.database import Database
from consumers.database.schema import METADATA


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Yield an empty database with all tables."""
    yield from _with_tables(f"sqlite:///{tmp_path / 'desk.db'}")


@pytest.fixture
def either_database(database_url: str) -> Iterator[Database]:
    """Yield the same on SQLite and on PostgreSQL, for tests of what the desk itself writes and asks there."""
    yield from _with_tables(database_url)


def _with_tables(url: str) -> Iterator[Database]:
    made = Database(url)
    with made.writing() as connection:
        METADATA.create_all(connection)
    yield made
    made.close()
