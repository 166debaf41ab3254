"""Workers that stop, die, freeze, or find a damaged checkpoint: the warnings come out all the same."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from streams.core.rules.rule_set import RuleSet
from streams.intake.partition import BatchingPolicy
from streams.rulebook.load import load_rulebook
from tests.integration.test_worker_command import arguments
from tests.integration.test_worker_warnings import PARTITIONS, RULES, engine_of, expected, history
from tests.integration.workers import RunningWorker, Sent, consume, produce, running, settings_on

IDLE_S = 3.0
"""Longer than any pause of a test: what is held back to be put in order stays so until the end."""
WITHIN_S = 40.0


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> RuleSet:
    path = tmp_path_factory.mktemp("rules") / "rules.yaml"
    path.write_text(RULES)
    return load_rulebook(path).rules


class Shop:
    """Events, a place to keep states, and the warnings that are due."""

    def __init__(self, broker: str, folder: Path, rules: RuleSet, seed: int) -> None:
        settings = settings_on(broker, PARTITIONS, BatchingPolicy(idle_s=IDLE_S))
        self.folder = folder
        self.checkpoints = folder / "checkpoints"
        self.settings = replace(settings, checkpoints=str(self.checkpoints), checkpoint_every_s=0.5)
        self.rules = rules
        events = history(seed)
        self.records = [Sent(settings.topics[topic], name.encode(), value) for topic, name, value in events]
        self.due = expected(events, rules, settings.app)
        self.count = sum(map(len, self.due.values()))

    def send(self, begin: int, end: int) -> None:
        produce(self.settings.broker, self.records[begin:end])

    def worker(self) -> AbstractContextManager[RunningWorker]:
        return running(self.settings, lambda number: engine_of(number, self.rules, self.settings.app))

    def warnings(self, within_s: float = 1.0) -> tuple[dict[str, list[bytes]], int]:
        """Return the first of each id in the topic, by customer, and how many records it has."""
        found: dict[str, list[bytes]] = defaultdict(list)
        seen = set()
        records = consume(self.settings.broker, self.settings.warnings_topic, 10 * self.count, within_s)
        for record in records:
            step_id = json.loads(record.value)["id"]
            if step_id not in seen:
                seen.add(step_id)
                found[record.key.decode()].append(record.value)
        return dict(found), len(records)

    def wait_for_all(self) -> None:
        """Wait until every warning that is due is in the topic."""
        wait_until(lambda: sum(map(len, self.warnings(0.3)[0].values())) >= self.count)


@pytest.fixture
def shop(broker: str, tmp_path: Path, rules: RuleSet, request: pytest.FixtureRequest) -> Shop:
    return Shop(broker, tmp_path, rules, seed=len(request.node.name))


def wait_until(reached: Callable[[], bool], within_s: float = WITHIN_S) -> None:
    deadline = time.monotonic() + within_s
    while not reached():
        assert time.monotonic() < deadline, f"not reached within {within_s} s"
        time.sleep(0.1)


def caught_up(worker: RunningWorker) -> bool:
    stats = worker.stats
    return stats is not None and len(stats.lag) == 3 * PARTITIONS and not any(stats.lag.values())


def test_a_worker_that_is_stopped_and_started_goes_on_where_it_was(shop: Shop) -> None:
    shop.send(0, 300)
    with shop.worker() as first:
        first.wait_until(lambda: caught_up(first))
    assert first.stats is not None
    shop.send(300, len(shop.records))
    with shop.worker() as second:
        second.wait_until(lambda: second.stats is not None and second.stats.events > 0)
        shop.wait_for_all()
    assert second.stats is not None
    assert first.stats.events + second.stats.events == len(shop.records)
    assert shop.warnings() == (shop.due, shop.count)


def test_a_damaged_checkpoint_is_noticed_and_the_one_before_it_used(shop: Shop) -> None:
    with shop.worker() as first:
        # Each partition is to have two checkpoints: one before these events, and one after.
        first.wait_until(lambda: first.stats is not None and first.stats.checkpoints >= PARTITIONS)
        shop.send(0, 200)
        first.wait_until(lambda: first.stats is not None and first.stats.checkpoints >= 2 * PARTITIONS)
        shop.send(200, 400)
        first.wait_until(lambda: first.stats is not None and first.stats.events > 100 and caught_up(first))
    for place in sorted((shop.checkpoints / shop.settings.app).iterdir()):
        newest = max(place.iterdir())
        table = newest / "customers.parquet"
        table.write_bytes(table.read_bytes()[:-100] + b"x" * 100)
    shop.send(400, len(shop.records))
    with shop.worker():
        shop.wait_for_all()
    # What the second worker brought about once more was not sent again.
    assert shop.warnings() == (shop.due, shop.count)


def test_a_worker_that_is_killed_in_full_swing_loses_nothing(shop: Shop) -> None:
    with child(shop, "first") as (process, stats):
        for begin in range(0, 400, 50):
            shop.send(begin, begin + 50)
        wait_until(lambda: last(stats).get("checkpoints", 0) > 0)
        shop.send(400, 500)
        time.sleep(0.3)  # some of it is on its way now
        process.kill()
    shop.send(500, len(shop.records))
    with child(shop, "second") as (_, stats):
        shop.wait_for_all()
        assert last(stats)["events"] < len(shop.records)
    assert shop.warnings()[0] == shop.due


@pytest.mark.parametrize("fault", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
def test_of_two_workers_one_is_lost_and_the_other_takes_over(shop: Shop, fault: signal.Signals) -> None:
    with child(shop, "first") as (process, stats), child(shop, "second") as (_, others):
        wait_until(lambda: bool(last(stats).get("lag")) and bool(last(others).get("lag")))
        for begin in range(0, 400, 50):
            shop.send(begin, begin + 50)
        wait_until(lambda: last(stats).get("checkpoints", 0) > 0)
        process.send_signal(fault)
        shop.send(400, len(shop.records))
        wait_until(lambda: len(last(others)["lag"]) == 3 * PARTITIONS)
        if fault is signal.SIGSTOP:
            process.send_signal(signal.SIGCONT)
        shop.wait_for_all()
    assert shop.warnings()[0] == shop.due


@contextlib.contextmanager
def child(shop: Shop, name: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Run `lapwing worker` as a process, and yield it with its file of statistics."""
    folder = shop.folder / name
    folder.mkdir()
    stats = folder / "stats.jsonl"
    command = arguments(
        shop.settings, folder, "--stats", str(stats), "--flush-after", f"{IDLE_S:.0f}s", "--no-model-enabled"
    )
    (folder / "rules.yaml").write_text(RULES)
    with (folder / "lapwing.toml").open("a") as config:
        config.write('checkpoint_every = "1s"\nreorder = "4d"\n')
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stderr=log)
        try:
            yield process, stats
        finally:
            process.send_signal(signal.SIGCONT)
            process.terminate()
            process.wait(30)


def last(stats: Path) -> dict[str, Any]:
    """Return the newest line of a worker's statistics."""
    lines = stats.read_text().splitlines() if stats.exists() else []
    return json.loads(lines[-1]) if lines else {}
