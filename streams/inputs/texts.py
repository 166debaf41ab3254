"""Single values as texts: what a mapping compares, joins and converts is always the text of a value.

So `5`, `5.0` and `"5"` are the same id, whichever of them a producer writes, and a column of a CSV file is
read as the same field of a JSON record is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.inputs.paths import Blocked, Path

EXACT: Final = 2.0**53
"""Up to here a float is the whole number that it looks like."""


def text_of(value: object) -> str | None:
    """Return the text of a single value; an empty text is none.

    >>> text_of(5.0), text_of(0.5), text_of(True), text_of("")
    ('5', '0.5', 'true', None)
    """
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < EXACT else repr(value)
    return None


def text_column(values: Sequence[object]) -> pl.Series:
    """Return the texts (n,) of values as `text_of` has them; null where there is none."""
    kinds = set(map(type, values))
    kinds.discard(type(None))
    if kinds <= {str}:
        column = pl.Series(values, dtype=pl.String)
        return _without_empty(column)
    if kinds == {int}:
        try:
            return pl.Series(values, dtype=pl.Int64).cast(pl.String)
        except (OverflowError, TypeError, pl.exceptions.PolarsError):
            pass
    return pl.Series([text_of(value) for value in values], dtype=pl.String)


def _without_empty(column: pl.Series) -> pl.Series:
    empty = column == ""
    return column.set(empty, None) if empty.any() else column


@dataclass(frozen=True, slots=True)
class Column:
    """What records have at one path."""

    texts: pl.Series
    """(n,) texts, null where nothing is there."""
    blocked: Mapping[str, NDArray[np.int64]]
    """By what is wrong, the places of records in which the path comes to no single value."""

    @classmethod
    def of(cls, values: Sequence[object]) -> Column:
        """Return the column of single values, `None` or `Blocked`."""
        found: dict[str, list[int]] = {}
        if Blocked in set(map(type, values)):
            for i, value in enumerate(values):
                if isinstance(value, Blocked):
                    found.setdefault(value.wrong, []).append(i)
        return cls(text_column(values), {wrong: np.array(places) for wrong, places in found.items()})

    def take(self, places: NDArray[np.int64]) -> Column:
        """Return the column of the records at these places, which are in order."""
        blocked = {}
        for wrong, before in self.blocked.items():
            now = np.searchsorted(places, before)
            now = (
                now[(now < len(places)) & (places[np.minimum(now, len(places) - 1)] == before)]
                if len(places)
                else now[:0]
            )
            blocked[wrong] = now
        return Column(self.texts.gather(places), blocked)

    def blocked_mask(self) -> NDArray[np.bool_]:
        """Return where (n,) the path comes to no single value."""
        found = np.zeros(len(self.texts), dtype=np.bool_)
        for places in self.blocked.values():
            found[places] = True
        return found


Columns = Mapping[Path, Column]
"""What records have at each path."""
