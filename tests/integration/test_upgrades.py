"""Checkpoints, topics and database that older versions wrote: today's processes go on from them.

`tests/upgrades/versions` holds what `python -m scripts.keep_version COMMIT` kept of each.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import re
import sqlite3
import sys
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from consumers.database.migrations.runner import newest_version
from lapwing.demo.broker import EmbeddedBroker, broker_binary
from scripts.keep_version import (
    APP,
    PARTITIONS,
    VERSIONS,
    Installation,
    Kept,
    Record,
    commit,
    has_taken,
    placed,
    read_topics,
    send,
    wait_until,
)
from streams.errors import DemoError
from streams.intake.topic_ids import topic_ids
from tests.integration.workers import make_topics
from tests.upgrades.event_files import event_lines

pytestmark = [pytest.mark.any_broker, pytest.mark.timeout(600)]
ENDS = ("resolved", "withdrawn", "expired")
Step = dict[str, Any]


@dataclass
class Upgraded:
    """An installation that went on with today's processes, and what was there before."""

    kept: Kept
    here: Installation
    before: list[Record]
    after: list[Record]
    database_version: int
    queue: dict[str, Any] = field(default_factory=dict)

    def steps(self, records: list[Record]) -> list[Step]:
        return [json.loads(each.value or b"") for each in records if each.topic == "churn-warnings"]


@pytest.fixture(scope="module", params=sorted(path.name for path in VERSIONS.iterdir()))
def upgraded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upgraded]:
    try:
        broker_binary()
    except DemoError as reason:
        pytest.skip(str(reason))
    kept = Kept(VERSIONS / request.param)
    folder = tmp_path_factory.mktemp("upgraded")
    (folder / "rules").symlink_to(kept.folder / "rules")
    kept.unpack_checkpoints(folder / "checkpoints")
    kept.restore_database(folder / "lapwing.db")
    before = kept.records("topics")
    with EmbeddedBroker() as broker:
        for name, count in kept.about["topics"].items():
            make_topics(broker.address, [name], count)
        assert send(broker.address, before) == [each.offset for each in before]
        for group, offsets in kept.about["groups"].items():
            commit(broker.address, group, offsets)
        name_topics(folder / "checkpoints", asyncio.run(topic_ids(broker.address, {}, kept.about["topics"])))
        version = version_of(folder / "lapwing.db")
        here = Installation(folder, broker.address, Path(sys.executable))
        here.run("topics", "--partitions", str(PARTITIONS))
        with here.running("worker", "--flush-after", "500ms"):
            sent = placed(broker.address, kept.records("after"))
            wait_until(lambda: has_taken(broker.address, APP, sent), "today's worker takes what was to come")
        here.run("sink", "--no-follow")
        _, after = read_topics(broker.address)
        found = Upgraded(kept, here, before, after, version)
        with here.running("desk", "--desk-listen", "127.0.0.1:0"):
            found.queue = queue_of(here)
        yield found


def name_topics(checkpoints: Path, ids: dict[str, str]) -> None:
    """Give the checkpoints the ids that the topics have on this broker: they are the same topics."""
    for path in checkpoints.rglob("manifest.json"):
        manifest = json.loads(path.read_text())
        checksum = manifest.pop("checksum")
        assert hashlib.sha256(as_written(manifest)).hexdigest() == checksum
        manifest["topic_ids"] = {name: ids[name] for name in manifest["topic_ids"]}
        manifest["checksum"] = hashlib.sha256(as_written(manifest)).hexdigest()
        path.write_bytes(as_written(manifest))


def as_written(manifest: dict[str, Any]) -> bytes:
    return json.dumps(manifest, sort_keys=True).encode()


