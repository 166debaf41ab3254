"""Fills the topics of a broker with a workload, much faster than a producer that is handed single records."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final

import aiokafka  # type: ignore[import-untyped]  # ships no types
import numpy as np

from benchmarks.workload import Events, Workload
from streams.core.events.partitioner import murmur2
from streams.core.events.topics import REQUIRED

CHUNK: Final = 100_000
BATCH_BYTES: Final = 500_000
UNDER_WAY: Final = 40
"""Batches sent and not acknowledged."""

Progress = Callable[[int, int], None]


def fill(broker: str, workload: Workload, count: int, partitions: int, progress: Progress) -> None:
    """Send the first `count` events of `workload` to their topics, each partition in order of time."""
    asyncio.run(_fill(broker, workload, count, partitions, progress))


async def _fill(broker: str, workload: Workload, count: int, partitions: int, progress: Progress) -> None:
    producer = aiokafka.AIOKafkaProducer(bootstrap_servers=broker, max_batch_size=BATCH_BYTES, acks=1)
    await producer.start()
    under_way: deque[Awaitable[Any]] = deque()
    try:
        for first in range(0, count, CHUNK):
            events = workload.part(first, min(CHUNK, count - first))
            await _send(producer, events, partitions, under_way)
            progress(first + len(events), count)
        while under_way:
            await under_way.popleft()
    finally:
        await producer.stop()


async def _send(producer: Any, events: Events, partitions: int, under_way: deque[Awaitable[Any]]) -> None:
    values = events.values()
    keys = [customer.encode() for customer in events.customer_ids()]
    # A record's time is its event's, rounded up, as if it had been sent when it happened.
    stamps = (-(-events.at // 1000)).tolist()
    partition = (murmur2(keys).astype(np.int64) & 0x7FFFFFFF) % partitions
    for topic in REQUIRED:
        for number in range(partitions):
            batch = producer.create_batch()
            for i in np.flatnonzero((events.topic == topic) & (partition == number)).tolist():
                record = {"timestamp": stamps[i], "key": keys[i], "value": values[i]}
                if batch.append(**record) is None:
                    await _ship(producer, batch, topic.label, number, under_way)
                    batch = producer.create_batch()
                    batch.append(**record)
            if batch.record_count():
                await _ship(producer, batch, topic.label, number, under_way)


async def _ship(
    producer: Any, batch: Any, topic: str, partition: int, under_way: deque[Awaitable[Any]]
) -> None:
    batch.close()
    under_way.append(await producer.send_batch(batch, topic, partition=partition))
    if len(under_way) > UNDER_WAY:
        await under_way.popleft()
