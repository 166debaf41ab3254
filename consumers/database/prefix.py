"""Finding rows by the beginning of a text, by an index on either database."""

from __future__ import annotations

from typing import Final

from sqlalchemy import ColumnElement, Connection, Index, and_
from sqlalchemy.orm import InstrumentedAttribute

ONLY_ON: Final = "only_on"
"""Names in an index's `info` the one dialect that has it."""
_LAST: Final = "\U0010ffff"


def for_prefixes(name: str, column: str) -> Index:
    """Return the index by which PostgreSQL finds beginnings, whatever its collation; SQLite needs none."""
    return Index(name, column, postgresql_ops={column: "text_pattern_ops"}, info={ONLY_ON: "postgresql"})


def begins(connection: Connection, column: InstrumentedAttribute[str], beginning: str) -> ColumnElement[bool]:
    """Return the condition that a text begins so, upper and lower case apart."""
    if connection.dialect.name == "sqlite":
        # Its LIKE takes no index. Texts are compared byte by byte.
        return and_(column >= beginning, column < beginning + _LAST)
    return column.startswith(beginning, autoescape=True)