def version_of(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(path)) as database:
        return int(database.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def queue_of(here: Installation) -> dict[str, Any]:
    address = re.compile(r"the desk is at (\S+)/")
    wait_until(lambda: address.search(here.log("desk")) is not None, "the desk is there")
    found = address.search(here.log("desk"))
    assert found is not None
    with urllib.request.urlopen(f"{found[1]}/api/queue?limit=500", timeout=60) as answer:
        queue: dict[str, Any] = json.load(answer)
        return queue


def by_warning(steps: list[Step]) -> dict[str, list[Step]]:
    found: dict[str, list[Step]] = defaultdict(list)
    for each in steps:
        found[each["data"]["warning_id"]].append(each["data"])
    return found


def kind(step: Step) -> str:
    return str(step["type"]).rpartition(".")[2]


def test_there_is_something_of_every_kind(upgraded: Upgraded) -> None:
    topics = {each.topic for each in upgraded.before}
    assert topics >= {"churn-warnings", "churn-outcomes", "actions", "lapwing-silences", "lapwing-samples"}
    old = {each["data"]["warning_id"] for each in upgraded.steps(upgraded.before)}
    new = upgraded.steps(upgraded.after[:])[len(upgraded.steps(upgraded.before)) :]
    assert new, "today's worker sent nothing"
    assert any(each["data"]["warning_id"] in old for each in new), "no warning of before went on"
    assert any(each["data"]["warning_id"] not in old for each in new)


def test_warnings_of_before_go_on_and_nothing_opens_twice(upgraded: Upgraded) -> None:
    steps = upgraded.steps(upgraded.after)
    assert len({each["id"] for each in steps}) == len(steps)
    for warning in by_warning(steps).values():
        assert [each["step"] for each in warning] == list(range(1, len(warning) + 1))
    open_now: dict[str, str] = {}
    for step in steps:
        customer, warning = step["subject"], step["data"]["warning_id"]
        if kind(step) == "opened":
            assert customer not in open_now, "a second warning of a customer whose first is open"
            open_now[customer] = warning
        assert open_now[customer] == warning
        if kind(step) in ENDS:
            del open_now[customer]


def test_it_is_what_today_s_engine_makes_of_the_whole_history(upgraded: Upgraded) -> None:
    events = upgraded.here.folder / "whole.jsonl"
    events.write_text("".join(event_lines(upgraded.after)))
    upgraded.here.run("replay", str(events), "--partitions", str(PARTITIONS), "--out", "whole.out.jsonl")
    lines = (upgraded.here.folder / "whole.out.jsonl").read_text().splitlines()
    whole = [json.loads(line) for line in lines]
    known = len(upgraded.steps(upgraded.before))
    since = [shape(each) for each in upgraded.steps(upgraded.after)]
    assert sorted(since) == sorted(shape(each) for each in whole)
    assert known < len(since)


def shape(step: Step) -> tuple[str, str, int, str, str]:
    rules = " ".join(cause["rule"] for cause in step["data"]["causes"])
    return (step["data"]["warning_id"], kind(step), step["data"]["step"], step["data"]["tier"], rules)


def test_the_database_is_brought_up_with_its_rows_and_has_each_step_once(upgraded: Upgraded) -> None:
    path = upgraded.here.folder / "lapwing.db"
    assert upgraded.database_version <= version_of(path) == newest_version()
    steps = upgraded.steps(upgraded.after)
    with contextlib.closing(sqlite3.connect(path)) as database:
        stored = database.execute("SELECT warning_id, step FROM warning_steps").fetchall()
        assert database.execute("SELECT count(*) FROM unreadable").fetchone() == (0,)
        outcomes = database.execute("SELECT count(*) FROM outcomes").fetchone()[0]
    assert sorted(stored) == sorted((each["data"]["warning_id"], each["data"]["step"]) for each in steps)
    assert outcomes > 0
    newest = {warning: life[-1]["step"] for warning, life in by_warning(steps).items()}
    for each in upgraded.here.open_warnings():
        assert newest[each["warning_id"]] == each["step"]


def test_what_people_did_before_is_still_so(upgraded: Upgraded) -> None:
    life = by_warning(upgraded.steps(upgraded.after))[upgraded.kept.about["acknowledged"]]
    assert any((each["attention"] or {}).get("by") == "ann" for each in life)
    silences = json.loads(upgraded.here.run("silence", "list", "--json"))
    assert "fewer-orders" in json.dumps(silences)


def test_the_desk_shows_the_open_warnings(upgraded: Upgraded) -> None:
    shown = set(re.findall(r'"warning_id": "([0-9a-f-]{36})"', json.dumps(upgraded.queue)))
    assert shown
    assert shown <= {each["warning_id"] for each in upgraded.here.open_warnings()}


def test_a_customer_is_explained_from_the_old_checkpoint(upgraded: Upgraded, tmp_path: Path) -> None:
    upgraded.kept.unpack_checkpoints(tmp_path / "old")
    customer = upgraded.steps(upgraded.before)[-1]["subject"]
    printed = upgraded.here.run("explain", customer, "--checkpoint", str(tmp_path / "old"))
    assert printed.startswith(f"Customer {customer} at ")
