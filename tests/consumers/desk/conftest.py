"""A database for the desk: a file, as its threads share it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from consumers.database.database import Database
from consumers.database.schema import METADATA


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Yield an empty database with all tables."""
    made = Database(f"sqlite:///{tmp_path / 'desk.db'}")
    with made.writing() as connection:
        METADATA.create_all(connection)
    yield made
    made.close()
