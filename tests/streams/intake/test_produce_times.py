from __future__ import annotations

from itertools import accumulate

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.core.events.batch import Batch
from streams.core.events.topics import Topic
from streams.intake.lane import Lane
from streams.intake.produce_times import UNKNOWN_MS, ProduceTimes

TOPICS = (Topic.LOGINS, Topic.ORDERS)
events = st.lists(st.tuples(st.sampled_from(TOPICS), st.integers(0, 40)), min_size=1, max_size=12)


@given(st.lists(events, min_size=1, max_size=5), st.integers(0, 30))
def test_an_instant_is_dated_by_the_record_with_which_event_time_reached_it(
    batches: list[list[tuple[Topic, int]]], reorder: int
) -> None:
    """The slow twin walks through all records, in the order in which the engine was given them."""
    times, offsets = ProduceTimes(reorder), dict.fromkeys(TOPICS, 0)
    given_: list[tuple[int, int]] = []
    for batch in batches:
        before = max((at for at, _ in given_), default=None)
        rows = []
        for topic, at in batch:
            offset, offsets[topic] = offsets[topic], offsets[topic] + 1
            produced = 1_000 * topic + offset
            rows.append({"topic": topic, "at": at, "offset": offset})
            times.take(Lane((topic,), topic.label), np.array([offset]), np.array([produced]))
            given_.append((at, produced))
        made = Batch.of([{key: row[key] for key in ("topic", "at")} for row in rows])
        made.offset[:] = [row["offset"] for row in rows]
        times.release(made)
        reached = list(accumulate((at for at, _ in given_), max))
        # Steps come of what the watermark passes now: it was at the newest event before, less `reorder`.
        instants = range(max(0, (before if before is not None else 0) - reorder), 41)
        expected = [
            next((produced for up_to, (_, produced) in zip(reached, given_, strict=True) if up_to >= at), -1)
            for at in instants
        ]
        found = times.of(instants).tolist()
        forgotten = [i for i, at in enumerate(instants) if before is not None and at <= before - reorder]
        for i in forgotten:  # may be dated by a later record, never by an earlier one
            assert found[i] == UNKNOWN_MS or found[i] in {produced for _, produced in given_}
        assert [f for i, f in enumerate(found) if i not in forgotten] == [
            e for i, e in enumerate(expected) if i not in forgotten
        ]


def test_what_no_step_can_come_of_any_more_is_forgotten() -> None:
    times = ProduceTimes(10)
    for offset in range(100):
        times.take(Lane((Topic.ORDERS,), "orders"), np.array([offset]), np.array([offset]))
        batch = Batch.of([{"topic": Topic.ORDERS, "at": 20 * offset}])
        batch.offset[:] = offset
        times.release(batch)
    assert len(times._released) == 2
    assert [len(polls) for polls in times._polls.values()] == [2]


def test_an_instant_before_this_process_began_or_that_has_not_come_is_not_known() -> None:
    assert ProduceTimes(0).of([5]).tolist() == [UNKNOWN_MS]
    times = ProduceTimes(0)
    batch = Batch.of([{"topic": Topic.ORDERS, "at": 3}])
    times.release(batch)  # a checkpoint's events have no poll
    assert times.of([2, 4]).tolist() == [UNKNOWN_MS, UNKNOWN_MS]
    assert times.of([]).tolist() == []


def test_two_topics_with_events_of_the_same_kind_are_told_apart() -> None:
    times = ProduceTimes(0)
    lanes = [
        Lane((Topic.ORDERS,), "orders"),
        Lane((Topic.ORDERS,), "shop", 3),
        Lane((Topic.ORDERS,), "tills", 4),
    ]
    batch = Batch.of([{"topic": Topic.ORDERS, "at": at} for at in range(3)])
    for i, lane in enumerate(lanes):
        times.take(lane, np.array([7]), np.array([100 + i]))
        batch.offset[i : i + 1] = lane.marked(np.array([7]))
    times.release(batch)
    assert times.of([0, 1, 2]).tolist() == [100, 101, 102]
