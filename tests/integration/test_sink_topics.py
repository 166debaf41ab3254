"""The sink on all of its topics, on a broker: each record once, whatever happens meanwhile."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from consumers.broker.client import Admin, Cluster, Producer, Subscription
from consumers.broker.records import Record
from consumers.database.aside import UnreadableRow
from consumers.database.base import Base
from consumers.database.database import Database
from consumers.database.outcomes import OutcomeRow
from consumers.loop import Stop
from consumers.sink import topic_watch
from consumers.sink.kinds import OUTCOMES, WARNINGS
from consumers.sink.sink import Sink
from consumers.sink.topic_watch import TopicWatch
from lapwing.cli import sink, topics
from lapwing.commands.sink import kinds_by_topic
from lapwing.settings.settings import load_settings
from tests.consumers.shop_records import KINDS, shop_records

WITHIN_S = 90.0
SETTINGS = {
    "churn-warnings": "WARNINGS_TOPIC",
    "segment-warnings": "SEGMENT_WARNINGS_TOPIC",
    "churn-outcomes": "OUTCOMES_TOPIC",
    "churn-census": "CENSUS_TOPIC",
    "complaints": "COMPLAINTS",
    "actions": "ACTIONS",
    "lapwing-audit": "AUDIT_TOPIC",
    "lapwing-silences": "SILENCES_TOPIC",
}
OTHERS = ("ORDERS", "LOGINS", "FEEDBACK", "PROFILES", "CLOSURES", "CONTROL_TOPIC", "SCORES_TOPIC")


@dataclass(frozen=True)
class Installation:
    """Topics of an application of its own, and its database."""

    broker: str
    app: str
    folder: Path

    @property
    def environ(self) -> dict[str, str]:
        """Its settings."""
        names = {f"LAPWING_{name}": f"{self.app}-{name.lower()}" for name in (*SETTINGS.values(), *OTHERS)}
        return names | {
            "LAPWING_BROKER": self.broker,
            "LAPWING_APP": self.app,
            "LAPWING_DATABASE": self.url,
            "LAPWING_SESSION_TIMEOUT": "6s",
        }

    @property
    def url(self) -> str:
        """Its database."""
        return f"sqlite:///{self.folder / 'w.db'}"

    def topic(self, name: str) -> str:
        """Return what a topic of the shop is called here."""
        if name in SETTINGS:
            return f"{self.app}-{SETTINGS[name].lower()}"
        return name.replace("shop", self.app, 1)

    def make_topics(self) -> None:
        """Make them as `lapwing topics` does."""
        made = CliRunner(env=self.environ).invoke(topics.command, ["--partitions", "3"])
        assert made.exit_code == 0, made.output

    def send(self, records: Sequence[Record], damage: Callable[[bytes], bytes] = lambda value: value) -> None:
        """Send records of the shop to its topics, dated now as a worker's: Kafka may delete older ones."""
        producer = Producer(Cluster(self.broker))
        for record in records:
            value = record.value or b""
            if record.topic == "shop-samples":
                value = msgspec.msgpack.encode(msgspec.msgpack.decode(value) | {"app": self.app})
            producer.send(self.topic(record.topic), record.key, damage(value))
        producer.flush()
        producer.close()

    def sink(self) -> dict[str, Any]:
        """Run a sink to the topics' end; return its counts as JSON."""
        result = CliRunner(env=self.environ).invoke(
            sink.command, ["--no-follow", "--json"], catch_exceptions=False
        )
        assert result.exit_code == 0, result.output
        found: dict[str, Any] = json.loads(result.stdout)
        return found

    def count(self, table: type[Base]) -> int:
        """Return how many rows a table has."""
        database = Database(self.url)
        with database.reading() as connection:
            number = connection.scalar(select(func.count()).select_from(table)) or 0
        database.close()
        return number


@pytest.fixture
def installation(broker: str, tmp_path: Path) -> Installation:
    return Installation(broker, f"s{uuid4().hex[:8]}", tmp_path)


NUMBERS = Counter(record.topic for record in shop_records())


def test_all_topics_are_stored_once_and_their_lag_is_known(installation: Installation) -> None:
    installation.make_topics()
    installation.send(shop_records())
    counts = installation.sink()
    for topic, kind in KINDS.items():
        found = counts["kinds"][kind.name]
        assert (kind.name, found["records"], found["stored"]) == (kind.name, NUMBERS[topic], NUMBERS[topic])
    of_group = {installation.topic(topic) for topic in KINDS if topic != "lapwing-silences"}
    assert counts["lag"] == dict.fromkeys(sorted(of_group), 0)
    assert set(kinds_by_topic(load_settings(environ=installation.environ))) == {
        installation.topic(topic) for topic in KINDS
    }
    admin = Admin(Cluster(installation.broker))
    committed = admin.committed(f"{installation.app}-sink")
    admin.close()
    read = Counter(record.topic for record in shop_records() if record.topic != "lapwing-silences")
    for topic, number in read.items():
        name = installation.topic(topic)
        assert (topic, sum(offset for (other, _), offset in committed.items() if other == name)) == (
            topic,
            number,
        )
    again = installation.sink()
    assert set(again["kinds"]) == {"silences"}  # read whole by every sink
    assert again["kinds"]["silences"]["repeats"] == 2


