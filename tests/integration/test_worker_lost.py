"""Polls that are lost between transport and agent, as Faust loses them around a rebalance."""

from __future__ import annotations

import pytest

from streams.core.events.topics import Topic
from streams.intake.poll import Poll
from streams.worker.pipeline import Pipeline
from tests.integration.workers import RunningWorker, Sent, event, produce, running, settings_on

AT = "2024-01-01T00:00:00Z"


def test_what_is_lost_on_the_way_is_read_again(broker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    to_lose = ["a poll"]
    take = Pipeline.take

    def losing(pipeline: Pipeline, poll: Poll) -> None:
        if len(poll) and to_lose:
            to_lose.clear()
        else:
            take(pipeline, poll)

    settings = settings_on(broker, partitions=1)
    with running(settings) as worker:
        worker.wait_until(lambda: len(worker.engines) == 1)
        monkeypatch.setattr(Pipeline, "take", losing)
        write(worker, "nothing-follows")
        worker.wait_until(lambda: worker.count() == 50)
        to_lose.append("a poll")
        write(worker, "more-follows")
        worker.wait_until(lambda: not to_lose)
        write(worker, "the-rest")
        worker.wait_until(lambda: worker.count() == 150)
        worker.wait_until(lambda: worker.stats is not None and worker.stats.reread >= 2)
    due = [f"{name}-{i}" for name in ("nothing-follows", "more-follows", "the-rest") for i in range(50)]
    assert [name for _, name in worker.events()] == due


def write(worker: RunningWorker, name: str) -> None:
    topic = worker.settings.topics[Topic.ORDERS]
    names = [f"{name}-{i}" for i in range(50)]
    produce(worker.settings.broker, [Sent(topic, b"k", event(Topic.ORDERS, n, "k", AT)) for n in names])
