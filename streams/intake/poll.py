"""A poll: what one fetch brought of one topic's partition, whole; and what transport and worker share."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray


class TopicPartition(NamedTuple):
    """A partition of a topic; equal, as a tuple, to Faust's `TP` and to aiokafka's `TopicPartition`."""

    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}"


@dataclass(frozen=True, slots=True)
class Poll:
    """The `n` records that one fetch brought of one place, as columns.

    `start` is the end of the poll before it, or the offset that was sought. It is not the first record's
    offset, because transactions and compaction leave holes. A poll of no records says that a position was
    reached.
    """

    topic_partition: TopicPartition
    start: int
    end: int
    """The offset after the last one that this poll covers."""
    offsets: NDArray[np.int64]
    """(n,) rising, each in `start <= offset < end`."""
    keys: list[bytes | None]
    values: list[bytes | None]
    timestamps_ms: NDArray[np.int64]
    """(n,) Kafka's timestamp of each record, milliseconds since the epoch."""
    came_ms: int = 0
    """When it came, by this machine's clock, milliseconds."""
    more: bool = False
    """Whether other polls of the same fetch follow at once."""

    def __len__(self) -> int:
        return len(self.values)

    def since(self, offset: int) -> Poll:
        """Return the part of the poll from `offset` on."""
        first = int(np.searchsorted(self.offsets, offset))
        return replace(
            self,
            start=offset,
            offsets=self.offsets[first:],
            keys=self.keys[first:],
            values=self.values[first:],
            timestamps_ms=self.timestamps_ms[first:],
        )


@dataclass(frozen=True, slots=True)
class ReadProgress:
    """How far a place has been read and how far it reaches, both as of one fetch."""

    position: int
    """The offset that is read next."""
    highwater: int | None
    """The offset the next record will get; `None` where the broker's newest answer is too old."""
    answered_ms: int = 0
    """When the broker last answered about it, by this machine's clock, milliseconds."""
    stable: int | None = None
    """Where the first open transaction begins, or the place ends; `None` where the broker does not say."""


class ReaderListener(Protocol):
    """What the transport asks and reports; the first two in its own thread, the others in the main one."""

    def position(self, place: TopicPartition) -> int | None:
        """Return the position of a place's state; `None`: it is new and wants the earliest record."""

    def begin(self, place: TopicPartition, offset: int) -> None:
        """Let a new state begin at the earliest offset of a place, before anything is read from there."""

    def assigned(self, places: set[TopicPartition], generation: int) -> None:
        """Take over the places of a new assignment, before any of them is read."""

    async def revoked(self) -> None:
        """Prepare for all places to go to others; the rebalance waits for it."""


class ReaderControl:
    """What transport and worker know of each other's progress.

    The transport runs in the consumer's thread and the worker in the main one, so a value is replaced whole
    and never changed in place.
    """

    def __init__(self, topics: Collection[str], partitions: int | None = None) -> None:
        self.topics = frozenset(topics)
        """Topics whose records are handed over as whole polls."""
        self.partitions = partitions
        """How many each of them has; `None`: any number will do."""
        self.loading: frozenset[TopicPartition] = frozenset()
        """Written by the worker: places whose state is being loaded, which are neither sought nor read."""
        self.paused: frozenset[TopicPartition] = frozenset()
        """Written by the worker: places that are not read for now."""
        self.progress: Mapping[TopicPartition, ReadProgress] = {}
        """Written by the transport after every fetch: its input places."""
        self._seeks: deque[TopicPartition] = deque()

    def seek(self, place: TopicPartition) -> None:
        """Ask that `place` be read again from its state's position."""
        self._seeks.append(place)

    def sought(self) -> Iterator[TopicPartition]:
        """Yield, once each, the places for which a seek was asked."""
        while self._seeks:
            yield self._seeks.popleft()
