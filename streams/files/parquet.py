"""Events in Parquet: the contract's fields as columns, judged as JSON lines are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # ships no types
import pydantic_core
from numpy.typing import NDArray

from streams.contract.decode import RefusedRecord, decode_lines
from streams.contract.events import EVENTS
from streams.contract.rejected import RefusalReason
from streams.contract.validate import RecordRefusal, judge_line
from streams.core.events.batch import Batch
from streams.core.events.topics import FILE_TYPES
from streams.errors import EventFileError
from streams.files.parquet_columns import plain_rows

FIELDS: Final = ("type", *dict.fromkeys(name for model in EVENTS.values() for name in model.model_fields))
"""Every field of every event; other columns of a file are not read."""

_ROWS_AT_A_TIME: Final = 50_000
_ROW: Final = "row number"


def parquet_lines(path: Path, file: IO[bytes]) -> Iterator[tuple[int, list[bytes], int]]:
    """Yield rows as JSON lines in blocks: the first one's number from 1, the lines, the bytes read so far."""
    for first, frame, done in _frames(path, file):
        yield first, _json_lines(path, frame), done


def json_rows(path: Path, file: IO[bytes]) -> Iterator[tuple[int, list[bytes], int]]:
    """Yield rows of any columns as JSON objects in blocks: the first one's number from 1, rows, bytes read.

    Times are text, in UTC as RFC 3339 has them or, where the file says no zone, `2009-12-01 07:45:00`;
    decimals are numbers.
    """
    for first, frame, done in _frames(path, file, every=True):
        plain = frame.select(_plain_json(name, frame[name].dtype) for name in frame.columns)
        yield first, plain.write_ndjson().encode().splitlines(), done


def _plain_json(name: str, dtype: pl.DataType) -> pl.Expr:
    """Return a column of a file of others as JSON has it."""
    column = pl.col(name)
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is None:
        seconds = column.dt.truncate("1s")
        whole = column.dt.strftime("%Y-%m-%d %H:%M:%S")
        return pl.when(column == seconds).then(whole).otherwise(column.dt.strftime("%Y-%m-%d %H:%M:%S%.6f"))
    if isinstance(dtype, pl.Date | pl.Time):
        return column.cast(pl.String)
    return _as_json(Path(), name, dtype)


def parquet_events(
    path: Path, file: IO[bytes], latest_us: int | None
) -> Iterator[tuple[int, Batch, list[tuple[int, RefusedRecord, bytes]], int]]:
    """Yield rows as events in blocks, what happened after `latest_us` refused.

    Of each block: the first row's number from 1, the events, the refused rows with their place and JSON line,
    and the bytes read so far.
    """
    for first, frame, done in _frames(path, file):
        batch, plain = plain_rows(frame, latest_us)
        refused: list[tuple[int, RefusedRecord, bytes]] = []
        if not plain.all():
            others = np.flatnonzero(~plain)
            lines = _json_lines(path, frame.filter(~plain))
            decoded = decode_lines(lines, latest_us=latest_us)
            refused = [(int(others[each.index]), each, lines[each.index]) for each in decoded.refused]
            batch = Batch.concat([batch, decoded.batch])
        yield first, batch, refused, done


def _frames(path: Path, file: IO[bytes], *, every: bool = False) -> Iterator[tuple[int, pl.DataFrame, int]]:
    """Yield rows in blocks: the first one's number from 1, the columns that events have or all, bytes."""
    try:
        parquet = pq.ParquetFile(file)
        known = [name for name in parquet.schema_arrow.names if every or name in FIELDS]
        first = 1
        for block in parquet.iter_batches(batch_size=_ROWS_AT_A_TIME, columns=known):
            frame = pl.DataFrame(_known_types(block))
            yield first, frame, file.tell()
            first += frame.height
    except (pa.ArrowException, pl.exceptions.PolarsError, OSError) as error:
        message = f"{path}: not a readable Parquet file: {str(error).splitlines()[0]}"
        raise EventFileError(message) from error


