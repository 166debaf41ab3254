"""CSV, and text in columns set by blanks, a block of rows at a time, whatever the size of the file.

Polars reads a block whose quotes all stand where RFC 4180 has them. Any other block is read a record at
a time, so that one stray quote costs its own line and no other.
"""

from __future__ import annotations

import codecs
import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.errors import EventFileError
from streams.files.tables.table import BadRow, TableRows, column_names

WHITESPACE: Final = "whitespace"
"""The delimiter of text in columns that blanks set apart."""
LONGEST_RECORD: Final = 1 << 20
"""Bytes that a record may have: a quote that is not closed in so many is a mistake of its line."""

_BOMS: Final = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, slots=True)
class CsvFormat:
    """How a CSV file is written."""

    delimiter: str = ","
    """One character, or `whitespace`."""
    encoding: str = "utf-8"
    """A byte order mark at the beginning of the file says more than this."""
    header: bool = True
    """Whether the first line names the columns."""
    columns: tuple[str, ...] = ()
    """The names of the columns, where there is no header or others are wanted."""
    quote: str = '"'
    """One character, or nothing where quotes have no meaning."""

    def __post_init__(self) -> None:
        """Raise `EventFileError` for what no file can be."""
        plain = len(self.delimiter) == 1 and self.delimiter.isascii() and self.delimiter not in '"\n\r\0'
        if self.delimiter != WHITESPACE and not plain:
            msg = f"the delimiter is one ASCII character or {WHITESPACE!r}, not {self.delimiter!r}"
            raise EventFileError(msg)
        if self.quote and (len(self.quote) > 1 or not self.quote.isascii() or self.quote == self.delimiter):
            msg = f"the quote is one ASCII character or nothing, not {self.quote!r}"
            raise EventFileError(msg)
        try:
            codecs.lookup(self.encoding)
        except LookupError as error:
            msg = f"encoding {self.encoding!r} is not known"
            raise EventFileError(msg) from error


def csv_rows(path: Path, pieces: Iterable[tuple[bytes, int]], form: CsvFormat) -> Iterator[TableRows]:
    """Yield the rows of a CSV file in blocks.

    `pieces` is the file's content, decompressed, each with the bytes of the file read so far. Raises
    `EventFileError` where there is no header, or the encoding is not the file's in whole.
    """
    names: list[str] | None = list(form.columns) or None
    header_due = form.header
    for first_line, block, done, bad_lines in _blocks(path, pieces, form):
        records, lines, bad = _records(block, first_line, form)
        bad = [*bad, *bad_lines]
        if header_due and len(lines):
            header = _cells(records.pick(0), form)
            lines, records, header_due = lines[1:], records.without_first(), False
            if names is None:
                names = column_names(header)
                _check_header(path, names, form)
        if names is None:
            if not len(lines):
                yield TableRows(pl.DataFrame(), lines, done, bad)
                continue
            names = [f"column_{n}" for n in range(1, len(_cells(records.pick(0), form)) + 1)]
        frame, kept, more = _frame(records, lines, names, form)
        yield TableRows(frame, kept, done, sorted([*bad, *more], key=lambda each: each.line))
    if header_due:
        msg = f"{path}: is empty: a first line that names the columns is missing"
        raise EventFileError(msg)


def _check_header(path: Path, names: Sequence[str], form: CsvFormat) -> None:
    """Raise where the header has one column and looks as if another delimiter were meant."""
    if len(names) > 1 or form.delimiter == WHITESPACE:
        return
    for other in (";", "\t", "|", ","):
        if other in names[0]:
            word = {"\t": r"\t"}.get(other, other)
            msg = f'{path}:1: the header has one column; perhaps the delimiter is "{word}"'
            raise EventFileError(msg)


@dataclass(frozen=True, slots=True)
class _Records:
    """A block of text and where its `n` records lie in it."""

    text: bytes
    """UTF-8."""
    begins: NDArray[np.int64]
    ends: NDArray[np.int64]
    """(n,) behind the newline of each."""
    regular: bool
    """Whether every quote stands where RFC 4180 has it."""

    def pick(self, place: int) -> bytes:
        return self.text[self.begins[place] : self.ends[place]]

    def without_first(self) -> _Records:
        return _Records(self.text, self.begins[1:], self.ends[1:], self.regular)

    def joined(self) -> bytes:
        """Return the records one behind the other."""
        if not len(self.begins):
            return b""
        if (self.begins[1:] == self.ends[:-1]).all():
            return self.text[self.begins[0] : self.ends[-1]]
        return b"".join(self.text[a:b] for a, b in zip(self.begins.tolist(), self.ends.tolist(), strict=True))


