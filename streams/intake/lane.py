"""The Kafka topics of a partition: each holds records of the contract, or a source's, which are mapped.

Two of them may bring events of one topic of the contract, as the orders of a web shop and of its tills, and a
source's may bring events of several. So what is read, merged and saved goes by the Kafka topic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from streams.contract.decode import FUTURE_DETAIL, Decoded, decode_poll
from streams.contract.rejected import RefusalReason
from streams.core.events.topics import Topic
from streams.intake.poll import Poll

_OFFSET_BITS: Final = 48
"""Kafka counts a partition's records from 0: in a thousand years it will not need more."""
_OFFSET_MASK: Final = (1 << _OFFSET_BITS) - 1
_MARKS: Final = (1 << (62 - _OFFSET_BITS)) - 1


class InputSource(Protocol):
    """A source of `inputs.yaml`, as far as its Kafka topic is concerned."""

    @property
    def topics(self) -> tuple[Topic, ...]:
        """Return the topics of the contract that it brings events of."""

    def decode(
        self,
        values: Sequence[bytes | None],
        keys: Sequence[bytes | None] | None,
        timestamps_ms: Sequence[int] | NDArray[np.int64] | None,
        *,
        max_skew_us: int,
        now_us: int | None = None,
    ) -> Decoded:
        """Return the records of a poll as events, as `decode_poll` does; one may give several, or none."""


@dataclass(frozen=True, slots=True, order=True)
class Lane:
    """One Kafka topic of the input; of equal event times the lanes' order decides."""

    topics: tuple[Topic, ...]
    """The topics of the contract that it brings events of, rising."""
    name: str
    """On the broker."""
    mark: int = field(default=0, compare=False)
    """Tells its events' offsets from those of other topics with events of the same kind; 0: it is a topic of
    the contract."""

    @property
    def brings_only_actions(self) -> bool:
        """Return whether it moves no watermark."""
        return self.topics == (Topic.ACTIONS,)

    def marked(self, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return offsets (n,) that say which lane they are of."""
        return offsets if not self.mark else offsets | (self.mark << _OFFSET_BITS)


def lanes_of(topics: Mapping[str, Topic], sources: Mapping[str, InputSource]) -> dict[str, Lane]:
    """Return the lanes of the contract's topics and of sources' topics, by their names on the broker."""
    found = {name: Lane((topic,), name) for name, topic in topics.items()}
    taken: set[int] = set()
    for name in sorted(sources):
        # By the name alone, so that events that a checkpoint holds are still known by it.
        mark = crc32(name.encode()) % _MARKS + 1
        while mark in taken:
            mark = mark % _MARKS + 1
        taken.add(mark)
        found[name] = Lane(tuple(sorted(set(sources[name].topics))), name, mark)
    return found


def split_offset(marked: int) -> tuple[int, int]:
    """Return the mark and the offset of what `Lane.marked` gave; without either these are 0 and -1."""
    return (0, marked) if marked < 0 else (marked >> _OFFSET_BITS, marked & _OFFSET_MASK)


def split_offsets(
    marked: NDArray[np.int64], topics: NDArray[np.int8]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return, of events (n,), a number for the lane of each and its offset there.

    The number is the mark, or less the topic and one where there is none.
    """
    marks = np.maximum(marked, 0) >> _OFFSET_BITS
    if not marks.any():
        return -1 - topics.astype(np.int64), marked
    return np.where(marks > 0, marks, -1 - topics.astype(np.int64)), np.where(
        marks > 0, marked & _OFFSET_MASK, marked
    )


def lane_number(lane: Lane) -> int:
    """Return the number that `split_offsets` gives events of a lane."""
    return lane.mark or -1 - int(lane.topics[0])


def decode_lane(
    lane: Lane, source: InputSource | None, poll: Poll, *, max_skew_us: int, now_us: int | None
) -> Decoded:
    """Return a poll's records as events, in the order of the records, by a source where it is one's.

    A record that would give an event dated too far ahead gives none: whoever reads it once more, later, is
    to see the same.
    """
    if source is None:
        return decode_poll(
            lane.topics[0],
            poll.values,
            poll.keys,
            poll.timestamps_ms,
            max_skew_us=max_skew_us,
            now_us=now_us,
        )
    decoded = source.decode(
        poll.values, poll.keys, poll.timestamps_ms, max_skew_us=max_skew_us, now_us=now_us
    )
    if np.any(decoded.index[1:] < decoded.index[:-1]):
        order = np.argsort(decoded.index, kind="stable")
        decoded = replace(decoded, batch=decoded.batch.take(order), index=decoded.index[order])
    ahead = [bad.index for bad in decoded.refused if bad.reason is RefusalReason.FUTURE_TIME]
    return decoded.refuse(ahead, RefusalReason.FUTURE_TIME, FUTURE_DETAIL) if ahead else decoded
