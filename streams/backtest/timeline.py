"""Instants by customer, and what came next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from streams.core.events.calendar import ALWAYS, NEVER

Instants = NDArray[np.int64]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CustomerInstants:
    """(k,) instants, those of one customer together and in ascending order."""

    starts: Rows
    """(c + 1,) where each customer's instants begin, and their number."""
    at: Instants
    source: Rows
    """(k,) the position of each instant in what the timeline was made of."""

    @classmethod
    def of(cls, customer: NDArray[np.integer], at: Instants, customers: int) -> Self:
        """Return (k,) instants of (k,) customers, of whom there are `customers`; ties keep their order."""
        order = np.lexsort((at, customer))
        starts = np.searchsorted(customer[order], np.arange(customers + 1))
        return cls(starts, at[order], order)

    @property
    def customer(self) -> Rows:
        """The customer of each instant, (k,)."""
        return np.repeat(np.arange(len(self.starts) - 1, dtype=np.int64), np.diff(self.starts))

    def after(self, customer: NDArray[np.integer], at: Instants) -> Rows:
        """Return for each (n,) customer the place of the first instant after `at`, or where the next begins.

        A binary search in all of them at once: an instant and a customer together fit no sortable number.
        """
        low: Rows = self.starts[customer]
        high = self.starts[customer + 1]
        while True:
            open_ = low < high
            if not open_.any():
                return low
            middle = (low + high) // 2
            before = open_ & (self.at[np.minimum(middle, len(self.at) - 1)] <= at)
            low = np.where(before, middle + 1, low)
            high = np.where(open_ & ~before, middle, high)

    def next(self, customer: NDArray[np.integer], at: Instants) -> Instants:
        """Return for each (n,) customer the first instant after `at`, `ALWAYS` for none."""
        place = self.after(customer, at)
        return self._read(place, place < self.starts[customer + 1], ALWAYS)

    def last(self, customer: NDArray[np.integer], at: Instants) -> Instants:
        """Return for each (n,) customer the last instant up to and including `at`, `NEVER` for none."""
        place = self.after(customer, at) - 1
        return self._read(place, place >= self.starts[customer], NEVER)

    def _read(self, place: Rows, there: NDArray[np.bool_], otherwise: int) -> Instants:
        result = np.full(len(place), otherwise, dtype=np.int64)
        result[there] = self.at[place[there]]
        return result
