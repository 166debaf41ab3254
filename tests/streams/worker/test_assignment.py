"""A worker's states: saved, committed, kept, restored; with a group and a disk that do as the test says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from streams.checkpoints.store import CheckpointStore
from streams.contract.rejected import read_rejected_headers
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.topics import Topic
from streams.core.features.catalogue import DTYPES
from streams.core.rules.rule import Rule
from streams.core.rules.rule_set import compile_rules
from streams.core.steps import Tier
from streams.errors import StateError
from streams.intake.partition import BatchingPolicy
from streams.intake.poll import ReadProgress, TopicPartition
from streams.intake.sent_steps import SentSteps
from streams.intake.standing_refusals import StandingRefusals
from streams.worker.delivery import OutgoingRecord
from streams.worker.pipeline import CheckpointServices, Pipeline
from streams.worker.settings import WorkerSettings
from streams.worker.task import PartitionTask
from tests.streams.checkpoints.test_store import Full
from tests.streams.intake.logs import Log

SETTINGS = WorkerSettings("none:1", {Topic.ORDERS: "orders"}, pace=BatchingPolicy(step_wait_s=0.0))
ORDERS = TopicPartition("orders", 0)
RULE = Rule("buys", "orders_total >= 1", Tier.LOW, "test")


@dataclass
class Group:
    """A group that takes commits of its generation."""

    offsets: dict[TopicPartition, int] = field(default_factory=dict)
    begins: int = 0
    generation: int = 1

    async def committed(self, places: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        return {place: self.offsets[place] for place in places if place in self.offsets}

    async def earliest(self, places: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, self.begins)

    async def commit_as(self, offsets: Mapping[TopicPartition, int], generation: int) -> bool:
        if generation == self.generation:
            self.offsets |= offsets
        return generation == self.generation


@dataclass
class Warned:
    """A warnings topic of one partition."""

    ids: list[str] = field(default_factory=list)
    asked: list[Mapping[int, int]] = field(default_factory=list)
    until: int = 10**18

    async def ends(self) -> dict[int, int]:
        return {0: len(self.ids)}

    async def since(self, offsets: Mapping[int, int]) -> SentSteps:
        self.asked.append(offsets)
        return SentSteps(frozenset(self.ids[offsets.get(0, 0) :]), self.until, offsets)


@dataclass
class Refused:
    """A rejected topic of one partition, and what it says of offsets of the orders."""

    offsets: list[int] = field(default_factory=list)
    asked: list[Mapping[int, int]] = field(default_factory=list)

    async def ends(self) -> dict[int, int]:
        return {0: len(self.offsets)}

    async def since(self, offsets: Mapping[int, int]) -> StandingRefusals:
        self.asked.append(offsets)
        records = {("orders", 0, at): None for at in self.offsets[offsets.get(0, 0) :]}
        return StandingRefusals(records, offsets)


class Shop:
    """The surroundings of workers, and a log of orders."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.disk = Full()
        self.group, self.warned, self.refused = Group(), Warned(), Refused()
        self.wall = 10.0**9
        self.log = Log(Topic.ORDERS, tuple(range(10, 60, 5)))
        self.zone = "UTC"
        self.settings = SETTINGS

    async def worker(self) -> Worker:
        worker = Worker(self)
        await worker.assign()
        return worker

    def on_disk(self) -> list[str]:
        place = self.folder / "lapwing" / "00000"
        return sorted(path.name[:10] for path in place.iterdir()) if place.exists() else []


