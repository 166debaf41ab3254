"""The database that commands only read."""

from __future__ import annotations

from consumers.database.database import Database
from lapwing.settings.settings import Settings
from streams.errors import StoreError


def opened_database(settings: Settings, otherwise: str = "") -> Database:
    """Return the database; raise `StoreError` where there is none, or where a newer Lapwing made it.

    `otherwise` ends the message where there is none.
    """
    database = Database(settings.database)
    if not database.is_there:
        msg = f"there is no database {database.place} yet: `lapwing sink` makes it{otherwise}"
        raise StoreError(msg)
    try:
        database.refuse_newer()
    except StoreError:
        database.close()
        raise
    return database
