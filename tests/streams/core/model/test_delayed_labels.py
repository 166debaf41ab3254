from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from streams.core.events.dedup import hash_strings
from streams.core.model.delayed_labels import DelayedLabels, LabelledSamples

NEVER = np.iinfo(np.int64).min
SWEEP = 10
"""Instants between two sweeps in these tests."""

ORDER, CLOSURE = "order", "closure"


@dataclass(frozen=True)
class Event:
    at: int
    customer: int
    kind: str


histories = st.lists(
    st.builds(
        Event,
        st.one_of(st.integers(1, 150), st.integers(1, 15).map(lambda n: n * SWEEP)),
        st.integers(0, 4),
        st.sampled_from([ORDER, ORDER, ORDER, CLOSURE]),
    ),
    max_size=40,
)


def nobody(c: int) -> NDArray[np.int64]:
    return np.full(c, NEVER)


def cohorts_of(horizon: int, active: int, every: int = 3, limit: int = 1000) -> DelayedLabels:
    return DelayedLabels(
        ["a"], horizon_us=horizon, learn_within_us=active, decide_every=every, max_samples=limit
    )


def run(
    cohorts: DelayedLabels, history: list[Event], keys: NDArray[np.uint64], until: int
) -> list[LabelledSamples]:
    """Drive `cohorts` as the engine does: sweeps and outcomes before the events of their instant."""
    c = len(keys)
    last_activity, closed_at = nobody(c), nobody(c)
    pending = sorted(history, key=lambda e: e.at)
    samples = []

    def take(before: int) -> None:
        while pending and pending[0].at < before:
            event = pending.pop(0)
            column = last_activity if event.kind == ORDER else closed_at
            column[event.customer] = event.at

    def mature(before: int) -> None:
        due = cohorts.next_due()
        while due is not None and due < before:
            take(due)
            matured = cohorts.mature(due, last_activity, closed_at)
            assert matured is not None
            samples.append(matured)
            due = cohorts.next_due()

    for sweep, at in enumerate(range(SWEEP, until + 1, SWEEP)):
        mature(at + 1)
        take(at)
        chosen = cohorts.choose(at, sweep, keys, last_activity, closed_at)
        x = np.array([[float(at * 100 + row)] for row in chosen]).reshape(len(chosen), 1)
        cohorts.decide(at, chosen, x, np.where(chosen % 2, 0.5, np.nan))
    mature(until + 1)
    return samples


def slow_twin(
    history: list[Event], keys: NDArray[np.uint64], until: int, horizon: int, active: int, every: int
) -> set[tuple[int, int, bool]]:
    """Return (decision instant, customer, churned), read off the whole history."""
    expected = set()
    for sweep, t in enumerate(range(SWEEP, until + 1, SWEEP)):
        for customer, key in enumerate(keys.tolist()):
            orders = [e.at for e in history if e.customer == customer and e.kind == ORDER]
            closures = [e.at for e in history if e.customer == customer and e.kind == CLOSURE]
            past_orders = [at for at in orders if at < t]
            in_population = any(at > t - active for at in past_orders) and not any(
                max(past_orders) < at < t for at in closures
            )
            known = t + horizon <= until
            if key % every == sweep % every and in_population and known:
                ordered = any(t <= at < t + horizon for at in orders)
                closed = any(t <= at < t + horizon for at in closures)
                expected.add((t, customer, closed or not ordered))
    return expected


@settings(max_examples=200)
@given(
    history=histories,
    horizon=st.sampled_from([7, 20, 25, 30]),
    active=st.sampled_from([15, 30, 200]),
    every=st.sampled_from([1, 2, 3]),
)
def test_samples_are_those_of_the_slow_twin(
    history: list[Event], horizon: int, active: int, every: int
) -> None:
    keys = hash_strings([f"customer {i}" for i in range(5)])
    until = 160
    samples = run(cohorts_of(horizon, active, every), history, keys, until)
    found = [
        (s.at, int(row), bool(churned))
        for s in samples
        for row, churned in zip(s.customers, s.y, strict=True)
    ]
    assert len(found) == len(set(found))
    assert set(found) == slow_twin(history, keys, until, horizon, active, every)
    assert [s.at for s in samples] == sorted({s.at for s in samples})
    for s in samples:
        assert s.x[:, 0].tolist() == [float(s.at * 100 + row) for row in s.customers]
        np.testing.assert_array_equal(s.p, np.where(s.customers % 2, 0.5, np.nan))


def outcome(last_activity: int, closed_at: int = NEVER, *, t: int = 100, horizon: int = 50) -> bool:
    cohorts = cohorts_of(horizon, 1000)
    cohorts.decide(t, np.array([0]), np.zeros((1, 1)), np.array([np.nan]))
    samples = cohorts.mature(t + horizon, np.array([last_activity]), np.array([closed_at]))
    assert samples is not None
    return bool(samples.y[0])


