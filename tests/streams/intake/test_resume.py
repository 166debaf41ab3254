"""A partition that goes on from saved stands gives its engine what the former one would have."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.intake.merge import TopicPosition
from streams.intake.partition import BatchingPolicy, Partition, PartitionTotals
from streams.intake.poll import ReadProgress, TopicPartition
from tests.streams.intake.logs import NAMES, Log, logs, merged
from tests.streams.intake.test_partition import Bench, RecordingEngine, bench


def resumed(former: Bench) -> Bench:
    made = Bench(former.logs, engine=former.engine)
    made.partition.resume(former.partition.positions())
    return made


@settings(max_examples=80, deadline=None)
@given(logs, st.lists(st.tuples(st.integers(0, 2), st.integers(0, 6), st.booleans()), max_size=20))
def test_the_merge_goes_on_exactly_wherever_it_was_cut(
    logs: list[Log], reads: list[tuple[int, int, bool]]
) -> None:
    made = Bench(logs)
    for which, n, cut in reads:
        start = made.position(logs[which])
        made.take(logs[which], start, min(logs[which].end, start + n))
        made.process()
        made = resumed(made) if cut else made
    for log in logs:
        made.take(log, made.position(log), log.end)
    made.process()
    assert made.engine.events == merged(logs)


def test_what_waits_for_another_topic_is_not_in_the_stands() -> None:
    made, log = bench(5, 3, 9)
    made.take(log, 0, 3)
    behind = {TopicPartition("logins", 0): ReadProgress(0, 1)}
    made.partition.process(made.marks() | behind, 0.0)
    assert made.partition.positions()["orders"] == TopicPosition(0, None)
    made.process()
    assert made.partition.positions() == {
        "orders": TopicPosition(3, 9_000_000),
        "logins": TopicPosition(0, None),
        "complaints": TopicPosition(0, None),
    }


def test_a_topic_that_was_not_read_before_begins_at_its_earliest() -> None:
    partition = Partition(
        0, NAMES, RecordingEngine(), max_skew_us=0, pace=BatchingPolicy(), totals=PartitionTotals()
    )
    partition.resume({"orders": TopicPosition(1, 1)})
    assert partition.position("orders") == 1
    assert partition.position("logins") is None
    assert set(partition.positions()) == {"orders"}


def test_an_engine_that_was_saved_while_it_held_events_back_is_flushed_when_idle() -> None:
    made, _ = bench(1, pace=BatchingPolicy(step_wait_s=0.0, idle_s=2.0))
    made.partition.resume({"orders": TopicPosition(1, 1)})
    for now in (11.0, 12.0, 13.0):
        made.process(now)
    assert made.engine.flushes == 0
    made.process(now=14.0)
    assert made.engine.flushes == 1
