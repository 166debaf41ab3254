"""One field of an event: its values from the columns of foreign records, converted in a fixed order."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.contract.rejected import RefusalReason
from streams.inputs.contract_fields import Kind, kind_of
from streams.inputs.field_entry import CurrencyEntry, FieldEntry
from streams.inputs.money import minor_digits
from streams.inputs.numbers import (
    as_json_numbers,
    boolean_of,
    booleans_of,
    not_a_number,
    number_of,
    numbers_of,
    wrong_places,
)
from streams.inputs.paths import Path, show_path
from streams.inputs.problems import Problems
from streams.inputs.texts import Columns
from streams.inputs.times import instants_of, written_instants

BLANKS: Final = " \t\r\n\f\v\u00a0\u2007\u202f\u3000\ufeff"
"""What `trim` takes away at both ends."""
POINT_AND_ZEROS: Final = r"^(-?[0-9]+)\.0+$"
"""What `whole` takes the point and the zeros of away."""
JOINT: Final = "\x1f"
"""Stands between the texts that are hashed; U+001F, the unit separator."""
HASH_DIGITS: Final = 32
"""Hexadecimal digits of a hash."""

NOT_THERE: Final = "is not there"
NOT_NAMED: Final = "is a word that `map` does not name"
NO_BOOLEAN: Final = "is neither true nor false"
NO_FORM: Final = "does not have the form that `time` says"
OUTSIDE: Final = "lies before 1970 or after 9999"
NO_CURRENCY: Final = "is no currency of ISO 4217"


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """How one field of the contract is filled."""

    name: str
    entry: FieldEntry
    required: bool

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where its value comes from."""
        entry = self.entry
        own = (entry.path,) if entry.path is not None else entry.first_of or entry.hash or entry.product
        return (*own, entry.minor_units.path) if isinstance(entry.minor_units, CurrencyEntry) else own

    @property
    def origin(self) -> str:
        """What a refusal says of the field: its name and where its value comes from."""
        entry = self.entry
        own = (entry.path,) if entry.path is not None else entry.first_of or entry.hash or entry.product
        return f"{self.name} from {', '.join(map(show_path, own))}" if own else self.name

    def values(self, columns: Columns, n: int, problems: Problems) -> pl.Series:
        """Return the values (n,) as the contract's JSON has them, and note what is wrong with records."""
        kind, entry = kind_of(self.name), self.entry
        if entry.product:
            found = self._product(columns, n, problems)
        else:
            found = self._words(self._source(columns, n, problems), problems)
        match kind:
            case Kind.NUMBER | Kind.WHOLE:
                if not entry.product:
                    found = self._numbers(found, problems)
                found = as_json_numbers(self._amounts(found, columns, problems), kind)
            case Kind.BOOLEAN:
                found, wrong = booleans_of(found)
                problems.note(wrong, RefusalReason.WRONG_TYPE, f"{self.origin} {NO_BOOLEAN}")
            case Kind.INSTANT if entry.time:
                at, there, outside = instants_of(found, entry.time, entry.zone)
                wrong = found.is_not_null().to_numpy() & ~there & ~outside
                problems.note(outside, RefusalReason.OUT_OF_RANGE, f"{self.origin} {OUTSIDE}")
                problems.note(wrong, RefusalReason.WRONG_VALUE, f"{self.origin} {NO_FORM}")
                found = written_instants(at, there)
            case Kind.TEXT if entry.prefix is not None:
                found = entry.prefix + found
            case _:
                pass
        if entry.default is not None:
            found = found.fill_null(self._default(kind, entry.default))
        if self.required:
            problems.note(
                found.is_null().to_numpy(), RefusalReason.MISSING_FIELD, f"{self.origin} {NOT_THERE}"
            )
        if kind is Kind.WORDS:
            lists = found.to_frame("").select(pl.concat_list("")).to_series()
            found = lists.set(found.is_null(), None) if found.has_nulls() else lists
        return found

    def _source(self, columns: Columns, n: int, problems: Problems) -> pl.Series:
        """Return the texts (n,) that the value comes from."""
        entry = self.entry
        if entry.constant is not None:
            return pl.repeat(entry.constant, n, dtype=pl.String, eager=True)
        if entry.hash:
            return self._hashed(columns, problems)
        found: pl.Series | None = None
        for path in (entry.path,) if entry.path is not None else entry.first_of:
            column = columns[path]
            self._note_blocked(columns, [path], problems, found)
            found = column.texts if found is None else found.zip_with(found.is_not_null(), column.texts)
        assert found is not None
        return found

    def _note_blocked(
        self, columns: Columns, paths: Sequence[Path], problems: Problems, found: pl.Series | None = None
    ) -> None:
        """Note where a path comes to no single value, and nothing was found before."""
        for path in paths:
            for wrong, places in columns[path].blocked.items():
                open_ = places if found is None else places[found.is_null().to_numpy()[places]]
                problems.note(open_, RefusalReason.WRONG_TYPE, f"{self.name} from {show_path(path)} {wrong}")

    def _hashed(self, columns: Columns, problems: Problems) -> pl.Series:
        """Return the hashes (n,) of several texts; null where none of them is there."""
        self._note_blocked(columns, self.entry.hash, problems)
        parts = [columns[path].texts.to_list() for path in self.entry.hash]
        return pl.Series([hash_of(each) for each in zip(*parts, strict=True)], dtype=pl.String)

    def _words(self, found: pl.Series, problems: Problems) -> pl.Series:
        """Return texts (n,) with blanks, case and words as the mapping says."""
        entry = self.entry
        found = self._trimmed(found)
        if entry.lower:
            found = found.str.to_lowercase()
        if entry.upper:
            found = found.str.to_uppercase()
        if entry.whole:
            found = found.str.replace(POINT_AND_ZEROS, "${1}")
        if entry.map is not None:
            named = found.replace_strict(
                list(entry.map), list(entry.map.values()), default=entry.otherwise, return_dtype=pl.String
            )
            if entry.otherwise is not None and found.has_nulls():
                named = named.set(found.is_null(), None)
            problems.note(wrong_places(found, named), RefusalReason.UNMAPPED, f"{self.origin} {NOT_NAMED}")
            found = named
        return found

    def _trimmed(self, texts: pl.Series) -> pl.Series:
        if not self.entry.trim:
            return texts
        texts = texts.str.strip_chars(BLANKS)
        return texts.set((texts == "").fill_null(False), None)

    def _numbers(self, texts: pl.Series, problems: Problems) -> pl.Series:
        decimal = self.entry.decimal
        numbers, wrong = numbers_of(texts, decimal)
        problems.note(wrong, RefusalReason.WRONG_TYPE, f"{self.origin} {not_a_number(decimal)}")
        return numbers

    def _product(self, columns: Columns, n: int, problems: Problems) -> pl.Series:
        """Return the product (n,) of several numbers; null where one is not there."""
        self._note_blocked(columns, self.entry.product, problems)
        found = pl.repeat(1.0, n, dtype=pl.Float64, eager=True)
        for path in self.entry.product:
            numbers, wrong = numbers_of(self._trimmed(columns[path].texts), self.entry.decimal)
            origin = f"{self.name} from {show_path(path)}"
            problems.note(wrong, RefusalReason.WRONG_TYPE, f"{origin} {not_a_number(self.entry.decimal)}")
            found = found * numbers
        return found

    def _amounts(self, numbers: pl.Series, columns: Columns, problems: Problems) -> pl.Series:
        """Return amounts (n,) in whole units of their currency, without sign where the mapping says so."""
        entry = self.entry
        if isinstance(entry.minor_units, CurrencyEntry):
            path = entry.minor_units.path
            self._note_blocked(columns, [path], problems)
            names = columns[path].texts.str.strip_chars(BLANKS).str.to_uppercase()
            digits = {name: minor_digits(name) for name in names.unique().drop_nulls().to_list()}
            power = {name: 10.0**count for name, count in digits.items() if count is not None}
            powers = names.replace_strict(
                list(power), list(power.values()), default=None, return_dtype=pl.Float64
            )
            origin = f"{self.name} in the currency of {show_path(path)}"
            problems.note(
                wrong_places(names, powers), RefusalReason.WRONG_VALUE, f"{origin}, which {NO_CURRENCY}"
            )
            unknown = (numbers.is_not_null() & names.is_null()).to_numpy()
            problems.note(unknown, RefusalReason.MISSING_FIELD, f"{origin}, which {NOT_THERE}")
            numbers = _divided(numbers, powers.to_numpy())
        elif entry.minor_units is not None:
            digits_of_all = minor_digits(entry.minor_units)
            assert digits_of_all is not None
            numbers = _divided(numbers, 10.0**digits_of_all)
        return numbers.abs() if entry.absolute else numbers

    @staticmethod
    def _default(kind: Kind, default: str) -> str | float | bool | None:
        if kind is Kind.BOOLEAN:
            return boolean_of(default)
        return number_of(default) if kind in (Kind.NUMBER, Kind.WHOLE) else default


def _divided(numbers: pl.Series, by: float | NDArray[np.float64]) -> pl.Series:
    """Return quotients (n,) as they are rounded by Python: Polars multiplies by the inverse of a number."""
    return pl.Series(numbers.to_numpy() / by, nan_to_null=True, dtype=pl.Float64)


def hash_of(parts: Sequence[str | None]) -> str | None:
    """Return the id that several texts make, `None` where none is there; a missing one counts as empty.

    >>> hash_of(["1001", "paid"])
    '95da95b770e6b9262891c15989830567'
    """
    if not any(parts):
        return None
    joined = JOINT.join(part or "" for part in parts)
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()[:HASH_DIGITS]
