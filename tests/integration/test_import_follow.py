"""Topics of sources become topics of the contract on a broker, whatever happens to the process meanwhile."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from consumers.broker.client import Admin, Cluster, Producer, Subscription
from consumers.broker.records import Record
from streams.contract.decode import decode_poll
from streams.contract.rejected import read_rejected_headers
from streams.core.events.topics import Topic
from tests.integration.workers import make_topics
from tests.registry_endpoint import Producer as AvroProducer
from tests.registry_endpoint import RegistryEndpoint, Shelf

WITHIN_S = 60.0
PARTITIONS = 3
FILE = """\
version: 1
sources:
  shop-orders:
    topic: {app}-shop.orders
    events:
      - to: orders
        where: {{state: [paid, refunded]}}
        fields:
          event_id: {{hash: [id, state]}}
          customer_id: {{path: customer.id, prefix: shop-}}
          occurred_at: {{path: created, time: epoch_ms}}
          order_id: id
          amount: {{path: cents, minor_units: EUR}}
          status: {{path: state, map: {{paid: placed, refunded: returned}}}}
  shop-users:
    topic: {app}-shop.users
    format: debezium
    events:
      - to: profiles
        fields: {{event_id: {{hash: [id]}}, customer_id: id, occurred_at: changed, region: city}}
  app-logins:
    topic: {app}-app.logins
    format: avro
    events:
      - {{to: logins, fields: {{event_id: id, customer_id: who, occurred_at: at}}}}
"""
LOGIN = {"type": "record", "name": "Login", "fields": [
    {"name": "id", "type": "string"}, {"name": "who", "type": "string"},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}}]}  # fmt: skip
AT_MS = 1_772_359_200_000


@dataclass(frozen=True)
class Installation:
    """Topics of an application of its own, and a file of inputs."""

    broker: str
    app: str
    folder: Path
    registry: str

    @property
    def environ(self) -> dict[str, str]:
        """Its settings."""
        names = {f"LAPWING_{topic.name}": self.topic(topic.label) for topic in Topic}
        return names | {
            "LAPWING_BROKER": self.broker,
            "LAPWING_APP": self.app,
            "LAPWING_SESSION_TIMEOUT": "6s",
            "LAPWING_METRICS_LISTEN": "127.0.0.1:0",
            "LAPWING_SCHEMA_REGISTRY_URL": self.registry,
            "LAPWING_SCHEMA_CACHE": str(self.folder / "schemas"),
        }

    def topic(self, name: str) -> str:
        return f"{self.app}-{name}"

    def make(self) -> None:
        (self.folder / "inputs.yaml").write_text(FILE.format(app=self.app))
        names = ["shop.orders", "shop.users", "app.logins", *(topic.label for topic in Topic)]
        make_topics(self.broker, [*map(self.topic, names), f"{self.app}.rejected"], PARTITIONS)

    def started(self, *words: str) -> subprocess.Popen[str]:
        """Start an import that follows the topics."""
        command = [sys.executable, "-m", "lapwing", "import", "--follow", "--map", "inputs.yaml", "--json"]
        return subprocess.Popen(
            [*command, *words],
            cwd=self.folder,
            env={**os.environ, **self.environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finished(self, *words: str) -> dict[str, Any]:
        """Run an import to the topics' end; return what it has counted."""
        out, errors = self.started("--to-end", *words).communicate(timeout=2 * WITHIN_S)
        assert out, errors
        found: dict[str, Any] = json.loads(out)
        return found

    def send(self, name: str, values: Sequence[tuple[bytes | None, bytes | None]]) -> None:
        producer = Producer(Cluster(self.broker))
        for key, value in values:
            producer.send(self.topic(name), key, value)
        producer.flush()
        producer.close()

    def records(self, name: str) -> list[Record]:
        """Return all records of a topic."""
        reading = Subscription(Cluster(self.broker), name, group=None)
        found: list[Record] = []
        until = time.monotonic() + WITHIN_S
        while time.monotonic() < until:
            some = reading.poll(1.0)
            found += some
            if not some and reading.at_end():
                break
        reading.close()
        return found

    def committed(self) -> int:
        """Return how many records the import has committed."""
        admin = Admin(Cluster(self.broker))
        offsets = admin.committed(f"{self.app}-import")
        admin.close()
        return sum(offsets.values())

    def wait_until(self, reached: Callable[[], bool], process: subprocess.Popen[str]) -> None:
        until = time.monotonic() + WITHIN_S
        while not reached():
            assert process.poll() is None, process.communicate()
            if time.monotonic() > until:
                process.kill()
                pytest.fail(f"not in time: {process.communicate()[1][-5_000:]}")
            time.sleep(0.2)


