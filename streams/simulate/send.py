"""The shop's records handed to a broker's producer, as fast as it takes them or at a pace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from streams.core.events.topics import Topic
from streams.simulate.pace import Slice


class RecordProducer(Protocol):
    """What sending needs of a Kafka producer with the default partitioner."""

    def send(
        self, topic: str, key: bytes | None, value: bytes | None, timestamp_ms: int | None = None
    ) -> None:
        """Hand a record over to be sent soon."""

    def flush(self, timeout_s: float = 30.0) -> None:
        """Wait until all is acknowledged, or raise."""


def send_slice(producer: RecordProducer, part: Slice, topics: Mapping[Topic, str]) -> int:
    """Send the rows of a slice whose topic is in `topics` and return how many that were.

    A record's timestamp is its event time, rounded up to milliseconds, so that the worker's check of an event
    against its record's time holds however fast two years are played.
    """
    sent = 0
    for topic, key, value, timestamp_ms in part.records.rows(part.begin, part.end):
        name = topics.get(topic)
        if name is not None:
            producer.send(name, key, value, timestamp_ms)
            sent += 1
    return sent
