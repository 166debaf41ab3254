"""Sink, tail and topics as their commands, on a broker."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select

from consumers.broker.client import Admin, Cluster, Producer, Subscription
from consumers.broker.errors import GroupChanged
from consumers.database.aside import UnreadableRow
from consumers.database.base import Base
from consumers.database.database import Database
from consumers.database.warnings import SegmentWarningRow, SegmentWarningStepRow, WarningRow, WarningStepRow
from lapwing.cli import sink, tail, topics
from streams.errors import BrokerError
from tests.consumers.segment_events import life as segment_life
from tests.consumers.warning_events import life

WITHIN_S = 30.0


@pytest.fixture
def topic(broker: str, request: pytest.FixtureRequest) -> str:
    """Make a topic of its own for each test, named after it."""
    name = f"w-{request.node.originalname}-{uuid4().hex[:8]}"
    admin = Admin(Cluster(broker))
    assert admin.create(name, 3, 1, {})
    assert not admin.create(name, 3, 1, {})
    admin.close()
    return name


def send(broker: str, topic: str, contents: list[bytes | None], compression: str | None = None) -> None:
    producer = Producer(Cluster(broker), compression=compression)
    for number, content in enumerate(contents):
        producer.send(topic, b"k%d" % (number % 7), content, 1_300_000_000_000 + number)
    producer.flush()
    producer.close()


def invoke(command: object, *args: str) -> Result:
    result = CliRunner().invoke(command, list(args), catch_exceptions=False)  # type: ignore[arg-type]
    assert result.exit_code == 0, result.output
    return result


def count(database: Database, table: type[Base]) -> int:
    with database.reading() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def sink_args(broker: str, topic: str, database: Path) -> list[str]:
    """Return the arguments of a sink whose topics are no other test's."""
    args = ["--broker", broker, "--app", topic, "--warnings-topic", topic]
    for name in ("segment-warnings", "outcomes", "census", "audit", "silences"):
        args += [f"--{name}-topic", f"{topic}-{name}"]
    args += ["--complaints", f"{topic}-complaints", "--actions", f"{topic}-actions"]
    return [*args, "--database", f"sqlite:///{database}", "--session-timeout", "6s"]


def stored(result: Result) -> tuple[int, int, int, int]:
    """Return the records, the new steps of warnings, the repeats and the unreadable ones of a sink's JSON."""
    counts = json.loads(result.stdout)
    return counts["records"], counts["steps"], counts["repeats"], counts["unreadable"]


LIVES: list[bytes | None] = [content for n in range(50) for content in life(f"c{n}")]


@pytest.mark.parametrize("compression", [None, "gzip", "snappy", "lz4", "zstd"])
def test_every_compression_is_read(broker: str, topic: str, compression: str | None) -> None:
    send(broker, topic, LIVES * 20, compression)
    args = ["--broker", broker, "--warnings-topic", topic, "--from-beginning", "--no-follow"]
    assert len(invoke(tail.command, *args).stdout.splitlines()) == 4_000


def test_the_sink_stores_what_is_in_the_topic_and_goes_on_where_it_was(
    broker: str, topic: str, tmp_path: Path
) -> None:
    args = [*sink_args(broker, topic, tmp_path / "w.db"), "--no-follow", "--json"]
    send(broker, topic, [*LIVES, b"no warning"])
    assert stored(invoke(sink.command, *args)) == (201, 200, 0, 1)
    send(broker, topic, [*life("new"), *LIVES[:5]])
    counts = invoke(sink.command, *args)
    assert stored(counts) == (9, 4, 5, 0)
    assert json.loads(counts.stdout)["kinds"]["warnings"]["stored"] == 4
    assert json.loads(counts.stdout)["lag"] == {topic: 0}
    database = Database(f"sqlite:///{tmp_path / 'w.db'}")
    assert [count(database, table) for table in (WarningStepRow, WarningRow, UnreadableRow)] == [204, 51, 1]
    with database.reading() as connection:
        assert set(connection.scalars(select(WarningRow.state))) == {"resolved"}
    database.close()


