"""The internal topic gives back what was told, and a segment's warning reads as it was written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streams.contract.segment_days import MOST_DROPPED, SumsReader, encode_end, encode_state, encode_sums
from streams.contract.segments import encode_segment_step, parse_segment_warning
from streams.core.segments.counts import DaySums
from streams.core.segments.engine import SegmentStep
from streams.core.steps import Cause, StepKind, Tier
from streams.errors import ContractError
from streams.worker.delivery import OutputRouter

SUMS = DaySums(
    partition=2,
    closed=19_800,
    since=19_700,
    quiet=("orders",),
    shop={19_798: (1, 0, 1, 0), 19_800: (5, 2, 4, 1)},
    segments={("region", "süd=1"): {19_800: (5, 2, 4, 1)}, ("category", "price"): {19_800: (0, 1, 0, 1)}},
)
OUTLET = OutputRouter("lapwing", "w", "c", "r", 1_000_000, segment_days="days", segment_partitions=3)


def test_every_partition_of_the_topic_is_told_of_the_end_after_the_segments() -> None:
    records = OUTLET.of_sums(SUMS)
    assert [record.key for record in records[:2]] == [b"category=price", "region=süd=1".encode()]
    assert [(record.key, record.partition) for record in records[2:]] == [(None, 0), (None, 1), (None, 2)]
    assert {record.topic for record in records} == {"days"}


def test_what_was_told_is_read_whole_at_its_end_and_what_was_broken_off_counts_for_nothing() -> None:
    values = [record.value for record in OUTLET.of_sums(SUMS)[:3]]
    reader = SumsReader()
    # A worker died between the records and told all again.
    assert [reader.read(value) for value in [values[1], *values[:2]]] == [None] * 3
    assert reader.read(values[2]) == SUMS


@pytest.mark.parametrize(
    "value", [None, b"nonsense", b"[" * 20_000, b'{"kind":"state","rule_set":"a","state":{}}']
)
def test_what_is_no_record_of_ours_is_refused_and_changes_nothing(value: bytes | None) -> None:
    values = [record.value for record in OUTLET.of_sums(SUMS)[:3]]
    reader = SumsReader()
    reader.read(encode_state({"judged": 5}, "hash"))
    for known in values[:2]:
        reader.read(known)
    with pytest.raises(ContractError, match="not a record of segments' days"):
        reader.read(value)
    assert reader.read(values[2]) == SUMS
    assert reader.state is not None
    assert reader.state.state == {"judged": 5}


def test_an_end_alone_is_that_of_no_segments_here() -> None:
    read = SumsReader().read(encode_end(SUMS))
    assert read is not None
    assert (read.shop, read.segments) == (SUMS.shop, {})


def test_days_without_an_end_are_dropped_where_they_are_too_much_and_refused_at_their_end() -> None:
    """Whoever may write to the topic can send days that never end: they have only so much room."""
    first, second = (replace(SUMS, partition=number) for number in (0, 1))
    of_first = [value for _, value in encode_sums(first)]
    of_second = [value for _, value in encode_sums(second)]
    reader = SumsReader(most_bytes=sum(map(len, of_first + of_second[:1])))
    for value in [*of_second[:1], *of_first]:
        reader.read(value)
    reader.read(of_second[1])  # one too much: the first partition has waited longer than the second
    reader.read(encode_sums(replace(SUMS, partition=7))[0][1])
    assert reader.read(encode_end(second)) == second
    with pytest.raises(ContractError, match="the sums of partition 0 for 2024-03-18 were dropped"):
        reader.read(encode_end(first))
    # Told again, it is whole.
    for value in of_first:
        reader.read(value)
    assert reader.read(encode_end(first)) == first


def test_a_flood_of_days_that_never_end_takes_no_more_than_its_room() -> None:
    reader = SumsReader(most_bytes=50_000)
    for number in range(20_000):
        for _, value in encode_sums(replace(SUMS, partition=number))[:1]:
            reader.read(value)
    kept = sum(day.size for day in reader._open.values())
    assert 40_000 < kept <= 50_000
    assert kept == reader._bytes
    assert len(reader._dropped) == MOST_DROPPED
    for value in (value for _, value in encode_sums(SUMS)):
        reader.read(value)
    assert reader.read(encode_end(SUMS)) == SUMS


def test_the_state_of_the_newest_day_counts() -> None:
    reader = SumsReader()
    for day in (5, 7, 6):
        reader.read(encode_state({"judged": day}, "hash"))
    assert reader.state is not None
    assert reader.state.state == {"judged": 7}


def test_keys_do_not_depend_on_the_order_of_counting() -> None:
    assert [key for key, _ in encode_sums(SUMS)] == ["category=price", "region=süd=1"]


def test_a_step_reads_as_it_was_written() -> None:
    cause = Cause(
        "up", "v", "Up", Tier.HIGH, "test", None, None, 0, 86_400_000_000, "m", {"complaints_7d": 3}
    )
    step = SegmentStep(
        StepKind.OPENED, "region", "süd", 86_400_000_000, "id", 1, Tier.HIGH, 86_400_000_000, (cause,), "hash"
    )
    event = parse_segment_warning(encode_segment_step(step, "shop"))
    assert (event.id, event.type, event.subject) == ("id/1", "churn.segment.opened", "region=süd")
    assert (event.data.dimension, event.data.value, event.data.state) == ("region", "süd", "open")
    assert event.data.causes[0].values == {"complaints_7d": 3}
    with pytest.raises(ContractError, match="not a segment's warning event"):
        parse_segment_warning(b"{}")
