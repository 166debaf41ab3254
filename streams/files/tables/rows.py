"""A file of others by its name, and its rows: those of a table as text, or lines of JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.errors import EventFileError
from streams.files.content import named, pieces, size_of
from streams.files.events import line_blocks
from streams.files.parquet import json_rows
from streams.files.tables.csv_file import CsvFormat, csv_rows
from streams.files.tables.table import TableRows
from streams.files.tables.workbook import workbook_rows

Kind = Literal["csv", "xlsx", "parquet", "jsonl", "json"]
COMPRESSIONS: Final = (".gz", ".zst")
ENDINGS: Final[dict[str, Kind]] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".xlsb": "xlsx",
    ".xls": "xlsx",
    ".ods": "xlsx",
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
}
"""What a file is by the ending of its name; all but workbooks and Parquet also with `.gz` or `.zst`."""
_BLOCK: Final = 1 << 22
"""Bytes of a CSV file that are read at once."""
_MOST_JSON: Final = 1 << 30
"""Bytes that a JSON file may have which is one array: it is read as a whole."""


@dataclass(frozen=True, slots=True)
class RowsFormat:
    """How a file is written: what it is, and the options of that."""

    kind: Kind
    csv: CsvFormat = field(default_factory=CsvFormat)
    sheets: tuple[str, ...] = ()
    header_row: int = 1


@dataclass(frozen=True, slots=True)
class JsonRows:
    """A block of `n` lines of JSON, or what stands for them: rows of Parquet, items of an array."""

    values: list[bytes]
    lines: NDArray[np.int64]
    """(n,) the line of each, or its row or place in the array; the first is 1."""
    done: int
    """Bytes of the file read so far."""


def kind_of(path: Path) -> Kind | None:
    """Return what a file is by its name, if that says it."""
    return ENDINGS.get(Path(_without_compression(path.name)).suffix.lower())


def default_format(path: Path) -> RowsFormat:
    """Return the format that a file has by its name; raise `EventFileError` where that does not say it."""
    kind = kind_of(path)
    if kind is None:
        msg = f"{path}: its name does not say what it is: it should end in one of {', '.join(ENDINGS)}"
        raise EventFileError(msg)
    tabs = Path(_without_compression(path.name)).suffix.lower() == ".tsv"
    return RowsFormat(kind, csv=CsvFormat(delimiter="\t")) if tabs else RowsFormat(kind)


def read_rows(path: Path, form: RowsFormat) -> Iterator[TableRows | JsonRows]:
    """Yield the rows of a file in blocks, the same blocks each time.

    Raises `EventFileError` for a file that cannot be read.
    """
    size = size_of(path)
    compression = path.name[len(_without_compression(path.name)) :]
    with named(path):
        if form.kind == "xlsx":
            yield from workbook_rows(path, size, sheets=form.sheets, header_row=form.header_row)
        elif form.kind == "csv":
            with path.open("rb") as file:
                content = ((piece, file.tell()) for piece in pieces(file, compression))
                yield from csv_rows(path, _checked(path, _larger(content)), form.csv)
        elif form.kind == "parquet":
            with path.open("rb") as file:
                for first, lines, done in json_rows(path, file):
                    yield JsonRows(lines, np.arange(first, first + len(lines), dtype=np.int64), done)
        elif form.kind == "json" and (values := _array(path, compression, size)) is not None:
            yield JsonRows(values, np.arange(1, len(values) + 1, dtype=np.int64), size)
        else:
            for first, lines, done in line_blocks(path, f".jsonl{compression}"):
                numbers = np.arange(first, first + len(lines), dtype=np.int64)
                there = np.array([bool(line.strip()) for line in lines], dtype=np.bool_)
                kept = lines if there.all() else [line for line in lines if line.strip()]
                yield JsonRows(kept, numbers[there], done)


def _without_compression(name: str) -> str:
    for ending in COMPRESSIONS:
        name = name.removesuffix(ending)
    return name


def _larger(content: Iterable[tuple[bytes, int]]) -> Iterator[tuple[bytes, int]]:
    """Put pieces together, to blocks that are worth the call of a reader."""
    waiting: list[bytes] = []
    size = done = 0
    for piece, done in content:
        waiting.append(piece)
        size += len(piece)
        if size >= _BLOCK:
            yield b"".join(waiting), done
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting), done


def _checked(path: Path, content: Iterator[tuple[bytes, int]]) -> Iterator[tuple[bytes, int]]:
    """Raise `EventFileError` where a file begins as one of another kind does."""
    first = True
    for piece, done in content:
        if first:
            first = False
            for magic, what in _NO_TEXT.items():
                if piece.startswith(magic):
                    msg = f"{path}: {what}"
                    raise EventFileError(msg)
        yield piece, done


_NO_TEXT: Final = {
    b"\x1f\x8b": "is compressed with gzip: its name should end in .gz",
    b"\x28\xb5\x2f\xfd": "is compressed with zstd: its name should end in .zst",
    b"PK\x03\x04": "is a workbook or a zip archive: name it .xlsx, or unpack it first",
    b"\xd0\xcf\x11\xe0": "is an old workbook: its name should end in .xls",
    b"PAR1": "is a Parquet file: its name should end in .parquet",
}


def _array(path: Path, compression: str, size: int) -> list[bytes] | None:
    """Return the items of a file that is one array, or one list of Stripe's kind; `None` for JSON lines."""
    with path.open("rb") as file:
        begin = next(pieces(file, compression), b"").removeprefix(b"\xef\xbb\xbf").lstrip()
        whole = begin.startswith(b"[")
        if not whole and not (begin.startswith(b"{") and b'"data"' in begin and not _is_line(begin)):
            return None
        if size > _MOST_JSON:
            msg = f"{path}: one array of more than 1 GiB cannot be read: save it as JSON lines"
            raise EventFileError(msg)
        file.seek(0)
        text = b"".join(pieces(file, compression)).removeprefix(b"\xef\xbb\xbf")
    try:
        if whole:
            return [bytes(item) for item in msgspec.json.decode(text, type=list[msgspec.Raw])]
        return [bytes(item) for item in msgspec.json.decode(text, type=_List).data]
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        msg = f"{path}: not JSON: {error}"
        raise EventFileError(msg) from error


class _List(msgspec.Struct):
    """An object that holds the records in `data`, as the lists of Stripe's API do."""

    data: list[msgspec.Raw]


def _is_line(begin: bytes) -> bool:
    """Tell whether the first line is a JSON value of its own that is no list."""
    line = begin.split(b"\n", 1)[0]
    try:
        value = msgspec.json.decode(line)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return False
    return not (isinstance(value, dict) and value.get("object") == "list")
