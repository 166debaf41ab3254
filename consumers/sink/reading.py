"""The records of one poll of one topic, sorted by whether they can be stored."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

import msgspec

from consumers.broker.records import Record
from streams.errors import ContractError

Row = dict[str, Any]


class Unreadable(StrEnum):
    """Why a record was put aside."""

    EMPTY = "empty"
    INVALID = "invalid"
    CONFLICT = "conflict"
    """Its id is stored with another content."""
    REFUSED = "refused"
    """The database has no room for one of its values."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A record that can be stored, as the row it makes."""

    record: Record
    row: Row
    newest: Row | None = None
    """Of a step, the row of its warning as the step leaves it."""


E = TypeVar("E", bound=Entry)


@dataclass(frozen=True, slots=True)
class PutAside:
    """A record that cannot be stored, and why."""

    record: Record
    reason: str
    detail: str


@dataclass(slots=True)
class Reading(Generic[E]):
    """The records of one topic, sorted."""

    entries: list[E] = field(default_factory=list)
    unreadable: list[PutAside] = field(default_factory=list)
    refused: list[PutAside] = field(default_factory=list)
    """Events that the worker refuses too; it keeps them on `<app>.rejected`."""

    def __len__(self) -> int:
        return len(self.entries) + len(self.unreadable) + len(self.refused)


Reader = Callable[[Sequence[Record], datetime], Reading[E]]
"""Reads the records of a poll of one topic at the time of a wall clock."""


def one_by_one(make: Callable[[Record, bytes], E]) -> Reader[E]:
    """Return a reader that makes an entry of each record, and puts aside those that `make` refuses."""

    def read(records: Sequence[Record], now: datetime) -> Reading[E]:
        reading: Reading[E] = Reading()
        for record in records:
            if record.value is None:
                reading.unreadable.append(PutAside(record, Unreadable.EMPTY, "no value"))
                continue
            try:
                reading.entries.append(make(record, record.value))
            except ContractError as error:
                reading.unreadable.append(PutAside(record, Unreadable.INVALID, str(error)))
        return reading

    return read


def document(value: bytes, what: str) -> tuple[Row, str]:
    """Return a record's value as plain JSON, and the digest of what it says.

    Fields that a newer worker added are kept; the order of keys and white space make no difference.
    """
    try:
        found = msgspec.json.decode(value)
        canonical = msgspec.json.encode(found, order="sorted")
    except (msgspec.MsgspecError, OverflowError, RecursionError, UnicodeError) as error:
        msg = f"not {what}: {error}"
        raise ContractError(msg) from error
    if not isinstance(found, dict):
        msg = f"not {what}: it is no object"
        raise ContractError(msg)
    return found, digest(canonical)


def digest(content: bytes) -> str:
    """Return what identifies a content."""
    return hashlib.sha256(content).hexdigest()


def place(record: Record) -> Row:
    """Return the columns that say where a record was read."""
    return {
        "source_topic": record.topic,
        "source_partition": record.partition,
        "source_offset": record.offset,
    }


def aside_row(aside: PutAside, now: datetime) -> Row:
    """Return the row in `unreadable` of a record that cannot be stored."""
    record = aside.record
    return {
        **place(record),
        # A topic that is created again begins at offset 0, so the place alone does not identify a record.
        "digest": digest(b"%r %r" % (record.key, record.value)),
        "reason": str(aside.reason),
        "detail": aside.detail.encode("ascii", "backslashreplace").decode().replace("\0", "\\0")[:1000],
        "key": record.key,
        "value": record.value,
        "received_at": now,
    }
