"""The erasure of a customer while a worker runs: on the topics, in the states and on the disk."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from streams.contract.erasures import ErasureKey, ErasureRequest, encode_erasure
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.topics import Topic
from streams.core.features.catalogue import DTYPES
from streams.core.rules.rule import Rule
from streams.core.rules.rule_set import compile_rules
from streams.core.steps import Tier
from streams.intake.partition import BatchingPolicy
from tests.integration.workers import (
    RunningWorker,
    Sent,
    consume,
    event,
    make_topics,
    produce,
    running,
    settings_on,
)

KEY = ErasureKey(b"a key for tests!")
GONE = "gone-customer"
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
RULES = compile_rules([Rule("buys", "orders_total >= 2", Tier.LOW, "test")], DTYPES)


class Shop:
    """Two customers who order in turn, and a worker."""

    def __init__(self, broker: str, folder: Path) -> None:
        settings = settings_on(broker, 1, BatchingPolicy(idle_s=0.2, reorder_us=250_000))
        self.checkpoints = folder / "checkpoints"
        self.settings = replace(
            settings,
            checkpoints=str(self.checkpoints),
            checkpoint_every_s=0.5,
            erasures_topic=f"{settings.app}.erasures",
            erasure_key=KEY,
        )
        make_topics(broker, [self.settings.erasures_topic], 1)
        self.orders = 0

    def order(self, customer: str, at: datetime) -> None:
        self.orders += 1
        value = event(Topic.ORDERS, f"e{self.orders}", customer, at.isoformat())
        produce(self.settings.broker, [Sent(self.settings.topics[Topic.ORDERS], customer.encode(), value)])

    def erase(self, at: datetime) -> None:
        request = ErasureRequest(hash=KEY.hash(GONE), erased_at=at, key_id=KEY.id)
        record = Sent(self.settings.erasures_topic, request.hash.encode(), encode_erasure(request))
        produce(self.settings.broker, [record])

    def worker(self) -> AbstractContextManager[RunningWorker]:
        def engine(number: int) -> Engine:
            settings = EngineSettings(app=self.settings.app, reorder_us=250_000, erasure_key=KEY)
            return Engine(settings, RULES, None, number)

        return running(self.settings, engine)

    def steps(self, customer: str) -> list[tuple[str, str]]:
        records = consume(self.settings.broker, self.settings.warnings_topic, 1_000, 0.5)
        found: list[dict[str, Any]] = [json.loads(record.value) for record in records]
        return [(s["type"].rpartition(".")[2], s["id"]) for s in found if s["subject"] == customer]

    def on_disk(self) -> bytes:
        found = self.checkpoints.rglob("*.parquet")
        return b"".join(path.read_bytes() for path in found if path.is_file())


@pytest.fixture
def shop(broker: str, tmp_path: Path) -> Shop:
    return Shop(broker, tmp_path)


def counted(worker: RunningWorker, events: int) -> Callable[[], bool]:
    def reached() -> bool:
        stats = worker.stats
        return stats is not None and stats.events >= events and not any(stats.lag.values())

    return reached


def test_an_erased_customer_leaves_a_running_worker_and_its_old_events_do_not_come_back(shop: Shop) -> None:
    with shop.worker() as worker:
        for day in range(3):
            shop.order(GONE, BEGIN + timedelta(days=day))
            shop.order("stays", BEGIN + timedelta(days=day, hours=1))
        worker.wait_until(counted(worker, 6))
        worker.wait_until(lambda: GONE.encode() in shop.on_disk())
        shop.erase(BEGIN + timedelta(days=4))
        worker.wait_until(lambda: GONE.encode() not in shop.on_disk())
        assert worker.stats is not None
        assert worker.stats.checkpoints_failed == 0
    assert [kind for kind, _ in shop.steps(GONE)] == ["opened", "withdrawn"]
    assert [kind for kind, _ in shop.steps("stays")] == ["opened"]
    # One that begins without a state reads all events again: those of before do not count, later ones do.
    shop.settings = replace(shop.settings, checkpoints="", group=f"{shop.settings.app}-anew")
    with shop.worker() as second:
        shop.order(GONE, BEGIN + timedelta(days=5))
        second.wait_until(counted(second, 4))
        assert second.stats is not None
        assert second.stats.erased == 3
        shop.order(GONE, BEGIN + timedelta(days=6))
        second.wait_until(counted(second, 5))
    assert [kind for kind, _ in shop.steps(GONE)] == ["opened", "withdrawn", "opened"]
