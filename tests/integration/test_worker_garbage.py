"""Whatever lies on the worker's own topics stops no worker, neither its first start nor a later one."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import aiokafka  # type: ignore[import-untyped]  # ships no types
import aiokafka.errors  # type: ignore[import-untyped]  # the same
import pytest

from consumers.broker.client import Admin, Cluster
from streams.core.events.topics import Topic
from streams.core.segments.engine import SegmentEngine, SegmentSettings
from streams.core.segments.rules import SegmentRules
from streams.rulebook.load import parse_rulebook
from tests.integration.test_worker_warnings import RULES, engine_of
from tests.integration.workers import Sent, event, make_topics, produce, running, settings_on

GARBAGE = [
    None,
    b"",
    b"\xff\xfe",
    b"[" * 20_000,
    b"9" * 5_000,
    b"{}",
    b"[]",
    json.dumps({"id": 5, "time": "9999-12-31T23:59:59Z", "data": {}}).encode(),
    json.dumps({"kind": "state", "rule_set": "x", "state": {}}).encode(),
    json.dumps({"kind": "state", "rule_set": "x", "state": {"judged": 99_999}}).encode(),
    json.dumps(
        {
            "kind": "end",
            "partition": 77,
            "closed": "9999-12-31",
            "since": "0001-01-01",
            "quiet": [],
            "shop": {},
        }
    ).encode(),
]


def test_garbage_on_every_topic_of_our_own_stops_nobody(broker: str, tmp_path: Path) -> None:
    rules = parse_rulebook({"rules.yaml": RULES}).rules
    settings = settings_on(broker, 1)
    days, warnings = f"{settings.app}.segment-days", f"{settings.app}-segment-warnings"
    make_topics(broker, [days, warnings], 1)
    settings = replace(
        settings,
        checkpoints=str(tmp_path / "states"),
        checkpoint_every_s=0.5,
        segment_days_topic=days,
        segment_warnings_topic=warnings,
    )
    own = [settings.warnings_topic, settings.control_topic, settings.audit_topic, settings.rejected_topic]
    produce(broker, [Sent(topic, b"k", value) for topic in [*own, days, warnings] for value in GARBAGE])
    logins = settings.topics[Topic.LOGINS]

    def judge(partitions: int) -> SegmentEngine:
        return SegmentEngine(SegmentSettings(settings.app, "UTC", partitions), SegmentRules(()))

    for day in (1, 2):
        produce(
            broker, [Sent(logins, b"k", event(Topic.LOGINS, f"l{day}", "k", f"2024-01-0{day}T00:00:00Z"))]
        )
        with running(settings, lambda number: engine_of(number, rules, settings.app), judge) as worker:
            worker.wait_until(lambda: worker.stats is not None and worker.stats.checkpoints > 0)
            worker.wait_until(
                lambda: (
                    worker.stats is not None
                    and len(worker.stats.lag) == 3
                    and not any(worker.stats.lag.values())
                )
            )


MEGABYTE = b"0" * 1_000_000


def produce_packed(broker: str, topic: str, megabytes: int, codec: str) -> None:
    """Write one batch that unpacks to so much; packed it is hardly anything."""

    async def send() -> None:
        producer = aiokafka.AIOKafkaProducer(
            bootstrap_servers=broker, compression_type=codec, max_batch_size=2 * megabytes * len(MEGABYTE)
        )
        async with producer:
            batch = producer.create_batch()
            for _ in range(megabytes):
                assert batch.append(key=b"k", value=MEGABYTE, timestamp=None) is not None
            await (await producer.send_batch(batch, topic, partition=0))

    asyncio.run(send())


def test_a_batch_that_unpacks_to_far_more_than_its_size_is_refused_record_by_record(broker: str) -> None:
    rules = parse_rulebook({"rules.yaml": RULES}).rules
    settings = settings_on(broker, 1)
    logins = settings.topics[Topic.LOGINS]
    produce_packed(broker, logins, 60, "gzip")
    produce(broker, [Sent(logins, b"k", event(Topic.LOGINS, "l1", "k", "2024-01-01T00:00:00Z"))])
    with running(settings, lambda number: engine_of(number, rules, settings.app)) as worker:
        worker.wait_until(lambda: worker.stats is not None and worker.stats.events == 1)
        assert worker.stats is not None
        assert worker.stats.refused == 60


@pytest.mark.kafka
def test_a_topic_that_is_packed_anew_takes_nothing_that_unpacks_to_too_much(broker: str) -> None:
    """The advice of docs/security.md against batches that would fill a worker's memory."""
    plain, anew = f"t{uuid4().hex[:8]}", f"t{uuid4().hex[:8]}"
    with closing(Admin(Cluster(broker))) as admin:
        admin.create(plain, 1, 1, {})
        admin.create(anew, 1, 1, {"compression.type": "snappy"})
    for topic, megabytes in ((plain, 100), (anew, 10)):
        produce_packed(broker, topic, megabytes, "zstd")
    with pytest.raises(aiokafka.errors.MessageSizeTooLargeError):
        produce_packed(broker, anew, 100, "zstd")
