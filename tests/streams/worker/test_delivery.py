from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.contract.census import parse_census
from streams.contract.customer_days import encode_customer_days, encode_score
from streams.contract.outcomes import parse_outcome
from streams.contract.rejected import RefusalReason, read_rejected_headers
from streams.contract.warnings import encode_notice
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings, Output
from streams.core.events.batch import Batch
from streams.core.events.calendar import DAY
from streams.core.events.topics import Topic
from streams.core.features.catalogue import DTYPES
from streams.core.outcomes.outcome import CustomerDays, DayCounts, Score
from streams.core.rules.rule_set import compile_rules
from streams.core.steps import OperationsNotice
from streams.errors import BrokerError
from streams.intake.partition import RejectedRecord
from streams.intake.poll import TopicPartition
from streams.worker import delivery
from streams.worker.delivery import OutgoingRecord, OutputRouter, RecordDelivery

ORDERS, LOGINS = TopicPartition("orders", 0), TopicPartition("logins", 0)
A, B, C = (OutgoingRecord("t", None, name) for name in (b"a", b"b", b"c"))


class Broker:
    """A producer whose acknowledgements come when the test says so."""

    def __init__(self) -> None:
        self.sent: dict[bytes | None, asyncio.Future[Any]] = {}

    async def send(self, records: Sequence[OutgoingRecord]) -> list[asyncio.Future[Any]]:
        made = [asyncio.get_running_loop().create_future() for _ in records]
        self.sent.update((record.value, future) for record, future in zip(records, made, strict=True))
        return made

    def acknowledge(self, *records: OutgoingRecord) -> None:
        for record in records:
            self.sent[record.value].set_result(None)


def on_its_way(delivery: RecordDelivery) -> tuple[int, float | None]:
    return delivery.waiting, delivery.oldest


async def test_a_step_is_measured_from_its_record_until_the_last_of_a_shipment_has_arrived() -> None:
    broker, now = Broker(), 1_000.0
    delivery = RecordDelivery(broker.send, lambda: now)
    assert on_its_way(delivery) == (0, None)
    await delivery.ship([A, B], {}, [998_500, 999_000])
    now = 1_001.0
    await delivery.ship([C], {})
    assert on_its_way(delivery) == (3, 1_000.0)
    broker.acknowledge(A)
    await asyncio.sleep(0)
    assert delivery.latency.figures().count == 0
    now = 1_003.0
    broker.acknowledge(B)
    await asyncio.sleep(0)
    figures = delivery.latency.figures()
    assert (figures.count, figures.sum) == (2, 4.5 + 4.0)
    assert on_its_way(delivery) == (3, 1_001.0)
    broker.acknowledge(C)
    delivery.arrived()
    assert on_its_way(delivery) == (0, None)


async def test_what_does_not_arrive_is_not_measured() -> None:
    broker = Broker()
    delivery = RecordDelivery(broker.send)
    await delivery.ship([A], {}, [0])
    broker.sent[A.value].set_exception(OSError("away"))
    await asyncio.sleep(0)
    assert delivery.latency.figures().count == 0
    with pytest.raises(BrokerError):
        await delivery.settle()


async def test_offsets_are_committable_once_all_that_came_of_them_has_arrived() -> None:
    broker = Broker()
    delivery = RecordDelivery(broker.send)
    await delivery.ship([A, B], {ORDERS: 5, LOGINS: 7})
    await delivery.ship([C], {ORDERS: 6})
    broker.acknowledge(B, C)
    assert delivery.arrived() == {}
    broker.acknowledge(A)
    assert delivery.arrived() == {ORDERS: 6, LOGINS: 7}
    assert delivery.arrived() == {}


async def test_input_that_gave_nothing_is_committable_after_what_came_before_it() -> None:
    broker = Broker()
    delivery = RecordDelivery(broker.send)
    await delivery.ship([A], {ORDERS: 5})
    await delivery.ship([], {ORDERS: 9})
    assert delivery.arrived() == {}
    broker.acknowledge(A)
    assert delivery.arrived() == {ORDERS: 9}


async def test_settling_waits_for_everything() -> None:
    broker = Broker()
    delivery = RecordDelivery(broker.send)
    await delivery.ship([A], {ORDERS: 5})
    await delivery.ship([B], {LOGINS: 6})
    settling = asyncio.ensure_future(delivery.settle())
    broker.acknowledge(A)
    await asyncio.sleep(0)
    assert not settling.done()
    broker.acknowledge(B)
    assert await settling == {ORDERS: 5, LOGINS: 6}


