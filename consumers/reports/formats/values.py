"""A table as plain values, for spreadsheets: a share is a quotient, a numerator and a denominator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from consumers.reports.document import (
    Absent,
    Between,
    Column,
    Estimate,
    Kind,
    Table,
    Under,
    Value,
)
from consumers.reports.formats.cells import absent
from consumers.reports.words import Words
from streams.share import Share, ShareDifference

Plain = str | int | float | date | None


@dataclass(frozen=True, slots=True)
class PlainColumn:
    """One column of a spreadsheet."""

    title: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class PlainTable:
    """A table without anything but values; the last row is the total where there is one."""

    columns: Sequence[PlainColumn]
    rows: Sequence[Sequence[Plain]]


def plain_table(table: Table, words: Words) -> PlainTable:
    """Return a table as plain values; why a value is absent stands in its place.

    Shares are parts of 1; what its column calls points are points.
    """
    rows = [*table.rows, *(() if table.total is None else (table.total,))]
    columns: list[PlainColumn] = []
    found: list[list[Plain]] = [[] for _ in rows]
    for place, column in enumerate(table.columns):
        values = [row[place] for row in rows]
        heads = _heads(column, values, words)
        columns += heads
        for cells, value in zip(found, values, strict=True):
            plain = _cells(value, len(heads), words)
            cells += [_in_points(each) for each in plain] if column.kind is Kind.POINTS else plain
    return PlainTable(columns, found)


def _in_points(value: Plain) -> Plain:
    return value * 100 if isinstance(value, int | float) else value


def _heads(column: Column, values: Sequence[Value], words: Words) -> list[PlainColumn]:
    _ = words.gettext
    heads = [PlainColumn(column.title, column.kind)]
    of = {"column": column.title}
    if any(isinstance(value, Share) for value in values):
        heads.append(PlainColumn(_("{column}: numerator", **of), Kind.COUNT))
        heads.append(PlainColumn(_("{column}: denominator", **of), Kind.COUNT))
    elif any(isinstance(value, Estimate | ShareDifference) for value in values):
        heads.append(PlainColumn(_("{column}: from", **of), column.kind))
        heads.append(PlainColumn(_("{column}: to", **of), column.kind))
    elif any(isinstance(value, Between) for value in values):
        heads = [
            PlainColumn(_("{column}: from", **of), column.kind),
            PlainColumn(_("{column}: to", **of), column.kind),
        ]
    return heads


def _cells(value: Value, count: int, words: Words) -> list[Plain]:
    match value:
        case Share():
            found: list[Plain] = [value.value, value.part, value.whole]
        case ShareDifference():
            found = [value.value, value.low, value.high]
        case Estimate(middle, low, high):
            found = [middle, low, high]
        case Between(low, high):
            found = [low, high]
        case Under(text):
            found = [f"  {text}"]
        case Absent():
            found = [absent(value, words)[0] if value is not Absent.MISSING else None]
        case _:
            found = [value]
    return found + [None] * (count - len(found))
