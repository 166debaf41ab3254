"""Records of customers that come in order of time and go in the same order, as columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streams.core.features.renumbering import Renumbering

NONE: Final = -1
"""The place of no record."""
_FIRST_SIZE: Final = 64


class RecordQueue:
    """Records as columns, oldest first; those of one customer are linked from the newest to the oldest.

    A record is named by its place, which counts from 0 and is not used again until `compact` moves them all.
    `columns[name][place]` is a value; the live places are `begin` to before `end`.
    """

    def __init__(self, schema: Mapping[str, type[np.generic]]) -> None:
        self._schema = {**schema, "customer": np.int32, "link": np.int32}
        self.columns: dict[str, NDArray[Any]] = {
            name: np.zeros(_FIRST_SIZE, dtype=dtype) for name, dtype in self._schema.items()
        }
        self.begin = 0
        self.end = 0
        self._newest = np.full(_FIRST_SIZE, NONE, dtype=np.int32)
        """(customers,) the place of each customer's newest record; one before `begin` is none."""

    def __len__(self) -> int:
        return self.end - self.begin

    def append(self, customer: int, values: Mapping[str, Any]) -> int:
        """Put a record at the end and return its place."""
        self._make_room(customer)
        place = self.end
        for name, value in values.items():
            self.columns[name][place] = value
        self.columns["customer"][place] = customer
        self.columns["link"][place] = self._newest[customer]
        self._newest[customer] = place
        self.end += 1
        return place

    def drop(self, count: int) -> None:
        """Forget the oldest `count` records."""
        self.begin += count
        if self.begin > max(_FIRST_SIZE, 2 * len(self)):
            self._compact()

    def live(self, name: str) -> NDArray[Any]:
        """Return a column of the live records, (k,), oldest first, without a copy."""
        return self.columns[name][self.begin : self.end]

    def of(self, customer: int) -> Iterator[int]:
        """Yield the places of a customer's live records, the newest first."""
        place = int(self._newest[customer]) if customer < len(self._newest) else NONE
        while place >= self.begin:
            yield place
            place = int(self.columns["link"][place])

    def visit(
        self, customers: NDArray[np.int32], see: Callable[[NDArray[np.int64], NDArray[np.int32]], None]
    ) -> None:
        """Call `see(rows, places)` until each live record of (n,) customers was seen with its row."""
        known = np.flatnonzero(customers < len(self._newest))
        places = self._newest[customers[known]]
        while True:
            live = places >= self.begin
            known, places = known[live], places[live]
            if not len(known):
                return
            see(known, places)
            places = self.columns["link"][places]

    def renumber(self, to: Renumbering) -> None:
        """Give customers their new rows; those who leave have no live record."""
        owners = self.live("customer")
        assert to.mask(owners).all(), "a record waits for a customer who leaves"
        self.columns["customer"][self.begin : self.end] = to.place[owners]
        self._newest = to.column(self._newest, NONE)

    def restore(self, customers: NDArray[np.int32], columns: Mapping[str, NDArray[Any]]) -> None:
        """Go on from the live records, oldest first."""
        for row, customer in enumerate(customers.tolist()):
            self.append(customer, {name: values[row] for name, values in columns.items()})

    def _make_room(self, customer: int) -> None:
        if self.end == len(self.columns["customer"]):
            for name, column in self.columns.items():
                added = max(_FIRST_SIZE, len(column) // 4)
                self.columns[name] = np.concatenate([column, np.zeros(added, dtype=column.dtype)])
        if customer >= len(self._newest):
            added = max(customer + 1, 2 * len(self._newest)) - len(self._newest)
            self._newest = np.concatenate([self._newest, np.full(added, NONE, dtype=np.int32)])

    def _compact(self) -> None:
        """Move the live records to the front."""
        shift, size = self.begin, len(self)
        capacity = max(_FIRST_SIZE, size + size // 4)
        for name, column in self.columns.items():
            moved = np.zeros(capacity, dtype=column.dtype)
            moved[:size] = column[self.begin : self.end]
            self.columns[name] = moved
        self.columns["link"][:size] = np.maximum(self.columns["link"][:size] - shift, NONE)
        self._newest = np.maximum(self._newest - shift, NONE)
        self.begin, self.end = 0, size
