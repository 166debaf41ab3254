"""Events of a work file sent to the broker's topics, each acknowledged before it counts as sent."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from consumers.broker.client import Admin, Cluster, Producer
from lapwing.settings.settings import Settings
from streams.core.events.topics import Topic
from streams.errors import BrokerError
from streams.imports.work_file import ImportProgress, WorkFile
from streams.kafka.errors import no_topic


class Sender(Protocol):
    """What sending needs of a producer with the default partitioner."""

    def send(
        self, topic: str, key: bytes | None, value: bytes | None, timestamp_ms: int | None = None
    ) -> None:
        """Hand a record over to be sent soon."""

    def flush(self) -> None:
        """Wait until all is acknowledged, or raise."""


@contextmanager
def connected(settings: Settings, topics: Collection[Topic]) -> Iterator[Producer]:
    """Yield a producer to a broker that has the topics; raise `BrokerError` where it has not."""
    cluster = Cluster(settings.broker, settings.kafka_security)
    admin = Admin(cluster)
    try:
        there = admin.partitions()
    finally:
        admin.close()
    missing = [settings.topics[topic] for topic in sorted(topics) if settings.topics[topic] not in there]
    if missing:
        raise BrokerError(no_topic(f"Kafka at {settings.broker}", *missing))
    producer = Producer(cluster)
    try:
        yield producer
    finally:
        producer.close()


def send_all(
    producer: Sender,
    work: WorkFile,
    progress: ImportProgress,
    names: Mapping[Topic, str],
    on_sent: Callable[[int], None],
) -> int:
    """Send the events that no broker has acknowledged yet, under their customers, and return how many.

    A record's timestamp is its event time, rounded up to milliseconds. Whoever is killed sends some events
    again that were not kept as acknowledged: they have the same ids, so that they count once.
    """
    count = 0
    for events in work.events(progress.sent):
        for event in events:
            key = event.customer.encode()
            producer.send(names[event.topic], key, event.value, -(-event.at // 1000))
        producer.flush()
        count += len(events)
        with work.changing(progress):
            progress.sent = (events[-1].at, events[-1].number)
        on_sent(count)
    return count
