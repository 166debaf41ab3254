"""Actions are sent once whichever database several desks share."""

from collections.abc import Iterator

import pytest

from consumers.database.database import Database


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Yield an empty database of either kind."""
    made = Database(database_url)
    made.prepare()
    yield made
    made.close()