@pytest.fixture
def shop(broker: str, tmp_path: Path) -> Installation:
    made = Installation(broker, f"f{uuid4().hex[:8]}", tmp_path, "http://127.0.0.1:9")
    made.make()
    return made


def order(number: int, state: str = "paid") -> bytes:
    customer = {"id": number % 7}
    return json.dumps(
        {"id": f"o{number}", "state": state, "customer": customer, "created": AT_MS + number, "cents": 100}
    ).encode()


def ids(records: Sequence[Record], topic: Topic = Topic.ORDERS) -> list[str]:
    """Return the ids of events, all of which the contract takes, under their customers' keys."""
    values, keys = [each.value for each in records], [each.key for each in records]
    stamps = [each.timestamp_ms for each in records]
    decoded = decode_poll(topic, values, keys, stamps, max_skew_us=3_600_000_000)
    assert decoded.refused == []
    found: list[str] = decoded.batch.event_id.tolist()
    return found


def test_events_come_under_their_customers_and_refusals_with_their_bytes(shop: Installation) -> None:
    row = {"id": "ann", "changed": "2026-03-01T10:00:00Z", "city": "Jena"}
    shop.send("shop.users", [(b"1", json.dumps({"op": "c", "after": row}).encode()), (b"1", None)])
    bad = order(3).replace(b'"cents": 100', b'"cents": "many"')
    orders = [*map(order, range(20)), order(20, "draft"), bad, b"no json"]
    shop.send("shop.orders", [(f"o{n}".encode(), value) for n, value in enumerate(orders)])
    counts = shop.finished("--source", "shop-orders")
    topic = shop.topic("shop.orders")
    assert counts == {
        "records": {topic: 23},
        "events": {shop.topic("orders"): 20},
        "refused": {topic: {"not_json": 1, "wrong_type": 1}},
        "passed": {topic: 1},
    }
    written = shop.records(shop.topic("orders"))
    assert len(set(ids(written))) == 20
    partitions: dict[bytes | None, set[int]] = {}
    for each in written:
        partitions.setdefault(each.key, set()).add(each.partition)
    assert partitions.keys() == {f"shop-{n}".encode() for n in range(7)}
    assert {len(places) for places in partitions.values()} == {1}
    rejected = {
        each.value: read_rejected_headers(each.headers) for each in shop.records(f"{shop.app}.rejected")
    }
    assert rejected.keys() == {bad, b"no json"}
    assert {each.topic for each in rejected.values()} == {topic}
    assert rejected[bad].detail.startswith("shop-orders: amount")
    # Committed is committed: nothing comes twice; and the other sources are followed when they are wanted.
    counts = shop.finished("--source", "shop-orders")
    assert counts["records"] == {}
    assert shop.finished("--source", "shop-users")["events"] == {shop.topic("profiles"): 1}
    assert [json.loads(each.value or b"")["region"] for each in shop.records(shop.topic("profiles"))] == [
        "Jena"
    ]


