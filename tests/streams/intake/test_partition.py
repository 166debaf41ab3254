from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.contract.rejected import RefusalReason
from streams.core.engine_io import EventCounts, Output
from streams.core.events.batch import Batch
from streams.core.events.reorder import ReorderBuffer
from streams.core.events.topics import Topic
from streams.intake.partition import BatchingPolicy, Partition, PartitionTotals, PollOutcome, RejectedRecord
from streams.intake.poll import ReadProgress, TopicPartition
from tests.streams.intake.logs import NAMES, Log, logs, merged

HOUR_US = 3_600_000_000
AT_ONCE = BatchingPolicy(step_wait_s=0.0)


@dataclass
class RecordingEngine:
    """Notes what it is given."""

    batches: list[list[str]] = field(default_factory=list)
    flushes: int = 0

    def step(self, batch: Batch) -> Output:
        self.batches.append(batch.event_id.tolist())
        return Output(counts=EventCounts(events=len(batch), late=1, repeats=2))

    def flush(self) -> Output:
        self.flushes += 1
        return Output()

    @property
    def events(self) -> list[str]:
        return [name for batch in self.batches for name in batch]


@dataclass
class Bench:
    """A partition with a recording engine, read from logs."""

    logs: list[Log]
    pace: BatchingPolicy = AT_ONCE
    engine: RecordingEngine = field(default_factory=RecordingEngine)
    totals: PartitionTotals = field(default_factory=PartitionTotals)
    rejected: list[RejectedRecord] = field(default_factory=list)
    partition: Partition = field(init=False)

    def __post_init__(self) -> None:
        self.partition = Partition(
            0, NAMES, self.engine, max_skew_us=HOUR_US, pace=self.pace, totals=self.totals
        )
        for name in NAMES:
            self.partition.begin(name, 0)

    def position(self, log: Log) -> int:
        position = self.partition.position(log.topic.label)
        assert position is not None
        return position

    def take(self, log: Log, start: int, end: int, now: float = 0.0) -> PollOutcome:
        return self.partition.take(log.poll(start, end), now, self.rejected.append)

    def marks(self, heard: float = 0.0) -> dict[TopicPartition, ReadProgress]:
        return {
            TopicPartition(log.topic.label, 0): ReadProgress(log.end, log.end, int(heard * 1000))
            for log in self.logs
        }

    def process(self, now: float = 0.0, heard: float | None = None) -> Output | None:
        """Let it take its turn, the broker's newest answers being of now or of when they were `heard`."""
        return self.partition.process(self.marks(now if heard is None else heard), now)


def bench(*orders: int | None, pace: BatchingPolicy = AT_ONCE) -> tuple[Bench, Log]:
    log = Log(Topic.ORDERS, orders)
    return Bench([Log(Topic.COMPLAINTS, ()), Log(Topic.LOGINS, ()), log], pace=pace), log


fates = st.lists(
    st.tuples(
        st.integers(0, 2), st.integers(0, 6), st.sampled_from(["comes", "is lost", "is read from before"])
    ),
    max_size=20,
)


@settings(max_examples=60, deadline=None)
@given(logs, fates)
def test_whatever_is_lost_or_comes_twice_the_engine_sees_every_record_once_and_in_order(
    logs: list[Log], fates: list[tuple[int, int, str]]
) -> None:
    made = Bench(logs)
    reading = [0, 0, 0]
    for which, n, fate in fates:
        log, start = logs[which], reading[which]
        reading[which] = end = min(log.end, start + n)
        if fate == "is read from before":
            start = max(0, start - 3)
        if fate != "is lost" and made.take(log, start, end) is PollOutcome.GAP:
            reading[which] = made.position(log)  # what the seek does
        made.process()
    for log in logs:
        made.take(log, made.position(log), log.end)
    made.process()
    assert made.engine.events == merged(logs)
    refused = [(log.topic.label, i) for log in logs for i, at in enumerate(log.times) if at is None]
    assert sorted((bad.place.topic, bad.offset) for bad in made.rejected) == sorted(refused)


