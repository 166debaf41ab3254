"""What is logged of models: what they lack, once, and when they are ready."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.calendar import DAY
from streams.core.features.catalogue import DTYPES
from streams.core.rules.rule_set import RuleSet
from streams.learning.learner import RiverLearner
from streams.worker.model_watch import ModelWatch, missing
from tests.oracle.histories import as_batch, random_history


def engine_of(*, shared: bool = False) -> Engine:
    engine = Engine(EngineSettings(shared_learner=shared), RuleSet((), DTYPES), RiverLearner())
    engine.step(as_batch(random_history(1, size=40, days=10).arrivals))
    return engine


@pytest.mark.parametrize("shared", [False, True])
def test_each_change_is_logged_once(shared: bool, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    watch, engine = ModelWatch(), engine_of(shared=shared)
    for _ in range(3):
        watch.look({0: engine})
    assert len(caplog.messages) == 1
    text = missing({0: engine})["0"]
    assert caplog.messages[0] == f"model partition=0 {text}"
    assert text.startswith("not ready")
    assert engine.scorer.model is not None
    engine.scorer.use(replace(engine.scorer.model, ready=True))
    for _ in range(3):
        watch.look({0: engine})
    assert caplog.messages[1:] == [f"model ready partition=0 version={engine.scorer.model.version}"]
    assert missing({0: engine}) == {}


def test_a_partition_without_events_has_nothing_to_say(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    engine = Engine(EngineSettings(horizon_us=DAY), RuleSet((), DTYPES), RiverLearner())
    ModelWatch().look({0: engine})
    assert caplog.messages == []


def test_an_engine_without_a_model_lacks_nothing() -> None:
    assert missing({0: Engine(EngineSettings(), RuleSet((), DTYPES))}) == {}
