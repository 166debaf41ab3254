import json
import math
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from streams.core.model.logistic import INPUTS, KNOTS, SILENCE, SLOTS, Learner, sigmoid
from streams.learning.hats import Hats
from streams.learning.learner import (
    LearnerSettings,
    RiverLearner,
    learn_together,
    share_reservoirs,
)

M = len(INPUTS)
NO_REPLAY = LearnerSettings(replays=0)


def samples_of(
    n: int, seed: int = 0, missing: float = 0.2, m: int = M
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    x = rng.normal(1, 2, (n, m))
    y = rng.random(n) < 1 / (1 + np.exp(0.5 - 0.4 * x[:, 0]))
    x[rng.random((n, m)) < missing] = np.nan
    return x, y, np.where(rng.random(n) < 0.5, rng.random(n), np.nan)


def learner_of(n: int, seed: int = 0, missing: float = 0.2) -> RiverLearner:
    learner = RiverLearner()
    learner.learn(*samples_of(n, seed, missing))
    return learner


def test_it_is_a_learner() -> None:
    learner: Learner = RiverLearner()
    assert learner.snapshot().inputs == INPUTS


@pytest.mark.parametrize("missing", [0.0, 0.3, 1.0])
def test_its_step_is_that_of_river(missing: float) -> None:
    x, y, p = samples_of(32 * 6, 3, missing)
    fast = RiverLearner(NO_REPLAY)
    slow = fast.to_river()
    fast.learn(x, y, p)
    frame = pl.DataFrame(fast.columns(x), schema=fast.names)
    for start in range(0, len(y), 32):
        slow.learn_many(frame[start : start + 32], pl.Series(y[start : start + 32].astype(int)))
    weights = slow.weights
    found = np.array([weights[name] for name in fast.names])
    np.testing.assert_allclose(fast.weight, found, rtol=0, atol=1e-12)
    squares = np.array([slow.optimizer.g2[name] for name in fast.names])
    np.testing.assert_allclose(fast.squares, squares, rtol=0, atol=1e-12)
    assert np.abs(fast.weight - RiverLearner().weight).max() > 0.05


def test_a_river_model_goes_on_from_it() -> None:
    learner = RiverLearner(NO_REPLAY)
    learner.learn(*samples_of(320))
    more, y, p = samples_of(32, 9)
    slow = learner.to_river()
    learner.learn(more, y, p)
    slow.learn_many(pl.DataFrame(learner.columns(more), schema=learner.names), pl.Series(y.astype(int)))
    weights = slow.weights
    np.testing.assert_allclose(learner.weight, [weights[n] for n in learner.names], rtol=0, atol=1e-12)


def test_its_step_with_weights_is_that_of_river() -> None:
    x, y, p = samples_of(32 * 4, 5)
    weight = np.random.default_rng(2).uniform(0.5, 10, len(y))
    fast = RiverLearner(NO_REPLAY)
    slow = fast.to_river()
    fast.learn(x, y, p, weight)
    frame = pl.DataFrame(fast.columns(x), schema=fast.names)
    for start in range(0, len(y), 32):
        part = slice(start, start + 32)
        slow.learn_many(frame[part], pl.Series(y[part].astype(int)), pl.Series(weight[part]))
    found = np.array([slow.weights[name] for name in fast.names])
    np.testing.assert_allclose(fast.weight, found, rtol=0, atol=1e-12)
    plain = RiverLearner(NO_REPLAY)
    plain.learn(x, y, p)
    assert np.abs(plain.weight - fast.weight).max() > 0.01


def test_samples_without_weights_weigh_one() -> None:
    one, other = learner_of(400), RiverLearner()
    x, y, p = samples_of(400)
    other.learn(x, y, p, np.ones(400))
    assert json.dumps(one.state()) == json.dumps(other.state())


def test_weights_survive_a_restart() -> None:
    x, y, p = samples_of(500)
    learner, restored = RiverLearner(), RiverLearner()
    learner.learn(x, y, p, np.random.default_rng(1).uniform(0.5, 5, 500))
    restored.restore(json.loads(json.dumps(learner.state())))
    for one in (learner, restored):
        one.learn(*samples_of(150, 1))
    assert json.dumps(restored.state()) == json.dumps(learner.state())


def test_importing_it_does_not_import_river() -> None:
    code = "import sys; import streams.learning.learner; sys.exit('river' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@settings(max_examples=25, deadline=None)
@given(n=st.integers(0, 300), seed=st.integers(0, 1000), missing=st.sampled_from([0.0, 0.2, 0.9, 1.0]))
def test_the_snapshot_scores_by_the_mean_of_the_weights(n: int, seed: int, missing: float) -> None:
    learner = learner_of(n, seed, missing)
    x, *_ = samples_of(40, seed + 1, missing)
    x[0], x[1] = 1e6, -1e6
    expected = sigmoid(learner.columns(x) @ learner.mean)
    single = x.astype(np.float32)
    np.testing.assert_allclose(learner.snapshot().score(single), expected, rtol=0, atol=1e-12)


def test_contributions_have_a_mean_of_nothing_over_what_was_learned() -> None:
    learner = RiverLearner()
    x, y, p = samples_of(2000)
    learner.learn(x, y, p)
    model = learner.snapshot()
    np.testing.assert_allclose(model.contributions(x.astype(np.float32)).mean(axis=0), 0, atol=1e-9)
    assert np.abs(model.contributions(x)).max() > 0.5


def test_it_begins_with_half_the_buying_models_log_odds() -> None:
    x = np.full((3, M), np.nan)
    x[:, SILENCE] = [-2.0, 0.0, 4.0]
    np.testing.assert_allclose(RiverLearner().snapshot().logit(x), [-1.0, 0.0, 2.0], atol=1e-12)


def test_it_learns_what_is_not_a_straight_line() -> None:
    rng = np.random.default_rng(4)
    x = np.full((6000, M), np.nan)
    x[:, 0] = rng.uniform(INPUTS[0].low, INPUTS[0].high, len(x))
    middle = np.abs(x[:, 0] - 2.5) < 1
    y = rng.random(len(x)) < np.where(middle, 0.8, 0.2)
    learner = RiverLearner()
    for start in range(0, len(x), 200):
        part = slice(start, start + 200)
        learner.learn(x[part], y[part], np.full(200, np.nan))
    score = learner.snapshot().score(x)
    assert score[middle].mean() > 0.6
    assert score[~middle].mean() < 0.35


def test_it_is_ready_after_enough_of_both_outcomes() -> None:
    learner = RiverLearner(LearnerSettings(min_churned=3, min_kept=2))
    x, _, p = samples_of(6)
    for i, churned in enumerate([True, True, True, False, False, False]):
        assert learner.snapshot().ready is (i >= 5)
        learner.learn(x[i : i + 1], np.array([churned]), p[i : i + 1])
    assert learner.metrics()["learned"] == 6
    assert learner.metrics()["learned_churned"] == 3


@pytest.mark.parametrize("bad", [math.inf, -math.inf])
def test_an_infinite_value_counts_as_missing(bad: float) -> None:
    x, y, p = samples_of(320, missing=0.0)
    poisoned, holed = x.copy(), x.copy()
    poisoned[100, 5], holed[100, 5] = bad, math.nan
    one, other = RiverLearner(), RiverLearner()
    one.learn(poisoned, y, p)
    other.learn(holed, y, p)
    assert one.state() == other.state()
    assert np.isfinite(one.snapshot().score(x)).all()


def test_rows_that_make_no_batch_wait_for_others() -> None:
    x, y, none = samples_of(200)
    whole, cut = RiverLearner(NO_REPLAY), RiverLearner(NO_REPLAY)
    whole.learn(x, y, none)
    for i in range(0, 200, 7):
        cut.learn(x[i : i + 7], y[i : i + 7], none[i : i + 7])
    assert whole.steps == cut.steps == 200 // 32
    assert cut.weight.tobytes() == whole.weight.tobytes()
    assert cut.mean.tobytes() == whole.mean.tobytes()


def test_what_was_learned_is_learned_again() -> None:
    learner = RiverLearner()
    x, y, p = samples_of(32 * 40)
    learner.learn(x, y, p)
    assert learner.steps == 40 + learner.settings.replays
    learner.learn(x[:0], y[:0], p[:0])
    assert learner.steps == 40 + 2 * learner.settings.replays
    assert learner.churned + learner.kept == 32 * 40


@settings(max_examples=25, deadline=None)
@given(n=st.integers(0, 200), seed=st.integers(0, 1000), sort_keys=st.booleans())
def test_a_restored_learner_goes_on_bit_for_bit(n: int, seed: int, sort_keys: bool) -> None:
    learner = learner_of(n, seed, missing=0.5)
    restored = RiverLearner()
    restored.restore(json.loads(json.dumps(learner.state(), sort_keys=sort_keys)))
    assert restored.snapshot().to_dict() == learner.snapshot().to_dict()
    more = samples_of(150, seed + 1)
    for one in (learner, restored):
        one.learn(*more)
    assert restored.snapshot().to_dict() == learner.snapshot().to_dict()
    assert restored.metrics() == learner.metrics()
    assert json.dumps(restored.state()) == json.dumps(learner.state())


@pytest.mark.parametrize("cut", [3, 8])
def test_what_is_kept_of_the_reservoir_and_given_by_others_changes_no_bit(cut: int) -> None:
    few = LearnerSettings(reservoir=300, memory=2)
    plain, kept = RiverLearner(few), RiverLearner(few, keep_hats=True)
    for day in range(16):
        x, y, p = samples_of(70, seed=day)
        plain.learn(x, y, p)
        kept.learn(x, y, p, hats=Hats.of(x))
        if day == cut:
            state = json.loads(json.dumps(kept.state()))
            kept = RiverLearner(few, keep_hats=True)
            kept.restore(state)
        assert json.dumps(kept.state()) == json.dumps(plain.state())


@pytest.mark.parametrize("cut", [3, 17])
def test_learning_together_is_learning_alone_bit_for_bit(cut: int) -> None:
    few = LearnerSettings(reservoir=900, memory=2)
    # The second has the reservoir of the first; the others draw other batches.
    every = [few, replace(few, l2=0.0001), replace(few, reservoir=200), replace(few, batch=16)]

    def learners() -> list[RiverLearner]:
        made = [RiverLearner(each, keep_hats=True) for each in every]
        share_reservoirs(made)
        return made

    alone, together = [RiverLearner(each) for each in every], learners()
    for day in range(32):
        x, y, p = samples_of(70, seed=day)
        weight = np.random.default_rng(day).uniform(0.5, 2, len(y))
        for each in alone:
            each.learn(x, y, p, weight)
        learn_together(together, x, y, p, weight)
        if day == cut:
            states = [json.loads(json.dumps(each.state())) for each in together]
            together = learners()
            for each, state in zip(together, states, strict=True):
                each.restore(state)
            share_reservoirs(together)
        assert together[1]._reservoir is together[0]._reservoir
        assert len({id(each._reservoir) for each in together}) == 3
    assert [json.dumps(each.state()) for each in together] == [json.dumps(each.state()) for each in alone]


def test_the_mean_of_each_column_is_over_the_whole_reservoir() -> None:
    learner = RiverLearner(replace(NO_REPLAY, reservoir=1500))
    x, y, p = samples_of(1300, seed=3)
    learner.learn(x, y, p)
    expected = learner.columns(learner._reservoir.x).mean(axis=0)
    np.testing.assert_allclose(learner.usual, expected, rtol=0, atol=1e-12)


def test_restoring_replaces_what_was_learned_before() -> None:
    learner, other = learner_of(100), learner_of(300, seed=5)
    other.restore(learner.state())
    assert json.dumps(other.state()) == json.dumps(learner.state())


def test_a_state_of_before_begins_anew() -> None:
    other = learner_of(300)
    other.restore({"churned": 70, "kept": 80, "weights": [["log(orders_30d)", 0.3]]})
    assert json.dumps(other.state()) == json.dumps(RiverLearner().state())


def test_restoring_keeps_inputs_by_name() -> None:
    gone, stays, new = INPUTS[:3]
    old = RiverLearner(inputs=[gone, stays])
    old.learn(*samples_of(200, m=2))
    later = RiverLearner(inputs=[stays, new])
    later.restore(json.loads(json.dumps(old.state())))
    assert later.weight[:SLOTS].tolist() == old.weight[SLOTS : 2 * SLOTS].tolist()
    assert later.weight[SLOTS : 2 * SLOTS].tolist() == [0.0] * SLOTS
    assert later.weight[-1] == old.weight[-1]
    later.learn(*samples_of(200, seed=1, m=2))
    assert np.abs(later.weight[SLOTS : SLOTS + KNOTS]).max() > 0


def test_a_version_names_its_content() -> None:
    assert learner_of(100).snapshot().version == learner_of(100).snapshot().version
    versions = {learner_of(n, seed).snapshot().version for n in (0, 100, 200) for seed in (0, 1)}
    assert len(versions) == 5  # with no sample the seed does not matter
    assert learner_of(100).snapshot().version.startswith("100-")


def test_probabilities_are_judged_where_there_was_one() -> None:
    x, *_ = samples_of(4)
    learner = RiverLearner()
    learner.learn(x, np.array([True, False, True, False]), np.array([0.9, 0.2, math.nan, math.nan]))
    prequential: dict[str, Any] = learner.metrics()["prequential"]
    assert (prequential["samples"], prequential["auc"]) == (2, 1.0)
    assert prequential["log_loss"] == pytest.approx(-(math.log(0.9) + math.log(0.8)) / 2)
    json.dumps(learner.metrics(), allow_nan=False)
