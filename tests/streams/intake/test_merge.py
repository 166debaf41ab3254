from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.events.batch import Batch
from streams.core.events.topics import Topic
from streams.intake.merge import PartitionMerge, Settling, TopicReadiness
from tests.streams.intake.logs import NAMES, Log, logs, merged

TOPICS = tuple(NAMES.values())
NO_LIMIT = 1_000_000


class Reader:
    """Reads logs into a merge, a poll at a time, and notes what is released."""

    def __init__(self, logs: list[Log], limit: int = NO_LIMIT) -> None:
        self.logs = {log.topic: log for log in logs}
        self.merge = PartitionMerge(TOPICS, limit)
        self.at = dict.fromkeys(TOPICS, 0)
        self.released: list[str] = []
        for topic in TOPICS:
            self.merge.begin(topic, 0)

    def read(self, topic: Topic, n: int) -> None:
        log, start = self.logs[topic], self.at[topic]
        self.at[topic] = end = min(log.end, start + n)
        self.merge.add(topic, *log.events(start, end), end)

    def release(self, highwaters: dict[Topic, int | None]) -> None:
        self.released += self.merge.release(highwaters).event_id.tolist()

    @property
    def ends(self) -> dict[Topic, int | None]:
        return {topic: log.end for topic, log in self.logs.items()}

    def done(self) -> bool:
        return all(self.at[topic] == log.end for topic, log in self.logs.items())


polls = st.lists(st.tuples(st.sampled_from(TOPICS), st.integers(0, 5)), max_size=25)


@settings(deadline=None)
@given(logs, polls)
def test_however_it_is_cut_and_interleaved_the_merged_order_is_the_same(
    logs: list[Log], polls: list[tuple[Topic, int]]
) -> None:
    reader = Reader(logs)
    reader.release(reader.ends)
    for topic, n in polls:
        reader.read(topic, n)
        reader.release(reader.ends)
    assert reader.released == merged(logs)[: len(reader.released)]
    for topic in TOPICS:
        reader.read(topic, NO_LIMIT)
    reader.release(reader.ends)
    assert reader.released == merged(logs)


@settings(deadline=None)
@given(logs, polls, st.integers(1, 4))
def test_a_limit_on_what_waits_never_stalls_it_and_is_kept_to_a_poll(
    logs: list[Log], polls: list[tuple[Topic, int]], limit: int
) -> None:
    reader = Reader(logs, limit)
    schedule = iter(polls)
    while not reader.done():
        topic, n = next(schedule, (None, 3))
        open_ = [t for t in TOPICS if not reader.merge.full(t) and reader.at[t] < reader.logs[t].end]
        assert open_, "every topic with records left is paused"
        reader.read(topic if topic in open_ else open_[0], max(1, n))
        reader.release(reader.ends)
        assert all(reader.merge.waiting(t) < limit + 5 for t in TOPICS)
    reader.release(reader.ends)
    assert reader.released == merged(logs)


@settings(deadline=None)
@given(logs, polls, st.data())
def test_a_live_stream_loses_nothing_doubles_nothing_and_keeps_each_topics_order(
    logs: list[Log], polls: list[tuple[Topic, int]], data: st.DataObject
) -> None:
    reader = Reader(logs)
    for topic, n in polls:
        reader.read(topic, n)
        known = {
            t: data.draw(st.one_of(st.none(), st.integers(reader.at[t], log.end)))
            for t, log in reader.logs.items()
        }
        reader.release(known)
    for topic in TOPICS:
        reader.read(topic, NO_LIMIT)
    reader.release(reader.ends)
    for log in logs:
        own = [name for name in reader.released if name.startswith(log.topic.label)]
        assert own == [log.name(i) for i, at in enumerate(log.times) if at is not None]
    assert len(reader.released) == sum(at is not None for log in logs for at in log.times)


@settings(deadline=None)
@given(logs, polls)
def test_everything_below_the_released_offset_was_released_and_nothing_above(
    logs: list[Log], polls: list[tuple[Topic, int]]
) -> None:
    reader = Reader(logs)
    for topic, n in polls:
        reader.read(topic, n)
        reader.release(reader.ends)
        for log in logs:
            offset = reader.merge.released(log.topic) or 0
            due = [log.name(i) for i, at in enumerate(log.times[:offset]) if at is not None]
            assert [n for n in reader.released if n.startswith(log.topic.label)] == due


def begun() -> PartitionMerge[Topic]:
    merge = PartitionMerge(TOPICS, NO_LIMIT)
    for topic in TOPICS:
        merge.begin(topic, 0)
    return merge