def test_a_database_that_is_gone_while_the_offsets_stay_is_reported_with_what_to_do(
    broker: str, topic: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    args = [*sink_args(broker, topic, tmp_path / "w.db"), "--no-follow", "--json"]
    invoke(sink.command, *args)
    send(broker, topic, LIVES[:8])
    invoke(sink.command, *args)
    invoke(sink.command, *args)
    assert "committed offsets" not in caplog.text
    new = tmp_path / "new.db"
    lost = invoke(sink.command, *sink_args(broker, topic, new), "--no-follow", "--json")
    assert stored(lost)[0] == 0
    lack = f"{new} has nothing of {topic}, but group {topic}-sink has committed offsets of 8 records there"
    assert lack in caplog.text
    assert f"--group {topic}-sink --delete" in caplog.text


def test_the_sink_stores_segments_warnings_where_their_topic_is_there(
    broker: str, topic: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    segments = f"{topic}-segment-warnings"
    args = [*sink_args(broker, topic, tmp_path / "w.db"), "--no-follow", "--json"]
    send(broker, topic, LIVES[:8])
    assert stored(invoke(sink.command, *args)) == (8, 8, 0, 0)
    missing = [each for each in caplog.messages if each.startswith("Kafka has no topic")]
    assert [repr(segments) in each for each in missing] == [True, False]
    admin = Admin(Cluster(broker))
    admin.create(segments, 3, 1, {})
    admin.close()
    contents: list[bytes | None] = [*segment_life("north"), *segment_life("south")]
    send(broker, segments, [*contents, b"no warning", *contents])
    assert stored(invoke(sink.command, *args)) == (17, 8, 8, 1)
    assert committed(broker, f"{topic}-sink", segments) == 17
    database = Database(f"sqlite:///{tmp_path / 'w.db'}")
    assert [count(database, table) for table in (SegmentWarningStepRow, SegmentWarningRow)] == [8, 2]
    assert [count(database, table) for table in (WarningStepRow, WarningRow)] == [8, 2]
    database.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_sink_follows_the_topic_and_ends_cleanly_at_a_signal(
    broker: str, topic: str, tmp_path: Path, number: signal.Signals
) -> None:
    url = f"sqlite:///{tmp_path / 'w.db'}"
    command = [sys.executable, "-m", "lapwing", "sink", *sink_args(broker, topic, tmp_path / "w.db")]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            send(broker, topic, LIVES[:100])
            wait_for(lambda: (tmp_path / "w.db").exists())
            database = Database(url)
            database.prepare()
            wait_for(lambda: count(database, WarningStepRow) == 100)
            send(broker, topic, LIVES[100:])
            wait_for(lambda: count(database, WarningStepRow) == 200)
            wait_for(lambda: committed(broker, f"{topic}-sink", topic) == 200)
            os.kill(process.pid, number)
            out, err = process.communicate(timeout=WITHIN_S)
        finally:
            process.kill()
    assert process.returncode == 0, err
    assert out == "200 records stored, 0 repeats, 0 unreadable\n"
    assert "Traceback" not in err
    database.close()


def committed(broker: str, group: str, topic: str) -> int:
    admin = Admin(Cluster(broker))
    offsets = admin.committed(group)
    admin.close()
    return sum(offset for (name, _), offset in offsets.items() if name == topic)


def test_tail_prints_what_is_there_and_what_comes(broker: str, topic: str) -> None:
    send(broker, topic, [*LIVES[:8], b"nonsense"])
    args = ["--broker", broker, "--warnings-topic", topic, "--from-beginning", "--no-follow"]
    plain = invoke(tail.command, *args)
    assert len(plain.stdout.splitlines()) == 8
    assert "high    resolved" in plain.stdout
    assert "\x1b" not in plain.stdout  # not a terminal
    assert "not a warning event" in plain.stderr
    raw = invoke(tail.command, *args, "--json")
    assert sorted(raw.stdout.encode().splitlines()) == sorted(c for c in LIVES[:8] if c)


def test_tail_follows_from_the_end(broker: str, topic: str, tmp_path: Path) -> None:
    args = ["--broker", broker, "--warnings-topic", topic, "--json"]
    with subprocess.Popen(
        [sys.executable, "-m", "lapwing", "tail", *args], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            # Until it has taken its place at the end it sees nothing, so what is sent is sent again.
            lines: list[str] = []
            reader = threading.Thread(target=lines.extend, args=[process.stdout], daemon=True)
            reader.start()

            def sent_and_seen() -> bool:
                send(broker, topic, LIVES[:1])
                time.sleep(0.3)
                return bool(lines)

            wait_for(sent_and_seen)
            process.terminate()
            reader.join(WITHIN_S)
            assert process.wait(WITHIN_S) == 0
        finally:
            process.kill()
    assert {line.encode() for line in lines} == {(LIVES[0] or b"") + b"\n"}


def test_a_reader_from_the_end_on_sees_nothing_that_was_there(broker: str, topic: str) -> None:
    send(broker, topic, LIVES[:40])  # in batches of many records
    reader = Subscription(Cluster(broker), topic, group=None, from_beginning=False)
    assert reader.positions() == reader.ends(5)
    assert sum(reader.positions().values()) == 40
    send(broker, topic, LIVES[40:44])
    found: list[bytes | None] = []

    def read_all() -> bool:
        found.extend(record.value for record in reader.poll(0.2))
        return len(found) >= 4

    wait_for(read_all)
    reader.close()
    assert sorted(value or b"" for value in found) == sorted(value or b"" for value in LIVES[40:44])


def test_an_empty_topic_has_an_end(broker: str, topic: str) -> None:
    assert (
        invoke(
            tail.command, "--broker", broker, "--warnings-topic", topic, "--from-beginning", "--no-follow"
        ).stdout
        == ""
    )


def test_records_keep_all_they_came_with(broker: str, topic: str) -> None:
    producer = Producer(Cluster(broker))
    producer.send(topic, b"k", b"v", 1_234, [("why", b"because")], partition=2)
    producer.send(topic, b"k", None, 1_235, partition=2)
    producer.flush()
    producer.close()
    subscription = Subscription(Cluster(broker), topic, group=None)
    found = []
    while not subscription.at_end():
        found += subscription.poll(0.2)
    assert [(r.partition, r.offset, r.timestamp_ms, r.key, r.value, r.headers) for r in found] == [
        (2, 0, 1_234, b"k", b"v", (("why", b"because"),)),
        (2, 1, 1_235, b"k", None, ()),
    ]
    assert subscription.lag() == 0
    subscription.close()


def test_the_ends_of_a_topic_are_known_without_reading_it(broker: str, topic: str) -> None:
    send(broker, topic, LIVES[:30])
    everything = Subscription(Cluster(broker), topic, group=None)
    reader = Subscription(Cluster(broker), topic, group=None, from_beginning=False, max_records=1)
    while not everything.at_end():
        everything.poll(0.2)
    assert sum(reader.ends(5).values()) == 30
    assert reader.ends(5) == everything.ends(5)
    assert set(reader.ends(5)) == {0, 1, 2}
    everything.close()
    reader.close()


def test_a_member_commits_nothing_of_partitions_that_it_lost(broker: str, topic: str) -> None:
    send(broker, topic, LIVES[:30])
    first = Subscription(Cluster(broker), topic, group=topic, session_timeout_ms=6_000)
    wait_for(lambda: bool(first.poll(0.5)))
    # What is not this member's is not committed; `Commits` tries for a while, and then forgets it.
    with pytest.raises(GroupChanged):
        first.commit({(topic, 99): 5})
    assert committed(broker, topic, topic) == 0
    first.close()


def test_topics_are_made_checked_and_fit(broker: str) -> None:
    made = f"made{uuid4().hex[:8]}"
    args = ["--broker", broker, "--app", made]
    names = {
        f"LAPWING_{name.upper()}": f"{made}-{name}"
        for name in ("orders", "logins", "complaints", "feedback", "profiles", "actions", "closures")
    }
    names |= {"LAPWING_WARNINGS_TOPIC": f"{made}-warnings", "LAPWING_CONTROL_TOPIC": f"{made}-control"}
    names |= {"LAPWING_SEGMENT_WARNINGS_TOPIC": f"{made}-segment-warnings"}
    names |= {"LAPWING_AUDIT_TOPIC": f"{made}-audit", "LAPWING_SILENCES_TOPIC": f"{made}-silences"}
    names |= {"LAPWING_OUTCOMES_TOPIC": f"{made}-outcomes", "LAPWING_CENSUS_TOPIC": f"{made}-census"}
    runner = CliRunner(env=names)
    before = runner.invoke(topics.command, [*args, "--check"])
    assert isinstance(before.exception, BrokerError)
    assert f"{made}-orders".ljust(24) + " missing: run `lapwing topics`" in before.stdout
    result = runner.invoke(topics.command, [*args, "--partitions", "3", "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)
    assert {row["topic"]: row["partitions"] for row in rows} == {
        **dict.fromkeys(names.values(), 3),
        **dict.fromkeys((f"{made}-control", f"{made}-audit", f"{made}-silences"), 1),
        f"{made}.rejected": 3,
        f"{made}.segment-days": 3,
        f"{made}.customer-days": 3,
        f"{made}-samples": 1,
        f"{made}-models": 1,
        f"{made}.erasures": 1,
    }
    assert all(row["created"] for row in rows)
    again = runner.invoke(topics.command, args, catch_exceptions=False)
    assert again.stdout.count("3 partitions, there") == 14
    other = Admin(Cluster(broker))
    other.create(f"{made}-torn", 5, 1, {})
    other.close()
    runner = CliRunner(env=names | {"LAPWING_LOGINS": f"{made}-torn"})
    torn = runner.invoke(topics.command, [*args, "--check"])
    assert f"{made}-torn".ljust(24) + " has 5 partitions where others have 3" in torn.stdout
    assert str(torn.exception) == "1 of 20 topics are missing or do not fit together"


def test_a_topic_that_is_not_there_is_named(broker: str) -> None:
    with pytest.raises(BrokerError, match=r"has no topic nowhere, or .*`lapwing topics`"):
        Subscription(Cluster(broker), "nowhere", group="g")


def test_an_absent_broker_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "lapwing", command, "--broker", "127.0.0.1:1"],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for command in ("sink", "tail", "topics")
    ]
    for process in running:
        out, err = process.communicate(timeout=WITHIN_S)
        assert process.returncode == 1
        assert out == ""
        assert err.splitlines() == [
            "lapwing: Kafka at 127.0.0.1:1: no broker answers (connection refused): start it, or name "
            "another with --broker HOST:PORT"
        ]


LEFT_RUNNING = """
import threading
from consumers.broker import client
client.BOOTSTRAP_MS = (100, 300)
absent = client.Cluster("127.0.0.1:1")
for kind in (lambda: client.Subscription(absent, "t", group="g"), lambda: client.Producer(absent),
             lambda: client.Admin(absent)):
    try:
        kind()
    except client.BrokerError as error:
        print(type(error).__name__)
print(threading.active_count())
"""


def test_nothing_is_left_running_where_the_broker_is_absent() -> None:
    # In a process of its own: the client leaves its refused sockets to the garbage collector, which warns.
    done = subprocess.run([sys.executable, "-c", LEFT_RUNNING], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["BrokerAway", "BrokerAway", "BrokerAway", "1"]


def test_a_sink_that_starts_on_a_locked_file_waits(
    broker: str, topic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consumers.database.database.BUSY_MS", 200)
    url = f"sqlite:///{tmp_path / 'w.db'}"
    Database(url).prepare()
    locked = sqlite3.connect(tmp_path / "w.db", isolation_level=None, check_same_thread=False)
    locked.execute("BEGIN IMMEDIATE")
    threading.Timer(2, lambda: locked.execute("ROLLBACK")).start()
    send(broker, topic, LIVES[:8])
    args = ["--broker", broker, "--app", topic, "--warnings-topic", topic, "--database", url]
    counts = json.loads(
        invoke(sink.command, *args, "--session-timeout", "6s", "--no-follow", "--json").stdout
    )
    assert counts["steps"] == 8
    locked.close()
