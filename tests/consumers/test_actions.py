from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from consumers.actions import Action, assignees, cost_by_warning, standing


def action(number: int, **more: Any) -> Action:
    fields: dict[str, Any] = {"customer_id": "c1", "at": number, "kind": "contact", "actor": "ann"} | more
    return Action(f"e{number}", **fields)


def ids(actions: list[Action]) -> list[str]:
    return [each.event_id for each in actions]


def test_a_correction_takes_back_an_earlier_action_of_its_customer_and_actor() -> None:
    assert ids(standing([action(1), action(2, corrects="e1")])) == ["e2"]
    assert ids(standing([action(1), action(2, corrects="e1", actor="bob")])) == ["e1", "e2"]
    assert ids(standing([action(1), action(2, corrects="e1", customer_id="c2")])) == ["e1", "e2"]
    assert ids(standing([action(1, corrects="e2"), action(2)])) == ["e1", "e2"]


def test_what_was_taken_back_stays_so_when_the_correction_is_corrected() -> None:
    assert ids(standing([action(1), action(2, corrects="e1"), action(3, corrects="e2")])) == ["e3"]


def test_an_action_counts_once_and_the_order_of_their_coming_does_not() -> None:
    every = [action(3), action(1), action(2, corrects="e1"), action(3)]
    assert ids(standing(every)) == ids(standing(every[::-1])) == ["e2", "e3"]


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from([None, 0, 1, 2, 5]), st.sampled_from("ab"))))
def test_against_the_definition(drawn: list[tuple[int, int | None, str]]) -> None:
    unique = {at: (at, corrects, actor) for at, corrects, actor in drawn}
    every = [
        action(at, actor=actor, corrects=None if corrects is None else f"e{corrects}")
        for at, corrects, actor in unique.values()
    ]
    expected = [
        each.event_id
        for each in sorted(every, key=lambda each: each.at)
        if not any(o.corrects == each.event_id and o.actor == each.actor and o.at > each.at for o in every)
    ]
    assert ids(standing(every)) == expected


def test_who_has_a_warning_is_in_its_newest_assignment_that_stands() -> None:
    given = action(1, kind="assign", warning_id="w", assignee="bob")
    taken = action(2, kind="assign", warning_id="w", actor="eve")
    left = action(3, kind="unassign", warning_id="w")
    back = action(4, kind="correct", warning_id="w", corrects="e2", actor="eve")
    assert assignees([given]) == {"w": "bob"}
    assert assignees([taken, given]) == {"w": "eve"}
    assert assignees([given, taken, left]) == {}
    assert assignees([given, taken, back]) == {"w": "bob"}
    assert assignees([action(1, kind="contact", warning_id="w"), action(2, kind="assign")]) == {}


def test_costs_are_summed_by_warning() -> None:
    every = [
        action(1, warning_id="w", cost={"gift": 2.0, "labour": 1.0}),
        action(2, warning_id="w", cost={"gift": 4.0}),
    ]
    assert cost_by_warning([*every, action(3, cost={"gift": 9.0}), action(4, warning_id="v")]) == {"w": 7.0}
