"""Whatever lies on the worker's own topics stops no worker, neither its first start nor a later one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

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
