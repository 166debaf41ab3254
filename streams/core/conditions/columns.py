"""Features as conditions read them, without a frame: numbers as arrays, words as codes.

At each evaluation a Polars frame of them would cost as much as the conditions themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class WordCodes:
    """A column of words as places among all words there are."""

    words: list[str | None]
    codes: NDArray[np.integer[Any]]
    """(n,)"""

    def __getitem__(self, part: slice) -> WordCodes:
        """Return some rows."""
        return WordCodes(self.words, self.codes[part])

    def used(self) -> tuple[list[str | None], NDArray[np.int64]]:
        """Return the words that occur, and (n,) the place of each row's word among them."""
        present = np.flatnonzero(np.bincount(self.codes, minlength=1))
        place = np.zeros(int(present.max(initial=0)) + 1, dtype=np.int64)
        place[present] = np.arange(len(present))
        return [self.words[code] for code in present.tolist()], place[self.codes]


@dataclass(frozen=True, slots=True)
class RuleColumns:
    """Some features of `height` rows, by name: integers, floats with NaN for missing, or word codes."""

    height: int
    columns: dict[str, NDArray[Any] | WordCodes]

    def __getitem__(self, part: slice) -> RuleColumns:
        """Return some rows."""
        begin, end, _ = part.indices(self.height)
        return RuleColumns(end - begin, {name: values[part] for name, values in self.columns.items()})

    def get_column(self, name: str) -> NDArray[Any] | WordCodes:
        """Return a column."""
        return self.columns[name]


def is_same_everywhere(values: NDArray[Any]) -> bool:
    """Return whether all of (n,) numbers, one at least, are the same, or missing."""
    first, last = values[0], values[-1]
    if first != first:
        return bool(last != last) and bool(np.isnan(values).all())
    return bool(first == last) and bool((values == first).all())