def _known_types(block: pa.RecordBatch) -> pa.RecordBatch:
    """Return rows in types that Polars knows: UUIDs as text, long decimals as the numbers that JSON has."""
    for place, field in enumerate(block.schema):
        values = block.column(place)
        if pa.types.is_decimal256(field.type):
            numbers = [None if value is None else float(value) for value in values.to_pylist()]
            block = block.set_column(place, field.name, pa.array(numbers, pa.float64()))
        elif field.type == pa.uuid():
            texts = [None if value is None else str(value) for value in values.to_pylist()]
            block = block.set_column(place, field.name, pa.array(texts, pa.string()))
        elif isinstance(field.type, pa.BaseExtensionType):
            block = block.set_column(place, field.name, values.storage)
    return block


def _json_lines(path: Path, frame: pl.DataFrame) -> list[bytes]:
    if "type" not in frame.columns:
        frame = frame.with_columns(type=pl.lit(None, pl.String))
    strange = _strange(frame)
    if strange.any():
        plain = iter(_plain_lines(path, frame.filter(~strange)))
        return [
            _strange_line(frame.row(row, named=True)) if is_strange else next(plain)
            for row, is_strange in enumerate(strange.tolist())
        ]
    return _plain_lines(path, frame)


def _strange(frame: pl.DataFrame) -> NDArray[np.bool_]:
    """Say of each (n,) row whether it holds what Polars cannot write as JSON."""
    strange = np.zeros(frame.height, dtype=np.bool_)
    for column in frame.iter_columns():
        if column.dtype.is_float():
            strange |= (~column.is_finite()).fill_null(value=False).to_numpy()
        elif column.dtype == pl.Binary:
            strange |= [value is not None and not _is_utf8(value) for value in column.to_list()]
    return strange


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _strange_line(row: dict[str, Any]) -> bytes:
    """Return a row as the line that JSON would have: bytes as they are, `NaN` and `Infinity` for numbers."""

    def written(value: Any) -> Any:
        if isinstance(value, bytes):
            return value.decode(errors="surrogateescape")
        if isinstance(value, datetime):
            return value.isoformat()
        return float(value) if isinstance(value, Decimal) else value

    plain = {name: written(value) for name, value in row.items() if value is not None}
    text = json.dumps(plain, ensure_ascii=False, default=str)
    return text.encode(errors="surrogateescape")


def _plain_lines(path: Path, frame: pl.DataFrame) -> list[bytes]:
    frame = frame.select(_as_json(path, name, frame[name].dtype) for name in frame.columns)
    lines = [b""] * frame.height
    for (word,), rows in frame.with_row_index(_ROW).partition_by("type", as_dict=True).items():
        # Only what such an event has: skipping the other types' empty fields would cost more than reading.
        topic = FILE_TYPES.get(word) if isinstance(word, str) else None
        fields = frame.columns if topic is None else ["type", *EVENTS[topic].model_fields]
        text = rows.select(pl.col(name) for name in fields if name in rows.columns).write_ndjson()
        for row, line in zip(rows[_ROW].to_list(), text.encode().splitlines(), strict=True):
            lines[row] = line
    return lines


def _as_json(path: Path, name: str, dtype: pl.DataType) -> pl.Expr:
    """Return the column as JSON has it: instants as text in UTC, decimals as numbers."""
    column = pl.col(name)
    if isinstance(dtype, pl.Datetime):
        if dtype.time_zone is None:
            message = f"{path}: the times in column {name} have no time zone"
            raise EventFileError(message)
        return column.dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
    if isinstance(dtype, pl.Decimal):
        return column.cast(pl.Float64)
    if isinstance(dtype, pl.Struct):
        decimals = {
            field.name: pl.Float64() if isinstance(field.dtype, pl.Decimal) else field.dtype
            for field in dtype.fields
        }
        return column.cast(pl.Struct(decimals))
    if isinstance(dtype, pl.Categorical | pl.Enum | pl.Binary):
        return column.cast(pl.String)
    return column


def why_refused(line: bytes, reason: RefusalReason, detail: str) -> tuple[RefusalReason, str]:
    """Return why a row was refused, where `null` stands for a field that is not there."""
    if reason is RefusalReason.NOT_JSON:
        return reason, detail
    fields = pydantic_core.from_json(line)
    verdict = judge_line(json.dumps({k: v for k, v in fields.items() if v is not None}).encode())
    return (verdict.reason, verdict.detail) if isinstance(verdict, RecordRefusal) else (reason, detail)
