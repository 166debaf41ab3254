"""Topics that grow or are made anew, offsets that are gone: a worker ends and gives the cause, on Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic  # type: ignore[import-untyped]  # ships no types
from kafka import KafkaAdminClient  # type: ignore[import-untyped]  # the same

from streams.checkpoints.store import CheckpointStore
from streams.core.events.topics import Topic
from streams.core.rules.rule_set import RuleSet
from streams.errors import StateError
from streams.rulebook.load import parse_rulebook
from streams.worker import app as worker_app
from streams.worker.settings import WorkerSettings
from tests.integration.test_worker_rebuild import grow
from tests.integration.test_worker_warnings import RULES, engine_of
from tests.integration.workers import RunningWorker, Sent, event, produce, running, settings_on

pytestmark = pytest.mark.kafka


@pytest.fixture(scope="module")
def rules() -> RuleSet:
    return parse_rulebook({"rules.yaml": RULES}).rules


def administer(broker: str, doing: Callable[[Any], Awaitable[Any]]) -> None:
    async def run() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=broker)
        await admin.start()
        await doing(admin)
        await admin.close()

    asyncio.run(run())


def login(settings: WorkerSettings, day: int) -> Sent:
    value = event(Topic.LOGINS, f"l{day}", "k", f"2024-01-{day:02}T00:00:00Z")
    return Sent(settings.topics[Topic.LOGINS], b"k", value, 0)


def saved(broker: str, folder: Path, rules: RuleSet) -> WorkerSettings:
    """Return settings of a worker that has saved its state and was stopped."""
    settings = settings_on(broker, 1)
    settings = replace(settings, checkpoints=str(folder / "states"), checkpoint_every_s=0.5)
    produce(broker, [login(settings, day) for day in (1, 2, 3)])
    with worker_on(settings, rules) as worker:
        worker.wait_until(lambda: worker.stats is not None and worker.stats.events == 3)
        worker.wait_until(lambda: worker.stats is not None and worker.stats.checkpoints > 0)
    return settings


def worker_on(settings: WorkerSettings, rules: RuleSet) -> Any:
    return running(settings, lambda number: engine_of(number, rules, settings.app))


def refused(settings: WorkerSettings, rules: RuleSet, within_s: float = 30.0) -> str:
    """Start a worker, which must end, and return its error."""
    worker = RunningWorker(settings, lambda number: engine_of(number, rules, settings.app))
    worker._thread.join(within_s)
    with pytest.raises(StateError) as caught:
        worker.stop()
    return str(caught.value)


def test_offsets_that_were_deleted_are_named_and_checkpoints_can_stand_in(
    broker: str, tmp_path: Path, rules: RuleSet, caplog: pytest.LogCaptureFixture
) -> None:
    settings = saved(broker, tmp_path, rules)
    admin = KafkaAdminClient(bootstrap_servers=broker)
    admin.delete_groups([settings.app])
    admin.close()
    error = refused(settings, rules)
    assert "the group has no offsets of partition 0" in error
    produce(broker, [login(settings, 4)])
    store, logins = CheckpointStore(settings.checkpoints, settings.app), settings.topics[Topic.LOGINS]
    assert store.whole(0)[-1].offsets[logins] == 3
    with worker_on(replace(settings, from_checkpoints=True), rules) as worker:
        worker.wait_until(lambda: worker.stats is not None and worker.stats.checkpoints > 0)
    assert store.whole(0)[-1].offsets[logins] == 4
    assert "goes on from" in caplog.text
    with worker_on(settings, rules) as worker:  # the group knows its offsets again
        worker.wait_until(lambda: worker.stats is not None and len(worker.stats.lag) == 3)


def test_a_topic_that_was_made_anew_is_named(broker: str, tmp_path: Path, rules: RuleSet) -> None:
    settings = saved(broker, tmp_path, rules)
    logins = settings.topics[Topic.LOGINS]

    async def anew(admin: Any) -> None:
        await admin.delete_topics([logins])
        await asyncio.sleep(1.0)
        await admin.create_topics([NewTopic(logins, 1, 1)])

    administer(broker, anew)
    error = refused(settings, rules)
    assert logins in error
    assert "made anew" in error
    assert "lapwing worker --rebuild" in error


async def made_anew_and_longer(admin: Any, settings: WorkerSettings) -> None:
    logins = settings.topics[Topic.LOGINS]
    await admin.delete_topics([logins])
    await asyncio.sleep(1.0)
    await admin.create_topics([NewTopic(logins, 1, 1)])
    await asyncio.sleep(0.5)


def test_a_topic_made_anew_is_named_although_it_has_the_offset(
    broker: str, tmp_path: Path, rules: RuleSet
) -> None:
    settings = saved(broker, tmp_path, rules)
    administer(broker, lambda admin: made_anew_and_longer(admin, settings))
    produce(broker, [login(settings, day) for day in range(11, 21)])
    error = refused(replace(settings, from_checkpoints=True), rules)
    assert f"{settings.topics[Topic.LOGINS]}: deleted and made anew" in error
    assert "lapwing worker --rebuild" in error


def test_a_worker_that_runs_sees_that_a_topic_was_made_anew(
    broker: str, tmp_path: Path, rules: RuleSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_app, "METADATA_MS", 1_000)
    settings = saved(broker, tmp_path, rules)
    worker = RunningWorker(settings, lambda number: engine_of(number, rules, settings.app))
    worker.wait_until(lambda: worker.stats is not None and len(worker.stats.lag) == 3)
    administer(broker, lambda admin: made_anew_and_longer(admin, settings))
    produce(broker, [login(settings, day) for day in range(11, 21)])
    worker._thread.join(30)
    with pytest.raises(StateError, match="made anew"):
        worker.stop()


def test_a_worker_that_runs_sees_that_its_topics_have_grown(
    broker: str, tmp_path: Path, rules: RuleSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_app, "METADATA_MS", 1_000)
    settings = saved(broker, tmp_path, rules)
    worker = RunningWorker(settings, lambda number: engine_of(number, rules, settings.app))
    worker.wait_until(lambda: worker.stats is not None and len(worker.stats.lag) == 3)
    grow(broker, settings)
    worker._thread.join(30)
    with pytest.raises(StateError, match=r"grown from 1 to 3 partitions.*lapwing worker --rebuild"):
        worker.stop()
