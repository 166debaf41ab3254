"""A distribution of durations, counted in buckets."""

from __future__ import annotations

import math
import threading
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Buckets for work that lasts between milliseconds and minutes."""
LATENCIES: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3_600.0, 86_400.0)
"""Buckets for how long something took from end to end, a backlog of days included."""


@dataclass(frozen=True, slots=True)
class HistogramFigures:
    """A histogram at one moment."""

    bounds: tuple[float, ...]
    """The upper bounds of the buckets, rising; one bucket more has no bound."""
    counts: tuple[int, ...]
    """How many lie in each bucket alone."""
    sum: float

    @property
    def count(self) -> int:
        """Return how many there are."""
        return sum(self.counts)

    def cumulated(self) -> list[tuple[str, float]]:
        """Return the buckets as Prometheus wants them: each with all that lies below its bound."""
        total, found = 0, []
        for bound, count in zip((*self.bounds, math.inf), self.counts, strict=True):
            total += count
            found.append(("+Inf" if bound == math.inf else str(bound), float(total)))
        return found


class Histogram:
    """Counts durations in seconds; several threads may observe at once."""

    def __init__(self, bounds: Sequence[float] = SECONDS) -> None:
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        self._sum = 0.0
        self._lock = threading.Lock()

    def observe(self, seconds: float, times: int = 1) -> None:
        """Count a duration, or several that are equal."""
        with self._lock:
            self._counts[bisect_left(self._bounds, seconds)] += times
            self._sum += seconds * times

    def figures(self) -> HistogramFigures:
        """Return what was counted."""
        with self._lock:
            return HistogramFigures(self._bounds, tuple(self._counts), self._sum)
