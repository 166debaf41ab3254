"""Suggested and found reasons: by hand, and against a recount of what an engine and a team wrote."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest

from consumers.actions import Action
from consumers.effects.reasons import (
    ReasonTable,
    StatedReason,
    SuggestedStep,
    agreement,
    answers,
    stated_reason,
    suggested_step,
)
from streams.contract.examples import WARNING_EXAMPLE
from streams.contract.instants import read_instant, to_us
from tests.consumers.effects.helped import helped
from tests.consumers.effects.test_money import actions

pytestmark = pytest.mark.timeout(400)  # a whole shop, on a machine that does much else

GROUPS = {"late": "delivery", "lost": "delivery", "high": "price", "silence": "behaviour"}


def step(warning: str, at: int, *reasons: str, groups: tuple[str, ...] = ()) -> SuggestedStep:
    return SuggestedStep(warning, at, reasons, groups)


def act(warning: str, at: int, kind: str = "confirm", **more: object) -> Action:
    fields: dict[str, object] = {"event_id": f"a{at}", "customer_id": "c", "at": at, "warning_id": warning}
    return Action(kind=kind, **fields | more)  # type: ignore[arg-type]  # given by name


def cells(table: ReasonTable) -> dict[tuple[str, str], int]:
    return {
        (row, column): count
        for row, counts in zip(table.suggested, table.counts, strict=True)
        for column, count in zip(table.found, counts, strict=True)
        if count
    }


def test_several_answers_count_each_and_what_is_no_reason_stands_apart() -> None:
    steps = [
        step("w1", 1, "late", "silence"),
        step("w2", 1, "late"),
        step("w3", 1, "silence"),
        step("w4", 1, "high"),
        step("w5", 1, "high"),
        step("w6", 1, "high"),
        step("w7", 1, "high"),
    ]
    taken = [
        act("w1", 5, reasons=("late", "high")),
        act("w2", 5, "contact", result="reached", reasons=("lost",)),
        act("w3", 5, "contact", result="reached"),  # asked, and no reason found
        act("w4", 5, "offer", result="not_reached"),
        act("w5", 5, reasons=("unknown",)),
        act("w6", 5, "acknowledge"),  # is no answer
        act("w7", 5, "contact", result="wrong_contact", reasons=("late",)),  # somebody else's
        act("w9", 5, reasons=("late",)),  # of a warning that nobody knows
    ]
    found = agreement(steps, taken, [], GROUPS)
    assert (found.answered, found.found, found.unknown, found.not_reached) == (5, 2, 2, 1)
    assert (found.agree.part, found.agree.whole) == (1, 2)
    assert (found.agree_by_group.part, found.agree_by_group.whole) == (2, 2)
    assert found.reasons.found == ("high", "late", "lost", "unknown", "not_reached")
    assert cells(found.reasons) == {
        ("late", "high"): 1,
        ("late", "late"): 1,
        ("late", "lost"): 1,
        ("silence", "high"): 1,
        ("silence", "late"): 1,
        ("silence", "unknown"): 1,
        ("high", "not_reached"): 1,
        ("high", "unknown"): 1,
    }
    assert cells(found.groups)["delivery", "delivery"] == 2


def test_a_closure_states_a_reason_and_only_what_was_suggested_before_counts() -> None:
    steps = [step("w", 1, "late"), step("w", 4, "silence"), step("w", 9, "high")]
    (one,) = answers(steps, [act("w", 7, reasons=("lost",))], [StatedReason("w", 5, "high")])
    assert one.suggested == {"late", "silence"}
    assert one.found == {"high", "lost"}
    assert answers(steps, [], [StatedReason("w", 5, None)]) == []
    (unknown,) = answers(steps, [], [StatedReason("w", 5, "unknown")])
    assert (unknown.found, unknown.reached) == (frozenset(), True)


def test_somebody_reached_at_the_second_try_was_reached() -> None:
    tries = [act("w", 2, "contact", result="not_reached"), act("w", 3, "contact", result="reached")]
    assert agreement([step("w", 1, "late")], tries[:1], [], {}).not_reached == 1
    found = agreement([step("w", 1, "late")], tries, [], {})
    assert (found.not_reached, found.unknown) == (0, 1)


def test_a_step_and_a_closure_are_read_from_what_is_sent() -> None:
    data = WARNING_EXAMPLE["data"]
    read = suggested_step(5, data)
    assert read.reasons == tuple(dict.fromkeys(cause["reason"] for cause in data["causes"]))
    assert read.groups == tuple(r["group"] for r in data["reasons"] if r["contribution"] > 0)
    assert stated_reason(5, {"warned": None, "reason": "late"}) is None


def test_the_table_of_a_helped_shop_is_what_a_recount_gives() -> None:
    ran = helped()
    steps = [
        suggested_step(to_us(read_instant(event["time"])), event["data"])
        for event in map(msgspec.json.decode, ran.warnings)
    ]
    codes = ("silence", "price_too_high", "delivery", "unknown")
    taken = [
        each._replace(reasons=(codes[n % 4],) if each.result != "not_reached" and n % 5 else ())
        for n, each in enumerate(actions(ran))
    ]
    found = agreement(steps, taken, [], {})
    expected: Counter[tuple[str, str]] = Counter()
    for each in taken:
        suggested = {
            r for s in steps if s.warning_id == each.warning_id and s.at <= each.at for r in s.reasons
        }
        known = [code for code in each.reasons if code != "unknown"]
        outcome = known[0] if known else "not_reached" if each.result == "not_reached" else "unknown"
        expected.update((reason, outcome) for reason in suggested)
    assert len({each.warning_id for each in taken}) == len(taken) == found.answered  # one call a warning
    assert cells(found.reasons) == dict(expected)
    assert found.not_reached == sum(each.result == "not_reached" for each in taken)
    agree = sum(n for (suggested, stated), n in expected.items() if suggested == stated)
    assert found.agree.part == agree > 0
