import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from streams.core.model.logistic import INPUTS, Input, Learner, Transform
from streams.learning.learner import Cut, Decay, LearnerSettings, RiverLearner

M = len(INPUTS)


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


@settings(max_examples=25, deadline=None)
@given(n=st.integers(0, 300), seed=st.integers(0, 1000), missing=st.sampled_from([0.0, 0.2, 0.9, 1.0]))
def test_the_snapshot_scores_what_river_predicts(n: int, seed: int, missing: float) -> None:
    learner = learner_of(n, seed, missing)
    x, *_ = samples_of(40, seed + 1, missing)
    x[0], x[1] = 1e6, -1e6
    predicted = [learner.pipeline.predict_proba_one(row)[True] for row in learner.rows(x)]
    np.testing.assert_allclose(learner.snapshot().score(x), predicted, rtol=0, atol=1e-9)


def test_an_input_that_never_varies_weighs_nothing() -> None:
    x, y, p = samples_of(200)
    x[:, 3] = 7.0
    learner = RiverLearner()
    learner.learn(x, y, p)
    model = learner.snapshot()
    assert (model.weight[3], model.scale[3]) == (0.0, 1.0)
    assert np.isfinite(model.score(np.full((1, M), 1e9))).all()


def test_it_is_ready_after_enough_of_both_outcomes() -> None:
    learner = RiverLearner(LearnerSettings(min_churned=3, min_kept=2))
    x, _, p = samples_of(6)
    for i, churned in enumerate([True, True, True, False, False, False]):
        assert learner.snapshot().ready is (i >= 5)
        learner.learn(x[i : i + 1], np.array([churned]), p[i : i + 1])
    assert learner.metrics()["learned"] == 6
    assert learner.metrics()["learned_churned"] == 3


def test_while_it_warms_up_the_base_rate_is_the_intercept() -> None:
    learner = RiverLearner()
    x, _, p = samples_of(100)
    y = np.arange(100) % 20 == 0
    learner.learn(x, y, p)
    assert not learner.ready
    assert learner.snapshot().bias == pytest.approx(math.log(5.5 / 95.5))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_one_bad_value_is_left_out_and_nothing_else(bad: float) -> None:
    x, y, p = samples_of(300, missing=0.0)
    poisoned, holed = x.copy(), x.copy()
    poisoned[100, 5], holed[100, 5] = bad, math.nan
    one, other, clean = RiverLearner(), RiverLearner(), RiverLearner()
    one.learn(poisoned, y, p)
    other.learn(holed, y, p)
    clean.learn(x, y, p)
    assert one.state() == other.state()
    assert one.scaler.counts[INPUTS[5].name] == 299
    assert np.isfinite(one.snapshot().score(x)).all()
    assert np.abs(one.snapshot().score(x) - clean.snapshot().score(x)).max() < 0.02


def test_a_sample_without_any_input_teaches_the_base_rate_only() -> None:
    learner = learner_of(500)
    before = learner.state()
    learner.learn(np.full((1, M), math.nan), np.array([True]), np.array([math.nan]))
    after = learner.state()
    assert after["weights"] == before["weights"]
    assert after["means"] == before["means"]
    assert after["intercept"] > before["intercept"]


def test_samples_are_learned_once_each_in_their_order_however_they_are_cut() -> None:
    x, y, _ = samples_of(200)
    none = np.full(200, math.nan)
    whole, cut, reversed_ = RiverLearner(), RiverLearner(), RiverLearner()
    whole.learn(x, y, none)
    for i in range(0, 200, 7):
        cut.learn(x[i : i + 7], y[i : i + 7], none[i : i + 7])
    reversed_.learn(x[::-1], y[::-1], none)
    assert cut.state() == whole.state()
    assert whole.regression.optimizer.n_iterations == 200
    assert reversed_.snapshot().version != whole.snapshot().version


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


def test_restoring_replaces_what_was_learned_before() -> None:
    learner, other = learner_of(100), learner_of(300, seed=5)
    other.restore(learner.state())
    assert json.dumps(other.state()) == json.dumps(learner.state())


def test_restoring_keeps_inputs_by_name() -> None:
    old = RiverLearner(inputs=[Input(n, n, Transform.RATIO) for n in ("gone", "stays")])
    old.learn(*samples_of(200, m=2))
    new = RiverLearner(inputs=[Input(n, n, Transform.RATIO) for n in ("stays", "new")])
    new.restore(json.loads(json.dumps(old.state())))
    weight = new.snapshot().weight
    assert (weight[0], weight[1]) == (old.snapshot().weight[1], 0.0)
    new.learn(*samples_of(200, seed=1, m=2))
    assert new.snapshot().weight[1] != 0.0


def test_a_version_names_its_content() -> None:
    assert learner_of(100).snapshot().version == learner_of(100).snapshot().version
    versions = {learner_of(n, seed).snapshot().version for n in (0, 100, 101) for seed in (0, 1)}
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


def test_steps_shrink_down_to_a_floor() -> None:
    decay = Decay(0.01, 100, 0.002)
    assert decay.get(0) == 0.01
    assert decay.get(300) == pytest.approx(0.005)
    assert decay.get(10**9) == 0.002


def test_values_are_cut_either_way() -> None:
    assert Cut(3.0).transform_one({"a": 2.0, "b": 9.0, "c": -9.0}) == {"a": 2.0, "b": 3.0, "c": -3.0}
