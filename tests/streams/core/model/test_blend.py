"""The blend of the model with the buying model: its shares, its twin, and a model that still adds up."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from streams.core.events.calendar import DAY
from streams.core.model.blend import START, Blend, Floats
from streams.core.model.logistic import INPUTS, KNOTS, SILENCE, SLOTS, Model, sigmoid

WEEKS = 30


def history(own: float, silent: float, seed: int = 1) -> list[tuple[int, Floats, Floats, NDArray[np.bool_]]]:
    """Return weekly decisions whose law is the two log odds in these shares."""
    dice = np.random.default_rng(seed)
    weeks = []
    for week in range(WEEKS):
        a, b = dice.normal(-0.5, 1.2, 400), dice.normal(-0.2, 1.0, 400)
        y = dice.random(400) < sigmoid(own * a + silent * b)
        weeks.append((week * 7 * DAY, a, b, y))
    return weeks


def learned(weeks: list[tuple[int, Floats, Floats, NDArray[np.bool_]]]) -> Blend:
    blend = Blend()
    for at, a, b, y in weeks:
        blend.matured(at, a, b, y, np.ones(len(y)))
    return blend


@pytest.mark.parametrize(("own", "silent"), [(1.0, 0.0), (0.0, 1.0), (0.5, 0.5), (0.9, 0.3)])
def test_it_finds_the_shares_that_made_the_outcomes(own: float, silent: float) -> None:
    blend = learned(history(own, silent))
    assert blend.own == pytest.approx(own, abs=0.07)
    assert blend.silent == pytest.approx(silent, abs=0.07)


def test_before_any_outcome_the_shares_are_those_of_the_start_and_a_few_outcomes_move_little() -> None:
    blend = Blend()
    assert (blend.own, blend.silent) == START
    at, a, b, y = history(0.0, 1.0)[0]
    blend.matured(at, a[:20], b[:20], y[:20], np.ones(20))
    assert blend.own == pytest.approx(START[0], abs=0.1)


def test_its_sums_are_those_of_a_loop_over_the_samples() -> None:
    """Iteratively reweighted least squares, a sample at a time, with everything before faded by its age."""
    weeks = history(0.7, 0.2)[:12]
    weights = [np.random.default_rng(week).uniform(0.5, 3.0, 400) for week in range(12)]
    blend = Blend()
    own, silent = START
    samples: list[tuple[int, float, float, float, float]] = []
    for (at, a, b, y), weight in zip(weeks, weights, strict=True):
        blend.matured(at, a, b, y, weight)
        for one, other, churned, w in zip(a.tolist(), b.tolist(), y.tolist(), weight.tolist(), strict=True):
            logit = own * one + silent * other
            p = 1 / (1 + math.exp(-logit))
            samples.append((at, one, other, w * p * (1 - p), w * p * (1 - p) * logit + w * (churned - p)))
        matrix, right = np.diag([100.0, 100.0]), 100.0 * np.array(START)
        for then, one, other, slope, response in samples:
            x = np.array([one, other])
            fade = math.exp(-(at - then) / (26 * 7 * DAY))
            matrix += fade * slope * np.outer(x, x)
            right += fade * response * x
        own, silent = np.linalg.solve(matrix, right).tolist()
        assert (blend.own, blend.silent) == pytest.approx((own, silent), rel=1e-9)


def test_a_weight_of_two_is_the_sample_twice() -> None:
    weeks = history(0.7, 0.2)[:5]
    weighted, repeated = Blend(), Blend()
    for at, a, b, y in weeks:
        weighted.matured(at, a, b, y, np.full(len(y), 2.0))
        repeated.matured(at, np.tile(a, 2), np.tile(b, 2), np.tile(y, 2), np.ones(2 * len(y)))
    assert (weighted.own, weighted.silent) == pytest.approx((repeated.own, repeated.silent), rel=1e-12)


def test_what_is_missing_is_left_out() -> None:
    weeks = history(0.7, 0.2)[:5]
    holes, without = Blend(), Blend()
    for at, a, b, y in weeks:
        a, b = a.copy(), b.copy()
        a[::3], b[1::5] = np.nan, np.nan
        known = ~(np.isnan(a) | np.isnan(b))
        holes.matured(at, a, b, y, np.ones(len(y)))
        without.matured(at, a[known], b[known], y[known], np.ones(int(known.sum())))
        holes.matured(at, np.full(3, np.nan), b[:3], y[:3], np.ones(3))
    assert holes.state() == without.state()


def test_it_goes_on_from_its_state_bit_for_bit() -> None:
    weeks = history(0.9, 0.3)
    whole, cut = learned(weeks), Blend()
    cut.restore(json.loads(json.dumps(learned(weeks[:11]).state())))
    for at, a, b, y in weeks[11:]:
        cut.matured(at, a, b, y, np.ones(len(y)))
    assert cut.state() == whole.state()


def test_a_state_of_before_changes_nothing_until_there_are_outcomes() -> None:
    blend = learned(history(0.5, 0.5)[:3])
    blend.restore(None)
    model = some_model()
    assert blend.apply(model, 0.3).to_dict() == replace(model, level=0.3).to_dict()
    at, a, b, y = history(0.5, 0.5)[0]
    blend.matured(at, a, b, y, np.ones(len(y)))
    assert blend.silent > 0.2


def some_model(seed: int = 4) -> Model:
    dice = np.random.default_rng(seed)
    return Model("v", True, INPUTS, dice.normal(0, 0.3, (len(INPUTS), SLOTS)), -0.7)


def test_the_blended_model_gives_the_sum_of_both_and_its_shares_add_up_to_it() -> None:
    blend, model = learned(history(0.8, 0.3)), some_model()
    dice = np.random.default_rng(9)
    x = dice.normal(1.0, 3.0, (200, len(INPUTS)))
    x[dice.random(x.shape) < 0.2] = np.nan
    found = blend.apply(model, 0.25)
    silent = np.clip(x[:, SILENCE], INPUTS[SILENCE].low, INPUTS[SILENCE].high)
    known = ~np.isnan(silent)
    logit = blend.own * (model.logit(x) + 0.25) + blend.silent * silent
    np.testing.assert_allclose(found.logit(x)[known], logit[known], atol=1e-9)
    np.testing.assert_allclose(found.base + found.contributions(x).sum(axis=1), found.logit(x), atol=1e-9)
    # Who has no `p_silent` counts as the mean of those who had.
    mean = np.concatenate([b for _, _, b, _ in history(0.8, 0.3)]).mean()
    rest = found.logit(x)[~known] - blend.own * (model.logit(x)[~known] + 0.25)
    np.testing.assert_allclose(rest, blend.silent * mean, atol=0.02)
    assert found.weight.shape == (len(INPUTS), KNOTS + 1)
    assert found.version == model.version


def test_a_model_that_does_not_read_the_buying_model_is_only_moved() -> None:
    model = some_model()
    kept = [n for n in range(len(INPUTS)) if n != SILENCE]
    other = replace(model, inputs=tuple(INPUTS[n] for n in kept), weight=model.weight[kept])
    found = learned(history(0.5, 0.5)).apply(other, -0.5)
    assert found.to_dict() == replace(other, level=-0.5).to_dict()