@pytest.mark.parametrize(
    ("last_activity", "closed_at", "churned"),
    [
        (99, NEVER, True),
        (100, NEVER, False),  # at the decision instant itself, which the features do not see
        (149, NEVER, False),
        (120, 99, False),  # closed before, and back
        (120, 100, True),  # closed at the decision instant
        (120, 149, True),  # an order came too, yet the customer left expressly
        (99, 149, True),
    ],
)
def test_boundaries_of_the_horizon(last_activity: int, closed_at: int, churned: bool) -> None:
    assert outcome(last_activity, closed_at) is churned


def test_outcomes_are_known_at_the_end_of_the_horizon_and_once() -> None:
    cohorts = cohorts_of(50, 1000)
    assert cohorts.next_due() is None
    cohorts.decide(100, np.array([0]), np.zeros((1, 1)), np.array([0.5]))
    cohorts.decide(110, np.array([0]), np.zeros((1, 1)), np.array([0.5]))
    assert (cohorts.next_due(), len(cohorts)) == (150, 2)
    assert cohorts.mature(149, nobody(1), nobody(1)) is None
    first = cohorts.mature(150, nobody(1), nobody(1))
    assert first is not None
    assert (first.at, cohorts.next_due(), len(cohorts)) == (100, 160, 1)
    assert cohorts.mature(150, nobody(1), nobody(1)) is None


def test_outcomes_asked_for_too_late_are_refused() -> None:
    cohorts = cohorts_of(50, 1000)
    cohorts.decide(100, np.array([0]), np.zeros((1, 1)), np.array([0.5]))
    with pytest.raises(ValueError, match="due at 150 asked for at 151"):
        cohorts.mature(151, nobody(1), nobody(1))


def test_decisions_go_forward_and_fit() -> None:
    cohorts = cohorts_of(50, 1000)
    cohorts.decide(100, np.array([0]), np.zeros((1, 1)), np.array([0.5]))
    with pytest.raises(ValueError, match="after one at 100"):
        cohorts.decide(100, np.array([0]), np.zeros((1, 1)), np.array([0.5]))
    with pytest.raises(ValueError, match="2 customers"):
        cohorts.decide(110, np.array([0, 1]), np.zeros((1, 1)), np.array([0.5]))
    with pytest.raises(ValueError, match="at least 1"):
        DelayedLabels(["a"], horizon_us=0)


def test_a_decision_about_nobody_awaits_nothing() -> None:
    cohorts = cohorts_of(50, 1000)
    cohorts.decide(100, np.empty(0, dtype=np.int64), np.empty((0, 1)), np.empty(0))
    assert cohorts.next_due() is None


@pytest.mark.parametrize(
    ("last_activity", "closed_at", "chosen"),
    [
        (NEVER, NEVER, False),
        (100 - 30, NEVER, False),
        (100 - 29, NEVER, True),
        (99, 98, True),  # won back: ordered after the closure
        (99, 99, True),  # of one instant: closures come before orders
        (98, 99, False),
    ],
)
def test_the_population(last_activity: int, closed_at: int, chosen: bool) -> None:
    cohorts = cohorts_of(50, 30, every=1)
    rows = cohorts.choose(100, 0, hash_strings(["a"]), np.array([last_activity]), np.array([closed_at]))
    assert bool(len(rows)) is chosen


def test_every_customer_decides_once_a_round_and_sweeps_share_evenly() -> None:
    c = 28 * 500
    keys, recent = hash_strings([str(i) for i in range(c)]), np.full(c, 90)
    cohorts = DelayedLabels(["a"], horizon_us=50, learn_within_us=1000, decide_every=28, max_samples=c)
    shares = [cohorts.choose(100, 5 + sweep, keys, recent, nobody(c)) for sweep in range(28)]
    assert sorted(np.concatenate(shares).tolist()) == list(range(c))
    assert all(400 < len(share) < 600 for share in shares)


def test_a_subsample_is_stable_and_another_one_the_next_time() -> None:
    c = 4000
    keys, recent = hash_strings([str(i) for i in range(c)]), np.full(c, 90)
    cohorts = DelayedLabels(["a"], horizon_us=50, learn_within_us=1000, decide_every=1, max_samples=400)
    first, again, second = (cohorts.choose(100, s, keys, recent, nobody(c)).tolist() for s in (0, 0, 1))
    assert first == again
    assert len(set(first)) == 400
    assert 10 < len(set(first) & set(second)) < 80  # by chance alone 40
    assert abs(np.mean(first) - c / 2) < 150  # early and late comers alike


