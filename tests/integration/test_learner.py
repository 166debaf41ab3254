"""`lapwing learn` on a broker: each sample once, whatever happens to it; workers adopt its models."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lapwing.demo.broker import SESSION_TIMEOUT_S
from streams.contract.models import ModelLog
from streams.contract.samples import encode_samples, parse_samples
from streams.contract.warnings import ControlNotice, parse_warning
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.calendar import DAY
from streams.core.model.delayed_labels import DelayedLabels
from streams.core.model.logistic import INPUTS
from streams.errors import ContractError
from streams.intake.partition import BatchingPolicy
from streams.learning.learner import LearnerSettings, RiverLearner
from streams.learning.shared import SharedLearner
from streams.rulebook.load import parse_rulebook
from streams.simulate.records import records_of
from streams.simulate.shop import Shop
from streams.trainer.run import TrainerStats, serve
from streams.trainer.settings import TrainerSettings
from streams.worker.settings import WorkerSettings
from tests.integration.test_worker_recovery import last, wait_until
from tests.integration.workers import Sent, consume, make_topics, produce, running, settings_on

NAMES = tuple(i.name for i in INPUTS)
PARTITIONS = 3
WITHIN_S = 60.0


def sample_records(app: str, days: int, seed: int = 1) -> list[bytes]:
    """Return what the workers of three partitions put on the topic in so many days."""
    rng = np.random.default_rng(seed)
    labels = [DelayedLabels(NAMES, horizon_us=90 * DAY) for _ in range(PARTITIONS)]
    records = []
    for day in range(1, days + 1):
        for number in rng.permutation(PARTITIONS).tolist():
            x = rng.normal(1, 2, (40, len(NAMES)))
            labels[number].decide(day * DAY, np.arange(40), x, rng.random(40))
            stays = rng.random(40) < 0.5
            due = (day + 90) * DAY
            closed = np.full(40, np.iinfo(np.int64).min)
            samples = labels[number].mature(due, np.where(stays, due - 1, 0), closed)
            assert samples is not None
            records.append(encode_samples(samples, app, number, PARTITIONS))
    return records


def expected(app: str, records: list[bytes]) -> SharedLearner:
    """Return a learner that was given the records of the topic in their order."""
    learner = SharedLearner(LearnerSettings(50, 50))
    for offset, value in enumerate(records):
        try:
            learner.take(parse_samples(value, app), offset)
        except ContractError:
            learner.go_to(offset + 1)
    return learner


@dataclass
class Place:
    """Topics of a learner of its own."""

    broker: str
    folder: Path
    app: str

    @classmethod
    def on(cls, broker: str, folder: Path) -> Place:
        place = cls(broker, folder, f"t{uuid.uuid4().hex[:8]}")
        make_topics(broker, [f"{place.app}-samples", f"{place.app}-models", f"{place.app}-control"], 1)
        return place

    def send(self, records: list[bytes]) -> None:
        produce(self.broker, [Sent(f"{self.app}-samples", b"0", value) for value in records])

    def models(self) -> ModelLog:
        log = ModelLog(self.app)
        for record in consume(self.broker, f"{self.app}-models", 10_000, 1.0):
            with contextlib.suppress(ContractError):
                log.take(record.key, record.value)
        return log

    @contextlib.contextmanager
    def learner(self, name: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
        """Run `lapwing learn` as a process, and yield it with its file of statistics."""
        folder = self.folder / name
        folder.mkdir()
        stats = folder / "stats.jsonl"
        lines = {
            "broker": self.broker,
            "app": self.app,
            "learner": "shared",
            "control_topic": f"{self.app}-control",
            "checkpoints": str(self.folder / "checkpoints"),
            "checkpoint_every": "1s",
            "session_timeout": "6s",
        }
        config = folder / "lapwing.toml"
        config.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in lines.items()))
        command = [sys.executable, "-m", "lapwing", "learn", "--config", str(config), "--stats", str(stats)]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stderr=log)
            try:
                yield process, stats
            finally:
                process.send_signal(signal.SIGCONT)
                process.terminate()
                process.wait(30)


@pytest.fixture
def place(broker: str, tmp_path: Path) -> Place:
    return Place.on(broker, tmp_path)


def at_end(stats: Path, offset: int) -> bool:
    return bool(last(stats).get("offset", 0) >= offset)


def test_a_learner_that_is_killed_learns_each_sample_once(place: Place) -> None:
    records = sample_records(place.app, 60)
    # A worker that had crashed sent some again, and others wrote to the topic, too.
    sent = [*records[:100], *records[80:100], b"garbage", b"", *records[90:]]
    assert len(records) == 180
    learner = expected(place.app, sent)
    assert learner.model().version == expected(place.app, records).model().version
    place.send(sent[:120])
    with place.learner("first") as (process, stats):
        wait_until(lambda: at_end(stats, 120), WITHIN_S)
        place.send(sent[120:170])
        time.sleep(0.3)  # some of it is being learned now
        process.kill()
    place.send(sent[170:])
    with place.learner("second") as (_, stats):
        wait_until(lambda: at_end(stats, len(sent)), WITHIN_S)
        wait_until(lambda: place.models().in_force == learner.model().version, WITHIN_S)
        found = last(stats)
        assert (found["version"], found["samples"]) == (learner.model().version, len(records) * 40)
        assert found["refused"] <= 2
    model = place.models().model()
    assert model is not None
    assert model.model().to_dict() == learner.model().to_dict()
    assert model.samples_offset == len(sent)


@pytest.mark.parametrize("fault", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
def test_of_two_learners_one_is_lost_and_the_other_takes_over(place: Place, fault: signal.Signals) -> None:
    records = sample_records(place.app, 40, seed=2)
    learner = expected(place.app, records)
    place.send(records[:60])
    with place.learner("first") as first, place.learner("second") as second:
        both = (first, second)

        def is_settled() -> bool:
            found = [last(stats) for _, stats in both]
            active = [each["offset"] for each in found if each.get("active")]
            return all(found) and len(active) == 1 and active[0] >= 60

        wait_until(is_settled, WITHIN_S)
        (process, _), (_, stats) = sorted(both, key=lambda each: not last(each[1])["active"])
        process.send_signal(fault)
        place.send(records[60:])
        wait_until(lambda: at_end(stats, len(records)), WITHIN_S)
        wait_until(lambda: place.models().in_force == learner.model().version, WITHIN_S)
        process.send_signal(signal.SIGCONT)
        time.sleep(2.0)  # who was frozen looks around
        model = place.models().model()
    assert model is not None
    assert model.version == learner.model().version


def lapwing(place: Place, *words: str) -> dict[str, Any]:
    """Run `lapwing models` and return what it prints."""
    flags = ["--broker", place.broker, "--app", place.app, "--json"]
    environment = os.environ | {"LAPWING_CONTROL_TOPIC": f"{place.app}-control"}
    command = [sys.executable, "-m", "lapwing", "models", words[0], *flags, *words[1:]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_somebody_goes_back_to_a_model_and_forward_again(place: Place) -> None:
    records = sample_records(place.app, 30)
    versions = [expected(place.app, records[:end]).model().version for end in (45, 90)]
    with place.learner("first"):
        for version, part in zip(versions, (records[:45], records[45:]), strict=True):
            place.send(part)
            wait_until(lambda version=version: place.models().in_force == version, WITHIN_S)  # type: ignore[misc]  # bound now
        listed = lapwing(place, "list")
        assert listed["in_force"] == versions[-1]
        assert {each["candidate"] for each in listed["models"]} == set(SharedLearner().candidates)
        who = ("--by", "ann", "--reason", "too many warnings")
        made = lapwing(place, "rollback", *who)
        assert (made["version_before"], made["kind"]) == (versions[-1], "model.rolled_back")
        back = made["version"]
        assert back in {each["version"] for each in listed["models"]}
        place.send(sample_records(place.app, 33)[90:])
        wait_until(lambda: place.models().champion.version != versions[-1], WITHIN_S)  # type: ignore[union-attr]  # there is one
        assert place.models().in_force == back
        assert lapwing(place, "show")["version"] == back
        lapwing(place, "promote", *who, versions[-1])
        assert place.models().in_force == versions[-1]
        assert lapwing(place, "promote", *who)["kind"] == "model.unpinned"
        log = place.models()
        assert log.pinned is None
        assert log.champion is not None
        assert log.in_force == log.champion.version
    notices = [
        ControlNotice.model_validate_json(record.value)
        for record in consume(place.broker, f"{place.app}-control", 100, 1.0)
    ]
    assert [each.kind for each in notices] == ["model.rolled_back", "model.pinned", "model.unpinned"]
    assert notices[0].detail["by"] == "ann"
    assert notices[0].detail["version"] == back


RULES = """version: 1
rules:
  - {id: likely, when: churn_probability >= 0.5, tier: high, reason: model}
  - {id: silent, when: days_since_order > 20, tier: low, reason: test}
