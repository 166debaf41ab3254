from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.contract.rejected import RefusalReason
from streams.core.events.topics import Topic
from streams.intake.lane import Lane, decode_lane, lane_number, lanes_of, split_offset, split_offsets
from tests.streams.intake.shop_source import ShopSource, event, shop_poll

SHOP = ShopSource((Topic.ORDERS, Topic.CLOSURES))
TILLS = ShopSource((Topic.ORDERS,))
HOUR_US = 3_600_000_000


def test_a_topic_of_the_contract_and_sources_that_bring_its_events_have_lanes_of_their_own() -> None:
    lanes = lanes_of({"orders": Topic.ORDERS}, {"shop": SHOP, "tills": TILLS})
    assert {name: lane.topics for name, lane in lanes.items()} == {
        "orders": (Topic.ORDERS,),
        "shop": (Topic.CLOSURES, Topic.ORDERS),
        "tills": (Topic.ORDERS,),
    }
    assert lanes["orders"].mark == 0
    assert len({lane.mark for lane in lanes.values()}) == 3


def test_a_lane_keeps_its_mark_whatever_else_is_read() -> None:
    alone = lanes_of({}, {"tills": TILLS})["tills"]
    assert alone.mark == lanes_of({"orders": Topic.ORDERS}, {"shop": SHOP, "tills": TILLS})["tills"].mark


def test_names_whose_marks_would_be_the_same_get_two() -> None:
    names = [f"topic-{i}" for i in range(400)]
    lanes = lanes_of({}, dict.fromkeys(names, TILLS))
    assert len({lane.mark for lane in lanes.values()}) == 400


@given(
    st.lists(
        st.tuples(st.sampled_from(["orders", "shop", "tills"]), st.integers(0, (1 << 48) - 1)), max_size=8
    )
)
def test_a_marked_offset_says_what_topic_it_is_of(places: list[tuple[str, int]]) -> None:
    lanes = lanes_of({"orders": Topic.ORDERS}, {"shop": SHOP, "tills": TILLS})
    marked = [int(lanes[name].marked(np.array([offset]))[0]) for name, offset in places]
    assert [split_offset(each) for each in marked] == [(lanes[name].mark, at) for name, at in places]
    topics = np.full(len(places), Topic.ORDERS, dtype=np.int8)
    numbers, offsets = split_offsets(np.array(marked, dtype=np.int64), topics)
    assert numbers.tolist() == [lane_number(lanes[name]) for name, _ in places]
    assert offsets.tolist() == [offset for _, offset in places]


def test_an_event_without_an_offset_has_none_and_no_lane() -> None:
    assert split_offset(-1) == (0, -1)
    numbers, offsets = split_offsets(np.array([-1]), np.array([Topic.LOGINS], dtype=np.int8))
    assert (numbers.tolist(), offsets.tolist()) == ([-1 - Topic.LOGINS], [-1])


def test_events_are_in_the_order_of_their_records() -> None:
    both = [event(Topic.CLOSURES, "c0", 5), event(Topic.ORDERS, "o0", 5)]
    poll = shop_poll("shop", 7, [both, [event(Topic.CLOSURES, "c1", 6)], [event(Topic.ORDERS, "o2", 4)]])
    lane = Lane((Topic.CLOSURES, Topic.ORDERS), "shop", 1)
    decoded = decode_lane(lane, SHOP, poll, max_skew_us=HOUR_US, now_us=None)
    assert decoded.index.tolist() == [0, 0, 1, 2]
    assert sorted(decoded.batch.event_id.tolist()[:2]) == ["c0", "o0"]
    assert decoded.batch.event_id.tolist()[2:] == ["c1", "o2"]


def test_a_record_with_an_event_of_the_future_gives_none() -> None:
    both = [event(Topic.ORDERS, "now", 5), event(Topic.CLOSURES, "then", 9_000)]
    poll = shop_poll("shop", 0, [both, [event(Topic.ORDERS, "next", 6)]])
    lane = lanes_of({}, {"shop": SHOP})["shop"]
    decoded = decode_lane(lane, SHOP, poll, max_skew_us=HOUR_US, now_us=HOUR_US // 2)
    assert decoded.batch.event_id.tolist() == ["next"]
    assert {(bad.index, bad.reason) for bad in decoded.refused} == {(0, RefusalReason.FUTURE_TIME)}
