"""Writes events to topics that are there: a topic that is missing costs no other one its records."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import Final, Protocol

from consumers.broker.errors import TopicMissing
from consumers.ingest.intake import DeliveringSender, Headers
from streams.errors import BrokerError
from streams.kafka.errors import no_topic

LOOK_S: Final = 5.0
"""How often the broker is asked whether a missing topic has been created."""


class TopicList(Protocol):
    """Says which topics there are."""

    def partitions(self) -> Collection[str]:
        """Return the names of all topics; raises `BrokerError`."""

    def close(self) -> None:
        """Close the connection."""


class EventSender:
    """Writes to topics that are there, and says at once which are not.

    The client itself would wait for a missing topic, and with it everything behind it.
    """

    def __init__(
        self,
        place: str,
        topics: TopicList,
        producer: DeliveringSender,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the connections; `place` is where the broker is. Raises `BrokerError`."""
        self._place = place
        self._topics = topics
        self._producer = producer
        self._clock = clock
        self._known = set(topics.partitions())
        self._looked_at = clock()

    def deliver(
        self,
        topic: str,
        key: bytes | None,
        value: bytes,
        headers: Headers,
        on_done: Callable[[BrokerError | None], None],
    ) -> None:
        """Send a record; raises `BrokerError`, and then `on_done` is not called."""
        if topic not in self._known and self._clock() - self._looked_at >= LOOK_S:
            self._known = set(self._topics.partitions())
            self._looked_at = self._clock()
        if topic not in self._known:
            raise TopicMissing(no_topic(self._place, topic))
        self._producer.deliver(topic, key, value, headers, on_done)

    def close(self) -> None:
        """Close both connections."""
        try:
            self._producer.close()
        finally:
            self._topics.close()
