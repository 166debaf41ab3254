"""Models of a shared learner while workers run: adopted at a checkpoint, and carried by it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from streams.contract.models import ModelLog
from streams.contract.samples import parse_samples
from streams.contract.warnings import ControlNotice
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings, Output
from streams.core.events.calendar import DAY
from streams.core.features.catalogue import DTYPES
from streams.core.rules.rule_set import compile_rules
from streams.learning.learner import RiverLearner
from streams.learning.shared import SharedLearner
from streams.worker.model_rollout import ModelRollout
from streams.worker.pipeline import Pipeline
from tests.streams.contract.test_samples import matured
from tests.streams.learning.test_shared import NAMES, batch_of
from tests.streams.worker.test_assignment import ORDERS, RULE, SETTINGS, Shop, Worker

LEARNING = replace(SETTINGS, samples_topic="lapwing-samples", models_topic="lapwing-models", partitions=3)


class Scoring(Worker):
    """A worker that follows a topic of models."""

    def __init__(self, shop: Shop, *, keeps: bool = True) -> None:
        super().__init__(shop)
        self.models = ModelRollout("me")
        services = self.services if keeps else None
        self.pipeline = Pipeline(LEARNING, self.engine, self.send, lambda: 0.0, services, models=self.models)

    def engine(self, number: int) -> Engine:
        settings = EngineSettings(reorder_us=0, shared_learner=True)
        return Engine(settings, compile_rules([RULE], DTYPES), RiverLearner(), number)

    def found(self, learner: SharedLearner) -> None:
        log = ModelLog("lapwing")
        for version, value in learner.records("lapwing").items():
            log.take(version.encode(), value)
        self.models.found(log.models[learner.model().version])

    @property
    def version(self) -> str:
        return self.pipeline.stats().models["0"]

    def adoptions(self) -> list[tuple[object, object]]:
        values = [r.value or b"" for r in self.sent if r.topic == SETTINGS.control_topic]
        notices = [ControlNotice.model_validate_json(value) for value in values]
        return [
            (n.detail["version_before"], n.detail["version"]) for n in notices if n.kind == "model.adopted"
        ]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def learned(records: int) -> SharedLearner:
    learner = SharedLearner()
    for number in range(records):
        learner.take(batch_of(150, seed=number, at=(number + 1) * 7 * DAY), number)
    return learner


FIRST, SECOND = learned(2), learned(3)
NONE = RiverLearner().snapshot().version


async def begun(shop: Shop) -> Scoring:
    worker = Scoring(shop)
    await worker.assign()
    await worker.read(2)
    return worker


async def test_a_model_is_adopted_at_a_checkpoint_that_carries_it(shop: Shop) -> None:
    worker = await begun(shop)
    assert worker.version == NONE
    worker.found(FIRST)
    assert worker.version == NONE
    await worker.pipeline.reload()
    assert worker.version == FIRST.model().version
    assert worker.pipeline.stats().models_ready == {"0": True}
    assert shop.on_disk() == ["0000000001"]
    await worker.pipeline.process()
    assert worker.adoptions() == [(NONE, FIRST.model().version)]
    await worker.pipeline.reload()
    assert shop.on_disk() == ["0000000001"]
    other = await begun(shop)
    assert other.version == FIRST.model().version
    assert other.pipeline.stats().rules_adopted == 0


async def test_after_a_crash_what_follows_the_checkpoint_is_scored_by_its_model(shop: Shop) -> None:
    worker = await begun(shop)
    worker.found(FIRST)
    await worker.pipeline.reload()
    await worker.read(5)
    shop.warned.ids = ["sent before the crash"]
    other = Scoring(shop)
    await other.assign()
    other.found(SECOND)
    await other.pipeline.reload()
    # It has yet to compute again what was sent under the first.
    assert other.version == FIRST.model().version
    shop.warned.until = 0
    third = Scoring(shop)
    await third.assign()
    await third.read(6)
    third.found(SECOND)
    await third.pipeline.reload()
    assert third.version == SECOND.model().version


async def test_where_the_disk_is_full_the_model_before_stays(shop: Shop) -> None:
    worker = await begun(shop)
    worker.found(FIRST)
    await worker.pipeline.reload()
    shop.disk.room = 0
    worker.found(SECOND)
    await worker.pipeline.reload()
    assert worker.version == FIRST.model().version
    assert worker.pipeline.stats().checkpoints_failed == 1
    shop.disk.room = 10**9
    await worker.pipeline.save()
    assert worker.version == SECOND.model().version
    await worker.pipeline.process()
    first, second = FIRST.model().version, SECOND.model().version
    assert worker.adoptions() == [(NONE, first), (first, second)]


async def test_a_worker_that_lost_the_partition_adopts_nothing(shop: Shop) -> None:
    worker = await begun(shop)
    worker.found(FIRST)
    shop.group.generation = 2
    await worker.pipeline.reload()
    assert worker.tasks == {}
    await worker.pipeline.process()
    assert worker.adoptions() == []


async def test_without_checkpoints_it_is_adopted_between_two_turns(shop: Shop) -> None:
    worker = Scoring(shop, keeps=False)
    worker.pipeline.assigned({ORDERS}, 1)
    worker.pipeline.begin(ORDERS, 0)
    await worker.read(3)
    worker.found(FIRST)
    await worker.pipeline.reload()
    assert worker.version == FIRST.model().version
    await worker.pipeline.process()
    assert worker.adoptions() == [(NONE, FIRST.model().version)]
    assert worker.pipeline.stats().rules_adopted == 0


async def test_samples_are_sent_with_their_partition_and_no_customer(shop: Shop) -> None:
    worker = await begun(shop)
    samples = matured(20, inputs=NAMES)
    await worker.pipeline._outbox.ship(worker.tasks[0], Output(samples=[samples]))
    (record,) = [each for each in worker.sent if each.topic == LEARNING.samples_topic]
    batch = parse_samples(record.value, "lapwing")
    assert (batch.partition, batch.partitions, batch.at) == (0, 3, samples.at)
    assert record.key == b"0"
    assert len(batch) == len(samples.plain())
