"""On both databases."""

import pytest

from consumers.database.database import Database


@pytest.fixture
def database(either_database: Database) -> Database:
    """Return an empty database of each kind in turn."""
    return either_database
