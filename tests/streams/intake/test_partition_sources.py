"""A partition of which some topics hold a source's records."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.contract.rejected import RefusalReason
from streams.core.engine_io import EventCounts, Output
from streams.core.events.batch import Batch
from streams.core.events.refusal import EventRefusalReason, RefusedEvent
from streams.core.events.topics import Topic
from streams.intake.merge import TopicPosition
from streams.intake.partition import Partition, PartitionTotals, PollOutcome, RejectedRecord
from streams.intake.poll import Poll, ReadProgress, TopicPartition
from streams.intake.standing_refusals import StandingRefusals
from tests.streams.intake.logs import NAMES, Log, logs, merged
from tests.streams.intake.shop_source import ShopSource, event, shop_poll
from tests.streams.intake.test_partition import AT_ONCE, HOUR_US, RecordingEngine

SHOP = ShopSource((Topic.CLOSURES, Topic.ORDERS))
TILLS = ShopSource((Topic.ORDERS,))


@dataclass
class Shops:
    """A partition with orders of its own, of a shop and of tills."""

    engine: RecordingEngine = field(default_factory=RecordingEngine)
    rejected: list[RejectedRecord] = field(default_factory=list)
    totals: PartitionTotals = field(default_factory=PartitionTotals)
    standing: StandingRefusals = field(default_factory=StandingRefusals)
    wall_us: int = 4_000_000_000
    ends: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("orders", "shop", "tills"), 0))

    def __post_init__(self) -> None:
        self.partition = Partition(
            0,
            {"orders": Topic.ORDERS},
            self.engine,
            sources={"shop": SHOP, "tills": TILLS},
            max_skew_us=HOUR_US,
            pace=AT_ONCE,
            totals=self.totals,
            wall_us=lambda: self.wall_us,
            standing=self.standing,
        )
        for name in self.ends:
            self.partition.begin(name, 0)

    def take(self, poll: Poll) -> PollOutcome:
        name = poll.topic_partition.topic
        self.ends[name] = max(self.ends[name], poll.end)
        return self.partition.take(poll, 0.0, self.rejected.append)

    def process(self) -> Output | None:
        progress = {TopicPartition(name, 0): ReadProgress(end, end) for name, end in self.ends.items()}
        return self.partition.process(progress, 0.0)


@settings(max_examples=60, deadline=None)
@given(logs, st.sets(st.sampled_from(list(NAMES))), st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4))))
def test_a_source_brings_what_a_topic_of_the_contract_would(
    logs: list[Log], mapped: set[str], polls: list[tuple[int, int]]
) -> None:
    engine, rejected = RecordingEngine(), list[RejectedRecord]()
    names = {
        log.topic: f"shop-{log.topic.label}" if log.topic.label in mapped else log.topic.label for log in logs
    }
    partition = Partition(
        0,
        {names[topic]: topic for name, topic in NAMES.items() if name not in mapped},
        engine,
        sources={names[NAMES[name]]: ShopSource((NAMES[name],)) for name in mapped},
        max_skew_us=HOUR_US,
        pace=AT_ONCE,
        totals=PartitionTotals(),
    )
    for name in names.values():
        partition.begin(name, 0)
    ends = {TopicPartition(names[log.topic], 0): ReadProgress(log.end, log.end) for log in logs}

    def read(log: Log, n: int) -> None:
        start = partition.position(names[log.topic])
        assert start is not None
        end = min(log.end, start + n)
        if log.topic.label not in mapped:
            poll = log.poll(start, end)
        else:
            records = [
                None if at is None else [event(log.topic, log.name(i), at)]
                for i, at in enumerate(log.times[start:end], start)
            ]
            poll = shop_poll(names[log.topic], start, records)
        assert partition.take(poll, 0.0, rejected.append) is PollOutcome.WHOLE

    for which, n in polls:
        read(logs[which], n)
        partition.process(ends, 0.0)
    for log in logs:
        read(log, log.end)
    partition.process(ends, 0.0)
    assert engine.events == merged(logs)
    refused = [(names[log.topic], i) for log in logs for i, at in enumerate(log.times) if at is None]
    assert sorted((bad.place.topic, bad.offset) for bad in rejected) == sorted(refused)


def test_a_record_of_which_several_events_are_refused_goes_away_once_as_it_was() -> None:
    made = Shops()
    bad = [event(Topic.ORDERS, "o", 3, amount="x"), event(Topic.CLOSURES, "c", 3, customer_id=7)]
    poll = shop_poll("shop", 0, [bad, [event(Topic.ORDERS, "good", 4)]])
    made.take(poll)
    made.process()
    assert made.engine.events == ["good"]
    (record,) = made.rejected
    assert (record.place, record.offset, record.value) == (TopicPartition("shop", 0), 0, poll.values[0])
    assert made.totals.refused == 1


def test_one_event_of_a_record_may_be_refused_and_the_other_counts() -> None:
    made = Shops()
    made.take(
        shop_poll("shop", 0, [[event(Topic.ORDERS, "o", 3, amount="x"), event(Topic.CLOSURES, "c", 3)]])
    )
    made.process()
    assert made.engine.events == ["c"]
    assert [record.reason for record in made.rejected] == [RefusalReason.WRONG_TYPE]


def test_what_was_refused_for_its_time_is_refused_whole_when_it_is_read_again() -> None:
    record = [event(Topic.CLOSURES, "then", 9_000), event(Topic.ORDERS, "now", 5)]
    first = Shops(wall_us=0)
    poll = shop_poll("shop", 0, [record])
    first.take(poll)
    first.process()
    assert [bad.reason for bad in first.rejected] == [RefusalReason.FUTURE_TIME]
    later = Shops(wall_us=10**15, standing=StandingRefusals({("shop", 0, 0): poll.values[0]}))
    later.take(poll)
    later.process()
    assert later.engine.events == first.engine.events == []
    assert [bad.reason for bad in later.rejected] == [RefusalReason.FUTURE_TIME]


def test_a_record_that_is_refused_for_its_time_too_says_that() -> None:
    made = Shops(wall_us=0)
    record = [event(Topic.CLOSURES, "bad", 3, customer_id=7), event(Topic.ORDERS, "then", 9_000)]
    made.take(shop_poll("shop", 0, [record]))
    assert [bad.reason for bad in made.rejected] == [RefusalReason.FUTURE_TIME]


class RefusingEngine(RecordingEngine):
    """Refuses every order."""

    def step(self, batch: Batch) -> Output:
        refused = [
            RefusedEvent(
                EventRefusalReason.OTHER_CURRENCY,
                Topic(int(batch.topic[i])),
                int(batch.offset[i]),
                int(batch.at[i]),
                batch.customer_id[i],
                batch.event_id[i],
            )
            for i in range(len(batch))
        ]
        return Output(refused=refused, counts=EventCounts(events=len(batch)))


def test_what_an_engine_refuses_is_known_by_its_own_topic_and_offset() -> None:
    made = Shops(engine=RefusingEngine())
    made.take(Log(Topic.ORDERS, (1, 2)).poll(0, 2))
    made.take(shop_poll("tills", 0, [[], [event(Topic.ORDERS, "till", 3)]]))
    made.take(shop_poll("shop", 0, [[], [], [event(Topic.ORDERS, "shop", 4)]]))
    output = made.process()
    assert output is not None
    found = [(record.place.topic, record.offset) for record in made.partition.refused(output)]
    assert found == [("orders", 0), ("orders", 1), ("tills", 1), ("shop", 2)]


def test_a_state_goes_on_from_whole_records() -> None:
    made = Shops()
    made.ends["orders"] = 1  # which has not been read: what is later than its newest waits
    made.take(shop_poll("shop", 0, [[], [event(Topic.ORDERS, "a", 3), event(Topic.CLOSURES, "b", 9)]]))
    made.process()
    assert made.engine.events == []
    assert made.partition.positions()["shop"] == TopicPosition(1, None)
    assert made.partition.lag({TopicPartition("shop", 0): ReadProgress(2, 2)}) == {
        TopicPartition("shop", 0): 1
    }


def test_another_mapping_holds_from_what_has_not_been_given_to_the_engine() -> None:
    made = Shops()
    made.take(shop_poll("shop", 0, [[event(Topic.ORDERS, "a", 3)]]))
    made.process()
    made.ends["orders"] = 1
    second = shop_poll("shop", 1, [[event(Topic.ORDERS, "b", 5)]])
    made.take(second)
    made.process()
    same = ShopSource((Topic.CLOSURES, Topic.ORDERS))
    assert made.partition.replace_sources({"shop": same, "tills": TILLS}) == set()
    assert made.partition.position("shop") == 2
    other = ShopSource((Topic.ORDERS, Topic.CLOSURES))
    assert made.partition.replace_sources({"shop": other, "tills": TILLS}) == {TopicPartition("shop", 0)}
    assert made.partition.position("shop") == 1
    assert made.take(second) is PollOutcome.WHOLE
    made.take(Log(Topic.ORDERS, (9,)).poll(0, 1))
    made.process()
    assert made.engine.events == ["a", "b", "orders-0"]
