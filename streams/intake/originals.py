"""The records of events that an engine refused, read once more from their topics.

An engine knows an event's place and no longer its bytes. It seldom refuses one, so nothing is kept for it;
where it refuses many in a row, they are read in one go.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from aiokafka import AIOKafkaConsumer  # type: ignore[import-untyped]  # ships no types
from aiokafka import TopicPartition as KafkaPlace
from aiokafka.errors import KafkaError  # type: ignore[import-untyped]  # the same

from streams.intake.broker import aiokafka_security
from streams.intake.partition import RejectedRecord
from streams.intake.poll import TopicPartition
from streams.kafka.errors import describe
from streams.kafka.security import Security

log = logging.getLogger(__name__)

WAIT_MS: Final = 500
WITHIN_S: Final = 10.0
"""How long a worker's work stops for it at the most."""
NEAR: Final = 2_000
"""Records that are read rather than skipped by another request."""

Offsets = Mapping[TopicPartition, Collection[int]]


class OriginalRecords:
    """Reads records by their places; the connection is made when the first is wanted."""

    def __init__(self, broker: str, security: Security) -> None:
        self._broker = broker
        self._security = security
        self._consumer: Any = None

    async def of(self, refused: Sequence[RejectedRecord]) -> list[RejectedRecord]:
        """Return the refusals with their records' own keys and bytes, where they can still be had."""
        wanted: dict[TopicPartition, set[int]] = defaultdict(set)
        for each in refused:
            if each.named and each.offset >= 0:
                wanted[each.place].add(each.offset)
        found = await self._read(wanted)
        return [
            replace(each, key=record.key, value=record.value, named=False)
            if (record := found.get((each.place, each.offset))) is not None
            else each
            for each in refused
        ]

    async def close(self) -> None:
        """Close the connection."""
        if self._consumer is not None:
            await self._consumer.stop()

    async def _read(self, wanted: Offsets) -> dict[tuple[TopicPartition, int], Any]:
        found: dict[tuple[TopicPartition, int], Any] = {}
        try:
            async with asyncio.timeout(WITHIN_S):
                consumer = await self._started()
                for place, offsets in wanted.items():
                    consumer.assign([KafkaPlace(*place)])
                    await _read_place(consumer, place, offsets, found)
        except (KafkaError, OSError, TimeoutError) as error:
            reason = describe(error, self._broker) if isinstance(error, KafkaError) else repr(error)
            log.warning("refused records are sent without their own bytes: %s", reason)
        return found

    async def _started(self) -> Any:
        if self._consumer is None:
            consumer = AIOKafkaConsumer(
                bootstrap_servers=self._broker,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                **aiokafka_security(self._security),
            )
            try:
                await consumer.start()
            except BaseException:
                await consumer.stop()
                raise
            self._consumer = consumer
        return self._consumer


async def _read_place(
    consumer: Any, place: TopicPartition, offsets: Collection[int], found: dict[Any, Any]
) -> None:
    """Put the records of a place that have these offsets into `found`, but for those that are gone."""
    tp, wanted = KafkaPlace(*place), set(offsets)
    left = deque(sorted(offsets))
    position = -1
    while left:
        if not 0 <= left[0] - position <= NEAR or position < 0:
            consumer.seek(tp, left[0])
        for record in (await consumer.getmany(tp, timeout_ms=WAIT_MS)).get(tp, []):
            if record.offset in wanted:
                found[place, record.offset] = record
        position = await consumer.position(tp)
        while left and left[0] < position:
            left.popleft()