"""


@contextlib.contextmanager
def trained(settings: WorkerSettings, folder: Path) -> Iterator[list[TrainerStats]]:
    """Run a learner in a thread and yield its statistics as they come."""
    found: list[TrainerStats] = []
    ours = TrainerSettings(
        broker=settings.broker,
        app=settings.app,
        samples_topic=settings.samples_topic,
        models_topic=settings.models_topic,
        control_topic=settings.control_topic,
        checkpoints=str(folder / "checkpoints"),
        session_timeout_s=SESSION_TIMEOUT_S,
        checkpoint_every_s=1.0,
        publish_every_s=0.2,
    )
    loop, ready, stop = asyncio.new_event_loop(), threading.Event(), asyncio.Event()

    def run() -> None:
        loop.call_soon(ready.set)
        loop.run_until_complete(serve(ours, lambda: SharedLearner(OWN), stop, found.append))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait()
    try:
        yield found
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
        assert not thread.is_alive()
        loop.close()


OWN = LearnerSettings(5, 5)


def shop_records(settings: WorkerSettings) -> list[Sent]:
    """Return the events of a small shop as records of the topics, in the order of time."""
    names = {topic.label: name for topic, name in settings.topics.items()}
    return [
        Sent(names[topic.label], key, value)
        for frame in Shop(customers=60, days=150, seed=4).frames(1)
        for made in [records_of(frame)]
        for topic, key, value, _ in made.rows(0, len(made))
        if topic.label in names
    ]


def test_a_model_of_a_partitions_own_sends_what_it_learns_from(broker: str) -> None:
    topics = settings_on(broker, 1, BatchingPolicy(idle_s=3.0))
    settings = replace(topics, samples_topic=f"{topics.app}-samples")
    make_topics(broker, [settings.samples_topic], 1)
    rules = parse_rulebook({"rules.yaml": RULES}).rules
    ours = EngineSettings(app=settings.app, reorder_us=2 * DAY, horizon_us=20 * DAY, samples=True)
    records = shop_records(settings)
    with running(settings, lambda number: Engine(ours, rules, RiverLearner(OWN), number)) as worker:
        produce(broker, records)
        worker.wait_until(lambda: worker.stats is not None and any(worker.stats.models_ready.values()), 60)
    batches = [
        parse_samples(record.value, settings.app)
        for record in consume(broker, settings.samples_topic, 10_000, 1.0)
    ]
    assert len({batch.at for batch in batches}) > 5
    assert {bool(churned) for batch in batches for churned in batch.y} == {False, True}


def test_workers_are_taught_by_all_partitions_and_name_the_model(broker: str, tmp_path: Path) -> None:
    settings = settings_on(broker, 2, BatchingPolicy(idle_s=3.0))
    settings = replace(
        settings,
        checkpoints=str(tmp_path / "checkpoints"),
        checkpoint_every_s=1.0,
        samples_topic=f"{settings.app}-samples",
        models_topic=f"{settings.app}-models",
    )
    make_topics(broker, [settings.samples_topic, settings.models_topic], 1)
    # Whoever may write to the topic of models stops nobody.
    produce(broker, [Sent(settings.models_topic, key, b"{}") for key in (None, b"champion", b"pin", b"1-0")])
    rules = parse_rulebook({"rules.yaml": RULES}).rules

    def engine(number: int) -> Engine:
        ours = EngineSettings(
            app=settings.app, reorder_us=2 * DAY, horizon_us=20 * DAY, decide_every=2, shared_learner=True
        )
        return Engine(ours, rules, RiverLearner(OWN), number)

    records = shop_records(settings)
    with trained(settings, tmp_path) as stats, running(settings, engine) as worker:
        for begin in range(0, len(records), 200):
            produce(broker, records[begin : begin + 200])
            time.sleep(0.05)
        worker.wait_until(lambda: worker.stats is not None and all(worker.stats.models_ready.values()), 60)

        def agree() -> bool:
            known = stats[-1].version if stats else None
            return worker.stats is not None and set(worker.stats.models.values()) == {known}

        worker.wait_until(agree, 60)

        def sent() -> set[tuple[int, int]]:
            return {
                (batch.partition, batch.at)
                for record in consume(broker, settings.samples_topic, 10_000, 1.0)
                for batch in [parse_samples(record.value, settings.app)]
            }

        # The worker may send more after the two have agreed, so that this is waited for too.
        worker.wait_until(lambda: stats[-1].offset >= len(sent()), 60)
    assert stats[-1].samples > 100
    assert {partition for partition, _ in sent()} == {0, 1}
    log = ModelLog(settings.app)
    for record in consume(broker, settings.models_topic, 10_000, 1.0):
        with contextlib.suppress(ContractError):
            log.take(record.key, record.value)
    versions = {
        parse_warning(record.value).data.model_version
        for record in consume(broker, settings.warnings_topic, 10_000, 1.0)
    } - {None}
    assert versions <= log.models.keys()
