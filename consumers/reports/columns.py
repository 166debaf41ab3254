"""The rows of a query as columns: of hundreds of thousands of rows the fastest way out of a database.

PostgreSQL gathers each column in arrays, which the driver reads several times as fast as rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias, TypeVar

import msgspec
import polars as pl
from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    Text,
    bindparam,
    cast,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import NullType

from consumers.database.base import UtcDateTime
from streams.contract.instants import instant_us, to_us

IN_AN_ARRAY: Final = 50_000
"""Rows that PostgreSQL puts into one array: there is a limit of 1 GB."""
IDS_AT_ONCE: Final = {"sqlite": 500, "postgresql": 50_000}
"""Ids in one query: SQLite takes so many parameters in every version."""
_MICROSECONDS: Final = 1_000_000
Made = TypeVar("Made")
Query: TypeAlias = "Select[*tuple[Any, ...]]"


def read_columns(connection: Connection, query: Query) -> list[list[Any]]:
    """Return the columns of a query, its rows in no order.

    Instants are microseconds, JSON is text (see `parsed`).
    """
    columns = list(query.selected_columns)
    if connection.dialect.name == "postgresql":
        return _by_arrays(connection, query, columns)
    plain = [cast(each, Text) if isinstance(each.type, JSON) else each for each in columns]
    rows = connection.execute(query.with_only_columns(*plain, maintain_column_froms=True)).all()
    found = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in columns]
    for place, column in enumerate(columns):
        if isinstance(column.type, UtcDateTime):
            found[place] = [None if at is None else to_us(at) for at in found[place]]
    return found


def _by_arrays(
    connection: Connection, query: Query, columns: Sequence[ColumnElement[Any]]
) -> list[list[Any]]:
    plain = [_plain(column).label(f"c{place}") for place, column in enumerate(columns)]
    rows = query.with_only_columns(*plain, maintain_column_froms=True).subquery()
    part = (func.row_number().over() // IN_AN_ARRAY).label("part")
    numbered = select(*rows.c, part).subquery()
    arrays = [func.array_agg(column, type_=NullType()) for column in list(numbered.c)[:-1]]
    found: list[list[Any]] = [[] for _ in columns]
    for some in connection.execute(select(*arrays).group_by(numbered.c.part)):
        for own, values in zip(found, some, strict=True):
            own += values
    return found


def _plain(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return what an array of PostgreSQL can hold and the driver reads fast."""
    if isinstance(column.type, UtcDateTime):
        return cast(func.extract("epoch", column) * _MICROSECONDS, BigInteger)
    return cast(column, Text) if isinstance(column.type, JSON) else column


def parsed(texts: Iterable[str | None], make: Callable[[Any], Made] = lambda value: value) -> list[Made]:
    """Return what is made of JSON values: of equal texts one object, as there are few different ones.

    >>> parsed(['{"mail": 2}', None, "[]"])
    [{'mail': 2}, None, []]
    """
    found: dict[str | None, Made] = {}
    made = []
    for text in texts:
        if text not in found:
            found[text] = make(None if text is None else msgspec.json.decode(text))
        made.append(found[text])
    return made


def instants(texts: Iterable[str | None]) -> list[int | None]:
    """Return instants as microseconds; many rows share one, that of a sweep."""
    found: dict[str | None, int | None] = {None: None}
    made = []
    for text in texts:
        if text not in found:
            assert text is not None
            found[text] = instant_us(text)
        made.append(found[text])
    return made


def among(
    connection: Connection, column: ColumnElement[str] | Any, ids: Iterable[str]
) -> Iterator[ColumnElement[bool]]:
    """Yield conditions that the column is one of the ids, each for as many of them as one query takes."""
    ordered = sorted(ids)
    at_once = IDS_AT_ONCE[connection.dialect.name]
    for first in range(0, len(ordered), at_once):
        some = ordered[first : first + at_once]
        if connection.dialect.name == "postgresql":  # the driver writes one text faster than many
            yield column.in_(select(func.jsonb_array_elements_text(bindparam(None, some, JSONB))))
        else:
            yield column.in_(some)


def frame(columns: Iterable[Sequence[Any]], schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Return columns, in the order of the schema, as a frame."""
    return pl.DataFrame(
        [pl.Series(name, own, dtype) for (name, dtype), own in zip(schema.items(), columns, strict=True)]
    )
