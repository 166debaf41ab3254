"""The learner of all partitions: each record once, the same however often it was stopped."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from streams.contract.samples import SampleBatch
from streams.core.events.calendar import DAY
from streams.core.model.logistic import INPUTS
from streams.learning.candidates import STEADY
from streams.learning.learner import RiverLearner
from streams.learning.shared import SharedLearner, Taken

NAMES = tuple(i.name for i in INPUTS)


def batch_of(n: int, *, seed: int = 0, at: int = DAY, partition: int = 0, partitions: int = 2) -> SampleBatch:
    rng = np.random.default_rng(seed)
    x = rng.normal(1, 2, (n, len(INPUTS))).astype(np.float32)
    x[rng.random(x.shape) < 0.2] = np.nan
    y = rng.random(n) < 1 / (1 + np.exp(0.5 - 0.6 * np.nan_to_num(x[:, 0])))
    p = np.where(rng.random(n) < 0.5, rng.random(n), np.nan)
    return SampleBatch(partition, partitions, at, NAMES, x, y, p, rng.uniform(1, 3, n))


def records(days: int = 12, partitions: int = 2) -> list[SampleBatch]:
    return [
        batch_of(70, seed=day * 10 + number, at=day * DAY, partition=number, partitions=partitions)
        for day in range(1, days + 1)
        for number in range(partitions)
    ]


def taught(batches: list[SampleBatch]) -> SharedLearner:
    learner = SharedLearner()
    for offset, batch in enumerate(batches):
        learner.take(batch, offset)
    return learner


def test_the_champion_learns_as_a_partitions_own_learner_does() -> None:
    batches, own = records(partitions=1), RiverLearner()
    for batch in batches:
        own.learn(batch.x.astype(np.float64), batch.y, batch.p, batch.weight)
    assert taught(batches).model().to_dict() == own.snapshot().to_dict()


@pytest.mark.parametrize("cut", [0, 1, 9, 23])
def test_one_that_was_stopped_goes_on_bit_for_bit(cut: int) -> None:
    batches = records()
    whole, first, second = taught(batches), taught(batches[:cut]), SharedLearner()
    second.restore(json.loads(json.dumps(first.state())))
    for offset in range(second.offset, len(batches)):
        second.take(batches[offset], offset)
    assert json.dumps(second.state()) == json.dumps(whole.state())
    if cut:
        assert second.records("shop") == whole.records("shop")


def test_what_a_worker_sends_again_is_learned_once() -> None:
    batches = records()
    again = [*batches[:10], *batches[4:10], *batches[8:]]
    learner = SharedLearner()
    taken = [learner.take(batch, offset) for offset, batch in enumerate(again)]
    assert taken == [Taken.LEARNED] * 10 + [Taken.REPEAT] * 8 + [Taken.LEARNED] * (len(batches) - 10)
    assert learner.model().version == taught(batches).model().version
    assert learner.counts["repeats"] == 8
    assert learner.offset == len(again)


def test_the_order_of_the_log_is_the_order_of_learning() -> None:
    batches = records(4)
    other = [batches[1], batches[0], *batches[2:]]
    assert taught(other).model().version != taught(batches).model().version


def test_after_topics_have_grown_nothing_is_learned_twice() -> None:
    learner = taught(records(10))
    version = learner.model().version
    for number in range(3):
        old = batch_of(70, seed=99, at=10 * DAY, partition=number, partitions=3)
        assert learner.take(old, learner.offset) is Taken.REPEAT
    assert learner.model().version == version
    new = batch_of(70, seed=99, at=11 * DAY, partition=2, partitions=3)
    assert learner.take(new, learner.offset) is Taken.LEARNED
    assert learner.model().version != version


def test_inputs_are_taken_by_name() -> None:
    batch = batch_of(200)
    order = list(reversed(range(len(NAMES))))
    turned = replace(batch, inputs=tuple(NAMES[i] for i in order), x=batch.x[:, order])
    assert taught([turned]).model().version == taught([batch]).model().version
    fewer = replace(batch, inputs=(*NAMES[1:], "of_tomorrow"), x=np.roll(batch.x, -1, axis=1))
    missing = batch.x.copy()
    missing[:, 0] = np.nan
    assert taught([fewer]).model().version == taught([replace(batch, x=missing)]).model().version


def test_what_was_left_out_is_counted() -> None:
    learner = taught(
        [replace(batch_of(10), excluded=3, treated=4), replace(batch_of(0, at=2 * DAY), treated=1)]
    )
    assert learner.counts == {"samples": 10, "weighted": 10, "excluded": 3, "treated": 5, "repeats": 0}
    assert {json.loads(value)["metrics"]["treated"] for value in learner.records("shop").values()} == {5}


def test_it_is_ready_when_its_champion_is() -> None:
    assert not taught([batch_of(60)]).model().ready
    assert taught(records()).model().ready
    assert taught(records()).contest.champion == STEADY


def test_an_input_that_moves_is_reported_once_and_survives_a_restart() -> None:
    def batch(day: int) -> SampleBatch:
        given = batch_of(120, seed=day, at=day * DAY, partitions=1)
        x = given.x.copy()
        x[:, 4] += 2.5 * (day > 60)
        return replace(given, x=x)

    learner, restored = SharedLearner(), SharedLearner()
    for day in range(1, 63):
        learner.take(batch(day), day)
    assert learner.notices == []
    restored.restore(json.loads(json.dumps(learner.state())))
    for each in (learner, restored):
        for day in range(63, 80):
            each.take(batch(day), day)
    (notice,) = [each for each in learner.notices if each.detail["series"] == NAMES[4]]
    assert (notice.kind, notice.partition) == ("model.drift", None)
    assert 61 * DAY <= notice.at <= 71 * DAY
    assert restored.notices == learner.notices
    published = [json.loads(value)["metrics"]["drift"] for value in learner.records("shop").values()]
    assert published[0][-1]["series"] in {each.detail["series"] for each in learner.notices}
    learner.published(len(learner.notices))
    assert learner.notices == []
    assert learner.drifts


def test_a_better_challenger_takes_over_and_its_model_is_published() -> None:
    learner = SharedLearner()
    # The steady one has been taught nonsense, as after a fault in a source that its memory keeps.
    rng = np.random.default_rng(5)
    for day in range(1, 160):
        given = batch_of(120, seed=day, at=day * DAY, partitions=1)
        learner.take(given, day)
        steady = learner.candidates[STEADY]
        steady.weight += rng.normal(0, 0.15, len(steady.weight))
    (promoted,) = [each for each in learner.notices if each.kind == "model.promoted"]
    assert promoted.detail["candidate_before"] == STEADY
    assert promoted.detail["candidate"] == learner.contest.champion != STEADY
    assert float(str(promoted.detail["log_loss"])) < float(str(promoted.detail["log_loss_before"])) - 0.003
    first = json.loads(next(iter(learner.records("shop").values())))
    assert (first["candidate"], first["champion"]) == (learner.contest.champion, True)
    assert first["version"] == learner.model().version
