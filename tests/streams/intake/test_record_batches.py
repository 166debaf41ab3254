from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Any

import pytest
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords  # type: ignore[import-untyped]  # no types
from aiokafka.errors import CorruptRecordException  # type: ignore[import-untyped]  # no types
from aiokafka.record.default_records import DefaultRecordBatchBuilder  # type: ignore[import-untyped]  # no types
from aiokafka.record.memory_records import MemoryRecords  # type: ignore[import-untyped]  # no types
from aiokafka.record.util import calc_crc32c  # type: ignore[import-untyped]  # no types
from aiokafka.structs import ConsumerRecord  # type: ignore[import-untyped]  # no types
from hypothesis import given
from hypothesis import strategies as st

from streams.intake.poll import TopicPartition
from streams.intake.record_batches import unpack_whole_batches
from streams.intake.transport import poll_of

TP = TopicPartition("orders", 3)
CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
ORDERS = frozenset({"orders"})


class Assignment:
    """What aiokafka's `FetchResult` asks of an assignment."""

    active = True
    paused = False

    def __init__(self, position: int) -> None:
        self.position = position

    def state_value(self, tp: TopicPartition) -> Assignment:
        return self

    def consumed_to(self, position: int) -> None:
        self.position = position


class Fetcher:
    def __init__(self, result: object) -> None:
        self._records = {TP: result}


def batch(offsets: Sequence[int], codec: int = 0, *, control: bool = False, producer: int = -1) -> bytes:
    """A record batch of records at rising offsets; a control batch is a transaction's marker."""
    builder = DefaultRecordBatchBuilder(2, codec, producer >= 0, producer, 0, 0, 1 << 20)
    for offset in offsets:
        key = None if offset % 5 == 2 else b"k%d" % offset
        value = None if offset % 5 == 3 else b"v%d" % offset
        builder.append(offset - offsets[0], 1_000 + offset, key, value, [("h", b"x")])
    return written(builder, offsets[0], control=control)


def marker(offset: int, producer: int, *, aborts: bool) -> bytes:
    """The control batch that ends a transaction."""
    builder = DefaultRecordBatchBuilder(2, 0, True, producer, 0, 0, 1 << 10)
    builder.append(0, 1_000, bytes([0, 0, 0, 0 if aborts else 1]), b"", [])
    return written(builder, offset, control=True)


def written(builder: DefaultRecordBatchBuilder, offset: int, *, control: bool) -> bytes:
    data = bytearray(builder.build())
    data[0:8] = offset.to_bytes(8, "big")  # the batch's base offset, which the broker sets
    if control:
        data[22] |= 0x20
        data[17:21] = calc_crc32c(bytes(data[21:])).to_bytes(4, "big")
    return bytes(data)


def fetched(
    *batches: bytes,
    position: int,
    whole: bool,
    isolation: int = 0,
    aborted: Sequence[tuple[int, int]] = (),
) -> tuple[FetchResult, Assignment]:
    """What aiokafka holds after a fetch from `position`."""
    assignment = Assignment(position)
    records = PartitionRecords(
        TP, MemoryRecords(b"".join(batches)), list(aborted), position, None, None, True, isolation
    )
    result = FetchResult(TP, assignment=assignment, partition_records=records, backoff=0)
    if whole:
        unpack_whole_batches(Fetcher(result), ORDERS)
    return result, assignment


def read(result: FetchResult, assignment: Assignment, limits: Iterator[int | None]) -> list[Any]:
    """Read all of a fetch in calls of these limits, and where each of them left the position."""
    seen = []
    while result.has_more():
        limit = next(limits)
        records = result.getall(limit)
        assert limit is None or len(records) <= limit
        seen += [(record.offset, record.timestamp, record.key, record.value) for record in records]
    return [*seen, assignment.position]


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS.keys())
def test_records_are_read_without_aiokafkas_consumer_record_and_are_the_same(codec: int) -> None:
    data = batch([10, 12, 13], codec)
    plain = fetched(data, position=10, whole=False)[0].getall()
    assert {type(record) for record in plain} == {ConsumerRecord}
    result, assignment = fetched(data, position=10, whole=True)
    whole = result.getall()
    assert len(whole) == 3
    assert ConsumerRecord not in {type(record) for record in whole}, "aiokafka has changed: measure again"
    assert assignment.position == 14
    assert not result.has_more()
    for records in (plain, whole):
        poll = poll_of(TopicPartition("orders", 3), 10, 14, records, more=False)
        assert poll.offsets.tolist() == [10, 12, 13]
        assert poll.keys == [b"k10", None, b"k13"]
        assert poll.values == [b"v10", b"v12", None]
        assert poll.timestamps_ms.tolist() == [1_010, 1_012, 1_013]