class Worker:
    """A pipeline on a shop."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.sent: list[OutgoingRecord] = []
        self.acknowledged = True
        self.waiting: list[asyncio.Future[Any]] = []
        store = CheckpointStore(str(shop.folder), "lapwing", shop.disk)
        self.services = CheckpointServices(store, shop.group, shop.warned, shop.refused)
        self.pipeline = Pipeline(
            shop.settings, self.engine, self.send, lambda: 0.0, self.services, wall=lambda: shop.wall
        )

    def engine(self, number: int) -> Engine:
        settings = EngineSettings(reorder_us=0, time_zone=self.shop.zone)
        return Engine(settings, compile_rules([RULE], DTYPES), None, number)

    async def send(self, records: Sequence[OutgoingRecord]) -> list[asyncio.Future[Any]]:
        self.sent += records
        futures = [asyncio.get_running_loop().create_future() for _ in records]
        if self.acknowledged:
            for future in futures:
                future.set_result(None)
        self.waiting += futures
        return futures

    async def assign(self, generation: int = 1) -> None:
        self.shop.group.generation = generation
        self.pipeline.assigned({ORDERS}, generation)
        assert self.pipeline.board.loading == {ORDERS}
        while self.pipeline.board.loading:
            self.pipeline.assignment.check()
            await asyncio.sleep(0.001)
        if self.position is None:
            self.pipeline.begin(ORDERS, self.shop.group.begins)

    async def read(self, end: int) -> None:
        position = self.position
        assert position is not None
        self.pipeline.board.progress = {ORDERS: ReadProgress(end, end)}
        self.pipeline.take(self.shop.log.poll(position, end))
        await self.pipeline.process()

    @property
    def position(self) -> int | None:
        return self.pipeline.position(ORDERS)

    @property
    def tasks(self) -> dict[int, PartitionTask]:
        return self.pipeline.assignment.tasks

    def moved(self) -> list[int]:
        return self.pipeline.states.moved()


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


async def test_another_worker_goes_on_where_the_state_was_saved(shop: Shop) -> None:
    worker = await shop.worker()
    await worker.read(3)
    await worker.pipeline.save()
    await worker.read(5)
    assert shop.group.offsets == {ORDERS: 3}
    other = await shop.worker()
    assert other.position == 3
    await other.read(5)
    assert other.moved() == [0]
    await other.pipeline.save()
    await other.pipeline.save()
    assert other.moved() == []
    assert shop.on_disk() == ["0000000001", "0000000002"]
    stats = other.pipeline.stats()
    assert stats.checkpoints == stats.checkpoint_seconds.count == 1
    assert stats.checkpoint_bytes["0"] > 1_000
    saved_at = stats.checkpoint_at["0"]
    await other.pipeline.save()  # nothing has moved: what is saved is all there is
    assert other.pipeline.stats().checkpoint_at["0"] > saved_at
    assert (stats.assigned, stats.loading) == ([0], [])


async def test_nothing_is_committed_before_all_that_came_of_it_has_arrived(shop: Shop) -> None:
    worker = await shop.worker()
    worker.acknowledged = False
    await worker.read(3)
    assert len(worker.sent) == 1
    saving = asyncio.ensure_future(worker.pipeline.save())
    await asyncio.sleep(0.05)
    assert shop.group.offsets == {}
    worker.waiting[0].set_result(None)
    await saving
    assert shop.group.offsets == {ORDERS: 3}


async def test_on_a_full_disk_the_worker_goes_on_and_tries_again(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    worker = await shop.worker()
    await worker.read(2)
    await worker.pipeline.save()
    shop.disk.room = 2
    await worker.read(4)
    await worker.pipeline.save()
    assert "No space left" in caplog.text
    assert shop.group.offsets == {ORDERS: 2}
    assert shop.on_disk() == ["0000000001"]
    shop.disk.room = 10**9
    await worker.read(5)
    await worker.pipeline.save()
    assert shop.group.offsets == {ORDERS: 5}
    stats = worker.pipeline.stats()
    assert (stats.checkpoints, stats.checkpoints_failed) == (2, 1)


async def test_a_worker_whose_commit_is_refused_gives_the_partition_up(shop: Shop) -> None:
    worker = await shop.worker()
    await worker.read(3)
    shop.group.generation = 2
    await worker.pipeline.save()
    assert shop.group.offsets == {}
    assert shop.on_disk() == []
    assert worker.tasks == {}


async def test_a_refusal_to_the_former_generation_is_nothing_to_the_present_one(shop: Shop) -> None:
    worker = await shop.worker()
    await worker.read(3)
    snapshot = await worker.pipeline.states.snapshot(0)
    assert snapshot is not None
    await worker.assign(generation=2)
    worker.pipeline.states.lost(snapshot)
    assert worker.position == 3


async def test_a_state_is_kept_over_a_rebalance_unless_another_worker_had_it(shop: Shop) -> None:
    worker = await shop.worker()
    await worker.read(3)
    await worker.pipeline.revoked()
    kept = worker.tasks[0]
    await worker.assign(generation=2)
    assert worker.tasks == {0: kept}
    other = await shop.worker()
    await other.assign(generation=3)
    await other.read(6)
    await other.pipeline.save()
    await worker.assign(generation=4)
    assert worker.tasks[0] is not kept
    assert worker.position == 6


async def test_what_the_topic_holds_since_the_checkpoint_is_not_sent_again(shop: Shop) -> None:
    worker = await shop.worker()
    await worker.pipeline.save()
    await worker.read(3)
    ids = [step["id"] for step in map(json_of, worker.sent)]
    assert len(ids) == 1
    other = await shop.worker()
    await other.read(3)
    assert len(other.sent) == 1
    shop.warned.ids += ids
    third = await shop.worker()
    await third.read(3)
    assert third.sent == []
    assert shop.warned.asked == [{}, {0: 0}, {0: 0}]
    # The engine is not past what was sent yet, so the next checkpoint wants it read again.
    await third.pipeline.save()
    shop.warned.until = 0
    fourth = await shop.worker()
    assert shop.warned.asked[-1] == {0: 0}
    await fourth.read(6)
    await fourth.pipeline.save()
    await shop.worker()
    assert shop.warned.asked[-1] == {0: 1}


async def test_without_a_checkpoint_the_state_is_rebuilt_as_long_as_the_topics_are_whole(shop: Shop) -> None:
    shop.group.offsets = {ORDERS: 3}
    worker = await shop.worker()
    assert worker.position == 0
    shop.group.begins = 2
    with pytest.raises(StateError, match=r"no checkpoint of partition 0 .* \(orders/0 begins at 2\)"):
        await shop.worker()


async def test_a_state_that_is_rebuilt_does_not_send_what_the_topic_holds(shop: Shop) -> None:
    worker = await shop.worker()
    await worker.read(3)
    shop.warned.ids += [step["id"] for step in map(json_of, worker.sent)]
    shop.group.offsets = {ORDERS: 3}
    rebuilt = await shop.worker()
    await rebuilt.read(3)
    assert rebuilt.sent == []
    await rebuilt.pipeline.save()
    # It is not past what was sent yet, so what follows must know of it too.
    following = await shop.worker()
    assert following.position == 3
    assert shop.warned.asked[-1] == {}


async def test_records_that_are_gone_before_they_were_read_are_named(shop: Shop) -> None:
    worker = await shop.worker()
    await worker.read(3)
    await worker.pipeline.save()
    shop.group.begins = 3
    assert (await shop.worker()).position == 3
    shop.group.begins = 4
    with pytest.raises(StateError, match=r"no longer has .* \(orders goes on at 3 and begins at 4\)"):
        await shop.worker()


async def test_a_state_of_another_time_zone_is_refused_with_the_remedy(shop: Shop) -> None:
    worker = await shop.worker()
    await worker.read(3)
    await worker.pipeline.save()
    shop.zone = "Europe/Berlin"
    with pytest.raises(StateError, match="time_zone is 'UTC', not 'Europe/Berlin': set it back, or"):
        await shop.worker()


async def test_a_worker_that_was_closed_puts_nothing_out(shop: Shop) -> None:
    worker = await shop.worker()
    worker.pipeline.assignment.close()
    await worker.read(3)
    assert worker.sent == []
    assert worker.position == 0


def json_of(record: OutgoingRecord) -> dict[str, Any]:
    return dict(json.loads(record.value or b""))


def rejected(worker: Worker) -> list[int]:
    headers = [record.headers for record in worker.sent if record.topic == SETTINGS.rejected_topic]
    return [read_rejected_headers(each or []).offset for each in headers]


async def test_what_is_dated_too_far_ahead_of_the_clock_is_refused_and_stays_so_when_read_again(
    shop: Shop,
) -> None:
    shop.settings = replace(SETTINGS, max_skew_us=5_000_000)
    shop.wall = 30.0  # the orders are of 10, 15, 20 and so on to 55 s
    worker = await shop.worker()
    await worker.read(3)
    await worker.pipeline.save()
    await worker.read(8)
    assert rejected(worker) == [6, 7]
    shop.refused.offsets = [6, 7]
    shop.wall = 60.0
    other = await shop.worker()
    assert other.position == 3
    await other.read(5)
    await other.pipeline.save()  # those refused are yet to come, so the next worker must know of them too
    third = await shop.worker()
    await third.read(10)
    assert rejected(third) == [6, 7]
    assert third.pipeline.stats().events == 3
    assert shop.refused.asked == [{}, {0: 0}, {0: 0}]
    await third.pipeline.save()
    await shop.worker()
    assert shop.refused.asked[-1] == {0: 2}
