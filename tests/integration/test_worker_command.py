"""`lapwing worker` as a process: how it starts, how it refuses to, and how it ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from lapwing.demo.broker import free_port
from streams.core.events.topics import Topic
from streams.kafka.errors import no_topic
from streams.worker.settings import WorkerSettings
from tests.integration.workers import Sent, event, make_topics, produce, settings_on

RULES = (
    "version: 1\nrules:\n  - {id: any, title: Any, status: active, when: orders_total > 0,"
    " tier: low, reason: test, message: any}\n"
)
OF_SEGMENTS = "segments:\n  - {id: many, by: region, when: complaints_7d > 3, tier: low, reason: test}\n"


def arguments(settings: WorkerSettings, folder: Path, *more: str) -> list[str]:
    """Return the command line of a worker with `settings`, which stand in a file."""
    rules = folder / "rules.yaml"
    rules.write_text(RULES)
    config = folder / "lapwing.toml"
    # Optional topics of their own too: another test may have made those of the default names.
    topics = {topic: settings.topics.get(topic, f"{settings.app}-{topic.label}") for topic in Topic}
    lines = {topic.label: name for topic, name in topics.items()} | {
        "broker": settings.broker,
        "app": settings.app,
        "warnings_topic": settings.warnings_topic,
        "control_topic": settings.control_topic,
        "audit_topic": settings.audit_topic,
        "rules": str(rules),
        "checkpoints": settings.checkpoints or str(folder / "checkpoints"),
        "session_timeout": "6s",
    }
    config.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in lines.items()))
    return [sys.executable, "-m", "lapwing", "worker", "--config", str(config), *more]


def refused(command: list[str]) -> str:
    """Run `command`, which must fail, and return its only line on stderr."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line


def test_a_broker_that_is_not_there_is_named_in_a_line(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    settings = WorkerSettings(broker=address, topics={Topic.ORDERS: "orders"})
    line = refused(arguments(settings, tmp_path))
    assert line.startswith(f"lapwing: Kafka at {address}: no broker answers ")


def test_missing_topics_are_named_with_the_remedy(broker: str, tmp_path: Path) -> None:
    settings = settings_on(broker)
    absent = replace(settings, topics={**settings.topics, Topic.LOGINS: "nowhere"}, control_topic="neither")
    line = refused(arguments(absent, tmp_path))
    assert line == f"lapwing: {no_topic('the broker', 'neither', 'nowhere')}"


def test_input_topics_with_different_partition_counts_are_named(broker: str, tmp_path: Path) -> None:
    settings = settings_on(broker, partitions=2)
    odd = f"{settings.app}-odd"
    make_topics(broker, [odd], 3)
    line = refused(arguments(replace(settings, topics={**settings.topics, Topic.LOGINS: odd}), tmp_path))
    assert f"{odd} has 3" in line
    assert "same number of partitions" in line


def test_it_counts_what_it_does_and_ends_at_once_when_asked_to(broker: str, tmp_path: Path) -> None:
    numbers = (signal.SIGTERM, signal.SIGINT)
    processes = {number: start(broker, tmp_path / number.name) for number in numbers}
    for number, (process, stats) in processes.items():
        try:
            wait_for(stats, process)
            asked = time.monotonic()
        finally:
            process.send_signal(number)
            _, log = process.communicate(timeout=15)
        assert process.returncode == 0, log
        assert time.monotonic() - asked < 5
        assert "someone" not in log
        assert "Traceback" not in log
        last = json.loads(stats.read_text().splitlines()[-1])
        assert (last["events"], last["steps"], last["refused"]) == (1, 1, 1)
        assert len(last["lag"]) == 6
        assert not any(last["lag"].values())


def test_without_the_topics_of_later_versions_it_warns_all_the_same(broker: str, tmp_path: Path) -> None:
    process, stats = start(broker, tmp_path / "old", audit_topic="no-audit", rules=RULES + OF_SEGMENTS)
    try:
        wait_for(stats, process)
    finally:
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=15)
    assert process.returncode == 0, log
    assert "changes of rules are not recorded: no topic no-audit" in log
    assert "segments are not judged" in log
    assert json.loads(stats.read_text().splitlines()[-1])["steps"] == 1


def start(
    broker: str, folder: Path, audit_topic: str = "", rules: str = RULES
) -> tuple[subprocess.Popen[str], Path]:
    """Start a worker with an event and a record to refuse on its topics; return it and its file of stats."""
    folder.mkdir()
    settings = settings_on(broker)
    settings = replace(settings, audit_topic=audit_topic or settings.audit_topic)
    orders = settings.topics[Topic.ORDERS]
    value = event(Topic.ORDERS, "e1", "someone", "2024-01-01T00:00:00Z")
    produce(broker, [Sent(orders, b"someone", value), Sent(orders, b"someone", b"garbage")])
    stats = folder / "stats.jsonl"
    command = arguments(settings, folder, "--stats", str(stats))
    (folder / "rules.yaml").write_text(rules)
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True), stats


def wait_for(stats: Path, process: subprocess.Popen[str], within_s: float = 30) -> None:
    """Wait until the worker has taken an event and refused another."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline and process.poll() is None:
        lines = stats.read_text().splitlines() if stats.exists() else []
        if lines and json.loads(lines[-1])["events"] and json.loads(lines[-1])["steps"]:
            return
        time.sleep(0.1)


def test_a_rebuild_reports_what_it_did_and_workers_go_on_from_it(broker: str, tmp_path: Path) -> None:
    settings = settings_on(broker, 1)
    logins = settings.topics[Topic.LOGINS]
    sent = [
        Sent(logins, b"k", event(Topic.LOGINS, f"l{day}", "k", f"2024-01-0{day}T00:00:00Z")) for day in (1, 2)
    ]
    produce(broker, [*sent, Sent(logins, b"k", b"garbage")])
    done = subprocess.run(
        arguments(settings, tmp_path, "--rebuild"), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("rebuilt 1 partitions from 2 events, 1 refused: 0 warnings are open, ")
    produce(broker, [Sent(logins, b"k", event(Topic.LOGINS, "l3", "k", "2024-01-03T00:00:00Z"))])
    stats = tmp_path / "stats.jsonl"
    process = subprocess.Popen(
        arguments(settings, tmp_path, "--stats", str(stats)), stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 40
        while (
            not stats.exists()
            or json.loads((stats.read_text().splitlines() or ["{}"])[-1]).get("events") != 1
        ):
            assert time.monotonic() < deadline
            time.sleep(0.1)
    finally:
        process.terminate()
        assert process.wait(30) == 0
