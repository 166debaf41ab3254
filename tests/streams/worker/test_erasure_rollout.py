"""Erasures while workers run: adopted at a checkpoint, carried out, and gone from every checkpoint."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import numpy as np
import pytest

from streams.contract.erasures import ErasureKey, ErasureRequest, WrongErasureKey
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.topics import Topic
from streams.core.features.catalogue import DTYPES
from streams.core.rules.rule_set import compile_rules
from streams.core.state_tables import tables
from streams.errors import BrokerError
from streams.intake.poll import Poll, ReadProgress
from streams.worker.erasure_rollout import ErasureRollout
from streams.worker.pipeline import Pipeline
from tests.streams.intake.logs import Log
from tests.streams.worker.test_assignment import ORDERS, RULE, SETTINGS, Shop, Worker

KEY = ErasureKey(b"a key for tests!")
GONE = "gone-customer"
ERASED_AT = datetime(1970, 1, 1, 0, 0, 40, tzinfo=UTC)
"""After the first seven orders, which are placed at 10, 15, ... 40 seconds; the others follow."""
REQUEST = ErasureRequest(hash=KEY.hash(GONE), erased_at=ERASED_AT, key_id=KEY.id)


class Orders(Log):
    """Orders of two customers in turn."""

    def poll(self, start: int, end: int, *, more: bool = False) -> Poll:
        poll = super().poll(start, end, more=more)
        names = [(GONE, "stays")[int(offset) % 2].encode() for offset in poll.offsets]
        pairs = zip(poll.values, names, strict=True)
        values = [v and v.replace(b'"k"', b'"' + name + b'"') for v, name in pairs]
        return replace(poll, keys=list(names), values=values)


class Erasing(Worker):
    """A worker that follows a topic of erasures; with `known`, it has one when it begins."""

    def __init__(self, shop: Shop, *, keeps: bool = True, known: bool = False) -> None:
        super().__init__(shop)
        self.erasures = ErasureRollout(KEY, [REQUEST] if known else [])
        services = self.services if keeps else None
        self.pipeline = Pipeline(
            SETTINGS, self.engine, self.send, lambda: 0.0, services, erasures=self.erasures
        )

    def engine(self, number: int) -> Engine:
        settings = EngineSettings(reorder_us=0, erasure_key=KEY)
        return Engine(settings, compile_rules([RULE], DTYPES), None, number)

    async def assign(self, generation: int = 1) -> None:
        if self.pipeline.assignment._restorer is not None:
            await super().assign(generation)
            return
        self.pipeline.assigned({ORDERS}, generation)
        self.pipeline.begin(ORDERS, 0)

    def withdrawn(self) -> list[str]:
        return [s["subject"] for s in self.steps() if s["type"] == "churn.warning.withdrawn"]

    def steps(self) -> list[dict[str, Any]]:
        return [json.loads(r.value or b"") for r in self.sent if r.topic == SETTINGS.warnings_topic]

    def notices(self) -> list[dict[str, Any]]:
        found = [json.loads(r.value or b"") for r in self.sent if r.topic == SETTINGS.control_topic]
        return [notice["detail"] for notice in found if notice["kind"] == "customers.erased"]

    @property
    def core(self) -> Engine:
        return self.tasks[0].engine


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path)
    shop.log = Orders(Topic.ORDERS, tuple(range(10, 60, 5)))
    return shop


async def begun(shop: Shop, **how: bool) -> Erasing:
    worker = Erasing(shop, **how)
    await worker.assign()
    return worker


def bytes_on_disk(shop: Shop) -> bytes:
    return b"".join(path.read_bytes() for path in shop.folder.rglob("*") if path.is_file())


def states(shop: Shop) -> list[dict[str, Any]]:
    """Return what each checkpoint on disk says of erasures, the oldest first."""
    store = Worker(shop).services.store
    tables = [store.table(checkpoint, "erasures") for checkpoint in store.whole(0)]
    return [table.to_dicts()[0] if len(table) else {} for table in tables]


async def test_a_customer_is_withdrawn_and_gone_from_state_and_checkpoints(shop: Shop) -> None:
    worker = await begun(shop)
    await worker.read(3)
    await worker.pipeline.save()
    await worker.read(6)
    await worker.pipeline.save()
    assert GONE.encode() in bytes_on_disk(shop)
    assert worker.core.customers.ids == [GONE, "stays"]
    worker.erasures.found(REQUEST)
    assert not worker.withdrawn()
    await worker.pipeline.reload()
    assert worker.withdrawn() == [GONE]
    assert worker.core.customers.ids == ["stays"]
    # The one that the erasure was adopted at had the customer still: it is gone, as are all before it.
    assert shop.on_disk() == ["0000000004"]
    assert GONE.encode() not in bytes_on_disk(shop)
    assert states(shop) == [{"hash": REQUEST.hash, "erased_at": 40_000_000, "cleared_at": 35_000_000}]
    await worker.pipeline.process()
    assert worker.notices() == [{"erasures": 1, "customers": 1, "worker": "worker"}]
    # Nothing is left to do.
    await worker.pipeline.reload()
    assert shop.on_disk() == ["0000000004"]
    assert worker.moved() == []
    # The order at 40 s is not later than the erasure; with that at 50 s the customer begins anew.
    await worker.read(10)
    stats = worker.pipeline.stats()
    assert stats.erased == 1
    (row,) = np.flatnonzero(np.array(worker.core.customers.ids) == GONE)
    assert worker.core.customers.state["orders_total"][row] == 1
    opened = [s["id"] for s in worker.steps() if s["type"] == "churn.warning.opened" and s["subject"] == GONE]
    assert len(set(opened)) == 2


@pytest.mark.parametrize("crash", ["before the commit", "before the second", "after it"])
async def test_after_a_crash_at_any_point_it_comes_to_the_same(
    shop: Shop, crash: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = await begun(Shop(shop.folder / "whole"))
    whole.shop.log = shop.log
    await whole.read(6)
    whole.erasures.found(REQUEST)
    await whole.pipeline.reload()
    await whole.read(10)

    worker = await begun(shop)
    await worker.read(6)
    await worker.pipeline.save()
    worker.erasures.found(REQUEST)
    if crash == "before the commit":
        shop.disk.room = 0
    elif crash == "before the second":
        monkeypatch.setattr(worker.pipeline._saver, "_save", AsyncMock(side_effect=BrokerError("crashed")))
    await worker.pipeline.reload()
    shop.disk.room = 10**9
    sent = worker.steps()
    assert ([s["type"] for s in sent].count("churn.warning.withdrawn") == 1) == (crash != "before the commit")
    assert (GONE.encode() in bytes_on_disk(shop)) == (crash != "after it")
    shop.warned.ids = [step["id"] for step in sent]

    shop.warned.until = 35_000_000
    other = await begun(shop, known=True)
    if crash == "before the commit":
        assert other.core.customers.ids == [GONE, "stays"]
        await other.pipeline.reload()
        assert other.core.customers.ids == [GONE, "stays"]  # it repeats what was sent
        await other.read(7)
        await other.pipeline.reload()
    else:
        assert other.core.customers.ids == ["stays"]
        await other.pipeline.reload()
    assert GONE.encode() not in bytes_on_disk(shop)
    assert len(shop.on_disk()) == 1
    await other.read(10)
    first = {step["id"]: step for step in [*sent, *other.steps()]}
    expected = {step["id"]: step for step in whole.steps()}
    if crash != "before the commit":
        assert first == expected
    assert [s["subject"] for s in first.values() if s["type"] == "churn.warning.withdrawn"] == [GONE]
    mine, theirs = tables(other.core), tables(whole.core)
    assert mine["customers"].sort("customer_id").equals(theirs["customers"].sort("customer_id"))


async def test_an_idle_partition_adopts_although_the_topic_has_later_steps_of_others(shop: Shop) -> None:
    worker = await begun(shop)
    await worker.read(6)
    await worker.pipeline.save()
    shop.warned.ids = ["of another partition"]
    other = await begun(shop, known=True)
    await other.pipeline.reload()
    assert other.core.customers.ids == [GONE, "stays"]
    for second in range(3):
        other.pipeline.board.progress = {ORDERS: ReadProgress(6, 6, 1_000 * second)}
        await other.pipeline.process()
    await other.pipeline.reload()
    assert other.core.customers.ids == ["stays"]


async def test_a_checkpoint_that_cannot_be_removed_is_tried_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = await begun(shop)
    await worker.read(6)
    await worker.pipeline.save()
    store = worker.services.store
    with monkeypatch.context() as patched:
        patched.setattr(type(store), "_remove", lambda self, path: None)
        worker.erasures.found(REQUEST)
        await worker.pipeline.reload()
        assert worker.moved() == [0]
        assert GONE.encode() in bytes_on_disk(shop)
    await worker.pipeline.reload()
    assert GONE.encode() not in bytes_on_disk(shop)
    assert worker.moved() == []


async def test_a_state_that_begins_anew_knows_of_erasures_before_its_first_event(shop: Shop) -> None:
    for keeps in (True, False):
        worker = await begun(shop, keeps=keeps, known=True)
        await worker.read(10)
        assert worker.pipeline.stats().erased == 4
        assert not worker.withdrawn()
        state = worker.core.customers
        assert state.state["orders_total"][state.ids.index(GONE)] == 1


async def test_without_checkpoints_it_is_adopted_between_two_turns(shop: Shop) -> None:
    worker = await begun(shop, keeps=False)
    await worker.read(6)
    worker.erasures.found(REQUEST)
    await worker.pipeline.reload()
    assert worker.withdrawn() == [GONE]
    assert worker.core.customers.ids == ["stays"]


async def test_a_customer_nobody_knows_is_remembered_all_the_same(shop: Shop) -> None:
    worker = await begun(shop)
    await worker.read(6)
    worker.erasures.found(replace_hash(KEY.hash("nobody")))
    await worker.pipeline.reload()
    assert worker.notices() == []
    await worker.pipeline.process()
    assert worker.notices() == [{"erasures": 1, "customers": 0, "worker": "worker"}]
    assert [erasure.hash for erasure in worker.core.erased.all] == [KEY.hash("nobody")]
    assert worker.core.customers.ids == [GONE, "stays"]


def replace_hash(hashed: str) -> ErasureRequest:
    return REQUEST.model_copy(update={"hash": hashed})


async def test_an_erasure_by_another_key_is_logged_and_not_adopted(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    worker = await begun(shop)
    await worker.read(6)
    worker.erasures.found(REQUEST.model_copy(update={"key_id": "0" * 16}))
    await worker.pipeline.reload()
    assert worker.core.customers.ids == [GONE, "stays"]
    assert "a customer is not erased: LAPWING_ERASURE_KEY is the key" in caplog.text


def test_a_worker_does_not_begin_without_the_key_of_the_topic() -> None:
    with pytest.raises(WrongErasureKey, match="LAPWING_ERASURE_KEY is not set"):
        ErasureRollout(None, [REQUEST])
    with pytest.raises(WrongErasureKey, match=f"erased with the key {KEY.id}"):
        ErasureRollout(ErasureKey(b"another"), [REQUEST])


def test_a_record_by_another_key_beside_those_of_the_key_does_not_stop_a_worker(
    caplog: pytest.LogCaptureFixture,
) -> None:
    of_nobody = REQUEST.model_copy(update={"key_id": "0" * 16, "hash": KEY.hash("stays")})
    rollout = ErasureRollout(KEY, [of_nobody, REQUEST])
    assert rollout.is_erased(GONE, 40_000_000)
    assert not rollout.is_erased("stays", 0)
    assert "1 records of erasures are passed over" in caplog.text


def test_what_was_before_the_erasure_is_erased() -> None:
    rollout = ErasureRollout(KEY, [REQUEST])
    assert rollout.is_erased(GONE, 40_000_000)
    assert not rollout.is_erased(GONE, 40_000_001)
    assert not rollout.is_erased("stays", 0)