@given(
    st.lists(st.tuples(st.lists(st.integers(1, 3), min_size=1, max_size=6), st.booleans()), max_size=5),
    st.integers(0, 8),
    st.lists(st.one_of(st.none(), st.integers(1, 7)), min_size=1),
)
def test_any_batches_in_any_pieces_are_what_aiokafka_reads(
    shapes: list[tuple[list[int], bool]], skipped: int, limits: list[int | None]
) -> None:
    batches: list[bytes] = []
    at = 10
    for steps, control in shapes:
        offsets = []
        for step in steps:
            offsets.append(at)
            at += step
        batches.append(batch(offsets, control=control and len(batches) > 0))
    position = 10 + skipped if batches else 10
    plain, whole = (fetched(*batches, position=position, whole=each) for each in (False, True))
    assert read(*whole, cycle(limits)) == read(*plain, cycle([None]))


@given(
    st.lists(st.tuples(st.integers(-1, 2), st.sampled_from(["write", "commit", "abort"])), max_size=12),
    st.integers(0, 12),
    st.lists(st.one_of(st.none(), st.integers(1, 7)), min_size=1),
)
def test_of_transactions_what_was_committed_is_read_in_any_pieces(
    moves: list[tuple[int, str]], skipped: int, limits: list[int | None]
) -> None:
    batches: list[tuple[int, bytes]] = []
    begun: dict[int, int] = {}
    open_records: dict[int, list[int]] = {}
    aborted: list[tuple[int, int, int]] = []
    due: list[int] = []
    at = 0
    for producer, move in moves:
        if move == "write":
            offsets = [at, at + 1]
            batches.append((at, batch(offsets, producer=producer)))
            if producer < 0:
                due += offsets
            else:
                begun.setdefault(producer, at)
                open_records.setdefault(producer, []).extend(offsets)
            at += 2
        elif producer in begun:
            batches.append((at, marker(at, producer, aborts=move == "abort")))
            first, records = begun.pop(producer), open_records.pop(producer)
            if move == "abort":
                aborted.append((producer, first, at))
            else:
                due += records
            at += 1
    # The broker gives nothing of what is undecided, and names the aborted transactions that reach in.
    stable = min(begun.values(), default=at)
    position = min(skipped, stable)
    ends = [begin for begin, _ in batches[1:]] + [at]
    shown = [
        data for (begin, data), end in zip(batches, ends, strict=False) if begin < stable and end > position
    ]
    named = [(producer, first) for producer, first, end in aborted if end >= position]
    whole = fetched(*shown, position=position, whole=True, isolation=1, aborted=named)
    plain = fetched(*shown, position=position, whole=False, isolation=1, aborted=named)
    seen = read(*whole, cycle(limits))
    assert seen == read(*plain, cycle([None]))
    assert [each[0] for each in seen[:-1]] == [o for o in sorted(due) if position <= o < stable]


def test_a_seek_between_two_pieces_drops_what_is_left() -> None:
    result, assignment = fetched(batch([10, 11, 12]), batch([13]), position=10, whole=True)
    assert [record.offset for record in result.getall(2)] == [10, 11]
    assert assignment.position == 12
    assignment.position = 10
    assert result.getall(2) == []
    assert not result.has_more()


def test_a_damaged_batch_is_an_error_and_the_position_stays() -> None:
    damaged = bytearray(batch([13, 14]))
    damaged[-1] ^= 1
    result, assignment = fetched(batch([10, 11]), bytes(damaged), position=10, whole=True)
    with pytest.raises(CorruptRecordException, match="orders"):
        result.getall()
    assert assignment.position == 10
    assert result.getall() == []


def test_what_is_not_ours_is_left_to_aiokafka() -> None:
    result, _ = fetched(batch([10]), position=10, whole=False)
    unpack_whole_batches(Fetcher(result), frozenset({"logins"}))
    assert {type(record) for record in result.getall()} == {ConsumerRecord}
    unpack_whole_batches(Fetcher(object()), ORDERS)


@given(st.integers(0, 7), st.lists(st.integers(1, 4), min_size=1))
def test_what_aiokafka_has_begun_to_unpack_is_left_to_it(first: int, limits: list[int]) -> None:
    """It may hold the rest of a batch, of which nothing outside of it knows."""
    result, assignment = fetched(batch([0, 1, 2, 3]), batch([4, 5, 6]), position=0, whole=False)
    offsets = [record.offset for record in result.getall(first)] if first else []
    unpack_whole_batches(Fetcher(result), ORDERS)
    turns = cycle(limits)
    while result.has_more():
        offsets += [record.offset for record in result.getall(next(turns))]
    assert offsets == list(range(7))
    assert assignment.position == 7
