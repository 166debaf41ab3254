import json

import numpy as np
import pytest
from numpy.typing import NDArray

from streams.core.events.calendar import DAY
from streams.core.model.level import Floats, LevelShift
from streams.core.model.logistic import sigmoid

HORIZON = 4 * 7 * DAY


def passing(
    weeks: int, score_off: float, silence_off: float, *, seed: int = 1, noise: float = 0.0, step: float = 0.0
) -> tuple[LevelShift, float]:
    """Let weeks pass in which both forecasts are off by so many log odds; return the level and the truth now.

    The true level moves by `step` log odds a week, which the scores see a horizon late, and `noise` moves the
    scores at random.
    """
    rng = np.random.default_rng(seed)
    level = LevelShift(HORIZON)
    waiting: list[tuple[int, Floats, float, Floats, NDArray[np.bool_]]] = []
    spread = rng.normal(0, 1, 400)
    true = 0.0
    for week in range(weeks):
        true = -1.0 + step * week
        late = true - step * 4
        logit = spread + late + score_off + rng.normal(0, noise)
        silent = sigmoid(spread + true + silence_off)
        level.decided(sigmoid(logit), silent, 1)
        waiting.append((week * 7 * DAY, logit, level.full, silent, rng.random(400) < sigmoid(spread + true)))
        if week >= 4:
            level.matured(*waiting.pop(0))
    return level, true


def test_it_does_nothing_where_both_forecasts_are_right() -> None:
    level, _ = passing(40, 0.0, 0.0)
    assert abs(level.shift) < 0.12


def test_it_takes_back_an_error_that_stays() -> None:
    level, _ = passing(60, 0.7, 0.7)
    assert level.shift == pytest.approx(-0.5, abs=0.2)


def test_it_follows_the_forecast_that_sees_today() -> None:
    level, _ = passing(60, 0.0, 0.0, step=0.08)
    assert level.shift > 0.12


def test_it_trusts_the_one_that_errs_less() -> None:
    steady, _ = passing(60, 0.0, 0.8, noise=0.0)
    assert abs(steady.shift) < 0.25


def test_it_is_off_where_it_only_did_harm() -> None:
    rng = np.random.default_rng(2)
    level = LevelShift(HORIZON)
    logit = rng.normal(0, 1, 500)
    for week in range(30):
        harmful = 1.5 if week % 2 else -1.5
        level.matured(week * 7 * DAY, logit, harmful, np.full(500, 0.5), rng.random(500) < sigmoid(logit))
        level.decided(sigmoid(logit), np.full(500, 0.9), 1)
    assert level.full > 0
    assert level.shift == 0.0


def test_all_is_well_without_a_buying_model_or_a_score() -> None:
    level = LevelShift(HORIZON)
    none = np.full(10, np.nan)
    level.decided(np.full(10, 0.5), none, 7)
    level.matured(0, none, 0.0, none, np.zeros(10, dtype=np.bool_))
    level.matured(0, np.zeros(10), 0.0, none, np.zeros(10, dtype=np.bool_))
    level.decided(np.empty(0), np.empty(0), 7)
    assert (level.shift, level.full) == (0.0, 0.0)


def test_it_never_moves_without_bound() -> None:
    level = LevelShift(HORIZON)
    for _ in range(30):
        level.decided(np.full(100, 1e-9), np.full(100, 1.0), 1)
    assert 0 < level.full <= 2.0


def test_a_restored_one_goes_on_bit_for_bit() -> None:
    level, _ = passing(30, 0.3, -0.2, noise=0.1, step=0.02)
    other = LevelShift(HORIZON)
    other.restore(json.loads(json.dumps(level.state())))
    assert (other.shift, other.full) == (level.shift, level.full)
    for one in (level, other):
        one.decided(np.full(50, 0.2), np.full(50, 0.3), 7)
        one.matured(300 * DAY, np.zeros(50), 0.1, np.full(50, 0.4), np.arange(50) % 3 == 0)
    assert json.dumps(other.state()) == json.dumps(level.state())
    assert other.shift == level.shift


def test_a_weight_counts_a_sample_as_often() -> None:
    rng = np.random.default_rng(3)
    logit, silent, weight = rng.normal(0, 1, 80), rng.uniform(0.1, 0.9, 80), rng.integers(1, 6, 80)
    y = rng.random(80) < sigmoid(logit + 0.5)
    weighted, repeated = LevelShift(HORIZON), LevelShift(HORIZON)
    for week in range(6):
        for level in (weighted, repeated):
            level.decided(sigmoid(logit), silent, 1)
        weighted.matured(week * 7 * DAY, logit, 0.3, silent, y, weight.astype(np.float64))
        rows = np.repeat(np.arange(80), weight)
        repeated.matured(week * 7 * DAY, logit[rows], 0.3, silent[rows], y[rows])
    assert weighted.shift == pytest.approx(repeated.shift)
    assert abs(weighted.shift) > 0.1
