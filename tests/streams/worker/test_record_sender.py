"""What is sent as batches arrives as what is sent one by one: in the same partitions, in the same order."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable
from typing import Any

import pytest
from aiokafka.partitioner import DefaultPartitioner  # type: ignore[import-untyped]  # ships no types
from aiokafka.producer.message_accumulator import BatchBuilder  # type: ignore[import-untyped]  # the same
from aiokafka.record.default_records import DefaultRecordBatch  # type: ignore[import-untyped]  # the same

from streams.worker import record_sender
from streams.worker.delivery import OutgoingRecord
from streams.worker.record_sender import RecordSender

PARTITIONS = (0, 1, 2)


class Broker:
    """Takes records one by one, and batches as aiokafka builds them."""

    def __init__(self, batch_size: int = 1_000) -> None:
        self.batch_size = batch_size
        self.logs: defaultdict[tuple[str, int], list[tuple[bytes | None, bytes | None]]] = defaultdict(list)
        self.one_by_one = 0
        self.answers: list[asyncio.Future[Any]] = []

    def answer(self) -> asyncio.Future[Any]:
        self.answers.append(asyncio.get_running_loop().create_future())
        return self.answers[-1]

    async def send_one(self, record: OutgoingRecord) -> Awaitable[Any]:
        place = record.partition
        if place is None:
            place = DefaultPartitioner()(record.key, list(PARTITIONS), list(PARTITIONS))
        self.logs[record.topic, place].append((record.key, record.value))
        self.one_by_one += 1
        return self.answer()

    async def partitions_for(self, topic: str) -> set[int]:
        return set(PARTITIONS)

    def create_batch(self) -> Any:
        return BatchBuilder(self.batch_size, 0)

    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> Awaitable[Any]:
        records = DefaultRecordBatch(bytearray(batch._build()))
        self.logs[topic, partition] += [(record.key, record.value) for record in records]
        return self.answer()


async def sent(records: list[OutgoingRecord], broker: Broker) -> list[Awaitable[Any]]:
    return await RecordSender(broker.send_one, lambda: broker).send(records)


def records(topic: str, count: int, size: int = 20) -> list[OutgoingRecord]:
    return [OutgoingRecord(topic, f"c{n % 7}".encode(), f"{n}".encode().ljust(size)) for n in range(count)]


async def test_many_records_arrive_in_batches_where_one_by_one_they_would(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mixed = [*records("steps", 3), *records("outcomes", 300), *records("days", 40)]
    batched, single = Broker(), Broker()
    answers = await sent(mixed, batched)
    assert batched.one_by_one == 3
    assert answers == batched.answers
    assert 3 + 3 + 3 < len(answers) < 100  # batches were filled, so there are more than partitions
    monkeypatch.setattr(record_sender, "MANY", 10_000)
    assert len(await sent(mixed, single)) == len(mixed)
    assert batched.logs == single.logs
    assert len(batched.logs) == 3 + 3 + 3


@pytest.mark.parametrize(
    "other",
    [
        OutgoingRecord("outcomes", None, b"without a key", partition=2),
        OutgoingRecord("outcomes", b"c1", b"to a place of its own", partition=2),
        OutgoingRecord("outcomes", b"c1", b"x" * record_sender.LARGE),
    ],
)
async def test_a_record_that_the_producer_must_look_at_goes_by_itself_and_in_its_place(
    other: OutgoingRecord,
) -> None:
    broker = Broker()
    many = [*records("outcomes", 50), other, *records("outcomes", 50)]
    await sent(many, broker)
    assert broker.one_by_one == len(many)


async def test_a_record_larger_than_a_batch_and_one_without_a_value_arrive() -> None:
    broker = Broker(batch_size=100)
    many = [*records("outcomes", 40, size=500), OutgoingRecord("outcomes", b"c1", None)]
    await sent(many, broker)
    assert sorted(entry for log in broker.logs.values() for entry in log if entry[1]) == sorted(
        (record.key, record.value) for record in many if record.value
    )
    assert [entry for log in broker.logs.values() for entry in log if entry[1] is None] == [(b"c1", None)]
    assert broker.one_by_one == 0
