from __future__ import annotations

from typing import Any

import faust.transport
import pytest
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords  # type: ignore[import-untyped]  # no types
from aiokafka.record.default_records import DefaultRecordBatchBuilder  # type: ignore[import-untyped]  # no types
from aiokafka.record.memory_records import MemoryRecords  # type: ignore[import-untyped]  # no types
from aiokafka.structs import ConsumerRecord, TopicPartition  # type: ignore[import-untyped]  # no types
from yarl import URL

from streams.intake import transport
from streams.intake.poll import Place

TP = TopicPartition("orders", 3)
CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


class Assignment:
    """What aiokafka's `FetchResult` asks of an assignment."""

    active = True
    paused = False
    position = 10

    def state_value(self, tp: TopicPartition) -> Assignment:
        return self

    def consumed_to(self, position: int) -> None:
        self.position = position


def fetched(codec: int = 0) -> tuple[FetchResult, Assignment]:
    """What aiokafka holds after a fetch of three records at the offsets 10, 12 and 13."""
    builder = DefaultRecordBatchBuilder(2, codec, False, -1, -1, -1, 1 << 20)
    for offset, (key, value) in {0: (b"a", b"1"), 2: (None, b"2"), 3: (b"c", None)}.items():
        builder.append(offset, 1_000 + offset, key, value, [("h", b"x")])
    data = bytearray(builder.build())
    data[0:8] = (10).to_bytes(8, "big")  # the batch's base offset, which the broker sets
    records = PartitionRecords(TP, MemoryRecords(bytes(data)), [], 10, None, None, True, 0)
    assignment = Assignment()
    return FetchResult(TP, assignment=assignment, partition_records=records, backoff=0), assignment


class Fetcher:
    def __init__(self, result: object) -> None:
        self._records = {TP: result}


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS.keys())
def test_records_are_read_without_aiokafkas_consumer_record_and_are_the_same(codec: int) -> None:
    plain = fetched(codec)[0].getall()
    assert {type(record) for record in plain} == {ConsumerRecord}
    result, assignment = fetched(codec)
    transport.spare_consumer_records(Fetcher(result), frozenset({"orders"}))
    spared = result.getall()
    assert len(spared) == 3
    assert ConsumerRecord not in {type(record) for record in spared}, "aiokafka has changed: measure again"
    assert assignment.position == 14
    polls = [
        transport.poll_of(Place("orders", 3), 10, 14, records, more=False) for records in (plain, spared)
    ]
    for poll in polls:
        assert poll.offsets.tolist() == [10, 12, 13]
        assert poll.keys == [b"a", None, b"c"]
        assert poll.values == [b"1", b"2", None]
        assert poll.timestamps_ms.tolist() == [1_000, 1_002, 1_003]


def test_records_of_other_topics_stay_faust_s() -> None:
    result, _ = fetched()
    transport.spare_consumer_records(Fetcher(result), frozenset({"logins"}))
    assert {type(record) for record in result.getall()} == {ConsumerRecord}


def test_an_error_among_what_was_fetched_is_left_to_aiokafka() -> None:
    error: Any = object()
    transport.spare_consumer_records(Fetcher(error), frozenset({"orders"}))


def test_the_broker_urls_scheme_chooses_the_transport() -> None:
    assert faust.transport.by_url(URL("lapwing://127.0.0.1:9092")) is transport.Transport
    assert transport.Transport.Consumer is transport.Consumer
