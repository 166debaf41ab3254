"""Mappings change while workers run: taken over at a checkpoint, carried by it, and told of."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streams.checkpoints.store import CheckpointStore
from streams.contract.rejected import read_rejected_headers
from streams.contract.warnings import ControlNotice
from streams.inputs.load import Inputs, parse_inputs
from streams.inputs.rates import Rates, read_rates
from streams.inputs.watch import InputWatch
from streams.intake.partition import BatchingPolicy
from streams.intake.poll import Poll, ReadProgress, TopicPartition
from streams.worker.input_rollout import InputRollout
from streams.worker.pipeline import CheckpointServices, Pipeline
from streams.worker.settings import WorkerSettings
from tests.streams.worker.test_assignment import Shop, Worker, json_of

WEB, TILLS = TopicPartition("web", 0), TopicPartition("tills", 0)
FILE = """\
version: 1
sources:
  web: {topic: web, events: [{to: orders, where: {state: [%s]}, fields: %s}]}
  tills: {topic: tills, events: [{to: orders, fields: %s}]}
"""
FIELDS = """{event_id: id, customer_id: who, occurred_at: {path: at, time: epoch_s}, order_id: id,
      amount: sum, currency: {constant: EUR}}"""
PAID = FILE % ("paid", FIELDS, FIELDS)
ALL = FILE % ("paid, open", FIELDS, FIELDS)


def order(number: int, state: str = "paid") -> dict[str, Any]:
    return {"id": f"o{number}", "who": f"k{number}", "at": 10 * number, "sum": 5, "state": state}


def poll_of(place: TopicPartition, start: int, records: list[dict[str, Any] | bytes]) -> Poll:
    n = len(records)
    return Poll(
        topic_partition=place,
        start=start,
        end=start + n,
        offsets=np.arange(start, start + n, dtype=np.int64),
        keys=[b"" if isinstance(record, bytes) else record["who"].encode() for record in records],
        values=[r if isinstance(r, bytes) else json.dumps(r).encode() for r in records],
        timestamps_ms=np.full(n, 4_000_000, dtype=np.int64),
    )


class Mapping(Worker):
    """A worker of two sources, with a file of inputs of its own."""

    def __init__(
        self, shop: Shop, name: str, text: str, *, keeps: bool = True, rates: Path | None = None
    ) -> None:
        super().__init__(shop)
        self.file = shop.folder.parent / f"{shop.folder.name}-{name}.yaml"
        self.file.write_text(text)

        def parse(path: str, content: bytes, *, rates: Rates | None = None) -> Inputs:
            return parse_inputs(path, content, rates=rates or found())

        def found() -> Rates | None:
            return None if rates is None else read_rates(rates, "EUR")

        watch = InputWatch(self.file, parse, rates)
        settings = WorkerSettings(
            "none:1", {}, sources=watch.current.sources, pace=BatchingPolicy(step_wait_s=0.0, idle_s=0.0)
        )
        store = CheckpointStore(str(shop.folder), "lapwing", shop.disk)
        services = CheckpointServices(store, shop.group, shop.warned, shop.refused) if keeps else None
        self.settings = settings
        self.pipeline = Pipeline(
            settings,
            self.engine,
            self.send,
            lambda: 0.0,
            services,
            inputs=InputRollout(watch, name, lambda: 1_000.0),
            wall=lambda: shop.wall,
        )
        self.logs: dict[TopicPartition, list[dict[str, Any] | bytes]] = {WEB: [], TILLS: []}
        self.ends = {WEB: 0, TILLS: 0}

    async def assign(self, generation: int = 1) -> None:
        self.shop.group.generation = generation
        self.pipeline.assigned({WEB, TILLS}, generation)
        while self.pipeline.board.loading:
            self.pipeline.assignment.check()
            await asyncio.sleep(0.001)
        for place in (WEB, TILLS):
            if self.pipeline.position(place) is None:
                self.pipeline.begin(place, 0)

    async def turn(self) -> None:
        """Read all that there is, and as often again as it is asked for."""
        for _ in range(3):
            self.pipeline.board.progress = {
                place: ReadProgress(len(log), max(len(log), self.ends[place]))
                for place, log in self.logs.items()
            }
            for place, log in self.logs.items():
                position = self.pipeline.position(place)
                assert position is not None
                if position < len(log):
                    self.pipeline.take(poll_of(place, position, log[position:]))
            await self.pipeline.process()
            list(self.pipeline.board.sought())

    async def say(self, text: str) -> None:
        self.file.write_text(text)
        await self.pipeline.reload()
        await self.pipeline.reload()
        await self.pipeline.process()

    def warned(self) -> list[str]:
        """The customers of whom the rule for a first order warned."""
        topic = self.settings.warnings_topic
        return [json_of(record)["subject"] for record in self.sent if record.topic == topic]

    def notices(self) -> list[ControlNotice]:
        found = [r.value or b"" for r in self.sent if r.topic == self.settings.control_topic]
        return [ControlNotice.model_validate_json(value) for value in found]

    def saved(self) -> str | None:
        checkpoint = CheckpointStore(str(self.shop.folder), "lapwing").whole(0)[-1]
        return checkpoint.content.inputs.hash if checkpoint.content.inputs is not None else None


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "states")


async def worker_of(shop: Shop, name: str, text: str, generation: int = 1, **more: Any) -> Mapping:
    worker = Mapping(shop, name, text, **more)
    await worker.assign(generation)
    return worker


async def test_two_topics_bring_orders_and_a_bad_record_goes_away_as_it_was(shop: Shop) -> None:
    worker = await worker_of(shop, "one", PAID)
    worker.logs[WEB] = [order(1), order(2, "open"), b"garbage", order(4)]
    worker.logs[TILLS] = [order(3)]
    await worker.turn()
    assert worker.warned() == ["k1", "k3", "k4"]
    (refused,) = (record for record in worker.sent if record.topic == "lapwing.rejected")
    said = read_rejected_headers(refused.headers or [])
    assert (refused.value, said.topic, said.offset) == (b"garbage", "web", 2)
    stats = worker.pipeline.stats()
    assert (stats.events, stats.refused, stats.passed_by_topic) == (3, 1, {"tills": 0, "web": 1})
    assert stats.events_by_topic == {"orders": 3}
    assert stats.refused_by_topic == {"web": {"not_json": 1}}
    assert stats.lag == {"tills/0": 0, "web/0": 0}


@pytest.mark.parametrize("keeps", [True, False])
async def test_a_new_mapping_holds_from_what_the_engine_has_not_been_given(shop: Shop, keeps: bool) -> None:
    worker = await worker_of(shop, "one", PAID, keeps=keeps)
    worker.logs[WEB] = [order(1), order(3), order(5, "open")]
    worker.logs[TILLS] = [order(2)]
    worker.ends[TILLS] = 2  # of which one is yet to come: what is later than the first waits
    await worker.turn()
    assert worker.warned() == ["k1"]
    before = worker.pipeline.stats().inputs
    await worker.say(ALL)
    stats = worker.pipeline.stats()
    assert stats.inputs_adopted == 1
    assert stats.inputs_by_partition == {"0": stats.inputs}
    assert stats.inputs != before
    worker.logs[TILLS].append(order(4))
    await worker.turn()
    assert worker.warned() == ["k1", "k2", "k3", "k4", "k5"]
    notice = worker.notices()[-1]
    assert (notice.kind, notice.partition, notice.detail["read_again"]) == ("inputs.adopted", 0, "web")
    if keeps:
        assert worker.saved() == stats.inputs


async def test_after_a_crash_what_was_sent_is_computed_of_the_same_mapping(shop: Shop) -> None:
    worker = await worker_of(shop, "one", PAID)
    worker.logs[WEB] = [order(1)]
    await worker.turn()
    await worker.pipeline.save()
    worker.logs[WEB] += [order(2, "open"), order(3)]
    await worker.turn()
    assert worker.warned() == ["k1", "k3"]
    # The file changes and the worker dies before it has looked at it.
    shop.warned.ids = [json_of(r)["id"] for r in worker.sent if r.topic == worker.settings.warnings_topic]
    shop.warned.until = 30_000_000
    other = await worker_of(shop, "two", ALL, generation=2)
    other.logs = worker.logs
    await other.turn()
    assert other.warned() == []
    assert other.pipeline.stats().passed_by_topic["web"] == 1
    await other.pipeline.reload()
    assert other.pipeline.stats().inputs_adopted == 1
    other.logs[WEB].append(order(4, "open"))
    await other.turn()
    assert other.warned() == ["k4"]


async def test_a_worker_that_was_stopped_begins_by_its_file_and_says_so_in_a_checkpoint(shop: Shop) -> None:
    worker = await worker_of(shop, "one", PAID)
    worker.logs[WEB] = [order(1)]
    await worker.turn()
    shop.warned.ids = [json_of(r)["id"] for r in worker.sent if r.topic == worker.settings.warnings_topic]
    await worker.pipeline.finish()
    other = await worker_of(shop, "two", ALL, generation=2)
    other.logs[WEB] = [order(1), order(2, "open")]
    await other.turn()
    assert other.warned() == ["k2"]
    await other.pipeline.reload()
    assert other.saved() == other.pipeline.stats().inputs
    assert other.pipeline.stats().inputs_adopted == 0


async def test_a_bad_file_is_told_and_the_one_before_stays(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    worker = await worker_of(shop, "one", PAID)
    before = worker.pipeline.stats().inputs
    await worker.say(PAID.replace("to: orders", "to: order", 1))
    stats = worker.pipeline.stats()
    assert (stats.inputs, stats.inputs_refused) == (before, 1)
    assert len(stats.input_mistakes) == 1
    assert f"{worker.file}:" in caplog.text
    notice = worker.notices()[-1]
    assert (notice.kind, notice.detail["inputs"], notice.detail["mistakes"]) == ("inputs.refused", before, 1)
    await worker.say(PAID)
    assert worker.pipeline.stats().input_mistakes == ()
    assert worker.notices()[-1].kind == "inputs.accepted"


async def test_other_topics_need_a_restart_and_the_rest_is_adopted(shop: Shop) -> None:
    worker = await worker_of(shop, "one", PAID)
    await worker.say(ALL.replace("topic: tills", "topic: stalls"))
    stats = worker.pipeline.stats()
    assert stats.inputs_restart == ("stalls", "tills")
    worker.logs[WEB], worker.logs[TILLS] = [order(1, "open")], [order(2)]
    await worker.turn()
    assert worker.warned() == ["k1", "k2"]
    assert "inputs.restart_needed" in {notice.kind for notice in worker.notices()}
    await worker.say(ALL)
    assert worker.pipeline.stats().inputs_restart == ()


ABROAD = FILE % ("paid", FIELDS.replace("amount: sum", "amount: {path: sum, rates: true}"), FIELDS)
ABROAD = ABROAD.replace("currency: {constant: EUR}", "currency: {path: cur, default: EUR}", 1)
RATES = "day,currency,rate\n1970-01-01,JPY,0.006\n"


async def test_new_rates_are_adopted_at_a_checkpoint_and_a_crash_goes_on_with_the_old(shop: Shop) -> None:
    table = shop.folder.parent / "rates.csv"
    table.write_text(RATES)
    worker = await worker_of(shop, "one", ABROAD, rates=table)
    worker.logs[WEB] = [order(1)]
    await worker.turn()
    await worker.pipeline.save()
    worker.logs[WEB] += [order(2) | {"cur": "USD"}, order(3) | {"cur": "JPY"}]
    await worker.turn()
    assert worker.warned() == ["k1", "k3"]
    before = worker.pipeline.stats().inputs
    # A rate for the dollar comes, and the worker dies before it has looked.
    table.write_text(RATES + "1970-01-01,USD,0.9\n")
    shop.warned.ids = [json_of(r)["id"] for r in worker.sent if r.topic == worker.settings.warnings_topic]
    shop.warned.until = 30_000_000
    other = await worker_of(shop, "two", ABROAD, generation=2, rates=table)
    other.logs = worker.logs
    await other.turn()
    assert other.warned() == []
    assert other.pipeline.stats().refused_by_topic["web"] == {"other_currency": 1}
    await other.pipeline.reload()
    stats = other.pipeline.stats()
    assert (stats.inputs_adopted, stats.inputs_by_partition) == (1, {"0": stats.inputs})
    assert other.saved() == stats.inputs != before
    other.logs[WEB].append(order(4) | {"cur": "USD"})
    await other.turn()
    assert other.warned() == ["k4"]
    # And while it runs: the file itself stays as it is.
    table.write_text(RATES + "1970-01-01,CHF,1.1\n")
    for _ in range(2):
        await other.pipeline.reload()
    await other.pipeline.process()
    assert other.pipeline.stats().inputs_adopted == 2
    assert other.saved() == other.pipeline.stats().inputs != stats.inputs
