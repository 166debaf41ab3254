"""`lapwing inputs try` with a source's topic on a broker."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

from click.testing import CliRunner

from consumers.broker.client import Admin, Cluster, Producer
from lapwing.cli import lapwing

MAPPING = """\
version: 1
sources:
  shop:
    topic: TOPIC
    events:
      - to: logins
        fields: {event_id: id, customer_id: {path: c, prefix: s-}, occurred_at: {path: t, time: epoch_s}}
"""


def test_the_newest_records_of_a_topic_are_shown_with_their_keys_checked(broker: str, tmp_path: Path) -> None:
    topic = f"try-{uuid4().hex[:8]}"
    (tmp_path / "inputs.yaml").write_text(MAPPING.replace("TOPIC", topic))
    admin = Admin(Cluster(broker))
    admin.create(topic, 2, 1, {})
    producer = Producer(Cluster(broker))
    for number in range(20):
        value = json.dumps({"id": number, "c": "c1", "t": 1_709_287_200}).encode()
        producer.send(topic, b"s-c1" if number != 19 else b"c1", value)
        producer.flush()
    producer.close()
    words = ["inputs", "try", "shop", "--inputs", str(tmp_path / "inputs.yaml"), "--broker", broker]
    done = CliRunner().invoke(lapwing, [*words, "--json"], catch_exceptions=False)
    *shown, summary = [json.loads(line) for line in done.output.splitlines()]
    assert len(shown) == 10
    assert summary == {
        "records": 10,
        "events": {"logins": 9},
        "refused": {"key_mismatch": 1},
        "passed": 0,
    }
    assert all(each["place"].startswith(f"{topic}[") for each in shown)
    assert {each["event"]["customer_id"] for one in shown for each in one["after"]} == {"s-c1"}
    assert [json.loads(each["before"])["id"] for each in shown if "refused" in each] == [19]
    assert admin.committed("lapwing") == {}
    admin.close()
    limited = CliRunner().invoke(lapwing, [*words, "--limit", "3"], catch_exceptions=False)
    assert limited.output.splitlines()[-1] == "3 records: 2 logins; refused: 1 key_mismatch"
