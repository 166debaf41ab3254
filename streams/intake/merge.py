"""The topics of one partition, merged in event time.

Without it a backlog of orders read before the logins of the same days makes every customer look silent. The
idea is that of Kafka Streams' `max.task.idle.ms`: the others wait, at its newest event that was read, for a
topic that is behind its partition's end, and never for one that has been read to its end. A topic with an
open transaction is behind: time does not pass what is undecided, while all topics are read on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from streams.core.events.batch import Batch
from streams.core.events.topics import Topic


class TopicReadiness(StrEnum):
    """Whether the other topics of a partition must wait for a topic."""

    UNKNOWN = "unknown"
    """How far it reaches is not known: it counts as behind."""
    BEHIND = "behind"
    """It has records that were not read yet: what happened after its newest one waits."""
    CAUGHT_UP = "caught up"
    """All it has was read: nobody waits for it."""


@dataclass(frozen=True, slots=True)
class TopicPosition:
    """How far the engine has taken a topic: what its reading goes on from."""

    offset: int
    """Of the first record that the engine has not been given."""
    reached: int | None
    """The greatest event time that it was given of the topic; `None` if it was given none."""


@dataclass(slots=True)
class _Lane:
    """What one topic has brought and the engine has not taken, in order of arrival."""

    position: int | None = None
    """The offset after the last one brought; `None` until it is known where the topic begins."""
    newest: int | None = None
    """The greatest event time ever brought."""
    passed: int | None = None
    """The greatest event time ever released."""
    batch: Batch = field(default_factory=Batch.empty)
    reached: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    """(n,) the greatest event time up to each row: never falling, so that a topic keeps its own order."""
    offsets: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    arrived: list[tuple[Batch, NDArray[np.int64], NDArray[np.int64]]] = field(default_factory=list)
    """What came since the last release, joined only there."""
    waiting: int = 0

    def add(self, batch: Batch, offsets: NDArray[np.int64], end: int) -> None:
        self.position = end
        if not len(batch):
            return
        reached = np.maximum.accumulate(batch.at)
        if self.newest is not None:
            np.maximum(reached, self.newest, out=reached)
        self.newest = int(reached[-1])
        self.arrived.append((batch, reached, offsets))
        self.waiting += len(batch)

    def join(self) -> None:
        if self.arrived:
            parts = [(self.batch, self.reached, self.offsets), *self.arrived]
            parts = [part for part in parts if len(part[0])]
            self.batch = Batch.concat([part[0] for part in parts])
            self.reached = np.concatenate([part[1] for part in parts])
            self.offsets = np.concatenate([part[2] for part in parts])
            self.arrived.clear()

    def until(self, instant: int | None, *, equal: bool) -> int:
        """Return the number of rows before `instant`, those of that very instant included if `equal`."""
        if instant is None or not self.waiting:
            return 0
        first = self.reached[0] if len(self.reached) else self.arrived[0][1][0]
        if first > instant:
            return 0  # while others wait long, what arrives is not joined each time
        self.join()
        return int(np.searchsorted(self.reached, instant, side="right" if equal else "left"))

    def take(self, n: int) -> tuple[Batch, NDArray[np.int64]]:
        """Remove the first `n` rows and return them with what each had reached."""
        self.join()
        taken = self.batch.take(slice(n)), self.reached[:n]
        self.passed = int(self.reached[n - 1])
        self.batch, self.reached = self.batch.take(slice(n, None)), self.reached[n:]
        self.offsets = self.offsets[n:]
        self.waiting -= n
        return taken

    def readiness(self, highwater: int | None) -> TopicReadiness:
        if highwater is None or self.position is None:
            return TopicReadiness.UNKNOWN
        return TopicReadiness.BEHIND if self.position < highwater else TopicReadiness.CAUGHT_UP


class PartitionMerge:
    """Releases the events of one partition's topics in event time, each topic's in order of arrival.

    `limit` is the number of waiting events from which on a topic is `full` and should not be read further. It
    cannot stall the merge: of the topics that are behind, the one whose newest event is the oldest can always
    be released whole, so the topic that the others wait for is never full.
    """

    def __init__(self, topics: Sequence[Topic], limit: int) -> None:
        self._lanes = {topic: _Lane() for topic in sorted(topics)}
        self._limit = limit

    def begin(self, topic: Topic, offset: int) -> None:
        """Let `topic`, of which nothing was brought yet, begin at `offset`."""
        lane = self._lanes[topic]
        if lane.position is None:
            lane.position = offset

    def resume(self, topic: Topic, position: TopicPosition) -> None:
        """Let `topic`, of which nothing was brought yet, go on from where a former merge had come to."""
        lane = self._lanes[topic]
        lane.position = position.offset
        lane.newest = lane.passed = position.reached

    def add(self, topic: Topic, batch: Batch, offsets: NDArray[np.int64], end: int) -> None:
        """Take in the events of a poll of `topic` with their offsets (n,), and where the poll ended."""
        self._lanes[topic].add(batch, offsets, end)

    def release(self, highwaters: Mapping[Topic, int | None]) -> Batch:
        """Return, in order, the events that no topic's records still to be read can precede."""
        readiness = self.readiness(highwaters)
        parts: list[tuple[Batch, NDArray[np.int64]]] = []
        for topic, lane in self._lanes.items():
            n = lane.waiting
            for other, ready in readiness.items():
                if ready is not TopicReadiness.CAUGHT_UP and other != topic:
                    # Of equal times the topics' order decides, so those of a later topic still wait.
                    n = min(n, lane.until(self._lanes[other].newest, equal=topic < other))
            if n:
                parts.append(lane.take(n))
        if len(parts) <= 1:
            return parts[0][0] if parts else Batch.empty()
        order = np.argsort(np.concatenate([reached for _, reached in parts]), kind="stable")
        return Batch.concat([batch for batch, _ in parts]).take(order)

    def readiness(self, highwaters: Mapping[Topic, int | None]) -> dict[Topic, TopicReadiness]:
        """Return for each topic whether the others wait for it, given how far each reaches."""
        return {topic: lane.readiness(highwaters.get(topic)) for topic, lane in self._lanes.items()}

    def position(self, topic: Topic) -> int | None:
        """Return the offset at which the next poll of `topic` must start; `None` before it has begun."""
        return self._lanes[topic].position

    def released(self, topic: Topic) -> int | None:
        """Return the offset of `topic` up to which everything has been released."""
        lane = self._lanes[topic]
        if len(lane.offsets):
            return int(lane.offsets[0])
        return int(lane.arrived[0][2][0]) if lane.arrived else lane.position

    def released_position(self, topic: Topic) -> TopicPosition | None:
        """Return how far `topic` has been released; `None` before it has begun."""
        offset = self.released(topic)
        return TopicPosition(offset, self._lanes[topic].passed) if offset is not None else None

    def waiting(self, topic: Topic) -> int:
        """Return the number of events of `topic` that have not been released."""
        return self._lanes[topic].waiting

    def full(self, topic: Topic) -> bool:
        """Tell whether `topic` should not be read until some of it has been released."""
        return self._lanes[topic].waiting >= self._limit
