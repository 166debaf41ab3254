"""Words as the model reads them: each is in one of seven classes, three times over, by a hash.

The hash is the same in every process, so nothing is kept of which word has which class.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

CLASSES: Final = 7
TIMES: Final = 3


def word_columns(feature: str) -> tuple[str, ...]:
    """Return the names of the columns of a word's classes; rules do not know them."""
    return tuple(f"{feature}:class{time}" for time in range(1, TIMES + 1))


def classes_of(word: str) -> tuple[int, ...]:
    """Return a word's classes.

    >>> classes_of("north") != classes_of("south")
    True
    """
    number = int.from_bytes(blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
    return tuple(number // CLASSES**time % CLASSES for time in range(TIMES))
