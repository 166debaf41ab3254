"""The internal topic gives back what was told, and a segment's warning reads as it was written."""

from __future__ import annotations

import pytest

from streams.contract.segment_days import SumsReader, encode_end, encode_state, encode_sums
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
