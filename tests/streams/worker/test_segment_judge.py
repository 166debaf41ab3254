"""What lies on the internal topic of days' sums stops no judge; judging itself is tested in integration."""

from __future__ import annotations

from typing import Any

import pytest

from streams.contract.segment_days import JudgeState
from streams.core.segments.engine import SegmentEngine, SegmentSettings
from streams.core.segments.rules import SegmentRules
from streams.core.segments.tables import judge_state
from streams.worker.segment_judge import SegmentJudge, SegmentJudgeSettings

SETTINGS = SegmentJudgeSettings("none:1", "shop", "shop.segment-days", "segment-warnings", ("orders",))


def engine() -> SegmentEngine:
    return SegmentEngine(SegmentSettings("shop", "UTC", 1), SegmentRules(()))


def judge() -> SegmentJudge:
    return SegmentJudge(SETTINGS, engine)


GOOD = judge_state(engine())


@pytest.mark.parametrize(
    "state",
    [
        {"judged": 5},
        {**GOOD, "format": 99},
        {**GOOD, "groups": 7},
        {**GOOD, "groups": {"nowhere": {"lives": [], "open": [], "newest": []}}},
    ],
    ids=["fields missing", "another format", "no groups", "unknown group"],
)
def test_a_state_that_is_none_is_passed_over_with_the_reason(
    state: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    assert judge()._sound(JudgeState("hash", state)) is None
    assert caplog.messages[0].startswith("shop.segment-days: the newest state is no judge's (")


def test_a_judges_own_state_is_sound() -> None:
    state = JudgeState("hash", GOOD)
    assert judge()._sound(state) is state
    assert judge()._sound(None) is None
