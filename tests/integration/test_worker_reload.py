"""Rules change under load: each partition warns as its events do, with the change at its place."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lapwing.settings.settings import load_settings
from lapwing.wiring import engine_settings
from streams.contract.audit import RulesAdopted, parse_adopted
from streams.contract.decode import decode_poll
from streams.contract.warnings import ControlNotice, encode_step
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.batch import Batch
from streams.core.events.calendar import DAY
from streams.core.rules.rule_set import RuleSet
from streams.intake.partition import BatchingPolicy
from streams.rulebook.load import load_rulebook
from tests.integration.test_worker_command import arguments
from tests.integration.test_worker_recovery import last, wait_until
from tests.integration.test_worker_warnings import PARTITIONS, history
from tests.integration.workers import Sent, consume, produce, settings_on

IDLE_S = 60.0
"""Nothing is flushed: where a change of rules lies then depends on offsets alone."""
RULE = "  - {{id: {0}, when: {1}, tier: {2}, reason: test}}\n"
OFTEN = RULE.format("often", "orders_30d >= 3", "low")
SILENT = RULE.format("silent", "days_since_login > 3", "high")
VERY_SILENT = RULE.format("silent", "days_since_login > 2", "medium")
FEW = RULE.format("few", "orders_7d < 1", "low")
HEAD = "version: 1\nrules:\n"
A, B = HEAD + OFTEN + SILENT, HEAD + VERY_SILENT + FEW
CALL = """version: 1
plays:
  - {id: call, cost: {communication: 2}, success: {chance: 0.2, source: prior}}
"""
MAIL = """version: 1
plays:
  - {id: mail, reasons: [test], cost: {gift: 1, communication: 0.5}, success: {chance: 0.1, source: prior}}
