from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.open_set import OpenSet, StepHead, read_head
from streams.contract.warnings import WarningEvent, parse_warning
from streams.core.steps import StepKind
from streams.errors import ContractError
from tests.consumers.engine_warnings import warned
from tests.consumers.warning_events import attended_life, life, value


def opened(steps: Sequence[bytes]) -> dict[str, WarningEvent]:
    """Return the open set by its definition: each customer's last step, if it leaves the warning open."""
    last = {event.data.customer_id: event for event in map(parse_warning, steps)}
    return {customer: event for customer, event in last.items() if event.data.state == "open"}


def filled(steps: Sequence[bytes], remembered: int = 1_000, holdout: bool = False) -> OpenSet:
    found = OpenSet(remembered=remembered, holdout=holdout)
    found.follow(0)
    for step in steps:
        found.take(0, read_head(step), step)
    return found


@given(st.data())
def test_it_is_the_last_step_of_each_customer_where_that_is_open(data: st.DataObject) -> None:
    lives = [life(f"c{n}") if n % 2 else attended_life(f"c{n}") for n in range(6)]
    cut = [steps[: data.draw(st.integers(0, len(steps)))] for steps in lives]
    # In any order that keeps each customer's.
    turns = data.draw(st.permutations([n for n, steps in enumerate(cut) for _ in steps]))
    left = [iter(steps) for steps in cut]
    steps = [next(left[n]) for n in turns]
    repeated = data.draw(st.lists(st.integers(0, max(0, len(steps) - 1)), max_size=5)) if steps else []
    found = filled([*steps, *(steps[place] for place in repeated)])
    assert dict(found) == opened(steps)
    assert len(found) == len(opened(steps))


def test_the_head_of_a_step_is_that_of_its_event() -> None:
    for content in [*life("c1"), *attended_life("c2"), *warned()]:
        assert read_head(content) == StepHead.of(parse_warning(content))


@pytest.mark.parametrize("content", [b"", b"nonsense", b"{}", b'{"id":1}', b"\xff"])
def test_what_is_no_step_has_no_head(content: bytes) -> None:
    with pytest.raises(ContractError):
        read_head(content)


def test_a_step_is_a_repeat_as_long_as_it_is_remembered() -> None:
    found = OpenSet(remembered=2)
    found.follow(0)
    heads = [read_head(value(customer=f"c{n}")) for n in range(3)]
    assert [found.take(0, head) for head in [*heads[:2], *heads[:2]]] == [True, True, False, False]
    assert [found.take(0, head) for head in [heads[2], heads[0]]] == [True, True]


def test_an_old_step_that_is_not_remembered_turns_nothing_back() -> None:
    steps = life("c1")
    again = filled([*steps[:3], steps[0]], remembered=1)
    assert again["c1"].data.step == 3
    older = value(customer="c1").replace(b'"opened_at":"2011', b'"opened_at":"2010')
    older = older.replace(b'"warning_id":"', b'"warning_id":"0').replace(b'"id":"', b'"id":"0')
    assert filled([steps[0], older], remembered=1)["c1"].data.step == 1
    assert filled([steps[0], older], remembered=1)["c1"] == parse_warning(steps[0])


def test_what_is_held_out_is_in_it_only_where_that_is_asked_for() -> None:
    step = value(customer="c1").replace(b'"holdout":false', b'"holdout":true')
    assert list(filled([step])) == []
    assert list(filled([step], holdout=True)) == ["c1"]


def test_a_partition_that_is_left_takes_its_warnings_along() -> None:
    found = OpenSet(remembered=10)
    for partition in (0, 1):
        found.follow(partition)
        step = value(customer=f"c{partition}", kind=StepKind.OPENED)
        found.take(partition, read_head(step), step)
    found.leave(0)
    assert list(found) == ["c1"]
    assert found.partitions == {1}
    found.follow(1)
    assert (list(found), "c1" in found) == ([], False)