def test_killed_in_full_swing_and_started_again_the_events_are_the_same(shop: Installation) -> None:
    number = 30_000
    shop.send("shop.orders", [(b"o%d" % n, order(n)) for n in range(number)])
    process = shop.started("--source", "shop-orders")
    shop.wait_until(lambda: shop.committed() > 0, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert shop.committed() < number
    second = shop.started("--source", "shop-orders")
    shop.wait_until(lambda: shop.committed() == number, second)
    second.send_signal(signal.SIGTERM)
    out, errors = second.communicate(timeout=WITHIN_S)
    assert second.returncode == 0, errors
    assert json.loads(out)["records"]
    assert len(set(ids(shop.records(shop.topic("orders"))))) == number


def test_a_registry_that_is_away_stops_no_other_topic(broker: str, tmp_path: Path) -> None:
    shelf = Shelf()
    login = AvroProducer(shelf).avro(LOGIN, {"id": "l1", "who": "ann", "at": AT_MS})
    ((schema_id, schema),) = shelf.schemas.items()
    path = f"/schemas/ids/{schema_id}"
    with RegistryEndpoint({path: (503, b"")}) as endpoint:
        shop = Installation(broker, f"f{uuid4().hex[:8]}", tmp_path, endpoint.url)
        shop.make()
        shop.send("app.logins", [(b"x", login)])
        process = shop.started()
        shop.wait_until(lambda: bool(endpoint.asked), process)
        shop.send("shop.orders", [(b"o%d" % n, order(n)) for n in range(50)])
        shop.wait_until(lambda: shop.committed() == 50, process)
        assert shop.records(shop.topic("logins")) == []
        endpoint.answers[path] = (200, json.dumps({"schema": schema.text}).encode())
        shop.wait_until(lambda: shop.committed() == 51, process)
        process.terminate()
        _, errors = process.communicate(timeout=WITHIN_S)
    assert "records with unknown schemas wait" in errors
    assert process.returncode == 0, errors
    (written,) = shop.records(shop.topic("logins"))
    assert (written.key, ids([written], Topic.LOGINS)) == (b"ann", ["l1"])


def test_what_cannot_be_followed_is_said(shop: Installation) -> None:
    def said(*words: str) -> str:
        process = shop.started(*words)
        _, errors = process.communicate(timeout=WITHIN_S)
        assert process.returncode in (1, 2)
        return errors

    assert "there is no source 'nobody' with a topic to follow" in said("--source", "nobody")
    assert "no topic" in said("--orders", "elsewhere", "--source", "shop-orders")
    assert "read again without end" in said("--orders", shop.topic("shop.orders"))


def inputs_of(address: str) -> tuple[str, bool]:
    """Return the hash of the file of inputs that an importer maps by, and whether the file is wrong now."""
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    (name,) = re.findall(r'lapwing_import_inputs_info\{inputs="(\w+)"\} 1', text)
    return name, "lapwing_import_inputs_broken 1.0" in text


@pytest.mark.kafka
def test_a_changed_file_is_followed_without_a_restart(shop: Installation) -> None:
    """The embedded broker brings a group together again in a minute or not at all; Kafka does at once."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    file = shop.folder / "inputs.yaml"
    whole = file.read_text()
    drafts = whole.replace("[paid, refunded]", "[paid, draft]").replace("{paid:", "{draft: placed, paid:")
    first, second, third = (
        whole[: whole.index("  shop-users:")],
        drafts[: drafts.index("  app-logins:")],
        drafts[: drafts.index("  shop-users:")],
    )
    file.write_text(first)
    process = shop.started("--metrics-listen", address)
    shop.send("shop.orders", [(b"o0", order(0)), (b"o1", order(1, "draft"))])
    shop.wait_until(lambda: shop.committed() == 2, process)
    # Drafts count too, and another topic is read from its beginning.
    row = {"id": "ann", "changed": "2026-03-01T10:00:00Z", "city": "Jena"}
    shop.send("shop.users", [(b"1", json.dumps({"op": "c", "after": row}).encode())])
    file.write_text(second)
    shop.wait_until(lambda: shop.committed() == 3, process)
    shop.send("shop.orders", [(b"o2", order(2, "draft"))])
    shop.wait_until(lambda: shop.committed() == 4, process)
    # What cannot be followed changes nothing; a topic that is taken out is read no more.
    before, _ = inputs_of(address)
    file.write_text(whole.replace("to: orders", "to: order"))
    shop.wait_until(lambda: inputs_of(address) == (before, True), process)
    shop.send("shop.orders", [(b"o3", order(3, "draft"))])
    shop.wait_until(lambda: shop.committed() == 5, process)
    file.write_text(third)
    shop.wait_until(lambda: inputs_of(address) not in ((before, False), (before, True)), process)
    shop.send("shop.users", [(b"2", json.dumps({"op": "c", "after": row | {"id": "bob"}}).encode())])
    shop.send("shop.orders", [(b"o4", order(4, "draft"))])
    shop.wait_until(lambda: shop.committed() == 6, process)
    process.send_signal(signal.SIGTERM)
    out, errors = process.communicate(timeout=WITHIN_S)
    assert process.returncode == 0, errors
    assert "the sources from before stay in force" in errors
    counts = json.loads(out)
    assert counts["events"] == {shop.topic("orders"): 4, shop.topic("profiles"): 1}
    assert counts["refused"] == {}
