"""A topic that is missing is reported once, and read from the moment it exists."""

from __future__ import annotations

import logging
from collections.abc import Collection

import pytest

from consumers.broker.errors import BrokerAway
from consumers.sink.topic_watch import LOOK_EVERY_S, TopicWatch


def test_missing_topics_are_reported_once_and_read_when_they_come(caplog: pytest.LogCaptureFixture) -> None:
    answers: list[Exception | set[str]] = [{"b"}, set(), {"a"}, BrokerAway("x")]
    asked: list[list[str]] = []
    now = [0.0]

    def take_up(topics: Collection[str]) -> Collection[str]:
        answer = answers.pop()
        asked.append(list(topics))
        if isinstance(answer, Exception):
            raise answer
        return answer

    watch = TopicWatch({"b", "a"}, take_up, clock=lambda: now[0])
    with pytest.raises(BrokerAway):
        watch.look()
    left = []
    with caplog.at_level(logging.INFO):
        for later in (0, LOOK_EVERY_S / 2, LOOK_EVERY_S / 2, LOOK_EVERY_S, LOOK_EVERY_S):
            now[0] += later
            watch.look()
            left.append(len(answers))
    assert left == [2, 2, 1, 0, 0]
    assert asked == [["a", "b"], ["a", "b"], ["b"], ["b"]]
    assert caplog.messages == [
        "Kafka has no topic 'b', or does not show it: it is stored from the moment it is there",
        "from now on 'b' is stored",
    ]
