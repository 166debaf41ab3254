"""An engine that scores by models from outside: what it puts out for the learner, adoption, going back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from streams.contract.decode import decode_lines
from streams.contract.samples import encode_samples, parse_samples
from streams.core.engine import Engine
from streams.core.engine_io import Output
from streams.core.events.batch import Batch
from streams.core.events.calendar import DAY
from streams.core.model.logistic import INPUTS, design
from streams.core.state_tables import restore, tables
from streams.learning.learner import LearnerSettings, RiverLearner
from streams.learning.shared import SharedLearner
from streams.simulate.records import json_lines
from streams.simulate.shop import Shop
from tests.oracle.drive import compiled, engine_settings
from tests.oracle.histories import as_batch, random_history
from tests.oracle.sample_rules import RULES
from tests.oracle.test_engine_against_twin import PLAIN
from tests.streams.core.test_state_tables import outputs

COMPILED = compiled(RULES)
NAMES = tuple(i.name for i in INPUTS)
OWN = LearnerSettings(2, 2)


def engine_of(zone: str, *, shared: bool = True) -> Engine:
    settings = replace(
        engine_settings(PLAIN), time_zone=zone, horizon_us=20 * DAY, decide_every=2, shared_learner=shared
    )
    return Engine(settings, COMPILED, RiverLearner(OWN))


def taught(given: list[Output], learner: SharedLearner) -> None:
    for output in given:
        for samples in output.samples:
            value = encode_samples(samples, "shop", 0, 1)
            learner.take(parse_samples(value, "shop"), learner.offset)


def days_of(batch: Batch, days: int = 20) -> list[Batch]:
    """Return the events in parts of so many days."""
    part = (batch.at - batch.at.min()) // (days * DAY)
    return [batch.take(part == number) for number in range(int(part.max()) + 1)]


@pytest.mark.parametrize("seed", range(4))
def test_what_is_put_out_teaches_a_shared_learner_what_an_own_one_learns(seed: int) -> None:
    history = random_history(seed, late=seed % 2 == 1, size=150, days=120)
    zone, batch = history.zone.key, as_batch(history.arrivals)
    own, shared, learner = engine_of(zone, shared=False), engine_of(zone), SharedLearner(OWN)
    own.step(batch)
    taught([shared.step(batch)], learner)
    assert own.scorer.learner is not None
    assert learner.counts["samples"] > 30
    assert learner.model().to_dict() == own.scorer.learner.snapshot().to_dict()
    # It scores by the model it was given, whatever it puts out.
    assert shared.scorer.model is not None
    assert shared.scorer.model.version == RiverLearner(OWN).snapshot().version


@pytest.mark.parametrize("seed", range(4))
def test_a_restored_engine_goes_on_under_the_model_it_had_adopted(seed: int) -> None:
    history = random_history(seed, late=True, size=150, days=160)
    zone, batch = history.zone.key, as_batch(history.arrivals)
    whole, learner, cut = engine_of(zone), SharedLearner(OWN), engine_of(zone)
    expected, found = [], []
    for part in days_of(batch):
        expected.append(whole.step(part))
        found.append(cut.step(part))
        taught(expected[-1:], learner)
        for engine in (whole, cut):
            engine.scorer.adopt(learner.model())
        saved = tables(cut)
        cut = engine_of(zone)
        restore(cut, saved)
        assert cut.scorer.model is not None
        assert cut.scorer.model.version == learner.model().version
        restored = tables(cut)
        assert all(restored[name].equals(frame) for name, frame in saved.items())
    for engine, outputs_of in ((whole, expected), (cut, found)):
        outputs_of += [engine.flush(), engine.advance(int(batch.at.max()) + 40 * DAY)]
    assert outputs(found) == outputs(expected)
    versions = {step.model_version for output in found for step in output.steps} - {None}
    assert len(versions) > 1


@pytest.fixture(scope="module")
def shop() -> list[Batch]:
    """Parts of a shop's history, each of some days."""
    frame = pl.concat(list(Shop(customers=200, days=210, seed=3).frames()))
    lines = [line.encode() for line in json_lines(frame, with_type=True)]
    batch = decode_lines(lines, latest_us=None).batch
    return days_of(batch.take(batch.order()), 30)


def test_going_back_to_a_model_gives_the_probabilities_of_then(shop: list[Batch]) -> None:
    engine, learner = engine_of("UTC"), SharedLearner(OWN)
    x = design({i.feature: np.linspace(0, 0.9, 50) for i in INPUTS})
    for part in shop[:4]:
        taught([engine.step(part)], learner)
    old = learner.model()
    engine.scorer.adopt(old)
    taught([engine.step(shop[4])], learner)
    # From now on another is in force: this is what going back gives.
    assert engine.scorer.model is not None
    before, level = engine.scorer.model.score(x), engine.scorer.model.level
    for part in shop[5:]:
        engine.scorer.adopt(learner.model())
        taught([engine.step(part)], learner)
    assert engine.scorer.model.version != old.version
    assert engine.scorer.calibration.level.shift != level
    assert engine.scorer.model.score(x).tobytes() != before.tobytes()
    restored = engine_of("UTC")
    restore(restored, tables(engine))
    for each in (engine, restored):
        each.scorer.adopt(old)
        assert each.scorer.model is not None
        assert each.scorer.model.version == old.version
        assert each.scorer.model.score(x).tobytes() == before.tobytes()


def test_an_adoption_that_comes_to_nothing_leaves_no_trace(shop: list[Batch]) -> None:
    engine, learner = engine_of("UTC"), SharedLearner(OWN)
    for part in shop:
        taught([engine.step(part)], learner)
        if learner.at is None:
            continue
        before, state = tables(engine), engine.scorer.state()
        engine.scorer.adopt(learner.model())
        assert not tables(engine)["engine"].equals(before["engine"])
        engine.scorer.restore(state)
        after = tables(engine)
        assert all(after[name].equals(frame) for name, frame in before.items())
        engine.scorer.adopt(learner.model())


def test_a_partition_with_a_model_of_its_own_keeps_it_until_the_shared_one_comes() -> None:
    history = random_history(2, size=150, days=120)
    own = engine_of(history.zone.key, shared=False)
    own.step(as_batch(history.arrivals))
    engine = engine_of(history.zone.key)
    restore(engine, tables(own))
    assert engine.scorer.model is not None
    assert own.scorer.model is not None
    assert engine.scorer.model.to_dict() == own.scorer.model.to_dict()
