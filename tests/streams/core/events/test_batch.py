"""The total order of events."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.core.events.batch import COLUMNS, ActionRecord, Batch, ClosureRecord, read_record, record_json
from streams.core.events.topics import Topic

texts = st.sampled_from([None, "x", "y"])
actions = st.builds(
    ActionRecord,
    warning_id=texts,
    kind=st.sampled_from(["offer", "snooze"]),
    result=texts,
    reasons=st.lists(st.sampled_from("ab"), max_size=2).map(tuple),
    cost=st.dictionaries(st.sampled_from(["gift", "other"]), st.integers(0, 9)).map(
        lambda items: tuple(sorted(items.items()))
    ),
    actor=texts,
    until=st.none() | st.integers(0, 9),
    play=texts,
    corrects=texts,
)


@given(actions)
def test_an_action_is_written_and_read_again(action: ActionRecord) -> None:
    assert read_record(record_json(action)) == action


def test_an_action_is_written_as_before_where_it_has_nothing_new() -> None:
    # What identifies an event's content is a hash of this text, and is kept in checkpoints.
    action = ActionRecord("w", "call", reasons=("price",), cost=(("other", 5),), actor="ann")
    assert record_json(action) == (
        '["action", {"warning_id": "w", "kind": "call", "result": null, "reasons": ["price"], "cost": 5, '
        '"actor": "ann", "until": null}]'
    )


rows = st.fixed_dictionaries(
    {
        "topic": st.sampled_from(Topic),
        "at": st.sampled_from([0, 1, 253_402_300_799_999_999]),
        "event_id": st.sampled_from(["e10", "e2", "é", "𝄞", "\uffff"]),
        "customer_id": st.sampled_from(["a", "b"]),
        "amount": st.sampled_from([0, 1]),
        "complaint_id": st.sampled_from([None, "k"]),
        "record": st.sampled_from([None, ClosureRecord("moved")]),
    }
)


def _first_four(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["at"], row["topic"], row["event_id"], row["customer_id"]


@given(st.lists(rows, max_size=12))
def test_events_are_ordered_by_time_topic_id_and_customer(history: list[dict[str, Any]]) -> None:
    order = Batch.of(history).order()
    assert sorted(order.tolist()) == list(range(len(history)))
    assert [_first_four(history[i]) for i in order.tolist()] == sorted(map(_first_four, history))


@given(st.lists(rows, max_size=12), st.randoms(use_true_random=False))
def test_the_order_does_not_depend_on_the_one_in_which_events_came(
    history: list[dict[str, Any]], random: Any
) -> None:
    batch = Batch.of(history)
    shuffled = batch.take(np.array(random.sample(range(len(history)), len(history)), dtype=np.int64))
    first, second = batch.take(batch.order()), shuffled.take(shuffled.order())
    for name in COLUMNS:
        assert getattr(first, name).tolist() == getattr(second, name).tolist()