def _blocks(
    path: Path, pieces: Iterable[tuple[bytes, int]], form: CsvFormat
) -> Iterator[tuple[int, bytes, int, list[BadRow]]]:
    """Yield text in UTF-8 that ends at the end of a record: the first line's number, the text, bytes read.

    The list holds lines that begin a record which does not end.
    """
    decode = _Utf8(form.encoding)
    rest, line = b"", 1
    done = 0
    for piece, done in pieces:
        text = rest + decode(piece, final=False)
        bad: list[BadRow] = []
        while True:
            end = _last_end(text, form)
            if end or len(text) <= LONGEST_RECORD:
                break
            # No record ends in all of this: the quote that opens it is a mistake of its first line.
            newline = text.find(b"\n") + 1
            if not newline:
                msg = f"{path}:{line}: a line of more than {LONGEST_RECORD:,} bytes"
                raise EventFileError(msg)
            bad.append(BadRow(line, "a quote is opened and not closed"))
            text, line = text[newline:], line + 1
        block, rest = text[:end], text[end:]
        if block or bad:
            yield line, block, done, bad
            line += block.count(b"\n")
    text = rest + decode(b"", final=True)
    if text:
        yield line, text if text.endswith(b"\n") else text + b"\n", done, []


class _Utf8:
    """Turns pieces of a file into UTF-8; what is not in its encoding becomes U+FFFD."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._decoder: codecs.IncrementalDecoder | None = None
        self._begin = b""

    def __call__(self, piece: bytes, *, final: bool) -> bytes:
        if self._decoder is None:
            self._begin += piece
            if len(self._begin) < 4 and not final:
                return b""
            encoding = next((name for bom, name in _BOMS.items() if self._begin.startswith(bom)), None)
            self._decoder = codecs.getincrementaldecoder(encoding or self._encoding)("replace")
            piece, self._begin = self._begin, b""
        return self._decoder.decode(piece, final).encode("utf-8", "replace")


def _last_end(text: bytes, form: CsvFormat) -> int:
    """Return where the last whole record of a text ends, behind its newline; 0 where none does."""
    if not form.quote or form.quote.encode() not in text or form.delimiter == WHITESPACE:
        return text.rfind(b"\n") + 1
    _, ends, regular = _borders(text, form)
    if regular:
        return int(ends[-1]) if len(ends) else 0
    return max((end for _, end, _ in _by_hand(text, form, whole=False)), default=0)


def _borders(text: bytes, form: CsvFormat) -> tuple[NDArray[np.int64], NDArray[np.int64], bool]:
    """Return the newlines of a text, where its records end, and whether its quotes are regular."""
    data = np.frombuffer(text, np.uint8)
    newlines = np.flatnonzero(data == ord("\n"))
    if not form.quote or form.delimiter == WHITESPACE:
        return newlines, newlines + 1, True
    quotes = np.flatnonzero(data == ord(form.quote))
    if not len(quotes):
        return newlines, newlines + 1, True
    outside = np.searchsorted(quotes, newlines) % 2 == 0
    delimiter = ord(form.delimiter)
    opening, closing = quotes[::2], quotes[1::2]
    before = np.where(opening > 0, data[opening - 1], ord("\n"))
    twice = np.zeros(len(opening), dtype=np.bool_)  # a quote within quotes is written twice
    twice[1:] = opening[1:] == closing[: len(opening) - 1] + 1
    regular = bool((twice | (before == delimiter) | (before == ord("\n"))).all())
    if regular and len(closing):
        inside = closing + 1 < len(data)
        after = np.where(inside, data[np.minimum(closing + 1, len(data) - 1)], ord("\n"))
        regular = bool(
            (
                (after == delimiter)
                | (after == ord("\n"))
                | (after == ord("\r"))
                | (after == ord(form.quote))
            ).all()
        )
    return newlines, newlines[outside] + 1, regular


@functools.cache
def _record_pattern(delimiter: str, quote: str) -> re.Pattern[bytes]:
    """Return what a record looks like: a quote counts at the beginning of a cell only."""
    cell = r"(?:Q(?:[^Q]++|QQ)*+Q[^D\n]*+|(?!Q)[^D\n]*+)"
    whole = rf"{cell}(?:D{cell})*+\n"
    return re.compile(whole.replace("Q", re.escape(quote)).replace("D", re.escape(delimiter)).encode())


@functools.cache
def _cell_pattern(delimiter: str, quote: str) -> re.Pattern[str]:
    """Return what a cell looks like: what stands within quotes and behind them, or what has none."""
    cell = r"(?:Q((?:[^Q]++|QQ)*+)Q([^D]*+)|((?!Q)[^D]*+))"
    return re.compile(cell.replace("Q", re.escape(quote)).replace("D", re.escape(delimiter)))


def _by_hand(text: bytes, form: CsvFormat, *, whole: bool) -> Iterator[tuple[int, int, bool]]:
    """Yield where each record begins and ends, and whether it ends at all: else it is one line.

    Where the text is not `whole`, a record that does not end within it is left for the next one.
    """
    pattern = _record_pattern(form.delimiter, form.quote)
    at = 0
    while at < len(text):
        match = pattern.match(text, at)
        if match is not None and match.end() - at <= LONGEST_RECORD:
            yield at, match.end(), True
            at = match.end()
            continue
        if not whole and len(text) - at <= LONGEST_RECORD:
            return
        newline = text.find(b"\n", at) + 1 or len(text)
        yield at, newline, False
        at = newline


def _records(
    text: bytes, first_line: int, form: CsvFormat
) -> tuple[_Records, NDArray[np.int64], list[BadRow]]:
    """Return the records of a block, the (n,) lines on which they begin, and lines that begin none."""
    newlines, ends, regular = _borders(text, form)
    bad: list[BadRow] = []
    if regular:
        if not len(ends) or ends[-1] < len(text):
            regular = False
        begins = np.concatenate([np.zeros(1, np.int64), ends[:-1]]) if len(ends) else ends
    if not regular:
        found = list(_by_hand(text, form, whole=True))
        begins = np.array([begin for begin, _, good in found if good], dtype=np.int64)
        ends = np.array([end for _, end, good in found if good], dtype=np.int64)
        for begin, _, good in found:
            if not good:
                line = first_line + text.count(b"\n", 0, begin)
                bad.append(BadRow(line, "a quote is opened and not closed"))
    lines = first_line + np.searchsorted(newlines, begins)
    # Lines without anything on them are no records.
    data = np.frombuffer(text, np.uint8)
    blank = ends - begins == 1
    blank |= (ends - begins == 2) & (data[begins] == ord("\r")) if len(begins) else blank
    if blank.any():
        begins, ends, lines = begins[~blank], ends[~blank], lines[~blank]
    return _Records(text, begins, ends, regular), lines.astype(np.int64), bad


def _cells(record: bytes, form: CsvFormat) -> list[str]:
    """Return the cells of one record."""
    text = record.decode("utf-8", "replace").removesuffix("\n").removesuffix("\r")
    if form.delimiter == WHITESPACE:
        return text.split()
    if not form.quote:
        return text.split(form.delimiter)
    pattern = _cell_pattern(form.delimiter, form.quote)
    cells: list[str] = []
    at = 0
    while (match := pattern.match(text, at)) is not None:
        quoted, tail, plain = match.groups()
        cells.append(plain if quoted is None else quoted.replace(form.quote * 2, form.quote) + tail)
        at = match.end() + 1
        if at > len(text):
            break
    return cells


def _frame(
    records: _Records, lines: NDArray[np.int64], names: Sequence[str], form: CsvFormat
) -> tuple[pl.DataFrame, NDArray[np.int64], list[BadRow]]:
    """Return the records as a frame of text, the lines of its rows, and the rows that do not fit."""
    schema = dict.fromkeys(names, pl.String)
    if not len(lines):
        return pl.DataFrame(schema=schema), lines, []
    text = records.joined()
    if form.delimiter == WHITESPACE:
        text = re.sub(rb"[ \t]+(?=\r?\n)", b"", re.sub(rb"(?m)^[ \t]+", b"", text))
        text = re.sub(rb"[ \t]+", b"\t", text)
    plain = (
        records.regular
        and _REPLACEMENT.encode() not in text
        and b"\0" not in text
        and text.count(b"\r") == text.count(b"\r\n")  # Polars drops one that ends no line
    )
    if plain:
        try:
            frame = pl.read_csv(
                text,
                has_header=False,
                schema=schema,
                separator="\t" if form.delimiter == WHITESPACE else form.delimiter,
                extra_columns="raise",
                missing_columns="insert",
                quote_char=form.quote if form.quote and form.delimiter != WHITESPACE else None,
            )
        except pl.exceptions.PolarsError:
            pass
        else:
            if frame.height == len(lines):
                return _without_empty(frame), lines, []
    return _frame_by_hand(records, lines, names, form)


def _frame_by_hand(
    records: _Records, lines: NDArray[np.int64], names: Sequence[str], form: CsvFormat
) -> tuple[pl.DataFrame, NDArray[np.int64], list[BadRow]]:
    """Return what `_frame` does, a record at a time: the specification of it."""
    rows: list[list[str | None]] = []
    kept: list[int] = []
    bad: list[BadRow] = []
    for place, line in enumerate(lines.tolist()):
        record = records.pick(place)
        cells: list[str | None] = [*_cells(record, form)]
        if len(cells) > len(names):
            bad.append(BadRow(line, f"{len(cells)} cells, and the header has {len(names)}"))
        elif _REPLACEMENT.encode() in record:
            bad.append(
                BadRow(line, f"not in {form.encoding}: perhaps the encoding is another, such as cp1252")
            )
        else:
            rows.append([*cells, *[None] * (len(names) - len(cells))])
            kept.append(line)
    frame = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")
    return _without_empty(frame), np.array(kept, dtype=np.int64), bad


def _without_empty(frame: pl.DataFrame) -> pl.DataFrame:
    """Return cells without anything in them as null."""
    return frame.with_columns(pl.all().replace("", None))
