"""One of the worker's own topics as its writers read it: its ends, and the records from given offsets on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition  # type: ignore[import-untyped]  # ships no types
from aiokafka.errors import KafkaError  # type: ignore[import-untyped]  # the same

from streams.errors import BrokerError
from streams.intake.broker import aiokafka_security, partition_counts
from streams.kafka.errors import describe
from streams.kafka.security import Security

READ_WAIT_MS: Final = 500


class TopicTail:
    """A topic that is read from outside of any group; a connection is made for each question."""

    def __init__(self, broker: str, security: Security, topic: str) -> None:
        self._broker = broker
        self._security = security
        self._topic = topic
        self._places: list[Any] = []

    async def ends(self) -> dict[int, int]:
        """Return, by partition, the offset that the next record will get."""
        async with self._reader() as reader:
            return await self._ends(reader)

    async def records(self, offsets: Mapping[int, int]) -> AsyncIterator[Any]:
        """Yield the records from `offsets` to the present ends.

        A partition that the offsets do not name is read from its beginning.
        """
        async with self._reader() as reader:
            ends = await self._ends(reader)
            left = {place: ends[place.partition] for place in self._places}
            left = {place: end for place, end in left.items() if end > offsets.get(place.partition, 0)}
            reader.assign(list(left))
            for place in left:
                reader.seek(place, offsets.get(place.partition, 0))
            while left:
                for records in (await reader.getmany(timeout_ms=READ_WAIT_MS)).values():
                    for record in records:
                        yield record
                left = {place: end for place, end in left.items() if await reader.position(place) < end}

    @asynccontextmanager
    async def _reader(self) -> AsyncIterator[Any]:
        try:
            if not self._places:
                count = (await partition_counts(self._broker, self._security)).get(self._topic, 0)
                self._places = [TopicPartition(self._topic, number) for number in range(count)]
            reader = AIOKafkaConsumer(
                bootstrap_servers=self._broker,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                isolation_level="read_committed",
                **aiokafka_security(self._security),
            )
            try:  # not `async with`: whoever is cancelled while it starts would leave its connections open
                await reader.start()
                yield reader
            finally:
                await reader.stop()
        except KafkaError as error:
            message = f"the topic {self._topic} cannot be read: {describe(error, self._broker)}"
            raise BrokerError(message) from error

    async def _ends(self, reader: Any) -> dict[int, int]:
        return {place.partition: end for place, end in (await reader.end_offsets(self._places)).items()}
