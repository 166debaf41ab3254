from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from consumers.broker.errors import BrokerAway, TopicMissing
from consumers.ingest.event_sender import LOOK_S, EventSender
from streams.errors import BrokerError
from tests.consumers.ingest.brokers import StubBroker


@dataclass
class Topics:
    names: set[str] = field(default_factory=lambda: {"orders"})
    asked: int = 0
    closed: bool = False

    def partitions(self) -> set[str]:
        self.asked += 1
        return set(self.names)

    def close(self) -> None:
        self.closed = True


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_missing_topic_is_refused_at_once_and_looked_for_now_and_then() -> None:
    topics, broker, clock, done = Topics(), StubBroker(), Clock(), list[BrokerError | None]()
    sender = EventSender("Kafka at x", topics, broker, clock)
    sender.deliver("orders", b"c", b"{}", (), done.append)
    for _ in range(3):
        with pytest.raises(TopicMissing, match="Kafka at x has no topic feedback"):
            sender.deliver("feedback", b"c", b"{}", (), done.append)
    assert (topics.asked, done) == (1, [None])
    topics.names.add("feedback")
    clock.now += LOOK_S
    sender.deliver("feedback", b"c", b"{}", (), done.append)
    assert (topics.asked, done) == (2, [None, None])


def test_both_connections_are_closed_whatever_happens() -> None:
    class Stuck(StubBroker):
        def close(self) -> None:
            msg = "Kafka at x cannot be reached"
            raise BrokerAway(msg)

    topics = Topics()
    with pytest.raises(BrokerAway):
        EventSender("Kafka at x", topics, Stuck()).close()
    assert topics.closed