"""
BAD = HEAD + OFTEN + RULE.format("bad", "order_7d < 1", "low")


class Shop:
    """A folder of rules for each of two workers, and events in order of time on topics."""

    def __init__(self, broker: str, folder: Path) -> None:
        self.folder = folder
        settings = settings_on(broker, PARTITIONS, BatchingPolicy(idle_s=IDLE_S))
        self.settings = replace(settings, checkpoints=str(folder / "checkpoints"))
        self.events = history(seed=11)
        # Each record's partition is given, so that its offset is known.
        names = [customer for _, customer, _ in self.events]
        self.numbers = [int(name[1:]) % PARTITIONS for name in names]
        self.offsets: list[int] = []

    def send(self, begin: int, end: int) -> None:
        topics = self.settings.topics
        records = [
            Sent(topics[topic], customer.encode(), value, number)
            for (topic, customer, value), number in zip(
                self.events[begin:end], self.numbers[begin:end], strict=True
            )
        ]
        self.offsets += produce(self.settings.broker, records)

    def rules(self, text: str, plays: str = "") -> RuleSet:
        place = self.folder / ("compiled with plays" if plays else "compiled")
        place.mkdir(exist_ok=True)
        (place / "rules.yaml").write_text(text)
        if plays:
            (place / "plays.yaml").write_text(plays)
        return load_rulebook(place).rules

    def expected(self, number: int, change: RulesAdopted, before: RuleSet, after: RuleSet) -> list[bytes]:
        """Return the steps of a partition that judges by other rules from the change's offsets on."""
        names = self.settings.topics
        app = self.settings.app
        holdout = engine_settings(load_settings(environ={})).holdout
        engine = Engine(
            EngineSettings(app=app, reorder_us=4 * DAY, holdout=holdout), before, partition=number
        )
        parts: dict[bool, list[Batch]] = {True: [], False: []}
        for (topic, _, value), where, offset in zip(self.events, self.numbers, self.offsets, strict=True):
            if where == number:
                batch = decode_poll(topic, [value], None, None, max_skew_us=0).batch
                parts[offset < change.offsets[names[topic]]].append(batch)
        outputs = [engine.step(Batch.concat([Batch.empty(), *parts[True]]))]
        outputs.append(engine.replace_rules(after))
        outputs.append(engine.step(Batch.concat([Batch.empty(), *parts[False]])))
        return [encode_step(step, app) for output in outputs for step in output.steps]

    def warnings(self) -> dict[int, list[bytes]]:
        """Return the first of each id in the topic, by the customer's partition."""
        found: dict[int, list[bytes]] = defaultdict(list)
        seen = set()
        for record in consume(self.settings.broker, self.settings.warnings_topic, 10_000, 0.5):
            said = json.loads(record.value)["id"]
            if said not in seen:
                seen.add(said)
                found[int(record.key[1:]) % PARTITIONS].append(record.value)
        return found

    def changes(self) -> dict[int, RulesAdopted]:
        """Return, by partition, the last change of rules that was no beginning."""
        found = consume(self.settings.broker, self.settings.audit_topic, 100, 0.3)
        said = [parse_adopted(record.value) for record in found]
        return {each.partition: each for each in said if each.rule_set_before is not None}

    def notices(self, kind: str) -> list[ControlNotice]:
        found = consume(self.settings.broker, self.settings.control_topic, 100, 0.3)
        said = [ControlNotice.model_validate_json(record.value) for record in found]
        return [each for each in said if each.kind == kind]

    def check(self, before: RuleSet, after: RuleSet) -> None:
        """Fail unless every partition has warned as the engine does, with the change where the audit says."""
        changes, found = self.changes(), self.warnings()
        assert sorted(changes) == list(range(PARTITIONS))
        for number, change in changes.items():
            due = self.expected(number, change, before, after)
            assert by_customer(found[number]) == by_customer(due), number

    @contextlib.contextmanager
    def worker(self, name: str, text: str, plays: str = "") -> Iterator[Child]:
        folder = self.folder / name
        folder.mkdir()
        stats = folder / "stats.jsonl"
        flags = ("--stats", str(stats), "--flush-after", f"{IDLE_S:.0f}s", "--no-model-enabled")
        if plays:
            (folder / "set").mkdir()
            (folder / "set" / "plays.yaml").write_text(plays)
            (folder / "set" / "rules.yaml").write_text(text)
        command = arguments(self.settings, folder, *flags)
        if plays:
            command += ["--rules", str(folder / "set")]
        (folder / "rules.yaml").write_text(text)
        with (folder / "lapwing.toml").open("a") as config:
            config.write('checkpoint_every = "1h"\nreorder = "4d"\n')
        with (folder / "log").open("wb") as log:
            child = Child(subprocess.Popen(command, stderr=log), folder)
            try:
                yield child
            finally:
                child.process.terminate()
                child.process.wait(30)


