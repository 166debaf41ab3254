"""What a model lacks and how long it takes: by hand, and against what then happens to a shop's engine."""

from __future__ import annotations

import json
from dataclasses import replace

import polars as pl
import pytest

from streams.contract.decode import decode_lines
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.calendar import DAY
from streams.core.features.catalogue import DTYPES
from streams.core.model.level import WEEK
from streams.core.model.warm_up import Progress, WarmUp
from streams.core.rules.rule_set import RuleSet
from streams.core.state_tables import restore, tables
from streams.learning.learner import LearnerSettings, RiverLearner
from streams.simulate.records import json_lines
from streams.simulate.shop import Shop

NONE = Progress(0, 0, 50, 50)


@pytest.mark.parametrize(
    ("warm_up", "text"),
    [
        (
            WarmUp(0, NONE, False, None),
            "not ready, it lacks 50 of 50 customers who left, 50 of 50 customers who stayed, a first week of "
            "scores compared with what came of them; nobody can say yet when it is ready",
        ),
        (
            WarmUp(10 * DAY, NONE, False, 90 * DAY),
            "not ready, it lacks 50 of 50 customers who left, 50 of 50 customers who stayed, a first week of "
            "scores compared with what came of them; ready in 87 days of event time at the earliest",
        ),
        (
            WarmUp(100 * DAY, Progress(10, 200, 50, 50), True, 90 * DAY),
            "not ready, it lacks 40 of 50 customers who left; "
            "ready in about 40 days of event time at this pace",
        ),
        (
            WarmUp(92 * DAY, Progress(60, 200, 50, 50), False, 90 * DAY),
            "not ready, it lacks a first week of scores compared with what came of them; "
            "ready in about 5 days of event time at this pace",
        ),
        (
            WarmUp(100 * DAY, Progress(0, 200, 50, 50), True, 90 * DAY),
            "not ready, it lacks 50 of 50 customers who left; nobody can say yet when it is ready",
        ),
        (WarmUp(100 * DAY, Progress(50, 50, 50, 50), True, 90 * DAY), "ready"),
    ],
)
def test_it_says_what_is_missing_and_how_long_it_takes(warm_up: WarmUp, text: str) -> None:
    assert warm_up.text() == text
    assert warm_up.ready is (text == "ready")
    assert WarmUp.from_dict(json.loads(json.dumps(warm_up.to_dict()))) == warm_up


@pytest.fixture(scope="module")
def observed() -> list[tuple[WarmUp, bool, bool]]:
    """Return by day how far a shop's model is, whether it scores, and whether probabilities were given."""
    frame = pl.concat(list(Shop(customers=150, days=120, seed=2).frames()))
    lines = [line.encode() for line in json_lines(frame, with_type=True)]
    batch = decode_lines(lines, latest_us=None).batch
    settings = EngineSettings(reorder_us=0, horizon_us=20 * DAY, learn_within_us=40 * DAY)
    engine = Engine(settings, RuleSet((), DTYPES), RiverLearner(LearnerSettings(40, 40)))
    found = []
    for day in range(int((batch.at.max() - batch.at.min()) // DAY) + 1):
        begin = batch.at.min() + day * DAY
        engine.step(batch.take((batch.at >= begin) & (batch.at < begin + DAY)))
        warm_up = engine.warm_up()
        assert warm_up is not None
        assert engine.scorer.model is not None
        given = engine.scorer.delayed_labels.state()["p"]
        found.append((warm_up, engine.scorer.model.ready, bool((given == given).any())))
        if day % 20 == 0:
            saved = tables(engine)
            engine = Engine(settings, RuleSet((), DTYPES), RiverLearner(LearnerSettings(40, 40)))
            restore(engine, saved)
            assert engine.warm_up() == warm_up
    return found


def test_a_model_scores_when_nothing_is_missing_and_not_before(
    observed: list[tuple[WarmUp, bool, bool]],
) -> None:
    assert [warm_up.ready for warm_up, _, _ in observed] == [ready for _, ready, _ in observed]
    assert not observed[0][1]
    assert observed[-1][1]
    assert all(ready or not given for _, ready, given in observed)


def test_it_waits_for_both_outcomes_and_for_a_week(observed: list[tuple[WarmUp, bool, bool]]) -> None:
    first = next(n for n, (_, ready, _) in enumerate(observed) if ready)
    before, now = observed[first - 1][0], observed[first][0]
    assert before.missing()
    assert min(now.progress.churned, now.progress.kept) >= 40
    assert now.calibrated
    assert now.first_due is not None
    # Outcomes are known of decision instants of a later week than that of the first.
    newest = now.at // DAY * DAY - 20 * DAY
    assert newest // WEEK > (now.first_due - 20 * DAY) // WEEK


def test_what_it_says_of_the_time_comes_true(observed: list[tuple[WarmUp, bool, bool]]) -> None:
    first = next(n for n, (_, ready, _) in enumerate(observed) if ready)
    for day in range(first):
        warm_up, left = observed[day][0], observed[day][0].days_left()
        if left is None:
            continue
        if warm_up.first_due is None or warm_up.at < warm_up.first_due:
            # At the earliest: a week of decision instants ends somewhere in the first one.
            assert left <= first - day + 8
        elif min(warm_up.progress.churned, warm_up.progress.kept) >= 20:
            assert left <= 2 * (first - day) + 3
            assert left >= (first - day) / 2 - 3


def test_a_week_alone_does_not_make_it_ready() -> None:
    lacking = WarmUp(100 * DAY, Progress(49, 50, 50, 50), True, 90 * DAY)
    assert not lacking.ready
    assert replace(lacking, progress=Progress(50, 50, 50, 50)).ready