async def test_a_record_that_the_broker_does_not_take_is_an_error_and_commits_nothing() -> None:
    broker = Broker()
    delivery = RecordDelivery(broker.send)
    await delivery.ship([A], {ORDERS: 5})
    broker.sent[b"a"].set_exception(ValueError("no room"))
    with pytest.raises(BrokerError, match="did not take a record: ValueError: no room"):
        delivery.arrived()
    assert delivery.arrived() == {}


async def test_no_more_than_a_limit_is_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "UNACKNOWLEDGED_LIMIT", 1)
    broker = Broker()
    way = RecordDelivery(broker.send)
    await way.ship([A], {ORDERS: 1})
    shipping = asyncio.ensure_future(way.ship([B], {ORDERS: 2}))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not shipping.done()
    broker.acknowledge(A)
    await shipping
    assert way.arrived() == {ORDERS: 1}


OUTLET = OutputRouter("shop", "churn-warnings", "lapwing-control", "shop.rejected", record_limit=2_000)


def test_a_notice_goes_to_the_control_topic() -> None:
    notice = OperationsNotice("quiet", 5, 1, {"topic": "orders"})
    (record,) = OUTLET.of_output(Output(control=[notice]))
    assert record == OutgoingRecord("lapwing-control", None, encode_notice(notice, "shop"))


def test_outcomes_and_census_go_to_their_topics_where_there_are_any() -> None:
    bought = {"topic": Topic.ORDERS, "customer_id": "c", "event_id": "e", "at": 0, "amount": 1}
    engine = Engine(EngineSettings(app="shop", horizon_us=9 * DAY, outcomes=True), compile_rules([], DTYPES))
    outputs = [engine.step(Batch.of([bought])), engine.flush(), engine.advance(40 * DAY)]
    assert [record for output in outputs for record in OUTLET.of_output(output)] == []
    router = replace(OUTLET, outcomes="churn-outcomes", census="churn-census")
    records = [record for output in outputs for record in router.of_output(output)]
    outcomes = [parse_outcome(r.value or b"") for r in records if r.topic == "churn-outcomes"]
    assert [each.type for each in outcomes] == ["churn.customer.acquired", "churn.customer.lapsed"]
    assert {r.key for r in records if r.topic == "churn-outcomes"} == {b"c"}
    census = [parse_census(r.value or b"") for r in records if r.topic == "churn-census"]
    assert [each.type for each in census] == [*("churn.census.taken",) * 3, "churn.census.summary"]
    assert {r.key for r in records if r.topic == "churn-census"} == {b"partition=0"}


def test_customer_days_and_scores_go_to_their_topics_where_there_are_any() -> None:
    days = CustomerDays("d", DAY, "c", "w", 0, 0, (DayCounts(0, 1, 2.5, 0, 0),), 0.5, None, None)
    score = Score("s", DAY, "c", 0.5, None, None)
    output = Output(customer_days=[days], scores=[score])
    assert OUTLET.of_output(output) == []
    router = replace(OUTLET, customer_days="shop.customer-days", scores="churn-scores")
    assert router.of_output(output) == [
        OutgoingRecord("shop.customer-days", b"c", encode_customer_days(days, "shop")),
        OutgoingRecord("churn-scores", b"c", encode_score(score, "shop")),
    ]


@settings(deadline=None)
@given(
    st.one_of(st.none(), st.binary(max_size=30), st.just(b"k" * 3_000)),
    st.one_of(st.none(), st.binary(max_size=30), st.integers(1_000, 3_000).map(lambda n: b"v" * n)),
)
def test_a_refused_record_keeps_its_bytes_where_they_fit(key: bytes | None, value: bytes | None) -> None:
    record = OUTLET.of_rejected(
        RejectedRecord(ORDERS, 41, key, value, RefusalReason.NOT_JSON, "what is wrong")
    )
    assert record.topic == "shop.rejected"
    assert record.headers is not None
    said = read_rejected_headers(record.headers)
    assert (said.topic, said.partition, said.offset) == ("orders", 0, 41)
    assert (said.reason, said.detail) == (RefusalReason.NOT_JSON, "what is wrong")
    size = len(record.key or b"") + len(record.value or b"")
    size += sum(len(name) + len(text) for name, text in record.headers)
    assert size <= 2_000
    if said.truncated:
        assert len(key or b"") + len(value or b"") > 1_500
        assert (key or b"").startswith(record.key or b"")
        assert (value or b"").startswith(record.value or b"")
    else:
        assert (record.key, record.value) == (key, value)
