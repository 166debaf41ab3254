"""The order in which events are taken: what may still be reordered waits, what comes later is late."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streams.core.events.batch import Batch
from streams.core.events.calendar import NEVER


@dataclass(frozen=True, slots=True)
class ReorderedEvents:
    """Events in the order they are to be taken, with the instant at which each is judged."""

    events: Batch
    instant: NDArray[np.int64]
    """(n,) never decreasing; the event time, or for a late event the watermark when it arrived."""


class ReorderBuffer:
    """Puts events up to `reorder` microseconds apart in order.

    The watermark is the greatest event time that has arrived, less `reorder`. An event below the watermark
    at its arrival is late and is judged at the watermark; the others wait until the watermark has passed
    them. So the result depends on the order of arrival only, never on how it was cut into batches.
    """

    def __init__(self, reorder: int) -> None:
        self.reorder = reorder
        self.watermark = int(NEVER)
        self.newest = int(NEVER)
        """The greatest event time that has arrived."""
        self._held = Batch.empty()
        self._instant = np.empty(0, dtype=np.int64)

    @property
    def held(self) -> int:
        """How many events wait."""
        return len(self._held)

    @property
    def waiting(self) -> tuple[Batch, NDArray[np.int64]]:
        """The events that wait, and the instant at which each will be judged, (n,)."""
        return self._held, self._instant

    def restore(self, held: Batch, instant: NDArray[np.int64], watermark: int, newest: int) -> None:
        """Go on from `waiting`, `watermark` and `newest`."""
        self._held, self._instant = held, instant
        self.watermark, self.newest = watermark, newest

    def put(self, batch: Batch) -> ReorderedEvents:
        """Take in events as they arrived and return those that the watermark has passed."""
        if not len(batch):
            return ReorderedEvents(batch, batch.at)
        newest = np.maximum.accumulate(batch.at)
        before = np.concatenate([[self.newest], np.maximum(newest[:-1], self.newest)])
        watermark = np.maximum(_less(before, self.reorder), self.watermark)
        instant = np.maximum(batch.at, watermark)
        self.newest = max(self.newest, int(newest[-1]))
        self.watermark = max(self.watermark, self.newest - self.reorder)
        return self._release(
            Batch.concat([self._held, batch]) if len(self._held) else batch,
            np.concatenate([self._instant, instant]),
            self.watermark,
        )

    def flush(self) -> ReorderedEvents:
        """Return all that waits; whatever comes below it from now on is late."""
        self.watermark = max(self.watermark, self.newest)
        return self._release(self._held, self._instant, self.watermark + 1)

    def _release(self, events: Batch, instant: NDArray[np.int64], until: int) -> ReorderedEvents:
        """Return the events judged before `until` and hold the others."""
        now = instant < until
        if bool(now.all()):
            self._held, self._instant = Batch.empty(), np.empty(0, dtype=np.int64)
        else:
            later = np.flatnonzero(~now)
            self._held, self._instant = events.take(later), instant[later]
            events, instant = events.take(now), instant[now]
        order = events.order(instant)
        return ReorderedEvents(events.take(order), instant[order])


def _less(instants: NDArray[np.int64], interval: int) -> NDArray[np.int64]:
    """Return the instants less an interval; before the first event there is nothing to be less than."""
    return np.where(instants == NEVER, NEVER, instants - np.where(instants == NEVER, 0, interval))
