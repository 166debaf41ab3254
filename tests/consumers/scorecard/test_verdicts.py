from __future__ import annotations

from typing import Any

import pytest

from consumers.actions import Action
from consumers.scorecard.verdicts import LEAVING, TeamVerdict, verdict_of, verdicts
from streams.core.events.action_words import RESULTS


def action(number: int, kind: str = "contact", **more: Any) -> Action:
    return Action(f"e{number}", "c1", number, kind, warning_id="w1", **more)


@pytest.mark.parametrize("result", [None, *RESULTS])
@pytest.mark.parametrize("kind", ["contact", "offer", "confirm", "assign", "acknowledge"])
def test_an_action_says_what_its_result_says_and_a_confirmation_that_it_was_right(
    kind: str, result: str | None
) -> None:
    expected = None
    if kind == "confirm" or result in ("moved_away", "other_branch", "uses_competitor", "need_gone"):
        expected = TeamVerdict.RIGHT
    if result == "false_alarm":
        expected = TeamVerdict.FALSE_ALARM
    assert verdict_of(action(1, kind, result=result)) == expected


def test_the_results_are_those_of_the_contract() -> None:
    assert set(RESULTS) > {"false_alarm", *LEAVING}


def test_the_newest_verdict_that_was_not_taken_back_counts() -> None:
    wrong = action(1, result="false_alarm", actor="ann")
    right = action(2, "confirm", actor="ann")
    assert verdicts([right, wrong]) == {"w1": TeamVerdict.RIGHT}
    back = action(3, "correct", actor="ann", corrects="e2")
    assert verdicts([wrong, right, back]) == {"w1": TeamVerdict.FALSE_ALARM}
    stranger = action(3, "correct", actor="bob", corrects="e2")
    assert verdicts([wrong, right, stranger]) == {"w1": TeamVerdict.RIGHT}
    assert verdicts([Action("e9", "c1", 9, "confirm")]) == {}
