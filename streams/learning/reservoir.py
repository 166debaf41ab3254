"""The reservoir: what was learned, kept to be learned again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streams.learning.hats import Hats

Floats = NDArray[np.float64]


class Reservoir:
    """A bounded uniform sample of what was learned, that slowly forgets."""

    def __init__(self, columns: int, size: int, memory: int, *, with_hats: bool = False) -> None:
        self.size, self.memory = size, memory
        none = (0, columns)
        self.hats = Hats(np.empty(none, dtype=np.uint8), np.empty(none)) if with_hats else None
        """Those of `x`, where there is memory for them."""
        self.x = np.empty((0, columns), dtype=np.float32)
        self.y = np.empty(0, dtype=np.bool_)
        self.weight = np.empty(0)
        self.seen = 0

    def __len__(self) -> int:
        return len(self.y)

    def put(
        self,
        x: NDArray[np.float32],
        y: NDArray[np.bool_],
        weight: Floats,
        dice: np.random.Generator,
        hats: Hats,
    ) -> None:
        """Take in (k, m) inputs, (k,) outcomes and weights, in the place of others where it is full."""
        room = min(self.size - len(self), len(y))
        if room:
            self.x, self.y = np.concatenate([self.x, x[:room]]), np.concatenate([self.y, y[:room]])
            self.weight = np.concatenate([self.weight, weight[:room]])
            if self.hats is not None:
                self.hats = hats.take(slice(room)).after(self.hats)
        seen = np.minimum(self.seen + 1 + np.arange(room, len(y)), self.size * self.memory)
        self.seen += len(y)
        place = dice.integers(0, seen)
        taken = np.flatnonzero(place < self.size)
        self.x[place[taken]], self.y[place[taken]] = x[room + taken], y[room + taken]
        self.weight[place[taken]] = weight[room + taken]
        if self.hats is not None:
            self.hats.knot[place[taken]] = hats.knot[room + taken]
            self.hats.way[place[taken]] = hats.way[room + taken]