def test_a_poll_is_taken_where_it_continues_the_state_only() -> None:
    made, log = bench(1, 2, 3, 4, 5)
    assert made.take(log, 0, 2) is PollOutcome.WHOLE
    assert made.take(log, 0, 2) is PollOutcome.AGAIN
    assert made.take(log, 3, 5) is PollOutcome.GAP
    assert made.take(log, 1, 3) is PollOutcome.PARTLY
    assert made.take(log, 3, 5) is PollOutcome.WHOLE
    made.process()
    assert made.engine.events == [f"orders-{i}" for i in range(5)]


def test_a_new_state_takes_nothing_but_from_where_its_partition_begins() -> None:
    log = Log(Topic.ORDERS, (1, 2, 3, 4))
    totals = PartitionTotals()
    partition = Partition(
        0, NAMES, RecordingEngine(), max_skew_us=HOUR_US, pace=BatchingPolicy(), totals=totals
    )
    rejected: list[RejectedRecord] = []
    assert partition.position("orders") is None
    assert partition.take(log.poll(1, 2), 0.0, rejected.append) is PollOutcome.GAP
    partition.begin("orders", 1)
    assert partition.take(log.poll(2, 3), 0.0, rejected.append) is PollOutcome.GAP
    assert partition.take(log.poll(1, 3), 0.0, rejected.append) is PollOutcome.WHOLE
    partition.begin("orders", 0)
    assert partition.position("orders") == 3


def test_an_honest_hole_before_a_polls_first_record_is_no_gap() -> None:
    made, log = bench(1, 2, 3)
    made.take(log, 0, 1)
    poll = log.poll(1, 3).since(2)
    hole = type(poll)(poll.topic_partition, 1, 3, poll.offsets, poll.keys, poll.values, poll.timestamps_ms)
    assert made.partition.take(hole, 0.0, made.rejected.append) is PollOutcome.WHOLE
    made.process()
    assert made.engine.events == ["orders-0", "orders-2"]


def test_a_refused_record_comes_with_its_place_and_its_bytes_and_the_rest_goes_on() -> None:
    made, log = bench(1, None, 3)
    made.take(log, 0, 3)
    made.process()
    assert made.engine.events == ["orders-0", "orders-2"]
    (bad,) = made.rejected
    assert (bad.place, bad.offset, bad.key, bad.value) == (TopicPartition("orders", 0), 1, b"k", b"garbage")
    assert bad.reason is RefusalReason.NOT_JSON
    assert made.totals.refused == 1


def test_refused_records_at_the_end_do_not_keep_the_released_offset_back() -> None:
    made, log = bench(1, None, None)
    made.take(log, 0, 3)
    made.process()
    assert made.partition.released()[TopicPartition("orders", 0)] == 3


def test_with_a_backlog_events_are_gathered_but_not_for_long() -> None:
    made, log = bench(*range(10), pace=BatchingPolicy(step_events=4, step_wait_s=1.0))
    made.take(log, 0, 2, now=10.0)
    assert made.process(now=10.5) is None
    made.process(now=11.0)
    assert [len(batch) for batch in made.engine.batches] == [2]
    made.take(log, 2, 4, now=11.0)
    made.take(log, 4, 6, now=11.1)
    made.process(now=11.2)
    assert [len(batch) for batch in made.engine.batches] == [2, 4]


def test_what_came_last_is_not_gathered() -> None:
    made, log = bench(1, 2, pace=BatchingPolicy(step_events=1000, step_wait_s=1.0))
    made.take(log, 0, 2, now=10.0)
    made.process(now=10.0)
    assert made.engine.events == ["orders-0", "orders-1"]


