"""Writing many rows: the statement is compiled once, and each row is a line of values for the driver.

SQLAlchemy's own way with a list of rows takes longer over each of them than the database does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Date, Dialect, Table
from sqlalchemy.dialects import postgresql, sqlite

from consumers.database.base import UtcDateTime
from streams.errors import StoreError

Row = Mapping[str, Any]
Insert = sqlite.Insert | postgresql.Insert


class RowRefused(StoreError):
    """The database has no room for one of the values given: the other rows may be stored without it."""


class ManyRows:
    """An insert into a table; each row has a value for each column but the number that the database gives."""

    def __init__(self, statement: Insert, dialect: Dialect) -> None:
        table = statement.table
        assert isinstance(table, Table)
        given = [column for column in table.columns if column is not table.autoincrement_column]
        compiled = statement.compile(dialect=dialect, column_keys=[column.name for column in given])
        self._text = str(compiled)
        self._names = list(compiled.positiontup or (column.name for column in given))
        self._is_positional = compiled.positional
        types = {name: table.c[name].type for name in self._names}
        self._processors = {
            name: kind.dialect_impl(dialect).bind_processor(dialect) for name, kind in types.items()
        }
        self._times = {name for name, kind in types.items() if isinstance(kind, UtcDateTime | Date)}

    def write(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Write the rows, all of them with one call of the driver."""
        if not rows:
            return
        lines = list(zip(*(self._column(name, rows) for name in self._names), strict=True))
        if self._is_positional:
            connection.exec_driver_sql(self._text, lines)
        else:
            named = [dict(zip(self._names, line, strict=True)) for line in lines]
            connection.exec_driver_sql(self._text, named)

    def _column(self, name: str, rows: Sequence[Row]) -> Sequence[Any]:
        """Return a column's values as the driver takes them."""
        values = [row[name] for row in rows]
        process = self._processors[name]
        if process is None:
            return values
        try:
            if name not in self._times:
                return [process(value) for value in values]
            known = {value: process(value) for value in set(values)}  # many rows share a few
            return [known[value] for value in values]
        except (TypeError, ValueError, AttributeError, OverflowError) as error:
            # Its text may hold the value, and so a customer.
            msg = f"a value of the column {name} cannot be stored: {type(error).__name__}"
            raise RowRefused(msg) from None
