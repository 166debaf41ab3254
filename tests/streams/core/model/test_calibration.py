"""Calibration: what level and blend are given; scores of a model that was not ready teach no blend."""

import json
from dataclasses import replace

import numpy as np

from streams.core.events.calendar import DAY
from streams.core.model.blend import START
from streams.core.model.calibration import Calibration
from streams.core.model.logistic import INPUTS, SILENCE, sigmoid
from tests.streams.core.model.test_blend import some_model

HORIZON = 90 * DAY


def weeks(calibration: Calibration, *, given: bool) -> None:
    """Let 40 weeks pass in which the buying model is right and the learner says nothing."""
    dice = np.random.default_rng(2)
    for week in range(40):
        x = np.full((300, len(INPUTS)), np.nan)
        x[:, SILENCE] = dice.normal(0.0, 1.5, 300)
        logit = np.zeros(300)
        calibration.decided(logit, x, 7)
        y = dice.random(300) < sigmoid(x[:, SILENCE])
        p = sigmoid(logit) if given else np.full(300, np.nan)
        calibration.matured(week * 7 * DAY, logit, p, 0.0, x, y, np.ones(300))


def test_the_blend_learns_who_is_right() -> None:
    calibration = Calibration(HORIZON)
    weeks(calibration, given=True)
    assert calibration.blend.silent > 0.9


def test_a_model_that_was_not_ready_is_no_measure_of_the_one_of_now() -> None:
    calibration = Calibration(HORIZON)
    weeks(calibration, given=False)
    assert (calibration.blend.own, calibration.blend.silent) == START
    assert calibration.level.calibrated


def test_it_goes_on_from_its_state() -> None:
    calibration, other = Calibration(HORIZON), Calibration(HORIZON)
    weeks(calibration, given=True)
    other.restore(json.loads(json.dumps(calibration.state())))
    assert other.state() == calibration.state()
    x = np.random.default_rng(3).normal(size=(50, len(INPUTS)))
    assert other.apply(some_model()).score(x).tobytes() == calibration.apply(some_model()).score(x).tobytes()


def test_a_state_of_before_there_was_a_blend_gives_the_scores_of_then() -> None:
    calibration, other = Calibration(HORIZON), Calibration(HORIZON)
    weeks(calibration, given=True)
    state = calibration.state()
    del state["blend"]
    other.restore(state)
    moved = replace(some_model(), level=calibration.level.shift)
    assert other.apply(some_model()).to_dict() == moved.to_dict()
