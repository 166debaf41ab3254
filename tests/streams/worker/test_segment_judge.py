"""What lies on the internal topic of days' sums stops no judge; judging itself is tested in integration."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka import TopicPartition  # type: ignore[import-untyped]  # ships no types

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


class Consumer:
    """Is at an offset of the internal topic, of which more came; of the input all was read and committed."""

    def __init__(self, position: int, end: int) -> None:
        self.at, self.end = position, end

    async def end_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {place: self.end if place.topic == SETTINGS.days_topic else 7 for place in places}

    async def beginning_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, 7)

    async def position(self, place: TopicPartition) -> int:
        return self.at


async def test_nobody_is_left_out_whose_days_were_sent_and_are_not_read_yet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A worker commits after its days: by then they are on the topic, and the judge may be behind."""
    judging = judge()

    async def committed(places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, 7)

    monkeypatch.setattr(judging, "_committed", committed)
    consumer = Consumer(position=3, end=3)
    await judging.on_partitions_assigned([TopicPartition(SETTINGS.days_topic, 0)])
    judged = judging._partitions[0]
    assert await judging._is_read(consumer, 0, judged)
    consumer.end = 5  # the days of partition 1 come
    assert await judging._idle_of(consumer, frozenset({1})) == frozenset()
    assert not await judging._is_read(consumer, 0, judged)
    consumer.at = 5
    assert await judging._is_read(consumer, 0, judged)
    assert await judging._idle_of(consumer, frozenset({1})) == frozenset({1})
