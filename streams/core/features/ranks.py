"""Where a probability stands among those of the partition: what means the same at any base rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ScoreRanks:
    """The probabilities of a partition's active customers at a sweep."""

    p: Floats
    """(k,) in rising order, at least one."""

    @classmethod
    def of(cls, p: Floats) -> ScoreRanks | None:
        """Return the ranks of (n,) probabilities, NaN for none; `None` where all are."""
        known = np.sort(p[~np.isnan(p)])
        return cls(known) if len(known) else None

    def lift(self, p: Floats) -> Floats:
        """Return (n,) probabilities over the mean of the active customers'."""
        lift: Floats = p / self.p.mean()
        return lift

    def rank(self, p: Floats) -> Floats:
        """Return the share of the active customers whose probability is higher, (n,): 0 for the highest."""
        higher = len(self.p) - np.searchsorted(self.p, p, side="right")
        rank: Floats = np.where(np.isnan(p), np.nan, higher / len(self.p))
        return rank