class Child:
    """A worker as a process."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        self.process = process
        self.folder = folder

    def stats(self) -> dict[str, Any]:
        return last(self.folder / "stats.jsonl")

    def told(self) -> int:
        """Return how often it has told its statistics."""
        stats = self.folder / "stats.jsonl"
        return stats.read_text().count("\n") if stats.exists() else 0

    def say(self, text: str, file: str = "rules.yaml") -> None:
        """Put other rules in place of those there are, at once."""
        part = self.folder / "part"
        part.write_text(text)
        part.replace(self.folder / file)


def by_customer(steps: list[bytes]) -> dict[str, list[dict[str, Any]]]:
    found = defaultdict(list)
    for step in map(json.loads, steps):
        found[step["subject"]].append(step)
    return found


def read_all(*children: Child) -> Callable[[], bool]:
    """Return what tells whether workers have read all that was sent before this call."""
    told = [child.told() for child in children]

    def reached() -> bool:
        lags = {place: lag for child in children for place, lag in child.stats().get("lag", {}).items()}
        news = all(child.told() >= before + 2 for child, before in zip(children, told, strict=True))
        return news and len(lags) == 3 * PARTITIONS and not any(lags.values())

    return reached


@pytest.fixture
def shop(broker: str, tmp_path: Path) -> Shop:
    return Shop(broker, tmp_path)


def test_two_workers_take_rules_over_under_load_and_never_mix_them(shop: Shop) -> None:
    with shop.worker("first", A) as first, shop.worker("second", A) as second:
        wait_until(lambda: all(child.stats().get("rule_sets") for child in (first, second)))
        shop.send(0, 200)
        wait_until(read_all(first, second))
        first.say(BAD)
        wait_until(lambda: first.stats()["rules_refused"] == 1)
        for begin in range(200, 400, 20):
            shop.send(begin, begin + 20)
            if begin == 260:
                first.say(B)
            if begin == 320:
                second.say(B)
        wait_until(lambda: len(shop.changes()) == PARTITIONS)
        shop.send(400, len(shop.events))
        wait_until(read_all(first, second))
        shown = first.stats()
    assert set(shown["rule_sets"].values()) == {shown["rule_set"]} == {shop.rules(B).hash}
    shop.check(shop.rules(A), shop.rules(B))
    assert {each.detail["rule_set"] for each in shop.notices("rules.adopted")} == {
        shop.rules(A).hash,
        shop.rules(B).hash,
    }
    wait_until(lambda: bool(shop.notices("rules.refused")))
    (refused,) = shop.notices("rules.refused")
    assert "rules.yaml:4: rule 'bad': `when`: unknown feature 'order_7d'" in str(refused.detail["errors"])
    assert "rule 'bad': `when`: unknown feature 'order_7d'" in (first.folder / "log").read_text()
    done = subprocess.run(
        [sys.executable, "-m", "lapwing", "rules", "audit", "--config", str(first.folder / "lapwing.toml")],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert f"{shop.rules(A).hash} -> {shop.rules(B).hash}  partitions 0,1,2" in done.stdout
    assert "  removed  often" in done.stdout


def test_killed_right_after_the_change_it_comes_out_the_same_although_files_lag_behind(
    shop: Shop,
) -> None:
    with shop.worker("first", A) as first, shop.worker("second", A) as second:
        wait_until(lambda: all(child.stats().get("rule_sets") for child in (first, second)))
        shop.send(0, 300)
        wait_until(read_all(first, second))
        first.say(B)  # and the second's files stay behind
        shop.send(300, 330)
        wait_until(lambda: bool(shop.changes()))
        first.process.kill()
        wait_until(lambda: len(second.stats()["rule_sets"]) == PARTITIONS)
        shop.send(330, len(shop.events))
        wait_until(read_all(second))
        adopted, running, new = shop.changes(), second.stats(), shop.rules(B).hash
        assert running["rule_set"] == shop.rules(A).hash
        went_over = {number for number, rule_set in running["rule_sets"].items() if rule_set == new}
        assert went_over == set(map(str, adopted))
        second.say(B)
        wait_until(lambda: len(shop.changes()) == PARTITIONS)
    shop.check(shop.rules(A), shop.rules(B))


def test_plays_are_taken_over_under_load_and_the_same_after_a_kill(shop: Shop) -> None:
    old, new = shop.rules(A, CALL), shop.rules(A, MAIL)
    assert old.hash != new.hash
    with shop.worker("first", A, CALL) as first, shop.worker("second", A, CALL) as second:
        wait_until(lambda: all(child.stats().get("rule_sets") for child in (first, second)))
        shop.send(0, 300)
        wait_until(read_all(first, second))
        first.say(MAIL, "set/plays.yaml")  # and the second's file stays behind
        shop.send(300, 330)
        wait_until(lambda: bool(shop.changes()))
        first.process.kill()
        wait_until(lambda: len(second.stats()["rule_sets"]) == PARTITIONS)
        shop.send(330, len(shop.events))
        wait_until(read_all(second))
        adopted = shop.changes()
        went_over = {n for n, rule_set in second.stats()["rule_sets"].items() if rule_set == new.hash}
        assert went_over == set(map(str, adopted))
        second.say(MAIL, "set/plays.yaml")
        wait_until(lambda: len(shop.changes()) == PARTITIONS)
    shop.check(old, new)
    decided = [json.loads(step)["data"]["decision"] for steps in shop.warnings().values() for step in steps]
    assert {decision["play"] for decision in decided} == {"call", "mail"}
