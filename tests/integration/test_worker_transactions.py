"""Records of Kafka transactions: what was aborted is not read, and time does not pass what is undecided."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import aiokafka  # type: ignore[import-untyped]  # ships no types
import pytest

from lapwing.lag import offsets
from lapwing.settings.settings import load_settings
from streams.core.engine_io import EventCounts, Output
from streams.core.events.batch import Batch
from streams.core.events.topics import Topic
from streams.intake.partition import BatchingPolicy
from tests.integration.workers import RunningWorker, Sent, event, produce, running, settings_on

pytestmark = pytest.mark.kafka  # the embedded broker has no transactions


@dataclass
class AmountEngine:
    """Notes what was ordered for how much, and who logged in, in order."""

    events: list[tuple[str, float]] = field(default_factory=list)

    def step(self, batch: Batch) -> Output:
        amounts = [amount / 1e6 for amount in batch.amount.tolist()]
        self.events += zip(batch.event_id.tolist(), amounts, strict=True)
        return Output(counts=EventCounts(events=len(batch)))

    def flush(self) -> Output:
        return Output()


class Transaction:
    """A producer with a transaction that the test ends as it likes."""

    def __init__(self, broker: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._producer = self._run(self._start(broker))

    async def _start(self, broker: str) -> Any:
        producer = aiokafka.AIOKafkaProducer(bootstrap_servers=broker, transactional_id=uuid.uuid4().hex)
        await producer.start()
        return producer

    def _run(self, doing: Any) -> Any:
        return self._loop.run_until_complete(doing)

    def write(self, records: Sequence[Sent]) -> None:
        async def send() -> None:
            await self._producer.begin_transaction()
            for record in records:
                await self._producer.send_and_wait(record.topic, record.value, record.key, record.partition)

        self._run(send())

    def commit(self) -> None:
        self._run(self._producer.commit_transaction())

    def abort(self) -> None:
        self._run(self._producer.abort_transaction())

    def close(self) -> None:
        self._run(self._producer.stop())
        self._loop.close()


def test_an_aborted_order_does_not_count_and_the_committed_one_is_no_repeat(broker: str) -> None:
    settings = settings_on(broker, 1)
    orders = settings.topics[Topic.ORDERS]
    order = event(Topic.ORDERS, "o1", "k", "2024-01-01T10:00:00Z")
    transaction = Transaction(broker)
    transaction.write([Sent(orders, b"k", order.replace(b"12.5", b"5000"), 0)])
    transaction.abort()
    transaction.write([Sent(orders, b"k", order.replace(b"12.5", b"10"), 0)])
    transaction.commit()
    with running(settings, lambda number: AmountEngine()) as worker:
        worker.wait_until(lambda: worker.count() == 1)
        # While it runs too, and the worker comes to the end of what was aborted.
        transaction.write([Sent(orders, b"k", order.replace(b'"o1"', b'"o2"'), 0)])
        transaction.abort()
        produce(broker, [Sent(orders, b"k", order.replace(b'"o1"', b'"o3"'), 0)])
        worker.wait_until(lambda: worker.count() == 2)
        worker.wait_until(lambda: caught_up(worker))
    transaction.close()
    assert seen(worker) == [("o1", 10.0), ("o3", 12.5)]
    assert worker.stats is not None
    assert worker.stats.reread == 0


def test_time_does_not_pass_what_is_undecided_and_the_other_topics_are_read_on(broker: str) -> None:
    pace = BatchingPolicy(step_wait_s=0.05, waiting_limit=1_000, reorder_us=250_000)
    settings = settings_on(broker, 1, pace)
    orders, logins = settings.topics[Topic.ORDERS], settings.topics[Topic.LOGINS]
    produce(broker, [Sent(orders, b"k", event(Topic.ORDERS, "o0", "k", "2024-01-01T10:00:00Z"), 0)])
    transaction = Transaction(broker)
    transaction.write([Sent(orders, b"k", event(Topic.ORDERS, "o1", "k", "2024-01-01T10:10:00Z"), 0)])
    times = {"l0": "09:59", "l1": "10:05", "l2": "10:20"}
    with running(settings, lambda number: AmountEngine()) as worker:
        for name, at in times.items():
            login = event(Topic.LOGINS, name, "k", f"2024-01-01T{at}:00Z")
            produce(broker, [Sent(logins, b"k", login, 0)])
        worker.wait_until(lambda: worker.count() == 2)
        worker.wait_until(lambda: worker.stats is not None and f"{orders}/0" in worker.stats.behind)
        assert worker.stats is not None
        assert worker.stats.behind == [f"{orders}/0"]  # the logins have been read to their end
        assert worker.stats.open_transactions == [f"{orders}/0"]
        given = {"broker": broker, "orders": orders, "logins": logins, "app": settings.app}
        worker.wait_until(lambda: bool(offsets(load_settings(None, given), {}).committed))
        undecided = offsets(load_settings(None, given), {orders: 1, logins: 1})
        assert (undecided.stable[orders, 0], undecided.ends[orders, 0]) == (1, 2)
        assert undecided.stable[logins, 0] == undecided.ends[logins, 0] == len(times)
        assert [name for name, _ in seen(worker)] == ["l0", "o0"]
        transaction.commit()
        worker.wait_until(lambda: worker.count() == 5)
    transaction.close()
    assert [name for name, _ in seen(worker)] == ["l0", "o0", "l1", "o1", "l2"]


def seen(worker: RunningWorker) -> list[tuple[str, float]]:
    return list(worker.engines[0].events)


def caught_up(worker: RunningWorker) -> bool:
    stats = worker.stats
    return stats is not None and len(stats.lag) == 3 and not any(stats.lag.values()) and not stats.behind
