"""The topics of one partition, merged in event time.

Without it a backlog of orders read before the logins of the same days makes every customer look silent. The
idea is that of Kafka Streams' `max.task.idle.ms`: the others wait, at its newest event that was read, for a
topic that is behind its partition's end, and never for one that has been read to its end. A topic with an
open transaction is behind: time does not pass what is undecided, while all topics are read on.

That a topic has been read to its end is known by an answer of the broker, which may be older than what has
come of the others. And a producer that writes history to several topics writes to one a little earlier than
to the next. So event time passes what has come only when the broker, asked a moment later, still has nothing
more of the other topics (`Settling`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from streams.core.events.batch import Batch
from streams.core.events.calendar import NEVER
from streams.core.events.topics import Topic
from streams.intake.lane import Lane


class TopicReadiness(StrEnum):
    """Whether the other topics of a partition must wait for a topic."""

    UNKNOWN = "unknown"
    """How far it reaches is not known: it counts as behind."""
    BEHIND = "behind"
    """It has records that were not read yet: what happened after its newest one waits."""
    CAUGHT_UP = "caught up"
    """All it has was read: nobody waits for it."""


Source = TypeVar("Source", Topic, Lane, tuple[Lane, int])
"""What is merged: the topics of one partition, or those of all. Of equal times their order decides."""


@dataclass(frozen=True, slots=True)
class TopicPosition:
    """How far the engine has taken a topic: what its reading goes on from."""

    offset: int
    """Of the first record that the engine has not been given."""
    reached: int | None
    """The greatest event time that it was given of the topic; `None` if it was given none."""


@dataclass(frozen=True, slots=True)
class Settling:
    """How long what has come waits for what was written to other topics at the same moment."""

    wait_ms: int
    """An answer about another topic must have been asked for so long after."""
    reorder_us: int
    """The engine puts events this far apart in order, so these need not wait."""


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
    unsettled: deque[tuple[int, int]] = field(default_factory=deque)
    """When each poll came, milliseconds, and the greatest event time up to its end."""
    settled: int = NEVER
    """The same of those that came before."""

    def add(self, batch: Batch, offsets: NDArray[np.int64], end: int, came_ms: int) -> None:
        self.position = end
        if not len(batch):
            return
        reached = np.maximum.accumulate(batch.at)
        if self.newest is not None:
            np.maximum(reached, self.newest, out=reached)
        if np.any(offsets[1:] == offsets[:-1]):
            # The events of one record stay together: a state goes on from a record, not from within one.
            reached = reached[np.searchsorted(offsets, offsets, side="right") - 1]
        self.newest = int(reached[-1])
        self.arrived.append((batch, reached, offsets))
        self.waiting += len(batch)
        self.unsettled.append((came_ms, self.newest))

    def settled_by(self, asked_ms: int) -> int:
        """Return the greatest event time of what had come by an instant."""
        found = self.settled
        for came_ms, reached in self.unsettled:
            if came_ms > asked_ms:
                break
            found = reached
        return found

    def forget_settled(self, asked_ms: int) -> None:
        """Drop the times of arrival up to an instant that nobody will ask about again."""
        while self.unsettled and self.unsettled[0][0] <= asked_ms:
            self.settled = self.unsettled.popleft()[1]

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


class PartitionMerge(Generic[Source]):
    """Releases the events of one partition's topics in event time, each topic's in order of arrival.

    `limit` is the number of waiting events from which on a topic is `full` and should not be read further. It
    cannot stall the merge: of the topics that are behind, the one whose newest event is the oldest can always
    be released whole, so the topic that the others wait for is never full. Without `settling`, a topic is
    waited for only while it is behind. Of `actions` nothing but actions comes, which move no watermark.
    """

    def __init__(
        self,
        topics: Sequence[Source],
        limit: int,
        settling: Settling | None = None,
        actions: Collection[Source] = (),
    ) -> None:
        self._actions: frozenset[Source] = frozenset(actions)
        self._lanes: dict[Source, _Lane] = {topic: _Lane() for topic in sorted(topics)}
        self._limit = limit
        self._settling = settling
        self._settled = NEVER
        """The greatest event time that nothing unread is expected to precede."""

    def begin(self, topic: Source, offset: int) -> None:
        """Let `topic`, of which nothing was brought yet, begin at `offset`."""
        lane = self._lanes[topic]
        if lane.position is None:
            lane.position = offset

    def resume(self, topic: Source, position: TopicPosition) -> None:
        """Let `topic`, of which nothing was brought yet, go on from where a former merge had come to."""
        lane = self._lanes[topic]
        lane.position = position.offset
        lane.newest = lane.passed = position.reached

    def add(
        self, topic: Source, batch: Batch, offsets: NDArray[np.int64], end: int, came_ms: int = 0
    ) -> None:
        """Take in a poll's events of `topic` with their offsets (n,), where it ended and when it came."""
        self._lanes[topic].add(batch, offsets, end, came_ms)

    def set_clock_back(self, now_ms: int) -> None:
        """Let what waits have come now, as the clock by which it came was wrong."""
        for lane in self._lanes.values():
            lane.unsettled = deque((min(came_ms, now_ms), reached) for came_ms, reached in lane.unsettled)

    def release(
        self, highwaters: Mapping[Source, int | None], asked_ms: Mapping[Source, int | None] | None = None
    ) -> Batch:
        """Return, in order, the events that no topic's records still to be read can precede.

        `asked_ms` says when the answers were asked for that brought `highwaters`.
        """
        readiness = self.readiness(highwaters)
        last = self._last_settled(readiness, asked_ms or {})
        parts: list[tuple[Batch, NDArray[np.int64]]] = []
        for topic, lane in self._lanes.items():
            n = lane.waiting
            for other, ready in readiness.items():
                if ready is not TopicReadiness.CAUGHT_UP and other != topic:
                    # Of equal times the topics' order decides, so those of a later topic still wait.
                    n = min(n, lane.until(self._lanes[other].newest, equal=topic < other))
            if n and last is not None and topic not in self._actions:
                n = min(n, lane.until(last, equal=True))
            if n:
                parts.append(lane.take(n))
        if len(parts) <= 1:
            return parts[0][0] if parts else Batch.empty()
        order = np.argsort(np.concatenate([reached for _, reached in parts]), kind="stable")
        return Batch.concat([batch for batch, _ in parts]).take(order)

    def _last_settled(
        self, readiness: Mapping[Source, TopicReadiness], asked_ms: Mapping[Source, int | None]
    ) -> int | None:
        """Return the last event time that may be released although other topics may have more; `None`: any.

        The engine's watermark then never passes what has not settled.
        """
        if self._settling is None:
            return None
        asked = {topic: at - self._settling.wait_ms for topic, at in asked_ms.items() if at is not None}
        for topic, lane in self._lanes.items():
            if topic in self._actions or lane.newest is None:
                continue
            reached = lane.newest
            for other, ready in readiness.items():
                if other == topic:
                    continue
                seen = self._reached(other)
                if ready is TopicReadiness.CAUGHT_UP and other in asked:
                    seen = max(seen, lane.settled_by(asked[other]))
                reached = min(reached, seen)
            self._settled = max(self._settled, reached)
        if len(asked) == len(self._lanes):
            for lane in self._lanes.values():
                lane.forget_settled(min(asked.values()))
        return self._settled + self._settling.reorder_us if self._settled != NEVER else NEVER

    def readiness(self, highwaters: Mapping[Source, int | None]) -> dict[Source, TopicReadiness]:
        """Return for each topic whether the others wait for it, given how far each reaches."""
        return {topic: lane.readiness(highwaters.get(topic)) for topic, lane in self._lanes.items()}

    def position(self, topic: Source) -> int | None:
        """Return the offset at which the next poll of `topic` must start; `None` before it has begun."""
        return self._lanes[topic].position

    def released(self, topic: Source) -> int | None:
        """Return the offset of `topic` up to which everything has been released."""
        lane = self._lanes[topic]
        if len(lane.offsets):
            return int(lane.offsets[0])
        return int(lane.arrived[0][2][0]) if lane.arrived else lane.position

    def released_position(self, topic: Source) -> TopicPosition | None:
        """Return how far `topic` has been released; `None` before it has begun."""
        offset = self.released(topic)
        return TopicPosition(offset, self._lanes[topic].passed) if offset is not None else None

    def drop_waiting(self, topic: Source) -> None:
        """Forget what of `topic` has not been released, as it is to be read once more."""
        lane, position = self._lanes[topic], self.released_position(topic)
        if position is not None:
            self._lanes[topic] = _Lane(
                position.offset, position.reached, position.reached, settled=lane.settled
            )

    def waiting(self, topic: Source) -> int:
        """Return the number of events of `topic` that have not been released."""
        return self._lanes[topic].waiting

    def awaited(self, behind: Iterable[Source]) -> Source:
        """Return, of the topics that are behind, the one that all others wait for."""
        return min(behind, key=lambda topic: (self._reached(topic), topic))

    def _reached(self, topic: Source) -> int:
        newest = self._lanes[topic].newest
        return NEVER if newest is None else newest

    @property
    def holds_back(self) -> bool:
        """Return whether any event has not been released."""
        return any(lane.waiting for lane in self._lanes.values())

    def full(self, topic: Source) -> bool:
        """Tell whether `topic` should not be read until some of it has been released."""
        return self._lanes[topic].waiting >= self._limit
