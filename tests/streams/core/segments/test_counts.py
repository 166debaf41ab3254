"""Segments against their slow twin: counts, features and warnings, however the events come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.topics import Topic
from streams.core.rules.rule_set import RuleSet
from streams.core.segments.counts import DIMENSIONS
from streams.core.state_tables import restore, tables
from tests.oracle.days import DAY, HOUR, local_day, midnight
from tests.oracle.engine import OracleSettings
from tests.oracle.histories import as_batch
from tests.oracle.history import Event
from tests.oracle.segments import Part, SegmentTwin, kept, told, told_by_twin
from tests.streams.core.segments.segment_histories import (
    OFFSET,
    RULES,
    ZONE,
    history,
    judged,
    split,
    sums_of,
)


def renamed(step: tuple[object, ...], segment: str) -> tuple[object, ...]:
    """Return the twin's step with the engine's names of its rules: there an id is given once."""
    *rest, causes = step
    assert isinstance(causes, dict)
    return (*rest, {f"{rule}-{segment.partition('=')[0]}": held for rule, held in causes.items()})


def check(
    records: Sequence[Event], count: int, sizes: Sequence[int], *, restarts: bool = False
) -> Counter[str]:
    parts = split(records, count)
    last = local_day(max(e.at for e in records), ZONE) + 2
    until = midnight(last + 1, ZONE)
    options = OracleSettings(zone=ZONE)
    alone = [Part(kept(part, options.reorder_us, options.repeat_window_us), ZONE) for part in parts]
    twin = SegmentTwin(alone, ZONE, RULES).run(last)
    sums = [
        each
        for number, part in enumerate(parts)
        for each in sums_of(part, number, until, sizes, restarts=restarts)
    ]
    rows: dict[tuple[int, str], dict[str, Any]] = {}
    steps = judged(sums, len(parts), rows)
    assert [told(step) for step in steps] == [
        renamed(told_by_twin(segment, step), segment) for segment, step in twin.steps
    ]
    with_counts = {key: row for key, row in twin.features.items() if key in rows}
    assert rows.keys() == with_counts.keys()
    for key, row in rows.items():
        for name, value in row.items():
            assert value == pytest.approx(with_counts[key][name], abs=1e-12), (key, name)
    return Counter(f"{step.dimension} {step.kind}" for step in steps)


@pytest.mark.parametrize("count", [1, 3, 8])
def test_the_engine_agrees_with_the_twin_on_any_number_of_partitions(count: int) -> None:
    kinds = check(history(count), count, [40])
    assert {kind.partition(" ")[0] for kind in kinds} == set(DIMENSIONS) - {"segment", "origin"} | {
        "segment", "origin"
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_the_engine_agrees_with_the_twin_on_late_events_and_restarts(seed: int) -> None:
    kinds = check(history(seed, late=True), 1 + seed % 2, [1, 9, 60], restarts=True)
    assert sum(kinds.values()) > 10


@pytest.mark.parametrize("seed", range(12))
def test_the_engine_agrees_with_the_twin_on_crowded_days(seed: int) -> None:
    """Few customers do much on few days, so that the same ones are late for the same day more than once."""
    check(history(seed, 60, 9, 2, late=True), 1, [60], restarts=seed % 2 == 0)


def test_a_difference_would_be_seen() -> None:
    records = history(1, late=True)
    without = [e for e in records if e is not next(e for e in records[150:] if e.topic == Topic.COMPLAINTS)]
    last = midnight(local_day(max(e.at for e in records), ZONE) + 1, ZONE)
    assert sums_of(records, 0, last, [50]) != sums_of(without, 0, last, [50])


def test_an_engine_without_segments_counts_nothing() -> None:
    engine = Engine(EngineSettings(), RuleSet((), {}))
    output = engine.step(as_batch(history(3)))
    assert output.sums == []
    assert not [name for name in tables(engine) if name.startswith("segment")]


def test_counting_that_is_switched_on_later_begins_with_the_days_that_are_held() -> None:
    records = history(8)
    middle = len(records) // 2
    before = Engine(EngineSettings(time_zone=ZONE.key), RuleSet((), {}))
    before.step(as_batch(records[:middle]))
    after = Engine(EngineSettings(time_zone=ZONE.key, segments=True), RuleSet((), {}))
    restore(after, tables(before))
    first = after.step(as_batch(records[middle:])).sums[0]
    whole = sums_of(records, 0, 0, [1000])
    shop = {day: row for each in whole for day, row in each.shop.items() if day <= first.closed}
    assert first.shop == shop
    assert first.since == min(shop)


def test_two_late_complaints_of_one_customer_are_one_complainer() -> None:
    def event(topic: Topic, name: str, day: int) -> Event:
        return Event(topic, day * DAY + 12 * HOUR, "c", name, complaint_id=name)

    records = [event(Topic.ORDERS, "a", 100), event(Topic.ORDERS, "b", 102)]
    records += [event(Topic.COMPLAINTS, "k1", 100), event(Topic.COMPLAINTS, "k2", 100)]
    sums = sums_of(records, 0, midnight(104 + OFFSET, ZONE), [len(records)])
    assert [each.closed for each in sums] == [100, 101, 102, 103]
    assert [each.shop.get(100) for each in sums] == [(1, 0, 1, 0), None, (0, 2, 0, 1), None]
