"""Scores that have moved, against a dict of those that were put out; days are tested with the outcomes."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from streams.contract.customer_days import encode_score, parse_score
from streams.core.engine import Engine
from streams.core.events.calendar import DAY
from streams.core.features.catalogue import Features
from streams.core.outcomes.outcome import Score
from streams.core.state_tables import restore, tables
from streams.learning.learner import LearnerSettings, RiverLearner
from tests.oracle.drive import compiled, engine_settings
from tests.oracle.histories import as_batch, random_history
from tests.oracle.sample_rules import RULES
from tests.oracle.test_engine_against_twin import PLAIN

STEP = 0.05


class Seen:
    """What the sweeps saw of probabilities."""

    def __init__(self) -> None:
        self.sweeps: list[tuple[int, dict[str, float]]] = []

    def swept(self, at: int, features: Features) -> None:
        ids = features.view.customers.ids[: len(features)]
        self.sweeps.append((at, dict(zip(ids, features["churn_probability"].tolist(), strict=True))))


@pytest.mark.parametrize("restarts", [False, True])
def test_a_score_is_put_out_when_it_has_moved_by_more_than_a_step(*, restarts: bool) -> None:
    history = random_history(4, size=300, days=200)
    settings = replace(
        engine_settings(PLAIN),
        time_zone=history.zone.key,
        horizon_us=20 * DAY,
        learn_within_us=40 * DAY,
        decide_every=2,
        score_step=STEP,
    )
    seen = Seen()

    def begun() -> Engine:
        engine = Engine(settings, compiled(RULES), RiverLearner(LearnerSettings(2, 2)))
        engine.observe(sweeps=seen)
        return engine

    engine, found = begun(), list[Score]()
    batch = as_batch(history.arrivals)
    for begin in range(0, len(batch), 20):
        found += engine.step(batch.take(slice(begin, begin + 20))).scores
        if restarts:
            saved = tables(engine)
            engine = begun()
            restore(engine, saved)
    sent: dict[str, float] = {}
    expected = []
    for at, probabilities in seen.sweeps:
        for name, p in sorted(probabilities.items()):
            if not np.isnan(p) and (name not in sent or abs(p - sent[name]) > STEP):
                sent[name] = float(np.float32(p))
                expected.append((at, name, p))
    assert [(s.at, s.customer_id, s.churn_probability) for s in found] == expected
    assert len({s.id for s in found}) == len(found) > 20
    assert len(found) < sum(len(p) for _, p in seen.sweeps)
    event = parse_score(encode_score(found[0], "shop"))
    assert json.loads(event.data.model_dump_json())["churn_probability"] == found[0].churn_probability


def test_without_a_step_no_score_is_put_out() -> None:
    settings = replace(engine_settings(PLAIN), horizon_us=20 * DAY, learn_within_us=40 * DAY, decide_every=2)
    engine = Engine(settings, compiled(RULES), RiverLearner(LearnerSettings(2, 2)))
    output = engine.step(as_batch(random_history(4, size=300, days=200).arrivals))
    assert (output.scores, output.customer_days) == ([], [])
