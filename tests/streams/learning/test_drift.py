"""Planted drift is found within eleven instants, and a stable stream is quiet for years."""

from __future__ import annotations

import json

import numpy as np
import pytest

from streams.core.events.calendar import DAY
from streams.core.model.logistic import INPUTS, sigmoid
from streams.learning.drift import KEPT, LOSS, SCORE, Drift, DriftWatch

N = 80
STABLE = 500
LOW = np.array([each.low for each in INPUTS])
RANGE = np.array([each.high - each.low for each in INPUTS])
PLACE = 3


def run(
    watch: DriftWatch,
    seed: int,
    begin: int,
    end: int,
    *,
    moved: float = 0.0,
    churn: float = 0.0,
    score: float = 0.0,
) -> list[Drift]:
    """Give the watch instants of a stream of which an input, the outcome or the scores have moved.

    Movements are in standard deviations of an instant's mean.
    """
    found = []
    for instant in range(begin, end):
        rng = np.random.default_rng([seed, instant])
        place = rng.beta(2, 3, (N, len(INPUTS)))
        place[:, PLACE] += moved * place[:, PLACE].std() / np.sqrt(N)
        place[rng.random(place.shape) < 0.1] = np.nan
        logit = rng.normal(-1, 1.2, N) + score * 1.2 / np.sqrt(N)
        y = rng.random(N) < sigmoid(logit + churn - score * 1.2 / np.sqrt(N))
        weight = rng.uniform(1, 2, N)
        found += watch.take(instant * DAY, LOW + place * RANGE, logit, y, weight, scored=True)
    return found


@pytest.mark.parametrize("seed", range(12))
def test_a_stable_stream_is_quiet(seed: int) -> None:
    assert run(DriftWatch(INPUTS), seed, 0, STABLE) == []


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("before", [60, 150])
def test_an_input_that_moves_is_found_within_eleven_instants(seed: int, before: int) -> None:
    watch = DriftWatch(INPUTS)
    assert run(watch, seed, 0, before) == []
    (found,) = run(watch, seed, before, before + 11, moved=4.0)
    assert found.series == INPUTS[PLACE].name
    assert found.now > found.before
    # From then on where it is now is the measure.
    assert run(watch, seed, before + 11, before + 120, moved=4.0) == []


@pytest.mark.parametrize("seed", range(12))
def test_scores_that_move_are_found_within_eleven_instants(seed: int) -> None:
    watch = DriftWatch(INPUTS)
    run(watch, seed, 0, 90)
    assert SCORE in {each.series for each in run(watch, seed, 90, 101, score=-4.0)}


@pytest.mark.parametrize("seed", range(12))
def test_a_loss_that_rises_is_found_and_one_that_falls_is_none(seed: int) -> None:
    watch = DriftWatch(INPUTS)
    run(watch, seed, 0, 90)
    assert LOSS in {each.series for each in run(watch, seed, 90, 101, churn=1.6)}
    falling = DriftWatch(INPUTS)
    run(falling, seed, 0, 90, churn=1.6)
    assert run(falling, seed, 90, 200) == []


@pytest.mark.parametrize("cut", [5, 70, 95, 97, KEPT + 30])
def test_a_restored_watch_goes_on(cut: int) -> None:
    whole, first, second = DriftWatch(INPUTS), DriftWatch(INPUTS), DriftWatch(INPUTS)
    end = max(120, cut + 60)
    before = max(90, cut - 5)
    expected = run(whole, 1, 0, before) + run(whole, 1, before, end, moved=4.0)
    found = run(first, 1, 0, min(cut, before)) + run(first, 1, before, cut, moved=4.0)
    second.restore(json.loads(json.dumps(first.state())))
    found += run(second, 1, cut, before) + run(second, 1, max(before, cut), end, moved=4.0)
    assert found == expected
    assert expected
    assert second.state() == whole.state()


def test_before_the_champion_is_ready_its_scores_say_nothing() -> None:
    watch, rng = DriftWatch(INPUTS), np.random.default_rng(1)
    for instant in range(60):
        x, y = LOW + rng.beta(2, 3, (N, len(INPUTS))) * RANGE, rng.random(N) < 0.5
        logit = rng.normal(instant / 5, 1, N)
        assert watch.take(instant * DAY, x, logit, y, np.ones(N), scored=False) == []
    assert watch.state()["values"][SCORE] == []


def test_instants_of_few_samples_count_with_those_that_follow() -> None:
    watch, rng = DriftWatch(INPUTS), np.random.default_rng(1)
    for instant in range(20):
        x, y = LOW + rng.beta(2, 3, (10, len(INPUTS))) * RANGE, rng.random(10) < 0.5
        watch.take(instant * DAY, x, rng.normal(0, 1, 10), y, np.ones(10), scored=True)
    assert len(watch.state()["values"][LOSS]) == 6
    # A partition that is behind counts at the instant of now.
    assert watch.take(3 * DAY, x, rng.normal(0, 1, 10), y, np.ones(10), scored=True) == []
    assert watch.state()["at"] == 19 * DAY


@pytest.mark.parametrize("step", [0.01, 0.08])
def test_an_input_that_hardly_scatters_is_found_where_it_moves_by_more_than_a_hundredth(step: float) -> None:
    watch = DriftWatch(INPUTS)
    found: list[Drift] = []
    for instant in range(150 if step < 0.05 else 101):
        rng = np.random.default_rng(instant)
        place = 0.4 + rng.normal(0, 0.01, (N, len(INPUTS)))
        place[:, PLACE] += step * (instant >= 90)
        logit = rng.normal(-1, 1.2, N)
        y = rng.random(N) < sigmoid(logit)
        found += watch.take(instant * DAY, LOW + place * RANGE, logit, y, np.ones(N), scored=True)
    assert [each.series for each in found if each.series not in (LOSS, SCORE)] == (
        [INPUTS[PLACE].name] if step > 0.05 else []
    )
