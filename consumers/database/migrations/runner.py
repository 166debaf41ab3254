"""Running Alembic in this process, on a connection and in a transaction that are given."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, inspect, text

from streams.errors import StoreError

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS: Final = Path(__file__).parent
LAST_BEFORE_ALEMBIC: Final = 6
"""Up to this version a database says in `lapwing_schema` which one it is."""

_one_at_a_time: Final = threading.Lock()
"""Alembic's `op` and `context` are globals."""


def newest_version(folder: Path = MIGRATIONS) -> int:
    """Return the version that the revisions of a folder lead to."""
    return max(int(path.stem[1:5]) for path in (folder / "versions").glob("v[0-9]*.py"))


def version_of(connection: Connection, place: str, folder: Path = MIGRATIONS) -> int:
    """Return the version of a database, 0 for an empty one. Raises `StoreError` for one of the future."""
    tables = set(inspect(connection).get_table_names())
    newest = newest_version(folder)
    found: str | int = 0
    if "alembic_version" in tables:
        found = connection.scalar(text("SELECT max(version_num) FROM alembic_version")) or 0
    elif "lapwing_schema" in tables:
        found = connection.scalar(text("SELECT max(version) FROM lapwing_schema")) or 0
        newest = LAST_BEFORE_ALEMBIC
    if str(found).isdecimal() and int(found) <= newest:
        return int(found)
    msg = (
        f"database {place} has version {str(found).lstrip('0')}, this Lapwing knows up to {newest}: "
        "use the Lapwing that wrote it, or a newer one"
    )
    raise StoreError(msg)


def run_next(connection: Connection, place: str, to: int, folder: Path = MIGRATIONS) -> int:
    """Run the next revision, unless the database has version `to`; return the version that it has then."""
    version = version_of(connection, place, folder)
    if version >= to:
        return version
    with _one_at_a_time:
        config = configuration(connection, folder)
        from alembic import command

        if version and not inspect(connection).has_table("alembic_version"):
            command.stamp(config, _revision(version))
        command.upgrade(config, _revision(version + 1))
    if connection.dialect.name == "sqlite":
        # Foreign keys are not watched while tables are made anew.
        broken = connection.execute(text("PRAGMA foreign_key_check")).first()
        if broken is not None:
            msg = f"database {place}: version {version + 1} leaves rows of {broken[0]} that refer to nothing"
            raise StoreError(msg)
    return version + 1


def _revision(version: int) -> str:
    return f"{version:04}"


def configuration(connection: Connection, folder: Path = MIGRATIONS) -> Config:
    """Return the configuration under which Alembic's commands run on a connection."""
    logging.getLogger("alembic").setLevel(logging.WARNING)  # else each of its steps is a line
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    return config
