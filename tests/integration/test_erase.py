"""`lapwing erase` in a whole installation: afterwards the customer is searched for everywhere."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import polars as pl
import pytest
from click.testing import CliRunner, Result

from consumers.broker.client import Cluster, Producer, Subscription
from consumers.broker.records import Record
from consumers.erasure import request_erasure
from lapwing.cli import lapwing
from lapwing.settings.settings import Settings, load_settings
from lapwing.topic_plan import planned
from streams.contract.erasures import parse_erasure
from streams.core.erasures import ErasureKey
from streams.core.events.topics import Topic
from tests.integration.workers import Sent, event, produce

GONE: Final = "gone-customer-é7"
STAYS: Final = "staying-customer"
KEY: Final = "a key for these tests"
RULES: Final = (
    "version: 1\nrules:\n  - {id: buys, title: Buys, status: active, when: orders_total >= 2,"
    " tier: low, reason: test, message: any}\n"
)
WITHIN_S: Final = 60.0

# Processes start one after the other, on a machine that may do much else.
pytestmark = pytest.mark.timeout(400)


class Place:
    """An installation of its own: topics, rules, checkpoints, a database and a log."""

    def __init__(self, broker: str, folder: Path) -> None:
        self.folder = folder
        self.app = f"e{uuid4().hex[:8]}"
        (folder / "rules.yaml").write_text(RULES)
        names = [topic.label for topic in Topic]
        names += ["warnings_topic", "control_topic", "audit_topic", "segment_warnings_topic"]
        names += ["outcomes_topic", "census_topic", "scores_topic", "silences_topic"]
        self.environ = {
            "LAPWING_BROKER": broker,
            "LAPWING_APP": self.app,
            "LAPWING_CHECKPOINTS": str(folder / "checkpoints"),
            "LAPWING_CHECKPOINT_EVERY": "1s",
            "LAPWING_DATABASE": f"sqlite:///{folder / 'w.db'}",
            "LAPWING_RULES": str(folder / "rules.yaml"),
            "LAPWING_SESSION_TIMEOUT": "6s",
            "LAPWING_SCORE_STEP": "0.1",
            "LAPWING_ERASURE_KEY": KEY,
            **{f"LAPWING_{name.upper()}": f"{self.app}-{name}" for name in names},
        }
        self.settings = self._settings()
        self.orders = 0
        self.begin = datetime.now(UTC) - timedelta(days=20)
        self.run("topics", "--partitions", "2")

    def _settings(self) -> Settings:
        return load_settings(environ=self.environ)

    def run(self, *args: str, code: int = 0) -> Result:
        result = CliRunner(env=self.environ).invoke(lapwing, list(args))
        assert (0 if result.exception is None else 1) == code, (result.output, result.exception)
        return result

    def erase(self, *args: str, code: int = 0) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("erase", *args, "--json", code=code).stdout)
        return found

    def send(self, topic: Topic, customer: str, day: float, count: int = 1) -> None:
        for _ in range(count):
            self.orders += 1
            at = self.begin + timedelta(days=day, seconds=self.orders)
            value = event(topic, f"e{self.orders}", customer, at.isoformat())
            name = self.settings.topics[topic]
            produce(self.settings.broker, [Sent(name, customer.encode(), value)])

    @contextmanager
    def worker(self) -> Iterator[Path]:
        """Run a worker as a process and yield where it writes its statistics."""
        stats = self.folder / f"stats-{uuid4().hex[:6]}.jsonl"
        environ = {**os.environ, **self.environ}
        with (self.folder / "worker.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "lapwing", "worker", "--stats", str(stats)],
                env=environ, cwd=self.folder, stderr=log,
            )  # fmt: skip
            try:
                yield stats
            finally:
                process.send_signal(signal.SIGTERM)
                assert process.wait(20) == 0, (self.folder / "worker.log").read_text()

    def sink(self) -> None:
        self.run("sink", "--no-follow")

    def texts(self) -> Iterator[tuple[str, bytes]]:
        """Yield everything on the disk, tables as what they hold."""
        for path in sorted(self.folder.rglob("*")):
            try:
                content = path.read_bytes()
            except (FileNotFoundError, IsADirectoryError):  # a running worker removes old checkpoints
                continue
            yield str(path), content
            if path.suffix == ".parquet":
                yield str(path), pl.read_parquet(io.BytesIO(content)).write_json().encode()

    def holding(self, customer: str) -> set[str]:
        """Return the files in whose bytes the customer is, as it stands there or as JSON may write it."""
        spellings = (customer.encode(), json.dumps(customer)[1:-1].encode())
        return {name for name, text in self.texts() if any(spelling in text for spelling in spellings)}

    def records(self, topic: str) -> list[Record]:
        found: list[Record] = []
        cluster = Cluster(self.settings.broker)
        with closing(Subscription(cluster, topic, group=None)) as subscription:
            while records := subscription.poll(1.0):
                found += records
        return found


def last(stats: Path) -> dict[str, Any]:
    lines = stats.read_text().splitlines() if stats.exists() else []
    found: dict[str, Any] = json.loads(lines[-1]) if lines else {}
    return found


def wait_for(stats: Path, events: int, checkpoints: int = 0) -> None:
    deadline = time.monotonic() + WITHIN_S
    while (now := last(stats)).get("events", 0) < events or now["checkpoints"] < checkpoints:
        assert time.monotonic() < deadline, now
        time.sleep(0.1)


def wait_until_held(place: Place, endings: tuple[str, ...]) -> None:
    """Wait until a file of such a name holds the customer who is to be erased."""
    deadline = time.monotonic() + WITHIN_S
    while not any(name.endswith(endings) for name in place.holding(GONE)):
        assert time.monotonic() < deadline, endings
        time.sleep(0.2)


@pytest.fixture
def place(broker: str, tmp_path: Path) -> Place:
    return Place(broker, tmp_path)


def of_customer(record: Record) -> bool:
    name = GONE.encode()
    text = json.dumps(GONE)[1:-1].encode()
    headers = b"".join(value for _, value in record.headers)
    return any(name in part or text in part for part in (record.key or b"", record.value or b"", headers))


def test_an_erased_customer_is_nowhere_but_in_topics_that_expire(place: Place) -> None:
    for topic in (Topic.ORDERS, Topic.LOGINS, Topic.PROFILES, Topic.COMPLAINTS):
        place.send(topic, GONE, 1, 3)
        place.send(topic, STAYS, 1, 3)
    place.run("silence", "add", "--customer", GONE, "--for", "3d", "--by", "ann", "--reason", "asked")
    place.run(
        *("silence", "add", "--customer", GONE, "--customer", STAYS, "--for", "3d"),
        *("--by", "ann", "--reason", f"{GONE} and another asked"),
    )
    with place.worker() as stats:
        wait_for(stats, 24, checkpoints=2)
        place.sink()
        wait_until_held(place, (".db", ".db-wal"))
        wait_until_held(place, ("customers.parquet",))
        report = place.erase(GONE, "--wait")
    assert report["unknown"] == []
    assert report["failures"] == []
    assert report["rows"]["warning_steps"] == 1
    assert report["silences"] == 2
    assert [each["stage"] for each in report["partitions"]] == ["cleared"] * len(report["partitions"])
    assert GONE not in json.dumps(report, ensure_ascii=False)
    assert place.holding(GONE) == set()
    assert any(name.endswith("customers.parquet") for name in place.holding(STAYS))

    expiring = {each["topic"] for each in report["expiring"]}
    assert {place.settings.warnings_topic, place.settings.topics[Topic.ORDERS]} <= expiring
    compacted = {place.settings.topics[Topic.PROFILES], place.settings.scores_topic}
    assert set(report["tombstones"]) == compacted
    for spec in planned(place.settings):
        records = place.records(spec.name)
        if spec.name in expiring:
            continue
        newest = {(record.partition, record.key): record for record in records}  # as compaction leaves it
        left = [record for record in newest.values() if of_customer(record)]
        if spec.name in compacted:
            assert all(record.value is None for record in left), spec.name
        elif spec.config.get("cleanup.policy") == "compact":
            assert not left, spec.name
        else:
            assert not any(map(of_customer, records)), spec.name
    steps = [
        json.loads(r.value or b"") for r in place.records(place.settings.warnings_topic) if of_customer(r)
    ]
    assert [step["type"] for step in steps] == ["churn.warning.opened", "churn.warning.withdrawn"]
    records = place.records(place.settings.erasures_topic)
    (request,) = [each for each in records if not parse_erasure(each.value or b"").is_marker]
    assert set(json.loads(request.value or b"")) == {"hash", "erased_at", "key_id"}

    # The same events in a file, with the erasures of the topic: the customer does not count.
    listed = place.folder / "erasures.jsonl"
    listed.write_text(place.run("erase", "--list").stdout)
    events = place.folder / "orders.jsonl"
    orders = [record.value or b"" for record in place.records(place.settings.topics[Topic.ORDERS])]
    events.write_bytes(b"".join(order[:-1] + b', "type": "order"}\n' for order in orders))
    replayed = place.run("replay", str(events), "--erasures", str(listed), "--json")
    events.unlink()
    summary = json.loads(replayed.stdout)
    assert (summary["events"], summary["erased"], summary["customers"]) == (3, 3, 1)

    # The sink reads on: what the worker put out of the customer until then is not stored.
    stored = place.run("sink", "--no-follow").output
    assert "of erased customers" in stored
    assert place.holding(GONE) == set()

    # What a person does from now on begins a new customer.
    with place.worker() as stats:
        place.send(Topic.ORDERS, GONE, 2)  # read again, or late: it is of before
        place.begin = datetime.now(UTC) - timedelta(days=1)
        place.send(Topic.ORDERS, STAYS, 1)
        wait_for(stats, 1)
        assert last(stats)["erased"] == 1
    assert place.holding(GONE) == set()
    assert place.erase(GONE, "--check")["failures"] == []


def test_a_customer_nobody_knows_is_remembered(place: Place) -> None:
    """All the while the topic holds an erasure with a key that somebody has made up."""
    made_up = ErasureKey(b"made up by somebody")
    with closing(Producer(Cluster(place.settings.broker))) as producer:
        request_erasure(producer, place.settings.erasures_topic, made_up, STAYS, datetime.now(UTC))
    place.send(Topic.ORDERS, STAYS, 1, 3)
    with place.worker() as stats:
        wait_for(stats, 3, checkpoints=1)
    absent = place.erase("nobody", code=1)
    assert absent["failures"] == [f"there is no database {place.settings.database}"]
    place.run("sink", "--no-follow")
    report = place.erase("nobody")
    assert report["unknown"] == report["hashes"]
    assert report["rows"] == {}
    assert [each["stage"] for each in report["partitions"]] == ["waiting"] * len(report["partitions"])
    assert len(place.records(place.settings.erasures_topic)) == 4  # the note of the key is the first
    # Without a worker nothing is cleared, and with --wait that is a failure.
    late = place.erase("nobody", "--wait", "--within", "1s", code=1)
    assert "no worker has erased the customers yet" in late["failures"][0]
    with place.worker():
        done = place.erase("nobody", "--wait")
    assert [each["stage"] for each in done["partitions"]] == ["cleared"] * len(done["partitions"])
    found = place.erase(STAYS, "--check", code=1)
    assert found["failures"] == ["there are rows in the database", "there are checkpoints"]
    place.environ["LAPWING_ERASURE_KEY"] = "another key for tests"
    other = place.run("erase", "nobody", code=1)
    assert "customers were erased with the key" in str(other.exception)