def test_a_group_of_before_reads_new_topics_from_their_beginning(installation: Installation) -> None:
    """A sink that knew the warnings only has committed their offsets; the rest is older than its update."""
    installation.make_topics()
    installation.send(shop_records())
    database = Database(installation.url)
    database.prepare()
    subscription = Subscription(
        Cluster(installation.broker),
        installation.topic("churn-warnings"),
        group=f"{installation.app}-sink",
        session_timeout_ms=6_000,
    )
    kinds = {installation.topic("churn-warnings"): WARNINGS}
    with Stop() as stop:
        before = Sink(subscription, database, stop, kinds).run(follow=False)
    subscription.close()
    database.close()
    assert before.total.stored == NUMBERS["churn-warnings"]
    counts = installation.sink()["kinds"]
    assert "warnings" not in counts
    assert {name: found["stored"] for name, found in counts.items()} == {
        kind.name: NUMBERS[topic] for topic, kind in KINDS.items() if kind is not WARNINGS
    }


def test_killed_in_the_middle_and_started_again_all_is_there_once(installation: Installation) -> None:
    installation.make_topics()
    half = len(shop_records()) // 2
    command = [sys.executable, "-m", "lapwing", "sink"]
    installation.send(shop_records()[:half])
    with subprocess.Popen(command, cwd=installation.folder, env=installation.environ) as process:
        end = time.monotonic() + WITHIN_S
        while not (installation.folder / "w.db").exists() or process.poll() is not None:
            assert time.monotonic() < end
            time.sleep(0.02)
        installation.send(shop_records()[half:])
        time.sleep(1.0)
        process.kill()
    installation.sink()
    for topic, kind in KINDS.items():
        if kind.name != "samples":
            assert (topic, installation.count(kind.rule.table)) == (topic, NUMBERS[topic])
    assert installation.count(UnreadableRow) == 0


def test_garbage_on_every_topic_stops_nothing(installation: Installation) -> None:
    installation.make_topics()
    first = {record.topic: record for record in shop_records()}
    damages: list[Callable[[bytes], bytes]] = [
        lambda value: b"",
        lambda value: b"[" * 30_000,
        lambda value: b"\xff" + value,
        lambda value: value[: len(value) // 2],
        lambda value: value.replace(b'"', b"'"),
    ]
    for damage in damages:
        installation.send(list(first.values()), damage)
    installation.send(shop_records())
    counts = installation.sink()
    for topic, kind in KINDS.items():
        found = counts["kinds"][kind.name]
        bad = found["unreadable"] + found["refused"]
        assert (topic, found["stored"] + found["repeats"] + bad) == (topic, NUMBERS[topic] + len(damages))
        assert bad >= len(damages) - 1  # of MessagePack, quotes may be a part of a number
        assert found["stored"] >= NUMBERS[topic]
    unreadable = sum(found["unreadable"] for found in counts["kinds"].values())
    assert installation.count(UnreadableRow) == unreadable


@pytest.mark.timeout(300)
def test_a_topic_that_is_made_while_the_sink_runs_is_stored(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topic_watch, "LOOK_EVERY_S", 0.5)
    admin = Admin(Cluster(installation.broker))
    warnings, outcomes = installation.topic("churn-warnings"), installation.topic("churn-outcomes")
    admin.create(warnings, 3, 1, {})
    own = [record for record in shop_records() if record.topic in ("churn-warnings", "churn-outcomes")]
    installation.send([record for record in own if record.topic == "churn-warnings"])
    database = Database(installation.url)
    database.prepare()
    subscription = Subscription(
        Cluster(installation.broker), warnings, group=f"{installation.app}-sink", session_timeout_ms=6_000
    )
    watch = TopicWatch([outcomes], subscription.take_up)
    stop = Stop()
    running = Sink(
        subscription, database, stop, {warnings: WARNINGS, outcomes: OUTCOMES}, look_for_topics=watch.look
    )
    thread = threading.Thread(target=running.run)
    thread.start()
    try:
        wait_for(lambda: running.counts.total.stored == NUMBERS["churn-warnings"])
        admin.create(outcomes, 3, 1, {})
        installation.send([record for record in own if record.topic == "churn-outcomes"])
        wait_for(lambda: running.counts.total.stored == len(own))
    finally:
        stop.ask()
        thread.join(WITHIN_S)
        admin.close()
        subscription.close()
        database.close()
    assert installation.count(OutcomeRow) == NUMBERS["churn-outcomes"]


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)
