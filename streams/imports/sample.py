"""The first rows of a file of others, as columns of text: what a mapping is guessed from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec

from streams.errors import EventFileError
from streams.files.content import named, pieces
from streams.files.tables.csv_file import CsvFormat
from streams.files.tables.rows import COMPRESSIONS, RowsFormat, default_format, kind_of, read_rows
from streams.files.tables.table import TableRows

ROWS: Final = 5_000
"""How many rows are looked at."""
_DELIMITERS: Final = (",", ";", "\t", "|")
_DEEPEST: Final = 6


@dataclass(frozen=True, slots=True)
class Sample:
    """The first `n` rows of a file."""

    path: Path
    form: RowsFormat
    """How the file is written, as it looks."""
    columns: dict[tuple[str, ...], list[str | None]]
    """For each path (n,) its values as text, `None` where there is none."""
    rows: int


def read_sample(path: Path) -> Sample:
    """Return the first rows of a file; raise `EventFileError` where it cannot be read or has none."""
    form = _dialect(path) if kind_of(path) == "csv" else default_format(path)
    columns: dict[tuple[str, ...], list[str | None]] = {}
    rows = 0
    for block in read_rows(path, form):
        if isinstance(block, TableRows):
            part = block.frame.head(ROWS - rows)
            for name in part.columns:
                columns.setdefault((name,), [None] * rows).extend(part[name].to_list())
            rows += part.height
        else:
            for value in block.values[: ROWS - rows]:
                for place, text in _leaves(value):
                    column = columns.setdefault(place, [])
                    column += [None] * (rows - len(column)) + [text]
                rows += 1
        if rows >= ROWS:
            break
    for column in columns.values():
        column += [None] * (rows - len(column))
    if not rows:
        msg = f"{path}: has no rows to guess a mapping from"
        raise EventFileError(msg)
    return Sample(path, form, columns, rows)


def _leaves(value: bytes) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the single values of a record by their paths; lists are passed over."""
    try:
        record = msgspec.json.decode(value)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return
    if isinstance(record, dict):
        yield from _inner(record, ())


def _inner(record: dict[str, Any], before: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    for name, value in record.items():
        if isinstance(value, dict) and len(before) < _DEEPEST:
            yield from _inner(value, (*before, name))
        elif isinstance(value, bool):
            yield (*before, name), "true" if value else "false"
        elif isinstance(value, str | int | float):
            yield (*before, name), str(value)


def _dialect(path: Path) -> RowsFormat:
    """Return how a CSV file looks to be written, from its beginning."""
    compression = next((each for each in COMPRESSIONS if path.name.endswith(each)), "")
    with named(path), path.open("rb") as file:
        begin = b"".join(islice(pieces(file, compression), 1))
    encoding = "utf-8"
    try:
        text = begin.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        whole = error.start < len(begin) - 4  # what is cut at the end is no mistake
        encoding = "cp1252" if whole and not begin.startswith((b"\xff\xfe", b"\xfe\xff")) else encoding
        text = begin.decode("utf-16" if begin[:2] in (b"\xff\xfe", b"\xfe\xff") else encoding, "replace")
    lines = [line for line in text.splitlines()[:50] if line.strip()]
    form = default_format(path)
    if not lines:
        return form
    delimiter = max(_DELIMITERS, key=lambda each: (lines[0].count(each), each == form.csv.delimiter))
    if not lines[0].count(delimiter):
        delimiter = form.csv.delimiter
        if len({len(line.split()) for line in lines}) == 1 and len(lines[0].split()) > 1:
            delimiter = "whitespace"
    cells = lines[0].split() if delimiter == "whitespace" else lines[0].split(delimiter)
    header = not any(cell.strip().strip('"').replace(".", "", 1).isdigit() for cell in cells)
    return replace(form, csv=CsvFormat(delimiter=delimiter, encoding=encoding, header=header))
