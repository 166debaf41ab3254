"""JSON records become columns: for each path the single values that the records of a poll have there.

Msgspec reads the paths that are asked for and passes over all else. A record that it refuses, or may read
otherwise than pydantic does, is read whole and followed path by path.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import pydantic_core

from streams.contract.decode import RefusedRecord, doubtful, read_each
from streams.contract.rejected import RefusalReason
from streams.inputs.paths import NOT_SINGLE, Path, follow

_WRITABLE: Final = re.compile(r'[^"\\\x00-\x1f]+')
"""Names that msgspec takes for a field; records with others are followed."""


@dataclass(frozen=True, slots=True)
class ReadRecords:
    """What records have at the paths."""

    columns: list[list[Any]]
    """For each path (n,) the values: texts, numbers, booleans, `None` or `Blocked`."""
    index: list[int]
    """(n,) the place of each record."""
    refused: list[RefusedRecord]
    """The others: no value, no JSON, or no object."""


@dataclass(slots=True)
class _Step:
    """What is asked of one object: its names, and what is asked of what stands there."""

    names: dict[str, _Step] = field(default_factory=dict)
    places: dict[int, _Step] = field(default_factory=dict)
    column: int | None = None
    """The column that the value itself goes to, where a path ends here."""

    @property
    def ends(self) -> bool:
        return not self.names and not self.places

    @property
    def is_mixed(self) -> bool:
        """Whether a path ends here and another goes on, or two take it for different things."""
        return (self.column is not None) + bool(self.names) + bool(self.places) > 1


class RecordReader:
    """Reads what records have at some paths."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = tuple(paths)
        root = _Step()
        for column, path in enumerate(self.paths):
            at = root
            for step in path:
                inside: dict[Any, _Step] = at.names if isinstance(step, str) else at.places
                at = inside.setdefault(step, _Step())
            at.column = column
        self._root = root
        self._decoder: msgspec.json.Decoder[Any] | None = None
        if _can_be_structs(root):
            self._decoder = msgspec.json.Decoder(_struct(root))

    def read(self, values: Sequence[bytes | None]) -> ReadRecords:
        """Return the values at the paths; a record that is bad costs no other one."""
        rows: list[Any] = [None] * len(values)
        if self._decoder is not None:
            rows = read_each(values, self._decoder)
            for i in doubtful(values):
                rows[i] = None
        index: list[int] = []
        refused: list[RefusedRecord] = []
        followed: dict[int, list[object]] = {}
        for i, row in enumerate(rows):
            if row is None:
                found = self._follow(i, values[i])
                if isinstance(found, RefusedRecord):
                    refused.append(found)
                    continue
                followed[len(index)] = found
            index.append(i)
        kept = rows if len(index) == len(rows) else [rows[i] for i in index]
        columns: list[list[Any]] = [[None] * len(kept) for _ in self.paths]
        if self._decoder is not None:
            _take(self._root, kept, columns)
        for place, found in followed.items():
            for column, value in zip(columns, found, strict=True):
                column[place] = value
        return ReadRecords(columns, index, refused)

    def _follow(self, i: int, value: bytes | None) -> list[object] | RefusedRecord:
        """Return what one record has at the paths, or why it is none."""
        record = whole_record(i, value)
        return record if isinstance(record, RefusedRecord) else [follow(record, path) for path in self.paths]


def whole_record(i: int, value: bytes | None) -> dict[str, object] | RefusedRecord:
    """Return the object that the bytes at place `i` are, or why they are none."""
    if value is None:
        return RefusedRecord(i, RefusalReason.NO_VALUE, "the record has no value")
    try:
        record = pydantic_core.from_json(value)
    except ValueError as error:
        return RefusedRecord(i, RefusalReason.NOT_JSON, f"Invalid JSON: {error}")
    if not isinstance(record, dict):
        return RefusedRecord(i, RefusalReason.NOT_OBJECT, "the record is no JSON object")
    return record


def _can_be_structs(step: _Step) -> bool:
    """Return whether msgspec takes the names that are asked for, here and below."""
    inside = (*step.names.values(), *step.places.values())
    return all(map(_WRITABLE.fullmatch, step.names)) and all(
        each.is_mixed or each.ends or _can_be_structs(each) for each in inside
    )


def _struct(step: _Step) -> Any:
    """Return a struct of the names that are asked for; what is missing reads as null."""
    fields = [(f"f{i}", _type(each), None) for i, each in enumerate(step.names.values())]
    names = {f"f{i}": name for i, name in enumerate(step.names)}
    return msgspec.defstruct("Record", fields, rename=names, gc=False)


def _type(step: _Step) -> Any:
    """Return as what the value at a step is read: a struct or a list of them, or whatever is there."""
    if step.ends or step.is_mixed:
        return Any
    if step.names:
        return _struct(step) | None
    if len(step.places) > 1:
        return Any
    inner = next(iter(step.places.values()))
    return Any if inner.ends or inner.is_mixed else list[_type(inner)] | None  # type: ignore[misc]  # made here


def _take(step: _Step, rows: Sequence[Any], columns: list[list[Any]]) -> None:
    """Put what structs (n,) have into the columns; a struct that is not there has nothing."""
    for i, each in enumerate(step.names.values()):
        name = f"f{i}"
        _put(each, [None if row is None else getattr(row, name) for row in rows], columns)


def _put(step: _Step, found: list[Any], columns: list[list[Any]]) -> None:
    """Put what was read at a step (n,) into the columns."""
    if step.ends:
        assert step.column is not None
        if {dict, list} & set(map(type, found)):
            found = [NOT_SINGLE if isinstance(each, dict | list) else each for each in found]
        columns[step.column] = found
    elif _type(step) is Any:
        _put_followed(step, found, columns, ())
    elif step.names:
        _take(step, found, columns)
    else:
        place, each = next(iter(step.places.items()))
        _put(each, [None if row is None or place >= len(row) else row[place] for row in found], columns)


def _put_followed(step: _Step, found: list[Any], columns: list[list[Any]], path: Path) -> None:
    """Put what plain values (n,) have at a step and all after it into the columns."""
    if step.column is not None:
        columns[step.column] = [None if each is None else follow({"": each}, ("", *path)) for each in found]
    for name, each in step.names.items():
        _put_followed(each, found, columns, (*path, name))
    for place, each in step.places.items():
        _put_followed(each, found, columns, (*path, place))