@given(st.permutations(range(12)))
def test_choice_and_order_do_not_depend_on_who_became_known_first(order: list[int]) -> None:
    names = np.array([f"c{i}" for i in range(12)])
    cohorts = DelayedLabels(["a"], horizon_us=50, learn_within_us=1000, decide_every=2, max_samples=4)
    plain = cohorts.choose(100, 3, hash_strings(names.tolist()), np.full(12, 90), nobody(12))
    shuffled = cohorts.choose(100, 3, hash_strings(names[order].tolist()), np.full(12, 90), nobody(12))
    assert names[plain].tolist() == names[order][shuffled].tolist()


def test_excluded_customers_are_marked_and_not_taught() -> None:
    cohorts = cohorts_of(50, 1000)
    cohorts.decide(100, np.array([2, 0, 1]), np.array([[2.0], [0.0], [1.0]]), np.array([0.2, 0.0, 0.1]))
    last_activity = np.array([120, 120, NEVER])
    samples = cohorts.mature(150, last_activity, nobody(3), exclude=np.array([False, True, False]))
    assert samples is not None
    assert samples.excluded.tolist() == [False, False, True]
    assert samples.y.tolist() == [True, False, False]
    plain = samples.plain()
    assert len(samples) == 3
    assert (plain.at, plain.customers.tolist(), plain.y.tolist()) == (100, [2, 0], [True, False])
    assert (plain.x[:, 0].tolist(), plain.p.tolist()) == ([2.0, 0.0], [0.2, 0.0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_frozen_stays_and_what_is_infinite_is_missing(dtype: type[np.floating[Any]]) -> None:
    cohorts = cohorts_of(50, 1000)
    x, p = np.array([[np.inf], [-np.inf], [np.nan], [1.5]], dtype=dtype), np.full(4, 0.5)
    cohorts.decide(100, np.arange(4), x, p)
    x[:], p[:] = 0, 0
    samples = cohorts.mature(150, nobody(4), nobody(4))
    assert samples is not None
    np.testing.assert_array_equal(samples.x[:, 0], [np.nan, np.nan, np.nan, 1.5])
    assert samples.p.tolist() == [0.5] * 4


def test_what_does_not_fit_single_precision_is_missing() -> None:
    cohorts = cohorts_of(50, 1000)
    cohorts.decide(100, np.array([0]), np.array([[1e300]]), np.array([0.5]))
    assert np.isnan(cohorts.state()["x"]).all()


@given(history=histories, cut=st.integers(1, 15))
def test_a_restored_state_goes_on_as_if_nothing_had_been(history: list[Event], cut: int) -> None:
    keys = hash_strings([f"customer {i}" for i in range(5)])
    before = cohorts_of(25, 200, every=2)
    run(before, history, keys, until=cut * SWEEP)
    after = cohorts_of(25, 200, every=2)
    after.restore(before.state())
    assert (len(after), after.next_due()) == (len(before), before.next_due())
    while (due := before.next_due()) is not None:
        one, other = (c.mature(due, nobody(5), nobody(5)) for c in (before, after))
        assert one is not None
        assert other is not None
        assert one.at == other.at
        for name in ("customers", "x", "p", "y"):
            assert getattr(one, name).tobytes() == getattr(other, name).tobytes()
    assert after.next_due() is None


def test_restoring_matches_inputs_by_name() -> None:
    old = DelayedLabels(["a", "gone"], horizon_us=50)
    old.decide(100, np.array([0, 1]), np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0.5, 0.5]))
    new = DelayedLabels(["new", "a"], horizon_us=50)
    new.restore(old.state())
    samples = new.mature(150, nobody(2), nobody(2))
    assert samples is not None
    np.testing.assert_array_equal(samples.x, [[np.nan, 1.0], [np.nan, 3.0]])


def test_without_treatment_every_sample_stands_for_one_customer() -> None:
    cohorts = cohorts_of(50, 1000)
    cohorts.decide(100, np.arange(3), np.zeros((3, 1)), np.zeros(3))
    samples = cohorts.mature(150, nobody(3), nobody(3))
    assert samples is not None
    assert samples.weight.tolist() == [1.0, 1.0, 1.0]
    assert not samples.treated.any()


def test_treated_customers_are_not_taught() -> None:
    cohorts = cohorts_of(50, 1000)
    cohorts.decide(100, np.arange(3), np.zeros((3, 1)), np.zeros(3))
    samples = cohorts.mature(150, nobody(3), nobody(3))
    assert samples is not None
    treated = replace(samples, treated=np.array([True, False, False]))
    assert treated.plain().customers.tolist() == [1, 2]
