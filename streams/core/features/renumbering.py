"""Customers that leave the state, and the new rows of those that stay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Renumbering:
    """Which of (known,) customers stay; they move up and keep their order."""

    stays: NDArray[np.bool_]
    """(known,) whether each customer stays."""
    place: NDArray[np.int32]
    """(known,) the new row of each that does."""

    @classmethod
    def of(cls, stays: NDArray[np.bool_]) -> Renumbering:
        """Return the renumbering after which only those stay that (known,) says."""
        return cls(stays, (np.cumsum(stays) - 1).astype(np.int32))

    @property
    def size(self) -> int:
        """Return how many stay."""
        return int(self.place[-1]) + 1 if len(self.place) else 0

    @property
    def first_gone(self) -> int:
        """Return the first row whose customer leaves: those before it keep theirs."""
        return int(np.argmin(self.stays)) if len(self.stays) else 0

    def column(self, values: NDArray[Any], neutral: Any) -> NDArray[Any]:
        """Return a (capacity,) column of those who stay, with room for as many again as a quarter of them."""
        stays = self.stays[: len(values)]
        left = values[: len(stays)][stays]
        made = np.full(max(1024, len(left) + len(left) // 4), neutral, dtype=values.dtype)
        made[: len(left)] = left
        return made

    def mask(self, rows: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
        """Say of each (n,) customer whether it stays."""
        found: NDArray[np.bool_] = self.stays[rows]
        return found

    def by_customer(self, values: Mapping[int, _Value]) -> dict[int, _Value]:
        """Return what is kept by customer, of those who stay, in the same order."""
        stays, place = self.stays, self.place
        return {int(place[customer]): value for customer, value in values.items() if stays[customer]}