def test_in_a_lull_the_engine_is_flushed_once() -> None:
    made, log = bench(1, 2, pace=BatchingPolicy(step_wait_s=0.0, idle_s=0.25))
    for now in (10.0, 11.0):
        assert made.process(now) is None  # nothing was ever given to it
    made.take(log, 0, 2, now=20.0)
    flushes = []
    for now in (20.0, 20.2, 20.25, 20.5, 99.0):
        made.process(now)
        flushes.append(made.engine.flushes)
    assert flushes == [0, 0, 0, 1, 1]  # what is heard at 20.5 was so at 20.25, when it was asked for


def test_a_worker_that_was_frozen_has_seen_no_lull() -> None:
    made, log = bench(1, 2, pace=BatchingPolicy(step_wait_s=0.0, idle_s=0.25))
    made.take(log, 0, 2, now=20.0)
    made.process(20.0)
    made.process(20.1)
    made.process(30.0, heard=20.1)  # it goes on
    made.process(30.1, heard=30.0)  # an answer that had been waiting all the while
    assert made.engine.flushes == 0
    made.process(30.2)
    assert made.engine.flushes == 1


def test_while_the_broker_is_away_there_is_no_lull() -> None:
    made, log = bench(1, 2, pace=BatchingPolicy(step_wait_s=0.0, idle_s=0.25))
    made.take(log, 0, 2, now=20.0)
    for now in (20.0, 20.1, 20.3, 25.0, 99.0):
        made.process(now, heard=min(now, 20.1))
    assert made.engine.flushes == 0


def test_a_clock_that_is_set_back_delays_a_flush_by_no_more_than_the_lull() -> None:
    made, log = bench(1, 2, pace=BatchingPolicy(step_wait_s=0.0, idle_s=0.25))
    made.take(log, 0, 2, now=20.0)
    for heard in (20.0, 20.2, 10.0, 10.2, 10.3):
        made.process(20.0, heard=heard)
    assert made.engine.flushes == 0
    made.process(20.0, heard=10.5)
    assert made.engine.flushes == 1


def test_a_topic_that_is_behind_is_no_lull() -> None:
    made, log = bench(1, 2, 3)
    made.take(log, 0, 2, now=1.0)
    made.process(1.0)
    made.process(9.0)
    assert (made.engine.events, made.engine.flushes) == (["orders-0", "orders-1"], 0)


def test_a_topic_is_full_when_too_much_of_it_waits_for_another() -> None:
    orders, logins = Log(Topic.ORDERS, (5, 6, 7)), Log(Topic.LOGINS, (1,))
    made = Bench(
        [Log(Topic.COMPLAINTS, ()), logins, orders], pace=BatchingPolicy(waiting_limit=2, step_wait_s=0.0)
    )
    made.take(orders, 0, 1)
    made.process()
    assert made.partition.full() == set()
    made.take(orders, 1, 3)
    assert made.process() is None
    assert made.partition.full() == {TopicPartition("orders", 0)}
    assert made.partition.behind(made.marks()) == {TopicPartition("logins", 0)}
    assert made.partition.lag(made.marks()) == {
        TopicPartition("complaints", 0): 0,
        TopicPartition("logins", 0): 1,
        TopicPartition("orders", 0): 3,
    }
    made.take(logins, 0, 1)
    made.process()
    assert made.engine.events == ["logins-0", "orders-0", "orders-1", "orders-2"]
    assert made.partition.full() == set()


def test_the_tally_adds_up_what_the_engine_says() -> None:
    made, log = bench(1, 2, 3)
    for offset in range(3):
        made.take(log, offset, offset + 1)
        made.process()
    assert (made.totals.events, made.totals.late, made.totals.repeats) == (3, 3, 6)


@pytest.mark.parametrize("offset", [0, 1, 3])
def test_the_rest_of_a_poll_from_an_offset(offset: int) -> None:
    poll = Log(Topic.ORDERS, (1, 2, 3)).poll(0, 3)
    rest = poll.since(offset)
    assert (rest.start, rest.end, rest.offsets.tolist()) == (offset, 3, list(range(offset, 3)))
    assert rest.values == poll.values[offset:]
    assert len(rest) == len(rest.keys) == len(rest.timestamps_ms) == 3 - offset


