"""When the records were produced that brought event time to an instant: where a warning's latency begins."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streams.core.events.batch import Batch
from streams.intake.lane import Lane, lane_number, split_offsets

UNKNOWN_MS: Final = -1


@dataclass(frozen=True, slots=True)
class _Released:
    """Events that the engine was given together, in the order in which event time passed them."""

    reached: NDArray[np.int64]
    """(n,) the event time that was reached with each, never decreasing."""
    lane: NDArray[np.int64]
    """(n,) the number of the Kafka topic that each came from."""
    offset: NDArray[np.int64]


class ProduceTimes:
    """Keeps Kafka's timestamps of one partition's records for as long as steps may come of them.

    The engine puts events up to `reorder_us` apart in order, so a step may come of events of the call before.
    """

    def __init__(self, reorder_us: int) -> None:
        self._reorder_us = reorder_us
        self._polls: dict[int, deque[tuple[NDArray[np.int64], NDArray[np.int64]]]] = {}
        """By the number of a Kafka topic, (offsets, timestamps) of polls, in their order."""
        self._released: deque[_Released] = deque()

    def take(self, lane: Lane, offsets: NDArray[np.int64], timestamps_ms: NDArray[np.int64]) -> None:
        """Take in the (n,) records of a poll, milliseconds since the epoch."""
        if len(offsets):
            self._polls.setdefault(lane_number(lane), deque()).append((offsets, timestamps_ms))

    def release(self, batch: Batch) -> None:
        """Note that the engine is given events, and forget what no step can come of any more."""
        if self._released:
            passed = int(self._released[-1].reached[-1]) - self._reorder_us
            while len(self._released) > 1 and self._released[0].reached[-1] < passed:
                self._forget(self._released.popleft())
        reached = np.maximum.accumulate(batch.at)
        if self._released:
            reached = np.maximum(reached, self._released[-1].reached[-1])
        self._released.append(_Released(reached, *split_offsets(batch.offset, batch.topic)))

    def of(self, instants: Sequence[int]) -> NDArray[np.int64]:
        """Return, by instant, when the record was produced with which event time reached it.

        An instant of a sweep was reached with the first event after it. `UNKNOWN_MS` where a record that was
        read before this process began is meant.
        """
        wanted = np.array(instants, dtype=np.int64)
        found = np.full(len(wanted), UNKNOWN_MS, dtype=np.int64)
        open_ = np.ones(len(wanted), dtype=np.bool_)
        for released in self._released:
            rows = np.searchsorted(released.reached, wanted)
            here = np.flatnonzero(open_ & (rows < len(released.reached)))
            open_[here] = False
            lanes, offsets = released.lane[rows[here]], released.offset[rows[here]]
            for lane, polls in self._polls.items():
                of_lane = lanes == lane
                for known, timestamps in polls if of_lane.any() else ():
                    places = np.minimum(np.searchsorted(known, offsets), len(known) - 1)
                    match = of_lane & (known[places] == offsets)
                    found[here[match]] = timestamps[places[match]]
        return found

    def _forget(self, released: _Released) -> None:
        for lane, polls in self._polls.items():
            newest = released.offset[released.lane == lane].max(initial=-1)
            while polls and polls[0][0][-1] <= newest:
                polls.popleft()
