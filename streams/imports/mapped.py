"""Blocks of a file of others, mapped by its source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.contract.decode import RefusedRecord, decode_poll
from streams.contract.rejected import RefusalReason
from streams.core.events.batch import Batch
from streams.core.events.topics import Topic
from streams.files.events import FileRefusal
from streams.files.tables.rows import JsonRows, read_rows
from streams.files.tables.table import TableRows
from streams.imports.files import ForeignFile
from streams.imports.groups import group_keys
from streams.inputs.paths import show_path
from streams.inputs.records import RecordReader
from streams.inputs.source import Mapped, Part, Source


@dataclass(frozen=True, slots=True)
class MappedBlock:
    """A block of a file, mapped; the contract has not judged it yet."""

    mapped: Mapped
    """Its `index` are places in the block."""
    lines: NDArray[np.int64]
    """(n,) the line of each row of the block."""
    keys: list[list[bytes]] | None
    """For each part what its lines are grouped by, `None` where they are not."""
    refused: list[FileRefusal]
    """In the order of the file: lines that are no rows, and rows that could not be mapped."""
    rows: int
    """How many rows there were, those that are no rows included."""
    done: int
    """Bytes of the file read so far."""
    columns: tuple[str, ...] | None
    """Of a table."""
    sheet: str | None = None

    def refusals(self, file: ForeignFile, refused: Iterable[RefusedRecord]) -> list[FileRefusal]:
        """Return refused rows of the block with their lines."""
        return [
            _refusal(file, self.sheet, int(self.lines[each.index]), each.reason, each.detail)
            for each in refused
        ]


def mapped_blocks(file: ForeignFile, skip: int = 0) -> Iterator[MappedBlock]:
    """Yield the blocks of a file, mapped, without the first `skip`; each time the same."""
    by = file.source.entry.group.by if file.source.entry.group is not None else ()
    names = [str(path[0]) if len(path) == 1 else show_path(path) for path in by]
    reader = RecordReader(by)
    for number, rows in enumerate(read_rows(file.path, file.form)):
        if number < skip:
            continue
        keys: list[list[bytes]] | None = None
        columns: tuple[str, ...] | None = None
        bad: list[FileRefusal] = []
        sheet: str | None = None
        if isinstance(rows, TableRows):
            mapped = file.source.map_table(rows.frame)
            columns, sheet = tuple(rows.frame.columns), rows.sheet
            bad = [_refusal(file, sheet, each.line, RefusalReason.NOT_ROW, each.detail) for each in rows.bad]
            if by:
                there = [pl.col(name) if name in columns else pl.lit(None).alias(name) for name in names]
                of_rows = group_keys(rows.frame.select(there).rows())
                keys = [[of_rows[i] for i in part.index.tolist()] for part in mapped.parts]
        else:
            mapped = file.source.map(rows.values)
            if by:
                keys = _json_keys(reader, rows, mapped)
        refused = [
            _refusal(file, sheet, int(rows.lines[each.index]), each.reason, each.detail)
            for each in mapped.refused
        ]
        yield MappedBlock(
            mapped=mapped,
            lines=rows.lines,
            keys=keys,
            refused=sorted([*bad, *refused], key=lambda each: each.line) if bad else refused,
            rows=len(rows.lines) + len(bad),
            done=rows.done,
            columns=columns,
            sheet=sheet,
        )


def _json_keys(reader: RecordReader, rows: JsonRows, mapped: Mapped) -> list[list[bytes]]:
    """Return what the records of each part are grouped by."""
    read = reader.read(rows.values)
    found = group_keys(list(zip(*read.columns, strict=True)))
    by_place = dict(zip(read.index, found, strict=True))
    return [[by_place[i] for i in part.index.tolist()] for part in mapped.parts]


def _refusal(
    file: ForeignFile, sheet: str | None, line: int, reason: RefusalReason, detail: str
) -> FileRefusal:
    if sheet is not None:
        detail = f"sheet {sheet!r}: {detail}"
    return FileRefusal(file.path, line, reason, detail)


@dataclass(frozen=True, slots=True)
class JudgedPart:
    """Events of one topic that the contract takes."""

    topic: Topic
    values: list[bytes]
    """(m,) the contract's JSON."""
    customers: list[str]
    batch: Batch
    """(m,) the same as columns."""
    index: NDArray[np.int64]
    """(m,) as it was in what was judged."""


def judge_parts(
    source: Source, mapped: Mapped, *, now_us: int | None, max_skew_us: int
) -> tuple[list[JudgedPart], Mapped]:
    """Return what the contract takes of each part, and the same with all that is refused."""
    judged = source.judged(mapped, max_skew_us=max_skew_us, now_us=now_us)
    parts = []
    for part, customers in zip(judged.parts, judged.customers, strict=True):
        found = decode_poll(part.topic, part.values, None, None, max_skew_us=max_skew_us, now_us=now_us)
        assert len(found.batch) == len(part.values), "what was judged is judged the same again"
        parts.append(JudgedPart(part.topic, part.values, customers, found.batch, part.index))
    return parts, judged


def whole_groups(source: Source, number: int, values: list[bytes], customers: list[str]) -> Mapped:
    """Return events of part `number`, which came of several rows, as what is to be judged."""
    parts = [Part(event.topic, [], np.empty(0, np.int64)) for event in source.events]
    parts[number] = Part(parts[number].topic, values, np.arange(len(values), dtype=np.int64))
    given: list[list[str]] = [[] for _ in parts]
    given[number] = customers
    return Mapped(parts, given, [], 0)
