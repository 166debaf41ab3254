"""The vectorised engine against its slow twin, on generated histories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from streams.core.events.batch import Batch, ComplaintStatus
from streams.core.events.topics import Topic
from tests.oracle.compare import compare_features, compare_steps, report
from tests.oracle.conditions import OracleRule
from tests.oracle.days import DAY, HOUR, instant
from tests.oracle.drive import Driven, compiled, drive
from tests.oracle.engine import OracleEngine, OracleSettings, Run
from tests.oracle.histories import (
    History,
    HypothesisDraw,
    as_batch,
    cut,
    histories,
    random_history,
    shuffled_within,
)
from tests.oracle.history import Event
from tests.oracle.sample_rules import ABSENT, GROUPS, RULES
from tests.oracle.shrink import smaller

COMPILED: Final = {group: compiled(group) for group in (*GROUPS, ABSENT)}

PLAIN: Final = OracleSettings()
QUIET: Final = OracleSettings(
    quiet_after_us={
        Topic.ORDERS: 3 * DAY,
        Topic.LOGINS: DAY,
        Topic.COMPLAINTS: 20 * DAY,
        Topic.PROFILES: 9 * DAY,
    }
)

# `smaller` finds a minimal history sooner than hypothesis does, as a failing run is slow
generated = settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
rule_groups = st.sampled_from(GROUPS)

Cut = Callable[[Sequence[Event]], list[Batch]]


def whole(records: Sequence[Event]) -> list[Batch]:
    return [as_batch(records)]


def disagreements(driven: Driven, run: Run) -> list[str]:
    """Return every difference of the engine from the twin."""
    counts = (driven.events, driven.late, driven.repeats)
    twins = (run.events, run.late, run.repeats)
    lines = [] if counts == twins else [f"events, late, repeats: engine {counts}, twin {twins}"]
    if driven.ignored != run.ignored:
        lines.append(f"ignored: engine {dict(driven.ignored)}, twin {dict(run.ignored)}")
    lines += compare_features(driven.sweeps, run.sweeps)
    return lines + compare_steps(driven.steps, run.steps)


def check(
    history: History,
    group: tuple[OracleRule, ...] = RULES,
    options: OracleSettings = PLAIN,
    cut_up: Cut = whole,
    until: int | None = None,
    *,
    restarts: bool = False,
) -> Run:
    """Fail with a minimal history where the engine and the twin differ on this one."""
    options = replace(options, zone=history.zone)

    def compared(records: Sequence[Event]) -> tuple[Run, list[str]]:
        run = OracleEngine(options, group).run(records, until)
        driven = drive(options, COMPILED[group], cut_up(records), until, restarts=restarts)
        return run, disagreements(driven, run)

    run, lines = compared(history.arrivals)
    if lines:
        few = smaller(history.arrivals, lambda records: bool(compared(records)[1]))
        pytest.fail(f"zone {history.zone.key}\n" + report(compared(few)[1], few))
    return run


@generated
@given(histories(), rule_groups)
def test_the_engine_agrees_on_events_in_order(history: History, group: tuple[OracleRule, ...]) -> None:
    run = check(history, group)
    assert run.late == 0


@generated
@given(histories(late=True), rule_groups, st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_the_engine_agrees_on_late_events_however_they_are_cut(
    history: History, group: tuple[OracleRule, ...], sizes: list[int]
) -> None:
    check(history, group, cut_up=lambda records: cut(records, sizes))


@generated
@given(histories(size=15, days=50, late=True), rule_groups, st.integers(1, 8))
def test_the_engine_agrees_when_every_batch_begins_from_a_saved_state(
    history: History, group: tuple[OracleRule, ...], size: int
) -> None:
    check(history, group, QUIET, lambda records: cut(records, [size]), restarts=True)


@generated
@given(histories(), st.data())
def test_the_engine_agrees_in_any_interleaving_within_reorder(history: History, data: st.DataObject) -> None:
    draw = HypothesisDraw(data.draw)
    reorder = draw.pick((250_000, HOUR, 3 * DAY))
    arrivals = shuffled_within(history.arrivals, reorder, draw)
    options = OracleSettings(zone=history.zone, reorder_us=reorder)
    in_order = OracleEngine(options, RULES).run(history.arrivals)
    run = check(
        History(history.zone, tuple(arrivals)), RULES, options, lambda records: cut(records, [3, 1, 7])
    )
    assert run.late == 0
    assert run.sweeps == in_order.sweeps
    assert run.steps == in_order.steps


@generated
@given(histories(late=True), rule_groups)
def test_the_engine_agrees_while_topics_are_quiet(history: History, group: tuple[OracleRule, ...]) -> None:
    check(history, group, QUIET, lambda records: cut(records, [5]))


@generated
@given(histories(size=12, days=20, late=True), st.sampled_from([HOUR * 6, HOUR * 12, HOUR * 8]))
def test_the_engine_agrees_on_sweeps_below_a_day(history: History, every: int) -> None:
    check(history, RULES, replace(PLAIN, sweep_every_us=every), lambda records: cut(records, [4]))


@generated
@given(histories(size=8, days=10), st.integers(0, 130 * DAY), st.booleans())
def test_the_engine_agrees_on_the_silence_after_the_last_event(
    history: History, after: int, whole_days: bool
) -> None:
    last = max(event.at for event in history.arrivals)
    until = last + (after // DAY * DAY if whole_days else after)
    check(history, RULES, replace(PLAIN, k=0.0), until=until)


@pytest.mark.parametrize("seed", range(12))
def test_the_engine_agrees_on_longer_histories(seed: int) -> None:
    history = random_history(seed, late=seed % 2 == 1)
    check(history, GROUPS[seed // 2], cut_up=lambda records: cut(records, [1, 7, 50]))


def test_the_engine_agrees_on_every_kind_of_step() -> None:
    kinds: Counter[str] = Counter()
    for seed in range(8):
        history = random_history(
            seed, size=60, days=90, late=True, topics=[Topic.LOGINS], delays=[DAY, 2 * DAY, 3 * DAY]
        )
        run = check(history, ABSENT)
        kinds.update(str(made.step.kind) for made in run.steps)
    assert all(kinds[kind] >= 5 for kind in ("opened", "escalated", "updated", "resolved", "withdrawn")), (
        kinds
    )


def test_a_late_resolution_leaves_open_what_was_reopened_after_it() -> None:
    begin = instant("2024-03-01T00:00:00Z")

    def complaint(day: int, event_id: str, status: ComplaintStatus) -> Event:
        return Event(Topic.COMPLAINTS, begin + day * DAY, "c", event_id, status=status, complaint_id="k")

    arrivals = (
        complaint(0, "a", ComplaintStatus.OPENED),
        complaint(20, "b", ComplaintStatus.REOPENED),
        Event(Topic.LOGINS, begin + 21 * DAY + HOUR, "c", "c"),
        complaint(15, "late", ComplaintStatus.RESOLVED),
        Event(Topic.LOGINS, begin + 23 * DAY, "c", "d"),
    )
    run = check(History(ZoneInfo("UTC"), arrivals), RULES[1:2])
    oldest = [run.sweeps[begin + day * DAY, "c"]["oldest_open_complaint_days"] for day in (21, 22)]
    assert oldest == [21.0, 2.0]


def test_a_difference_would_be_seen() -> None:
    history = random_history(0, size=60)
    options = replace(PLAIN, zone=history.zone)
    driven = drive(options, COMPILED[RULES], whole(history.arrivals))
    assert not disagreements(driven, OracleEngine(options, RULES).run(history.arrivals))
    without = history.arrivals[:-20] + history.arrivals[-19:]
    assert disagreements(driven, OracleEngine(options, RULES).run(without))
    shorter = [replace(rule, terms=replace(rule.terms, for_us=0)) for rule in RULES]
    lines = disagreements(driven, OracleEngine(options, shorter).run(history.arrivals))
    assert lines
    assert lines[0].startswith("step ")
