"""Silences as their commands, from the topic over the sink to the notifier, on a broker."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from consumers.broker.client import Admin, Cluster, Producer
from consumers.database.aside import UnreadableRow
from consumers.database.base import Base
from consumers.database.database import Database
from consumers.database.notices import NoticeRow, SilenceRow
from consumers.database.warnings import WarningStepRow
from lapwing.cli import lapwing
from tests.consumers.warning_events import value, warning_id
from tests.integration.test_consumers_notify import Receiver, receiver, wait_for

__all__ = ["receiver"]
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


class Place:
    """An installation of its own: topics, a database and a receiver."""

    def __init__(self, broker: str, folder: Path, port: int) -> None:
        name = f"s{uuid4().hex[:8]}"
        self.broker = broker
        self.warnings, self.silences = f"{name}-warnings", f"{name}-silences"
        self.database = f"sqlite:///{folder / 'w.db'}"
        self.environ = {
            "LAPWING_BROKER": broker,
            "LAPWING_APP": name,
            "LAPWING_WARNINGS_TOPIC": self.warnings,
            "LAPWING_SILENCES_TOPIC": self.silences,
            "LAPWING_DATABASE": self.database,
            "LAPWING_SESSION_TIMEOUT": "6s",
            "LAPWING_NOTIFY_URLS": f"desk=json://127.0.0.1:{port}/hook",
            "LAPWING_NOTIFY_AT_MOST": "0",
            "LAPWING_FLAPPING_AFTER": "0",
        }
        admin = Admin(Cluster(broker))
        admin.create(self.warnings, 2, 1, {})
        admin.create(self.silences, 1, 1, {"cleanup.policy": "compact"})
        admin.close()

    def run(self, *args: str) -> str:
        result = CliRunner(env=self.environ).invoke(lapwing, list(args), catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *args: str) -> Any:
        return json.loads(self.run(*args, "--json"))

    def send(self, topic: str, *records: tuple[bytes, bytes | None]) -> None:
        producer = Producer(Cluster(self.broker))
        for key, content in records:
            producer.send(topic, key, content)
        producer.flush()
        producer.close()

    def deliver(self) -> dict[str, Any]:
        self.run("sink", "--no-follow")
        told: dict[str, Any] = self.json("notify", "--no-follow")
        return told

    def rows(self, table: type[Base]) -> list[Any]:
        database = Database(self.database)
        with database.reading() as connection:
            found = list(connection.execute(select(table.__table__)).all())
        database.close()
        return found


@pytest.fixture
def place(broker: str, tmp_path: Path, receiver: Receiver) -> Place:
    return Place(broker, tmp_path, receiver.port)


def customers(receiver: Receiver) -> list[str]:
    return [body["message"].splitlines()[0].removeprefix("Customer: ") for body in receiver.bodies]


def test_a_silenced_warning_is_recorded_and_told_when_the_silence_is_expired(
    place: Place, receiver: Receiver
) -> None:
    added = place.json(
        "silence", "add", "--rule", "login-drop", "--for", "3d", "--author", "me", "--reason", "outage"
    )
    silent = value(customer="c1", causes=("login-drop",))
    place.send(
        place.warnings, (b"c1", silent), (b"c2", value(customer="c2", causes=("login-drop", "overdue")))
    )
    told = place.deliver()
    assert (told["sent"], told["muted"]) == (1, 1)
    assert customers(receiver) == ["c2"]
    [row] = [row for row in place.rows(NoticeRow) if row.verdict != "told"]
    assert (row.step_id, row.verdict, row.why) == (f"{warning_id('c1')}/1", "held", "silence")
    assert row.silence_id == added["id"]
    listed = place.json("silence", "list")
    assert [(s["id"], s["state"], s["muted"]) for s in listed["silences"]] == [(added["id"], "active", 1)]
    assert listed["muted"] == {"silence": {"held": 1, "muted": 0}}

    assert "expired" in place.run("silence", "expire", added["id"][:4], "--author", "me too")
    place.send(place.warnings, (b"c3", value(customer="c3", causes=("login-drop",))))
    told = place.deliver()
    assert (told["sent"], told["muted"]) == (2, 0)
    assert sorted(customers(receiver)) == ["c1", "c2", "c3"]
    late = next(body["message"] for body in receiver.bodies if "Customer: c1" in body["message"])
    assert "Deferred since" in late
    assert "silenced (outage)" in late
    [kept] = place.json("silence", "list", "--state", "expired")["silences"]
    assert (kept["muted"], kept["expired_by"], kept["revision"]) == (1, "me too", 2)
    assert place.deliver()["sent"] == 0
    assert [row.revision for row in place.rows(SilenceRow)] == [2]


def test_what_a_silence_topic_holds_that_is_no_silence_is_put_aside(place: Place) -> None:
    place.send(place.silences, (b"x", b"{}"), (b"y", None))
    place.json("silence", "add", "--everything", "--for", "1h", "--author", "me", "--reason", "move")
    place.send(place.warnings, (b"c1", value(customer="c1")))
    assert place.deliver()["muted"] == 1
    assert [(row.source_topic, row.reason) for row in place.rows(UnreadableRow)] == [
        (place.silences, "invalid")
    ]
    assert len(place.json("silence", "list")["silences"]) == 1


def test_a_sink_that_follows_hears_of_a_silence(place: Place, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "lapwing", "sink"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=os.environ | place.environ, stderr=subprocess.PIPE
    ) as sink:
        try:
            place.send(place.warnings, (b"c1", value(customer="c1")))
            wait_for((tmp_path / "w.db").exists)
            database = Database(place.database)
            database.prepare()
            wait_for(lambda: bool(place.rows(WarningStepRow)))
            place.json("silence", "add", "--everything", "--for", "1h", "--author", "me", "--reason", "move")
            wait_for(lambda: len(place.rows(SilenceRow)) == 1)
            database.close()
        finally:
            sink.kill()
            sink.communicate()


def test_without_its_topic_the_sink_goes_on(place: Place) -> None:
    place.environ["LAPWING_SILENCES_TOPIC"] = "no-such-topic"
    place.send(place.warnings, (b"c1", value(customer="c1")))
    assert place.deliver()["sent"] == 1
