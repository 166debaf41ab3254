"""The vectorised engine against its slow twin, on generated histories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.core.batch import Batch
from streams.core.steps import Tier
from streams.core.topics import Topic
from tests.oracle.compare import compare_features, compare_steps, report
from tests.oracle.conditions import OracleRule
from tests.oracle.days import DAY, HOUR
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
from tests.oracle.life import Terms

RULES: Final = (
    OracleRule(
        "silent",
        "days_since_order >= 10",
        terms=Terms(Tier.MEDIUM, for_us=2 * DAY, keep_open_for_us=DAY, cooldown_us=5 * DAY),
    ),
    OracleRule("complaint", "open_complaints > 0", terms=Terms(Tier.LOW)),
    OracleRule(
        "collapse",
        "orders_prev_30d >= 1 AND order_trend < 1",
        clear="order_trend > 1",
        terms=Terms(Tier.HIGH),
    ),
    OracleRule(
        "few-logins",
        "logins_30d < 2",
        only="customer_class IN ('key', 'ordinary')",
        terms=Terms(Tier.HIGH, keep_open_for_us=3 * DAY),
    ),
    OracleRule("burst", "orders_7d >= 2", clear="logins_7d > 0", terms=Terms(Tier.MEDIUM, cooldown_us=DAY)),
    OracleRule(
        "unhappy", "feedback_mean_90d < 0.5 OR returns_90d > 1", terms=Terms(Tier.HIGH, for_us=12 * HOUR)
    ),
    OracleRule("overdue", "overdue > 1.5", clear="overdue < 0.5", terms=Terms(Tier.LOW, for_us=HOUR)),
    OracleRule("newcomer", "tenure_days < 3", terms=Terms(Tier.LOW, keep_open_for_us=HOUR)),
)

COMPILED: Final = compiled(RULES)

PLAIN: Final = OracleSettings()
QUIET: Final = OracleSettings(
    quiet_after_us={
        Topic.ORDERS: 3 * DAY,
        Topic.LOGINS: DAY,
        Topic.COMPLAINTS: 20 * DAY,
        Topic.PROFILES: 9 * DAY,
    }
)

thorough = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def disagreements(driven: Driven, run: Run) -> list[str]:
    """Return every difference of the engine from the twin."""
    counts = (driven.events, driven.late, driven.repeats)
    twins = (run.events, run.late, run.repeats)
    lines = [] if counts == twins else [f"events, late, repeats: engine {counts}, twin {twins}"]
    lines += compare_features(driven.sweeps, run.sweeps)
    return lines + compare_steps(driven.steps, run.steps)


def check(
    history: History,
    batches: Sequence[Batch],
    options: OracleSettings = PLAIN,
    until: int | None = None,
) -> Run:
    """Fail where the engine and the twin differ on the history."""
    options = replace(options, zone=history.zone)
    run = OracleEngine(options, RULES).run(history.arrivals, until)
    lines = disagreements(drive(options, COMPILED, batches, until), run)
    if lines:
        pytest.fail(f"zone {history.zone.key}\n" + report(lines, history.arrivals))
    return run


@thorough
@given(histories())
def test_the_engine_agrees_on_events_in_order(history: History) -> None:
    check(history, [as_batch(history.arrivals)])


@thorough
@given(histories(late=True))
def test_the_engine_agrees_on_late_events(history: History) -> None:
    check(history, [as_batch(history.arrivals)])


@thorough
@given(histories(late=True), st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_the_engine_agrees_however_the_records_are_cut(history: History, sizes: list[int]) -> None:
    check(history, cut(history.arrivals, sizes))


@thorough
@given(histories(), st.data())
def test_the_engine_agrees_in_any_interleaving_within_reorder(history: History, data: st.DataObject) -> None:
    draw = HypothesisDraw(data.draw)
    reorder = draw.pick((250_000, HOUR, 3 * DAY))
    arrivals = shuffled_within(history.arrivals, reorder, draw)
    options = OracleSettings(zone=history.zone, reorder_us=reorder)
    in_order = OracleEngine(options, RULES).run(history.arrivals)
    run = check(History(history.zone, tuple(arrivals)), cut(arrivals, [3, 1, 7]), options)
    assert run.late == 0
    assert run.sweeps == in_order.sweeps
    assert run.steps == in_order.steps


@thorough
@given(histories(late=True))
def test_the_engine_agrees_while_topics_are_quiet(history: History) -> None:
    check(history, cut(history.arrivals, [5]), QUIET)


@thorough
@given(histories(size=12, days=20, late=True), st.sampled_from([HOUR * 6, HOUR * 12, HOUR * 8]))
def test_the_engine_agrees_on_sweeps_below_a_day(history: History, every: int) -> None:
    check(history, cut(history.arrivals, [4]), replace(PLAIN, sweep_every_us=every))


@thorough
@given(histories(size=8, days=10), st.integers(0, 130 * DAY), st.booleans())
def test_the_engine_agrees_on_the_silence_after_the_last_event(
    history: History, after: int, whole: bool
) -> None:
    last = max(event.at for event in history.arrivals)
    until = last + (after // DAY * DAY if whole else after)
    check(history, [as_batch(history.arrivals)], replace(PLAIN, k=0.0), until)


@pytest.mark.parametrize("seed", range(6))
def test_the_engine_agrees_on_longer_histories(seed: int) -> None:
    history = random_history(seed, late=seed % 2 == 1)
    run = check(history, cut(history.arrivals, [1, 7, 50]))
    assert len(run.steps) > 20


def test_a_difference_would_be_seen() -> None:
    history = random_history(1)
    options = replace(PLAIN, zone=history.zone)
    driven = drive(options, COMPILED, [as_batch(history.arrivals)])
    without: tuple[Event, ...] = history.arrivals[:-20] + history.arrivals[-19:]
    assert disagreements(driven, OracleEngine(options, RULES).run(without))
    shorter = [replace(rule, terms=replace(rule.terms, cooldown_us=0)) for rule in RULES]
    assert disagreements(driven, OracleEngine(options, shorter).run(history.arrivals))
