"""Hats: where the inputs of samples lie between the knots of the model, kept for all learners that ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streams.core.model.logistic import INPUTS, KNOTS, SLOTS, Input, places

Floats = NDArray[np.float64]


@dataclass(slots=True)
class Hats:
    """Where the inputs of samples lie between knots, (n, m) as `places` returns it."""

    knot: NDArray[np.uint8]
    way: Floats
    _columns: tuple[NDArray[np.intp], Floats] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, x: NDArray[np.floating[Any]], inputs: Sequence[Input] = INPUTS) -> Hats:
        """Return that of (n, m) inputs."""
        low, high = np.array([(i.low, i.high) for i in inputs]).T
        knot, way = places(to_single(x), low, high)
        return cls(knot.astype(np.uint8), way)

    def take(self, rows: NDArray[np.integer[Any]] | slice) -> Hats:
        """Return that of some samples."""
        return Hats(self.knot[rows], self.way[rows])

    def after(self, other: Hats) -> Hats:
        """Return that of the samples of `other` and then of these."""
        return Hats(np.concatenate([other.knot, self.knot]), np.concatenate([other.way, self.way]))

    def columns(self) -> tuple[NDArray[np.intp], Floats]:
        """Return for each row, (n, 2 m + 1), the columns that are not 0 and what is in them.

        They are computed once, however many learners ask.
        """
        if self._columns is None:
            n, m = self.way.shape
            at = np.empty((n, 2 * m + 1), dtype=np.intp)
            part = np.empty((n, 2 * m + 1))
            np.add(self.knot, np.arange(m) * SLOTS, out=at[:, :m])
            # The knot after: of a missing value it is the same, with nothing in it.
            np.add(at[:, :m], self.knot < KNOTS, out=at[:, m:-1])
            np.subtract(1.0, self.way, out=part[:, :m])
            part[:, m:-1] = self.way
            at[:, -1], part[:, -1] = m * SLOTS, 1.0
            self._columns = at, part
        return self._columns


def to_single(x: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Return inputs in single precision; what is infinite is missing."""
    return np.where(np.isfinite(x), x, np.nan).astype(np.float32)
