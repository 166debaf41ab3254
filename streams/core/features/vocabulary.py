"""The words that customers' profiles and orders use, as small numbers: at most so many of each field.

A field of a profile or an order is meant to have few values. Where a source writes something else into it (an
id, a date), every event may bring a new one, and memory and checkpoints would grow without end. So a field
has a bound: a word beyond it is unknown, as if the field had not been given, until a local midnight finds
that words of the field are used by nobody any more. Which words are known depends on the order in which
events are taken alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.core.features.words import TIMES, classes_of

MOST_WORDS: Final = 10_000
"""Words of a field, by default: twice as many as a census has cells."""
MOST_CURRENCIES: Final = 1_000
"""Currencies are never forgotten, as sums are kept in them; there are about 180."""
CURRENCY: Final = "currency"
UNKNOWN: Final = 0
"""The code of no word."""
_SPARE: Final = 128
"""So many words may be kept that nobody uses, and as many as are used."""


class Vocabulary:
    """Words by their codes, and which of them each field has."""

    def __init__(self, most: int = MOST_WORDS) -> None:
        self.most = most
        self.words: list[str | None] = [None]
        """By code."""
        self.over: Counter[str] = Counter()
        """By field, events whose word was beyond the bound, since this was last asked."""
        self._codes: dict[str, int] = {}
        self._of: dict[str, dict[str, int]] = {}
        """By field, the words that it has."""
        self._series = pl.Series("words", [None], dtype=pl.String)
        self._classes = np.full((1, TIMES), np.nan)

    def bound(self, field: str) -> int:
        """Return how many words a field may have."""
        return MOST_CURRENCIES if field == CURRENCY else self.most

    def size(self, field: str) -> int:
        """Return how many words a field has."""
        return len(self._of.get(field, ()))

    def room(self, field: str) -> int:
        """Return how many more words a field may have."""
        return max(0, self.bound(field) - self.size(field))

    def code(self, field: str, word: str | None) -> int:
        """Return the code of a field's value; `UNKNOWN` where there is none, or no room for a new word."""
        if word is None:
            return UNKNOWN
        known = self._of.setdefault(field, {})
        code = known.get(word)
        if code is None:
            if len(known) >= self.bound(field):
                return UNKNOWN
            code = known[word] = self._any_code(word)
        return code

    def _any_code(self, word: str) -> int:
        code = self._codes.get(word)
        if code is None:
            code = self._codes[word] = len(self.words)
            self.words.append(word)
        return code

    def note_over(self, field: str, events: int) -> None:
        """Count events whose word was beyond a field's bound."""
        if events:
            self.over[field] += events

    def take_over(self) -> Counter[str]:
        """Return how many events had a word beyond a field's bound since this was last asked, by field."""
        over, self.over = self.over, Counter()
        return over

    # -- as columns -------------------------------------------------------------------------------

    def series(self) -> pl.Series:
        """Return the words by code as a column; code 0 is null."""
        if len(self._series) != len(self.words):
            self._series = pl.Series("words", self.words, dtype=pl.String)
        return self._series

    def classes(self) -> NDArray[np.float64]:
        """Return the classes of the words by code, (words, `TIMES`), NaN for code 0."""
        known = len(self._classes)
        if known != len(self.words):
            new = [classes_of(word) for word in self.words[known:] if word is not None]
            self._classes = np.concatenate([self._classes, np.array(new, dtype=np.float64)])
        return self._classes

    # -- what nobody uses -------------------------------------------------------------------------

    def is_filling(self, field: str) -> bool:
        """Return whether half the room of a field is taken: it is worth looking which words are used."""
        return field != CURRENCY and 2 * self.size(field) >= self.bound(field)

    def keep_used(self, field: str, codes: NDArray[np.bool_]) -> None:
        """Let a field have no other words than those that are used, (words,) by code."""
        self._of[field] = {word: code for word, code in self._of[field].items() if codes[code]}

    def packed(self) -> NDArray[np.int32] | None:
        """Forget the words that no field has, and return the new code of each old one, (words,).

        `None` where there are too few of them to be worth it.
        """
        used = {code for known in self._of.values() for code in known.values()}
        if len(self.words) <= 2 * len(used) + _SPARE:
            return None
        new = np.zeros(len(self.words), dtype=np.int32)
        kept = np.array(sorted(used), dtype=np.int64)
        new[kept] = np.arange(1, len(kept) + 1)
        self.words = [None, *(self.words[code] for code in kept.tolist())]
        self._codes = {word: code for code, word in enumerate(self.words) if word is not None}
        self._of = {field: {word: self._codes[word] for word in known} for field, known in self._of.items()}
        self._series = pl.Series("words", self.words, dtype=pl.String)
        self._classes = self._classes[np.append(0, kept[kept < len(self._classes)])]
        return new

    # -- at rest ----------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return the words, and those of each field by code, as plain JSON values."""
        return {"words": self.words[1:], "fields": {f: list(own.values()) for f, own in self._of.items()}}

    def restore(self, words: Sequence[str], fields: Mapping[str, Sequence[int]]) -> None:
        """Go on from `state`."""
        for word in words:
            self._any_code(word)
        for field, codes in fields.items():
            self._of[field] = {words[code - 1]: code for code in codes}

    def know(self, field: str, codes: NDArray[np.int32]) -> None:
        """Let a field have the words of (k,) codes, which are in use in a state without bounds."""
        known = self._of.setdefault(field, {})
        for code in np.unique(codes[codes != UNKNOWN]).tolist():
            word = self.words[code]
            assert word is not None
            known[word] = code