def events(topic: Topic, *at: int) -> tuple[Batch, np.ndarray, int]:
    log = Log(topic, at)
    return (*log.events(0, log.end), log.end)


def at_of(batch: Batch) -> list[int]:
    return [int(at) for at in batch.at]


def test_a_topic_that_is_behind_holds_the_others_at_its_newest_event() -> None:
    merge = begun()
    merge.add(Topic.LOGINS, *events(Topic.LOGINS, 1, 5))
    merge.add(Topic.ORDERS, *events(Topic.ORDERS, 1, 2, 7))
    ends = {Topic.COMPLAINTS: 0, Topic.LOGINS: 9, Topic.ORDERS: 3}
    assert at_of(merge.release(ends)) == [1, 1, 2, 5]
    assert merge.waiting(Topic.ORDERS) == 1
    assert at_of(merge.release(ends | {Topic.LOGINS: 2})) == [7]


def test_a_topic_that_stays_empty_holds_nobody() -> None:
    merge = begun()
    merge.add(Topic.ORDERS, *events(Topic.ORDERS, 3, 4))
    assert at_of(merge.release({Topic.COMPLAINTS: 0, Topic.LOGINS: 0, Topic.ORDERS: 2})) == [3, 4]


@pytest.mark.parametrize("unheard", [Topic.COMPLAINTS, Topic.ORDERS])
def test_a_topic_of_which_nothing_is_known_yet_holds_the_others(unheard: Topic) -> None:
    merge = begun()
    for topic in TOPICS:
        if topic is not unheard:
            merge.add(topic, *events(topic, 1, 2))
    known = {topic: 2 if topic is not unheard else None for topic in TOPICS}
    assert at_of(merge.release(known)) == []
    assert merge.readiness(known)[unheard] is TopicReadiness.UNKNOWN
    assert at_of(merge.release(known | {unheard: 0})) == [1, 1, 2, 2]


def test_of_equal_times_the_topics_decide_even_when_the_earlier_topic_comes_later() -> None:
    merge = begun()
    ends = {Topic.COMPLAINTS: 2, Topic.LOGINS: 0, Topic.ORDERS: 1}
    merge.add(Topic.ORDERS, *events(Topic.ORDERS, 4))
    first, offsets = Log(Topic.COMPLAINTS, (4, 4)).events(0, 1)
    merge.add(Topic.COMPLAINTS, first, offsets, 1)
    assert merge.release(ends).event_id.tolist() == ["complaints-0"]
    merge.add(Topic.COMPLAINTS, *Log(Topic.COMPLAINTS, (4, 4)).events(1, 2), 2)
    assert merge.release(ends).event_id.tolist() == ["complaints-1", "orders-0"]


def test_before_it_is_known_where_a_topic_begins_the_others_wait() -> None:
    merge = PartitionMerge((Topic.LOGINS, Topic.ORDERS), NO_LIMIT)
    ends = {Topic.LOGINS: 7, Topic.ORDERS: 9}
    merge.begin(Topic.ORDERS, 8)
    merge.add(Topic.ORDERS, *Log(Topic.ORDERS, (3,)).events(0, 1), 9)
    assert at_of(merge.release(ends)) == []
    merge.begin(Topic.LOGINS, 7)
    assert at_of(merge.release(ends)) == [3]
    assert (merge.position(Topic.LOGINS), merge.released(Topic.LOGINS)) == (7, 7)


def test_what_has_been_read_does_not_begin_anew() -> None:
    merge = begun()
    merge.add(Topic.ORDERS, *events(Topic.ORDERS, 3, 4))
    merge.begin(Topic.ORDERS, 0)
    assert merge.position(Topic.ORDERS) == 2


def settling() -> PartitionMerge[Topic]:
    merge = PartitionMerge(TOPICS, NO_LIMIT, Settling(wait_ms=200, reorder_us=10))
    for topic in TOPICS:
        merge.begin(topic, 0)
    return merge


def asked(complaints: int, logins: int, orders: int) -> dict[Topic, int | None]:
    return dict(zip(TOPICS, (complaints, logins, orders), strict=True))


def test_what_has_come_waits_for_what_was_written_at_the_same_moment() -> None:
    merge = settling()
    merge.add(Topic.ORDERS, *events(Topic.ORDERS, 3, 40), came_ms=1_000)
    empty = {Topic.COMPLAINTS: 0, Topic.LOGINS: 0, Topic.ORDERS: 2}
    assert at_of(merge.release(empty, asked(1_200, 1_199, 990))) == []  # of the logins nothing is known yet
    merge.add(Topic.LOGINS, *events(Topic.LOGINS, 1, 29), came_ms=1_210)
    ends = empty | {Topic.LOGINS: 2}
    # Time is known to have come to 29, and the engine waits for another 10 anyway.
    assert at_of(merge.release(ends, asked(1_200, 1_199, 990))) == [1, 3, 29]
    assert at_of(merge.release(ends, asked(1_200, 1_200, 990))) == [40]