REORDER_US = 10_000_000
SETTLING_MS = 200
written = st.lists(
    st.tuples(
        st.integers(0, 2),  # the topic
        st.integers(0, 40),  # seconds of event time since the event before
        st.integers(0, 30),  # milliseconds until it is written
        st.integers(0, SETTLING_MS - 1),  # and by how much later, as topics are written one after the other
    ),
    max_size=40,
)
answers = st.lists(
    st.tuples(st.sets(st.integers(0, 2), min_size=1), st.integers(0, 250), st.floats(0, 1)), max_size=60
)


@dataclass
class ReorderingEngine:
    """Puts events in order as an engine does, and notes those that came too late."""

    buffer: ReorderBuffer = field(default_factory=lambda: ReorderBuffer(REORDER_US))
    taken: list[int] = field(default_factory=list)
    late: int = 0

    def step(self, batch: Batch) -> Output:
        for i in range(len(batch)):
            self.late += int(batch.at[i] < self.buffer.watermark)
            self.taken += self.buffer.put(batch.take(slice(i, i + 1))).events.at.tolist()
        return Output()

    def flush(self) -> Output:
        self.taken += self.buffer.flush().events.at.tolist()
        return Output()


def answered(
    logs: list[Log], times: list[list[int]], fetches: list[tuple[set[int], int, float]]
) -> Iterator[tuple[int, list[tuple[Log, int]]]]:
    """Yield when answers came, and how far each topic that they are about reached when they were given.

    An answer is given at any time between the one before of the same topic, when it is asked for, and its
    arrival. The last ones come when all has been written.
    """
    asked, now = [0, 0, 0], 0
    for about, wait, share in [*fetches, *[({0, 1, 2}, 20_000, 0.5)] * 3]:
        now += wait
        found = []
        for which in sorted(about):
            given = asked[which] + int(share * (now - asked[which]))
            asked[which] = now
            found.append((logs[which], sum(at <= given for at in times[which])))
        yield now, found


@settings(max_examples=150, deadline=None)
@given(written, answers)
def test_history_that_is_written_to_one_topic_a_little_before_another_is_never_late(
    rows: list[tuple[int, int, int, int]], fetches: list[tuple[set[int], int, float]]
) -> None:
    ats: list[list[int | None]] = [[], [], []]
    times: list[list[int]] = [[], [], []]
    at = written_at = 0
    for topic, gap, wait, delay in rows:
        at, written_at = at + gap, written_at + wait
        ats[topic].append(at)
        times[topic].append(max([written_at + delay, *times[topic][-1:]]))
    logs = [Log(topic, tuple(own)) for topic, own in zip(NAMES.values(), ats, strict=True)]
    engine = ReorderingEngine()
    pace = BatchingPolicy(step_wait_s=0.0, reorder_us=REORDER_US)
    assert pace.settling is not None
    assert pace.settling.wait_ms == SETTLING_MS
    partition = Partition(0, NAMES, engine, max_skew_us=HOUR_US, pace=pace, totals=PartitionTotals())
    read = dict.fromkeys(NAMES, 0)
    for name in NAMES:
        partition.begin(name, 0)
    progress: dict[TopicPartition, ReadProgress] = {}
    for now, found in answered(logs, times, fetches):
        for log, end in found:
            name = log.topic.label
            if end > read[name]:
                partition.take(replace(log.poll(read[name], end), came_ms=now), now / 1000, lambda bad: None)
                read[name] = end
            progress[TopicPartition(name, 0)] = ReadProgress(end, end, now)
        partition.process(progress, now / 1000)
    partition.process(progress, 1e9)
    assert engine.late == 0
    assert engine.taken == sorted(engine.taken)
    assert len(engine.taken) == len(rows)
