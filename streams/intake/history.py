"""All that the input topics hold, of all partitions, read once and merged in event time.

All partitions are merged here as a worker merges the topics of one. While much waits, only that is read which
the rest waits for. So memory does not grow with the topics.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from typing import Any, Final

import numpy as np

from streams.contract.decode import FUTURE_DETAIL, Decoded
from streams.contract.rejected import RefusalReason
from streams.core.events.batch import Batch
from streams.core.events.topics import Topic
from streams.inputs.formats.reading import SchemasWanted
from streams.intake.lane import InputSource, Lane, decode_lane, lanes_of
from streams.intake.merge import PartitionMerge, TopicPosition
from streams.intake.poll import Poll, TopicPartition
from streams.intake.standing_refusals import StandingRefusals
from streams.intake.transport import poll_of

log = logging.getLogger(__name__)

READ_WAIT_MS: Final = 500
POLL_RECORDS: Final = 50_000
WAITING_LIMIT: Final = 500_000
"""Events that may wait, of all topics and partitions together."""
LOG_S: Final = 10.0

_Lane = tuple[Lane, int]


class InputHistory:
    """The input topics from their beginnings to their ends as they are when the reading begins.

    `consumer` is aiokafka's and has all their partitions assigned; `wall_us` is this machine's clock. Beside
    `topics` of the contract those of `sources` are read and mapped.
    """

    def __init__(
        self,
        consumer: Any,
        topics: Mapping[str, Topic],
        standing: StandingRefusals,
        *,
        max_skew_us: int,
        wall_us: Callable[[], int],
        sources: Mapping[str, InputSource] | None = None,
        poll_records: int = POLL_RECORDS,
        waiting_limit: int = WAITING_LIMIT,
    ) -> None:
        self._consumer = consumer
        self._sources = dict(sources or {})
        lanes = lanes_of(topics, self._sources)
        self._standing = standing
        self._max_skew_us = max_skew_us
        self._wall_us = wall_us
        self._poll_records = poll_records
        self._lanes: dict[Any, _Lane] = {
            tp: (lanes[tp.topic], tp.partition) for tp in sorted(consumer.assignment())
        }
        self._waiting_limit = waiting_limit
        self._merge = PartitionMerge[_Lane](tuple(self._lanes.values()), waiting_limit)
        self.begins: dict[TopicPartition, int] = {}
        """The offset of the first record that each place still has."""
        self.events = 0
        self.refused = 0
        self.most_waiting = 0
        """The most events that waited at once."""

    async def batches(self) -> AsyncIterator[Batch]:
        """Yield all events, each topic's partition in order of arrival and all of them in event time."""
        places = list(self._lanes)
        begins = await self._consumer.beginning_offsets(places)
        ends = await self._consumer.end_offsets(places)
        self.begins = {TopicPartition(*tp): offset for tp, offset in begins.items()}
        for tp in places:
            self._consumer.seek(tp, begins[tp])
            self._merge.begin(self._lanes[tp], begins[tp])
        highwaters = {self._lanes[tp]: ends[tp] for tp in places}
        total = sum(ends[tp] - begins[tp] for tp in places)
        logged = time.monotonic()
        while open_ := [tp for tp in places if self._position(tp) < ends[tp]]:
            if self._waiting() >= self._waiting_limit:
                awaited = self._merge.awaited([self._lanes[tp] for tp in open_])
                open_ = [tp for tp in open_ if self._lanes[tp] == awaited]
            await self._read(open_)
            self.most_waiting = max(self.most_waiting, self._waiting())
            batch = self._merge.release(highwaters)
            if len(batch):
                self.events += len(batch)
                yield batch
            if time.monotonic() - logged > LOG_S:
                logged = time.monotonic()
                read = sum(self._position(tp) - begins[tp] for tp in places)
                log.info("reading the input topics records=%d of=%d", read, total)

    def positions(self) -> dict[TopicPartition, TopicPosition]:
        """Return how far each place was read, and the greatest event time there."""
        found = {tp: self._merge.released_position(lane) for tp, lane in self._lanes.items()}
        return {TopicPartition(*tp): position for tp, position in found.items() if position is not None}

    def _waiting(self) -> int:
        return sum(map(self._merge.waiting, self._lanes.values()))

    def _position(self, tp: Any) -> int:
        position = self._merge.position(self._lanes[tp])
        assert position is not None
        return position

    async def _read(self, wanted: Collection[Any]) -> None:
        """Take in what one fetch brings of the places."""
        found = await self._consumer.getmany(*wanted, timeout_ms=READ_WAIT_MS, max_records=self._poll_records)
        for tp in wanted:
            # What follows the last record may be the end of a transaction, or a hole.
            end, begin = await self._consumer.position(tp), self._position(tp)
            if end == begin:
                continue
            lane, place = self._lanes[tp], TopicPartition(*tp)
            poll = poll_of(place, begin, end, found.get(tp, []), more=False)
            decoded = await self._decoded(lane[0], poll)
            decoded = decoded.refuse(self._standing.of(poll), RefusalReason.FUTURE_TIME, FUTURE_DETAIL)
            self.refused += len({bad.index for bad in decoded.refused})
            self._merge.add(lane, decoded.batch, poll.offsets[np.asarray(decoded.index, dtype=np.int64)], end)

    async def _decoded(self, lane: Lane, poll: Poll) -> Decoded:
        """Return a poll's records as events, after fetching the schemas that some of them need."""
        source = self._sources.get(lane.name)
        while True:
            try:
                return decode_lane(lane, source, poll, max_skew_us=self._max_skew_us, now_us=self._wall_us())
            except SchemasWanted as wanted:
                await asyncio.sleep(await asyncio.to_thread(wanted.fetch))
