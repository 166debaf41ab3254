"""Hands records to the producer: a few one by one, many to a topic as batches.

For each record by itself the producer looks at the topic, hashes the key in Python and makes a future; with
many outcomes that costs more than making them.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from streams.core.events.partitioner import murmur2
from streams.worker.delivery import OutgoingRecord

MANY: Final = 32
"""Records to one topic in a row from which on they go as batches."""
LARGE: Final = 65_536
"""Bytes of a value that goes by itself: the producer then says what is too large."""

SendOne = Callable[[OutgoingRecord], Awaitable[Awaitable[Any]]]


class RecordSender:
    """Sends records by Faust's producer, batches by the producer of aiokafka in it."""

    def __init__(self, send_one: SendOne, producer: Callable[[], Any]) -> None:
        self._send_one = send_one
        self._producer = producer

    async def send(self, records: Sequence[OutgoingRecord]) -> list[Awaitable[Any]]:
        """Hand records to the producer in their order; return what the broker's answers will be."""
        answers: list[Awaitable[Any]] = []
        for topic, group in groupby(records, key=attrgetter("topic")):
            same = list(group)
            if len(same) >= MANY and all(_is_plain(record) for record in same):
                answers += await self._send_batches(topic, same)
            else:
                answers += [await self._send_one(record) for record in same]
        return answers

    async def _send_batches(self, topic: str, records: Sequence[OutgoingRecord]) -> list[Awaitable[Any]]:
        producer, now_ms = self._producer(), int(time.time() * 1000)
        partitions = sorted(await producer.partitions_for(topic))
        hashes = murmur2([record.key or b"" for record in records])
        places = (hashes & 0x7FFFFFFF) % len(partitions)
        answers: list[Awaitable[Any]] = []
        batches: dict[int, Any] = {}
        for place, record in zip(places.tolist(), records, strict=True):
            batch = batches.get(place)
            if batch is None:
                batch = batches[place] = producer.create_batch()
            if batch.append(timestamp=now_ms, key=record.key, value=record.value) is None:  # it is full
                answers.append(await producer.send_batch(batch, topic, partition=partitions[place]))
                batch = batches[place] = producer.create_batch()
                batch.append(timestamp=now_ms, key=record.key, value=record.value)
        for place, batch in batches.items():
            answers.append(await producer.send_batch(batch, topic, partition=partitions[place]))
        return answers


def _is_plain(record: OutgoingRecord) -> bool:
    """Say whether a record goes where its key says, with nothing beside key and value."""
    return (
        record.key is not None
        and record.headers is None
        and record.partition is None
        and len(record.value or b"") < LARGE
    )
