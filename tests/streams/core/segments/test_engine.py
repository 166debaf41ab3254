"""When a day of segments is judged, and going on from what was judged."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from streams.core.segments.catalogue import WINDOW_DAYS
from streams.core.segments.counts import DaySums
from streams.core.segments.engine import SegmentEngine, SegmentSettings, SegmentStep
from streams.core.segments.rules import SegmentRules
from streams.core.segments.tables import judge_state, restore_judge
from streams.core.steps import StepKind
from streams.errors import LapwingError
from tests.oracle.days import DAY, instant, local_day, midnight
from tests.streams.core.segments.segment_histories import (
    COMPILED,
    OFFSET,
    ZONE,
    history,
    judged,
    split,
    sums_of,
)


def test_the_order_in_which_partitions_are_read_changes_nothing() -> None:
    records = history(5)
    until = midnight(local_day(max(e.at for e in records), ZONE) + 1, ZONE)
    parts = [sums_of(part, number, until, [30]) for number, part in enumerate(split(records, 3))]
    behind = [each for part in parts for each in part]
    mixed = sorted(behind, key=lambda each: each.closed)
    twice = [each for pair in zip(mixed, mixed, strict=True) for each in pair]
    steps = judged(behind, 3)
    assert steps == judged(mixed, 3) == judged(twice, 3)
    assert len(steps) > 20


def test_segments_may_be_judged_apart() -> None:
    records = history(6)
    until = midnight(local_day(max(e.at for e in records), ZONE) + 1, ZONE)
    sums = sums_of(records, 0, until, [30])
    some = {
        segment for each in sums for segment in each.segments if segment[1] in ("north", "web", "delivery")
    }
    parts = [
        [
            replace(each, segments={s: d for s, d in each.segments.items() if (s in some) == kept})
            for each in sums
        ]
        for kept in (True, False)
    ]
    steps = [step for part in parts for step in judged(part, 1)]
    assert sorted(steps, key=lambda s: (s.at, s.segment)) == judged(sums, 1)


def test_a_judge_goes_on_from_its_state_and_the_sums_read_again() -> None:
    records = history(7)
    until = midnight(local_day(max(e.at for e in records), ZONE) + 1, ZONE)
    sums = sums_of(records, 0, until, [30])
    settings = SegmentSettings(time_zone=ZONE.key)
    steps: list[SegmentStep] = []
    state: dict[str, Any] | None = None
    for end in range(7, len(sums) + 7, 7):
        engine = SegmentEngine(settings, COMPILED)
        for each in sums[:end]:
            engine.take(each)
        if state is not None:
            restore_judge(engine, json.loads(json.dumps(state)))
            assert engine.adopt() == []
        steps += engine.judge()
        state = judge_state(engine)
    assert steps == judged(sums, 1)
    assert len(steps) > 20


def test_a_rule_that_is_gone_withdraws_its_causes() -> None:
    sums = sums_of(history(7), 0, instant("2024-06-01T00:00:00Z"), [300])
    engine = SegmentEngine(SegmentSettings(time_zone=ZONE.key), COMPILED)
    for each in sums[:40]:
        engine.take(each)
    engine.judge()
    state = judge_state(engine)
    left = SegmentRules([each for each in COMPILED.rules if each.by == "region"])
    after = SegmentEngine(SegmentSettings(time_zone=ZONE.key), left)
    restore_judge(after, state)
    steps = after.adopt()
    open_before = {
        f"{name}={each['value']}" for name, group in state["groups"].items() for each in group["open"]
    }
    assert (
        {step.segment for step in steps} == {s for s in open_before if not s.startswith("region=")} != set()
    )
    assert {step.kind for step in steps} == {StepKind.WITHDRAWN}
    assert {step.at for step in steps} == {midnight(sums[39].closed + OFFSET + 1, ZONE)}


def test_rules_that_change_while_it_runs_are_adopted_as_after_a_restart() -> None:
    sums = sums_of(history(7), 0, instant("2024-06-01T00:00:00Z"), [300])
    settings = SegmentSettings(time_zone=ZONE.key)
    left = SegmentRules([each for each in COMPILED.rules if each.by == "region"])
    for before, after in ((COMPILED, left), (left, COMPILED)):
        running, restarted = SegmentEngine(settings, before), SegmentEngine(settings, after)
        for each in sums[:40]:
            running.take(each)
            restarted.take(each)
        running.judge()
        restore_judge(restarted, json.loads(json.dumps(judge_state(running))))
        steps = running.replace_rules(after)
        assert steps == restarted.adopt()
        for each in sums[40:]:
            running.take(each)
            restarted.take(each)
        further = running.judge()
        assert further == restarted.judge()
        assert len(further) > 3
        # A dimension that had no rules was counted all the same.
        assert {step.dimension for step in further} <= set(after.by)
        assert after is left or {step.dimension for step in further} > set(left.by)


def test_rules_are_plain_values_and_back() -> None:
    again = SegmentRules.from_plain(json.loads(json.dumps(COMPILED.as_plain())))
    assert (again.rules, again.hash) == (COMPILED.rules, COMPILED.hash)
    for wrong in ({}, {"by": "region", "id": "a"}, COMPILED.as_plain()[0] | {"when": "nonsense >"}):
        with pytest.raises((ValueError, LapwingError)):
            SegmentRules.from_plain([wrong])


@pytest.fixture
def two() -> SegmentEngine:
    return SegmentEngine(SegmentSettings(partitions=2), COMPILED)


def end_of(partition: int, day: int, complaints: int = 3) -> DaySums:
    row = (9, complaints, 9, complaints)
    return DaySums(partition, day, day, (), {day: row}, {("region", "north"): {day: row}})


def test_a_day_waits_for_every_partition_however_long(two: SegmentEngine) -> None:
    for day in range(100, 110):
        two.take(end_of(0, day))
    assert two.judge() == []
    assert two.judged is None
    assert two.held_up_by() == {1}
    two.take(end_of(1, 104))
    assert [step.at // DAY for step in two.judge()] == [101]
    assert two.judged == 104


def test_an_idle_partition_is_left_out_when_the_grace_is_over(two: SegmentEngine) -> None:
    two.take(end_of(0, 100))
    assert two.held_up_by() == frozenset()
    assert two.judge(idle={1}) == []
    two.take(end_of(0, 101))
    assert two.held_up_by() == {1}
    (step,) = two.judge(idle={1})
    assert (two.judged, step.segment) == (100, "region=north")
    # What it had counted is there as soon as it goes on, and the past is not judged again.
    two.take(end_of(1, 100, complaints=4))
    two.take(end_of(1, 101, complaints=4))
    seen: list[int] = []
    two.on_features = lambda day, of, frame: seen.extend(frame["complaints_7d"] if of == "region" else ())
    assert two.judge() == []
    assert (two.judged, seen) == (101, [14])


def test_what_reads_a_quiet_topic_is_missing_and_opens_nothing() -> None:
    for quiet, opened in (((), 1), (("feedback",), 1), (("logins",), 0), (("complaints",), 0)):
        engine = SegmentEngine(SegmentSettings(), COMPILED)
        engine.take(replace(end_of(0, 100), quiet=quiet))
        assert len(engine.judge()) == opened


def test_segments_that_are_used_no_more_are_forgotten() -> None:
    engine = SegmentEngine(SegmentSettings(time_zone=ZONE.key), COMPILED)
    first, days = engine.calendar.day(instant("2024-03-01T00:00:00Z")), 3 * WINDOW_DAYS
    steps: list[SegmentStep] = []
    for day in range(first, first + days):
        counts = {("region", f"new {day} {n}"): {day: (2, 1, 1, 1)} for n in range(10)}
        if day < first + 40 or day > first + days - 10:
            counts["region", "comes back"] = {day: (20, 15, 12, 11)}
        shop = {day: (sum(c[day][0] for c in counts.values()), 30, 40, 20)}
        engine.take(DaySums(0, day, first, (), shop, counts))
        steps += engine.judge()
        group = engine.groups["region"]
        assert len(group.values) <= 2 * 10 * (WINDOW_DAYS + 1) + 128 + 10
    assert len(group.values) < days * 10 / 1.2
    back = [step for step in steps if step.value == "comes back"]
    assert {step.number for step in back if step.kind == StepKind.OPENED} <= {1}
    assert len({step.warning_id for step in back}) == sum(step.kind == StepKind.OPENED for step in back)
    restored = SegmentEngine(SegmentSettings(time_zone=ZONE.key), COMPILED)
    restore_judge(restored, json.loads(json.dumps(judge_state(engine))))
    assert set(restored.groups["region"].values) <= set(group.values)
