"""The days of the last half year on which a customer did something, a bit for each.

`WORDS` columns of 64 bits: bit `k` of word `j` stands for the day of age `64 j + k`, today's age being 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

WORDS: Final = tuple(f"order_day_bits_{word}" for word in range(3))
DAYS: Final = 64 * len(WORDS)
WEEK: Final = 7

_AT_ONCE: Final = 9
"""Weeks that fit into a word."""

_ONE, _TOP = np.uint64(1), np.uint64(63)


def next_day(words: Sequence[NDArray[np.uint64]]) -> NDArray[np.int64]:
    """Let every day grow older by one; return the rows of which a day is forgotten by that."""
    forgotten = np.flatnonzero(words[-1] >> _TOP)
    for older, younger in zip(words[:0:-1], words[-2::-1], strict=True):
        np.left_shift(older, _ONE, out=older)
        older |= younger >> _TOP
    np.left_shift(words[0], _ONE, out=words[0])
    return forgotten


def weeks(words: Sequence[NDArray[np.uint64]], count: int) -> NDArray[np.int64]:
    """Return how many of the last `count` blocks of seven days hold a day, (n,)."""
    found = np.zeros(len(words[0]), dtype=np.int64)
    for begin in range(0, count, _AT_ONCE):
        word, bit = divmod(begin * WEEK, 64)
        bits = words[word] >> np.uint64(bit)
        if bit and word + 1 < len(words):
            bits |= words[word + 1] << np.uint64(64 - bit)
        # The first bit of each block is set where any of its seven is.
        for shift in (1, 2, 3):
            bits |= bits >> np.uint64(shift)
        bits &= np.uint64(sum(1 << WEEK * week for week in range(min(_AT_ONCE, count - begin))))
        found += np.bitwise_count(bits)
    return found


def as_number(words: Sequence[Any]) -> int:
    """Return one row's words as one number: bit `k` is the day of age `k`."""
    return sum(int(word) << (64 * place) for place, word in enumerate(words))


def as_words(number: int) -> tuple[int, ...]:
    """Return a number of `as_number` as words."""
    return tuple(number >> (64 * place) & (2**64 - 1) for place in range(len(WORDS)))
