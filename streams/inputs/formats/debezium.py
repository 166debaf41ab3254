"""Change records of Debezium: what a row of a table was before, what it is after, and what happened to it.

As JSON, with or without the schema in each record, or as Avro. Where the record says the types of its
columns, times and decimals become text; where it does not (`schemas.enable=false`) they stay as Debezium
wrote them, whole numbers and base64, and the mapping says what they are.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

import msgspec

from streams.contract.rejected import RefusalReason
from streams.inputs.formats.avro import AvroRecords, encoded
from streams.inputs.formats.decimals import DecimalMistake, decimal_text
from streams.inputs.formats.instants import NAMED
from streams.inputs.formats.reading import Read, Refused, read_each

UNAVAILABLE: Final = "__debezium_unavailable_value"
"""Stands in a row for a long value of PostgreSQL that the change did not touch: it is not known."""
_UNAVAILABLE: Final = UNAVAILABLE.encode()
CHANGES: Final = frozenset("crud")
"""Created, read by a snapshot, updated, deleted."""
OTHERS: Final = frozenset("tm")
"""A table made empty, a message: neither is about a row."""
DECIMAL: Final = "org.apache.kafka.connect.data.Decimal"
VARIABLE_DECIMAL: Final = "io.debezium.data.VariableScaleDecimal"
LARGEST_SCHEMA: Final = 1_000_000


class RecordOf(StrEnum):
    """What paths name."""

    AFTER = "after"
    """The columns of the row as it is after the change; a deletion has none and is passed over."""
    CHANGE = "change"
    """The whole change: `op`, `ts_ms`, `source.ts_ms`, `before.COLUMN`, `after.COLUMN`, deletions too."""


class _Change(msgspec.Struct):
    """A change, its rows unread."""

    op: str
    before: msgspec.Raw = msgspec.Raw(b"null")
    after: msgspec.Raw = msgspec.Raw(b"null")


class _Message(msgspec.Struct):
    """What Kafka Connect writes with `schemas.enable=true`."""

    payload: msgspec.Raw
    schema: msgspec.Raw = msgspec.Raw(b"null")


class _Bare(msgspec.Struct):
    """Tells a change from a message that has one inside."""

    payload: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    op: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_BARE: Final = msgspec.json.Decoder(_Bare)
_MESSAGE: Final = msgspec.json.Decoder(_Message)
_CHANGE: Final = msgspec.json.Decoder(_Change)
_ANY: Final = msgspec.json.Decoder()

Convert = Callable[[Any], Any]
Columns = Mapping[str, Convert]
"""How columns are written, those that are not as they stand."""


@dataclass(frozen=True, slots=True)
class Debezium:
    """What a source of change records says of them."""

    record: RecordOf = RecordOf.AFTER
    decimals: tuple[tuple[str, int], ...] = ()
    """Columns of decimals in base64 with their scales, where the records do not say them."""


class DebeziumReader:
    """Reads change records in JSON; `unwrap` takes off what is around the JSON."""

    def __init__(self, options: Debezium, unwrap: Callable[[bytes], bytes] | None = None) -> None:
        self._options = options
        self._unwrap = unwrap
        self._given = {name: _decimal(scale) for name, scale in options.decimals}

    def read(self, values: Sequence[bytes | None]) -> Read:
        """Return each row, or change, as JSON."""
        return read_each(values, self._one)

    def _one(self, value: bytes) -> bytes | None:
        if self._unwrap is not None:
            value = self._unwrap(value)
        columns: Columns = self._given
        bare = _decoded(_BARE, value)
        if bare.payload is not msgspec.UNSET and bare.op is msgspec.UNSET:
            message = _decoded(_MESSAGE, value)
            value = bytes(message.payload)
            if value == b"null":
                return None  # a tombstone with a schema
            columns = {**self._given, **columns_of(bytes(message.schema))}
        change = _decoded(_CHANGE, value)
        if not _is_about_a_row(change.op):
            return None
        after, before = bytes(change.after), bytes(change.before)
        _check(change.op, after != b"null")
        has_gaps = _UNAVAILABLE in value
        if self._options.record is RecordOf.AFTER:
            if change.op == "d":
                return None
            return _written(_row(after), columns) if columns or has_gaps else after
        if not columns and not has_gaps:
            return value
        found = _decoded(_ANY, value)
        for name, row in (("before", before), ("after", after)):
            found[name] = None if row == b"null" else _converted(_row(row), columns)
        return msgspec.json.encode(found)


class DebeziumAvroReader:
    """Reads change records in Avro."""

    def __init__(self, options: Debezium, records: AvroRecords) -> None:
        self._record = options.record
        self._records = records
        self._encode = msgspec.json.Encoder().encode

    def read(self, values: Sequence[bytes | None]) -> Read:
        """Return each row, or change, as JSON."""
        self._records.prepare(values)
        return read_each(values, self._one)

    def _one(self, value: bytes) -> bytes | None:
        change = self._records.record(value)
        if not isinstance(change, dict) or not isinstance(change.get("op"), str):
            raise _no_change()
        op, after = change["op"], change.get("after")
        if not _is_about_a_row(op):
            return None
        _check(op, after is not None)
        for name in ("before", "after"):
            row = change.get(name)
            if isinstance(row, dict):
                change[name] = _converted(row, {})
        if self._record is RecordOf.CHANGE:
            return encoded(self._encode, change)
        return None if op == "d" else encoded(self._encode, change["after"])


def _is_about_a_row(op: str) -> bool:
    """Return whether a change is one of a row. Raises `Refused` where there is no such change."""
    if op in CHANGES:
        return True
    if op in OTHERS:
        return False
    raise Refused(RefusalReason.WRONG_VALUE, "op: none of Debezium's c, r, u, d, t, m")


def _check(op: str, has_after: bool) -> None:
    if op != "d" and not has_after:
        raise Refused(RefusalReason.MISSING_FIELD, "after: is empty in a change that is no deletion")


def _no_change() -> Refused:
    return Refused(
        RefusalReason.UNREADABLE,
        "op: is not there: the record is no change record of Debezium; one that a connector has flattened "
        "(ExtractNewRecordState) has `format: json` or `format: avro`",
    )


def _decoded(decoder: msgspec.json.Decoder[Any], value: bytes) -> Any:
    """Return what a value holds. Raises `Refused`."""
    try:
        return decoder.decode(value)
    except msgspec.ValidationError as error:
        if value.lstrip()[:1] != b"{":
            raise Refused(RefusalReason.NOT_OBJECT, "the record is no JSON object") from error
        raise _no_change() from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(RefusalReason.NOT_JSON, "the record is not JSON") from error


def _row(content: bytes) -> dict[str, Any]:
    found = _decoded(_ANY, content)
    if not isinstance(found, dict):
        raise Refused(RefusalReason.WRONG_TYPE, "before or after: is no row, but another JSON value")
    return found


def _written(row: dict[str, Any], columns: Columns) -> bytes:
    return msgspec.json.encode(_converted(row, columns))


def _converted(row: dict[str, Any], columns: Columns) -> dict[str, Any]:
    """Return a row with its columns written as `columns` says, without those that are not known."""
    found = {name: value for name, value in row.items() if value != UNAVAILABLE}
    for name, convert in columns.items():
        value = found.get(name)
        if value is not None:
            try:
                found[name] = convert(value)
            except (DecimalMistake, binascii.Error, TypeError, ValueError, KeyError):
                raise Refused(
                    RefusalReason.UNREADABLE, f"column {name[:100]}: is not what its type says"
                ) from None
    return found


def _decimal(scale: int) -> Convert:
    return lambda value: decimal_text(base64.b64decode(value, validate=True), scale)


def _variable_decimal(value: Any) -> str:
    scale = value["scale"]
    if not isinstance(scale, int):
        raise TypeError
    return decimal_text(base64.b64decode(value["value"], validate=True), scale)


def _time(name: str) -> Convert:
    read = NAMED[name]

    def convert(value: Any) -> Any:
        # A default of another type is left as it is: the mapping refuses the field where it needs it.
        return read(value) if isinstance(value, int) and not isinstance(value, bool) else value

    return convert


@lru_cache(maxsize=256)
def columns_of(schema: bytes) -> Columns:
    """Return, by a record's own schema, the columns that are not written as they stand.

    The same few schemas stand in all records of a topic.
    """
    if len(schema) > LARGEST_SCHEMA:
        raise Refused(RefusalReason.UNREADABLE, "schema: is too large")
    found = _decoded(_ANY, schema)
    columns: dict[str, Convert] = {}
    for rows in _fields(found):
        if rows.get("field") in ("after", "before"):
            for column in _fields(rows):
                convert = _by_type(column)
                if convert is not None and isinstance(column.get("field"), str):
                    columns[column["field"]] = convert
    return columns


def _fields(schema: Any) -> list[dict[str, Any]]:
    fields = schema.get("fields") if isinstance(schema, dict) else None
    return [each for each in fields if isinstance(each, dict)] if isinstance(fields, list) else []


def _by_type(column: Mapping[str, Any]) -> Convert | None:
    """Return how the values of a column are written, or `None` for as they stand."""
    name = column.get("name")
    if name == DECIMAL:
        parameters = column.get("parameters")
        scale = parameters.get("scale") if isinstance(parameters, dict) else None
        try:
            return _decimal(int(scale or 0))
        except (TypeError, ValueError):
            return None
    if name == VARIABLE_DECIMAL:
        return _variable_decimal
    return _time(name) if isinstance(name, str) and name in NAMED else None
