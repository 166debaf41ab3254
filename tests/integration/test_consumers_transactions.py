"""What a transaction that was aborted, or is open, wrote is not read by sink and tail, on Apache Kafka."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import kafka  # type: ignore[import-untyped]  # kafka-python ships no types
import pytest
from click.testing import CliRunner

from consumers.broker.client import Admin, Cluster, Producer, Subscription
from lapwing.cli import sink, tail
from tests.consumers.warning_events import life, value, warning_id
from tests.servers import Server

pytestmark = pytest.mark.kafka


@pytest.fixture
def topic(kafka_server: Server) -> str:
    name = f"t-{uuid4().hex[:8]}"
    admin = Admin(Cluster(kafka_server.address))
    admin.create(name, 1, 1, {})
    admin.close()
    return name


def transaction(address: str, topic: str, contents: list[bytes]) -> kafka.KafkaProducer:
    """Return a producer with an open transaction that has written these records."""
    producer = kafka.KafkaProducer(bootstrap_servers=address, transactional_id=uuid4().hex)
    producer.init_transactions()
    producer.begin_transaction()
    for content in contents:
        producer.send(topic, content, key=b"k")
    producer.flush()
    return producer


def send(address: str, topic: str, contents: list[bytes]) -> None:
    producer = Producer(Cluster(address))
    for content in contents:
        producer.send(topic, b"k", content)
    producer.flush()
    producer.close()


def printed(address: str, topic: str) -> list[str]:
    args = ["--broker", address, "--warnings-topic", topic, "--from-beginning", "--no-follow", "--json"]
    result = CliRunner().invoke(tail.command, args, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return [json.loads(line)["id"] for line in result.stdout.splitlines()]


def test_aborted_records_are_not_read_and_the_end_is_reached(
    kafka_server: Server, topic: str, tmp_path: Path
) -> None:
    address = kafka_server.address
    aborted = transaction(address, topic, life("aborted"))
    aborted.abort_transaction()
    aborted.close()
    send(address, topic, [value(customer="plain")])
    committed = transaction(address, topic, [value(customer="committed")])
    committed.commit_transaction()
    committed.close()
    late = transaction(address, topic, life("late"))
    late.abort_transaction()
    late.close()
    expected = [f"{warning_id(name)}/1" for name in ("plain", "committed")]
    assert printed(address, topic) == expected
    args = ["--broker", address, "--app", topic, "--warnings-topic", topic, "--session-timeout", "6s"]
    args += ["--database", f"sqlite:///{tmp_path / 'w.db'}", "--no-follow", "--json"]
    result = CliRunner().invoke(sink.command, args, catch_exceptions=False)
    counts = json.loads(result.stdout)
    # Of this topic alone: others of the sink's topics are shared with other tests.
    expected_counts = {"stored": 2, "repeats": 0, "unreadable": 0}
    of_warnings = counts["kinds"]["warnings"]
    assert {name: of_warnings[name] for name in expected_counts} == expected_counts


def test_an_open_transaction_hides_what_follows_it_and_no_reader_waits_for_it(
    kafka_server: Server, topic: str
) -> None:
    address = kafka_server.address
    send(address, topic, [value(customer="before")])
    open_one = transaction(address, topic, [value(customer="open")])
    send(address, topic, [value(customer="behind")])
    assert printed(address, topic) == [f"{warning_id('before')}/1"]
    subscription = Subscription(Cluster(address), topic, group=None)
    while not subscription.at_end():
        subscription.poll(0.2)
    assert subscription.lag() == 2
    open_one.commit_transaction()
    open_one.close()
    subscription.close()
    assert printed(address, topic) == [f"{warning_id(name)}/1" for name in ("before", "open", "behind")]
