"""`lapwing worker --dry-run` judges everything and leaves no trace on the broker."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from collections import Counter
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition  # type: ignore[import-untyped]  # ships no types

from streams.core.events.topics import Topic
from streams.intake.partition import BatchingPolicy
from streams.rulebook.load import load_rulebook
from streams.worker.settings import WorkerSettings
from tests.integration.test_worker_command import arguments
from tests.integration.test_worker_warnings import PARTITIONS, RULES, expected, history
from tests.integration.workers import Sent, consume, produce, settings_on

IN_SHADOW = "  - {id: seen, status: shadow, when: orders_total >= 1, tier: low, reason: test}\n"


def test_it_says_what_would_be_sent_and_leaves_no_trace(broker: str, tmp_path: Path) -> None:
    settings = settings_on(broker, PARTITIONS, BatchingPolicy())
    events = history(seed=3)
    records = [Sent(settings.topics[topic], customer.encode(), value) for topic, customer, value in events]
    produce(broker, [*records, Sent(settings.topics[Topic.ORDERS], b"c1", b"garbage")])
    out = tmp_path / "warnings.jsonl"
    flags = ("--dry-run", "--no-follow", "--json", "--out", str(out), "--flush-after", "2s")
    command = arguments(settings, tmp_path, *flags, "--no-model-enabled")
    (tmp_path / "rules.yaml").write_text(RULES + IN_SHADOW)
    with (tmp_path / "lapwing.toml").open("a") as config:
        config.write('reorder = "4d"\n')
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    own = (settings.warnings_topic, settings.control_topic, settings.audit_topic, settings.rejected_topic)
    assert [consume(broker, topic, 1, 0.5) for topic in own] == [[], [], [], []]
    found = re.search(r"dry run group=(\S+):", done.stderr)
    assert found is not None
    assert found[1].startswith(f"{settings.app}.dry-run-")
    for group in (settings.app, found[1]):
        assert asyncio.run(committed(settings, group)) == []
    assert not (tmp_path / "checkpoints").exists()
    due = expected(events, load_rulebook(tmp_path / "rules.yaml").rules, settings.app)
    steps = [json.loads(step) for each in due.values() for step in each]
    assert Counter(out.read_text().splitlines()) == Counter(s.decode() for each in due.values() for s in each)
    summary = json.loads(done.stdout)
    kinds = Counter((step["type"].rpartition(".")[2], step["data"]["tier"]) for step in steps)
    assert {(k, t): n for k, tiers in summary["steps"].items() for t, n in tiers.items()} == kinds
    assert (summary["events"], summary["refused"]) == (len(records), 1)
    assert summary["opened"]["seen"] == {"shadow": len({customer for _, customer, _ in orders(events)})}


def orders(events: list[tuple[Topic, str, bytes]]) -> list[tuple[Topic, str, bytes]]:
    return [each for each in events if each[0] is Topic.ORDERS]


async def committed(settings: WorkerSettings, group: str) -> list[int]:
    """Return what a group has committed of the app's inputs."""
    places = [TopicPartition(name, n) for name in settings.topics.values() for n in range(PARTITIONS)]
    async with AIOKafkaConsumer(
        bootstrap_servers=settings.broker, group_id=group, enable_auto_commit=False
    ) as consumer:
        consumer.assign(places)
        found = [await consumer.committed(place) for place in places]
        return [offset for offset in found if offset is not None]
