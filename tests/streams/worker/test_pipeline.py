from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from streams.contract.rejected import RefusalReason, read_rejected_headers
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings, EventCounts, Output
from streams.core.events.batch import Batch
from streams.core.events.topics import Topic
from streams.core.features.catalogue import DTYPES
from streams.core.rules.rule_set import compile_rules
from streams.core.steps import OperationsNotice
from streams.errors import BrokerError
from streams.intake.partition import BatchingPolicy, StepEngine
from streams.intake.poll import ReadProgress, TopicPartition
from streams.worker.delivery import OutgoingRecord
from streams.worker.pipeline import LOST_PASSES, Pipeline
from streams.worker.settings import WorkerSettings
from tests.streams.intake.logs import Log

NAMES = {Topic.LOGINS: "logins", Topic.ORDERS: "orders"}
SETTINGS = WorkerSettings(
    broker="none:1", topics=NAMES, pace=BatchingPolicy(step_wait_s=0.0, waiting_limit=2)
)
ORDERS, LOGINS = TopicPartition("orders", 0), TopicPartition("logins", 0)
PLACES = {ORDERS, LOGINS}


class TellingEngine:
    """Tells on the control topic what it was given."""

    def step(self, batch: Batch) -> Output:
        notices = [OperationsNotice(name, 0, 0, {}) for name in batch.event_id.tolist()]
        return Output(control=notices, counts=EventCounts(events=len(batch)))

    def flush(self) -> Output:
        return Output()


@dataclass
class Desk:
    """A pipeline, what it sent, and a clock to push."""

    sent: list[OutgoingRecord] = field(default_factory=list)
    engines: list[int] = field(default_factory=list)
    now: float = 0.0
    make: Callable[[int], StepEngine] = lambda number: TellingEngine()

    def __post_init__(self) -> None:
        self.pipeline = Pipeline(SETTINGS, self._engine, self._send, lambda: self.now)
        self.board = self.pipeline.board

    def _engine(self, number: int) -> StepEngine:
        self.engines.append(number)
        return self.make(number)

    async def _send(self, records: Sequence[OutgoingRecord]) -> list[asyncio.Future[Any]]:
        self.sent += records
        futures = [asyncio.get_running_loop().create_future() for _ in records]
        for future in futures:
            future.set_result(None)
        return futures

    def assign(self, places: set[TopicPartition], begin: int = 0) -> None:
        self.pipeline.assigned(places, 1)
        for place in places:
            if self.pipeline.position(place) is None:
                self.pipeline.begin(place, begin)

    def mark(self, place: TopicPartition, position: int, highwater: int | None = None) -> None:
        mark = ReadProgress(position, position if highwater is None else highwater)
        self.board.progress = {**self.board.progress, place: mark}


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    made.assign(PLACES)
    made.mark(LOGINS, 0)
    made.mark(ORDERS, 0)
    return made


async def test_what_comes_is_stepped_and_sent_and_its_offsets_are_committable(desk: Desk) -> None:
    desk.pipeline.take(Log(Topic.ORDERS, (1, None)).poll(0, 2))
    desk.mark(ORDERS, 2)
    await desk.pipeline.process()
    assert [record.topic for record in desk.sent] == ["lapwing.rejected", "lapwing-control"]
    assert b"orders-0" in (desk.sent[1].value or b"")
    assert desk.pipeline.delivery.arrived() == {ORDERS: 2, LOGINS: 0}
    await desk.pipeline.process()
    assert desk.pipeline.delivery.arrived() == {}
    stats = desk.pipeline.stats()
    assert (stats.events, stats.refused, stats.lag) == (1, 1, {"logins/0": 0, "orders/0": 0})


async def test_what_an_engine_refuses_goes_to_the_rejected_topic_with_its_place() -> None:
    desk = Desk(make=lambda number: Engine(EngineSettings(), compile_rules([], DTYPES), None, number))
    desk.assign(PLACES)
    desk.mark(LOGINS, 0)
    poll = Log(Topic.ORDERS, (1, 2, 30)).poll(0, 3)
    poll.values[1] = (poll.values[1] or b"").replace(b"EUR", b"USD")
    desk.pipeline.take(poll)
    desk.mark(ORDERS, 3)
    await desk.pipeline.process()
    (record,) = desk.sent
    assert record.topic == "lapwing.rejected"
    rejection = read_rejected_headers(record.headers or [])
    assert (rejection.reason, rejection.topic, rejection.partition, rejection.offset, rejection.named) == (
        RefusalReason.OTHER_CURRENCY, "orders", 0, 1, True,
    )  # fmt: skip
    assert json.loads(record.value or b"")["event_id"] == "orders-1"
    assert desk.pipeline.stats().refused == 1


async def test_a_poll_out_of_turn_is_sought_again(desk: Desk) -> None:
    desk.pipeline.take(Log(Topic.ORDERS, (1, 2, 3)).poll(1, 3))
    assert list(desk.board.sought()) == [ORDERS]
    assert list(desk.board.sought()) == []
    assert desk.pipeline.position(ORDERS) == 0
    assert desk.pipeline.stats().reread == 1


async def test_a_poll_that_was_lost_on_the_way_is_sought_again_although_none_follows(desk: Desk) -> None:
    desk.mark(ORDERS, 3)
    for _ in range(LOST_PASSES):
        await desk.pipeline.process()
        assert list(desk.board.sought()) == []
    await desk.pipeline.process()
    assert list(desk.board.sought()) == [ORDERS]


async def test_a_place_that_moves_is_not_taken_for_lost(desk: Desk) -> None:
    log = Log(Topic.ORDERS, tuple(range(2 * LOST_PASSES)))
    desk.mark(ORDERS, log.end + 1, log.end + 1)
    for offset in range(2 * LOST_PASSES):
        desk.pipeline.take(log.poll(offset, offset + 1))
        await desk.pipeline.process()
    assert list(desk.board.sought()) == []


async def test_a_place_of_which_too_much_waits_is_paused_until_it_does_not(desk: Desk) -> None:
    desk.mark(LOGINS, 0, highwater=1)
    desk.pipeline.take(Log(Topic.ORDERS, (5, 6)).poll(0, 2))
    await desk.pipeline.process()
    assert desk.board.paused == {ORDERS}
    assert desk.pipeline.stats().behind == ["logins/0"]
    desk.pipeline.take(Log(Topic.LOGINS, (1,)).poll(0, 1))
    desk.mark(LOGINS, 1)
    desk.mark(ORDERS, 2)
    await desk.pipeline.process()
    assert desk.board.paused == frozenset()
    assert len(desk.sent) == 3


async def test_a_partition_that_is_kept_keeps_its_state_and_one_that_is_lost_does_not(desk: Desk) -> None:
    others = {TopicPartition("orders", 1), TopicPartition("logins", 1)}
    desk.pipeline.take(Log(Topic.ORDERS, (1, 2)).poll(0, 2))
    desk.assign(PLACES | others)
    assert desk.pipeline.position(ORDERS) == 2
    desk.assign(others)
    desk.pipeline.take(Log(Topic.ORDERS, (1, 2, 3)).poll(2, 3))  # on its way when the partition was lost
    desk.assign(PLACES | others)
    assert desk.pipeline.position(ORDERS) == 0
    assert desk.engines == [0, 1, 0]


def test_topics_of_a_partition_that_go_to_different_workers_are_an_error() -> None:
    with pytest.raises(BrokerError, match=r"apart: logins/1$"):
        Desk().assign({ORDERS, LOGINS, TopicPartition("orders", 1)})