def test_what_is_no_further_than_the_engine_waits_is_not_held_up() -> None:
    merge = settling()
    ends = {Topic.COMPLAINTS: 0, Topic.LOGINS: 0, Topic.ORDERS: 3}
    log = Log(Topic.ORDERS, (20, 30, 31))
    merge.add(Topic.ORDERS, *log.events(0, 1), 1, came_ms=1_000)
    assert at_of(merge.release(ends | {Topic.ORDERS: 1}, asked(1_200, 1_200, 1_200))) == [20]
    merge.add(Topic.ORDERS, *log.events(1, 3), 3, came_ms=1_300)
    assert at_of(merge.release(ends, asked(1_300, 1_300, 1_300))) == [30]


def test_a_clock_that_is_set_back_holds_nothing_up() -> None:
    merge = settling()
    merge.add(Topic.ORDERS, *events(Topic.ORDERS, 3), came_ms=9_000)
    ends = {Topic.COMPLAINTS: 0, Topic.LOGINS: 0, Topic.ORDERS: 1}
    merge.set_clock_back(1_000)
    assert at_of(merge.release(ends, asked(1_100, 1_100, 1_100))) == []
    assert at_of(merge.release(ends, asked(1_200, 1_200, 1_200))) == [3]


def test_what_people_do_after_all_that_customers_did_does_not_wait() -> None:
    topics = (Topic.ACTIONS, Topic.ORDERS)
    settling = Settling(wait_ms=200, reorder_us=10)
    merge = PartitionMerge(topics, NO_LIMIT, settling, actions=(Topic.ACTIONS,))
    for topic in (Topic.ACTIONS, Topic.ORDERS):
        merge.begin(topic, 0)
    merge.add(Topic.ORDERS, *events(Topic.ORDERS, 3), came_ms=1_000)
    ends: dict[Topic, int | None] = {Topic.ACTIONS: 1, Topic.ORDERS: 1}
    merge.add(Topic.ACTIONS, *events(Topic.ACTIONS, 10**9), came_ms=1_010)
    assert at_of(merge.release(ends, {Topic.ACTIONS: 1_000, Topic.ORDERS: 1_000})) == [3, 10**9]


def test_the_events_of_one_record_are_released_together() -> None:
    merge = begun()
    rows = Log(Topic.ORDERS, (3, 9, 5, 20)).events(0, 4)[0]
    merge.add(Topic.ORDERS, rows, np.array([0, 0, 1, 2]), 3)
    merge.add(Topic.LOGINS, *events(Topic.LOGINS, 4))
    ends: dict[Topic, int | None] = {Topic.COMPLAINTS: 0, Topic.LOGINS: 2, Topic.ORDERS: 3}
    # Of the logins there is more to come, so time has come to 4, and the first order's record ends at 9.
    assert at_of(merge.release(ends)) == [4]
    assert merge.released(Topic.ORDERS) == 0
    merge.add(Topic.LOGINS, *Log(Topic.LOGINS, (4, 30)).events(1, 2), 2)
    assert at_of(merge.release(ends)) == [3, 9, 5, 20, 30]
    assert merge.released(Topic.ORDERS) == 3


def test_what_has_not_been_released_can_be_read_once_more() -> None:
    merge = begun()
    merge.add(Topic.ORDERS, *events(Topic.ORDERS, 3, 8))
    merge.add(Topic.LOGINS, *events(Topic.LOGINS, 4))
    ends: dict[Topic, int | None] = {Topic.COMPLAINTS: 0, Topic.LOGINS: 2, Topic.ORDERS: 2}
    assert at_of(merge.release(ends)) == [3, 4]
    merge.drop_waiting(Topic.ORDERS)
    assert merge.position(Topic.ORDERS) == merge.released(Topic.ORDERS) == 1
    assert not merge.waiting(Topic.ORDERS)
    merge.add(Topic.ORDERS, *Log(Topic.ORDERS, (3, 7)).events(1, 2), 2)
    merge.add(Topic.LOGINS, *Log(Topic.LOGINS, (4, 9)).events(1, 2), 2)
    assert at_of(merge.release(ends)) == [7, 9]
