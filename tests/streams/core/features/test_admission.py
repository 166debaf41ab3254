"""Which events count, compared with a slow twin that takes them one by one."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.contract.rejected import RefusalReason
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.batch import MILLION, Batch, LabelsRecord
from streams.core.events.calendar import DAY
from streams.core.events.dedup import Deduplicator
from streams.core.events.refusal import EventRefusalReason
from streams.core.events.topics import Topic
from streams.core.features.admission import LARGEST_SUM, Admission
from streams.core.features.catalogue import DTYPES
from streams.core.features.customers import Customers
from streams.core.rules.rule_set import compile_rules
from streams.core.state_tables import restore, tables
from streams.offline.replay import SweptFeatures

RULES = compile_rules([], DTYPES)
WINDOW = 10


@dataclass(frozen=True, slots=True)
class Given:
    customer: str
    event_id: str
    at: int
    amount: int = 1
    currency: str | None = None
    topic: Topic = Topic.ORDERS

    @property
    def row(self) -> dict[str, object]:
        return {
            "topic": self.topic,
            "at": self.at,
            "customer_id": self.customer,
            "event_id": self.event_id,
            "amount": self.amount * MILLION,
            "record": LabelsRecord(None, None, self.currency) if self.currency else None,
        }


Refusals = list[tuple[str, int, EventRefusalReason]]


class Slow:
    """The specification: one event after the other, in the order in which they are taken."""

    def __init__(self, currency: str | None = None) -> None:
        self.currency = currency
        self.currencies: dict[str, str] = {}
        self.kept: list[Given] = []
        self.sums: dict[str, int] = {}
        self.refused: Refusals = []
        self.repeats = 0

    def take(self, event: Given) -> bool:
        why = self._why(event)
        if why is not None:
            self.refused.append((event.event_id, event.at, why))
        return why is None

    def _why(self, event: Given) -> EventRefusalReason | None:
        if event.currency is None:
            return None
        own = self.currency or self.currencies.setdefault(event.customer, event.currency)
        return None if event.currency == own else EventRefusalReason.OTHER_CURRENCY

    def run(self, events: Sequence[Given]) -> list[Given]:
        counted = []
        for event in events:
            if not self.take(event):
                continue
            near = [
                k
                for k in self.kept
                if (k.customer, k.event_id) == (event.customer, event.event_id)
                and abs(k.at - event.at) <= WINDOW
            ]
            if near:
                self.repeats += 1
                if event not in near:
                    self.refused.append((event.event_id, event.at, EventRefusalReason.ID_REUSED))
                continue
            self.kept.append(event)
            total = self.sums.get(event.customer, 0) + event.amount * MILLION
            if event.topic is Topic.ORDERS:
                if total > LARGEST_SUM:
                    self.refused.append((event.event_id, event.at, EventRefusalReason.SUM_TOO_LARGE))
                    continue
                self.sums[event.customer] = total
            counted.append(event)
        return counted


events = st.builds(
    Given,
    customer=st.sampled_from("ab"),
    event_id=st.sampled_from("uvwxyz"),
    at=st.integers(0, 60),
    amount=st.sampled_from([1, 2, 10**12, 4 * 10**12]),
    currency=st.sampled_from([None, None, "EUR", "USD"]),
    topic=st.sampled_from([Topic.ORDERS, Topic.ORDERS, Topic.ORDERS, Topic.LOGINS]),
).map(lambda e: e if e.topic is Topic.ORDERS else Given(e.customer, e.event_id, e.at, 0, None, e.topic))


@settings(max_examples=300)
@given(st.lists(events, max_size=30), st.sets(st.integers(1, 29)), st.sampled_from([None, "EUR"]))
def test_what_counts_is_as_the_slow_twin_has_it_however_batches_are_cut(
    given_: list[Given], cuts: set[int], currency: str | None
) -> None:
    given_ = sorted(given_, key=lambda e: e.at)
    slow = Slow(currency)
    expected = slow.run(given_)
    customers = Customers()
    admission = Admission(customers, Deduplicator(WINDOW), currency)
    edges = [0, *sorted(c for c in cuts if c < len(given_)), len(given_)]
    counted: list[tuple[str, int, int]] = []
    refused: Refusals = []
    repeats = 0
    for begin, end in itertools.pairwise(edges):
        batch = Batch.of([event.row for event in given_[begin:end]])
        made = admission.admit(batch, batch.at)
        found = made.events.events
        counted += zip(found.event_id.tolist(), found.at.tolist(), found.amount.tolist(), strict=True)
        assert [customers.ids[row] for row in made.events.rows.tolist()] == found.customer_id.tolist()
        refused += [(each.event_id, each.at, each.reason) for each in made.refused]
        repeats += len(made.repeated)
    assert counted == [(e.event_id, e.at, e.amount * MILLION) for e in expected]
    assert sorted(refused) == sorted(slow.refused)
    assert repeats == slow.repeats
    assert set(customers.ids) >= {e.customer for e in expected}
    if currency is not None:
        assert set(customers.ids) == {e.customer for e in given_ if e.currency in (None, currency)}


def engine_of(events: Sequence[Given], currency: str | None = None, *, restarts: bool = False) -> Engine:
    engine = Engine(EngineSettings(currency=currency), RULES)
    for event in events:
        engine.step(Batch.of([event.row]))
        engine.flush()
        if restarts:
            saved = tables(engine)
            engine = Engine(EngineSettings(currency=currency), RULES)
            restore(engine, saved)
    return engine


def features(engine: Engine, *names: str) -> dict[str, list[object]]:
    swept = SweptFeatures()
    engine.observe(sweeps=swept)
    engine.advance(engine.reorder.watermark + 2 * DAY)
    return {name: swept.frames[0][1][name].to_list() for name in ("customer_id", *names)}


@pytest.mark.parametrize("restarts", [False, True])
def test_orders_in_two_currencies_are_never_added(restarts: bool) -> None:
    orders = [
        Given("a", "1", 10, 5),
        Given("a", "2", 20, 7, "EUR"),
        Given("a", "3", 30, 100, "USD"),
        Given("a", "4", 40, 1),
        Given("b", "5", 50, 9, "USD"),
    ]
    engine = engine_of(orders, restarts=restarts)
    assert features(engine, "spend_total", "orders_total") == {
        "customer_id": ["a", "b"],
        "spend_total": [13.0, 9.0],
        "orders_total": [3, 1],
    }


def test_a_customer_of_whom_all_is_refused_does_not_appear() -> None:
    orders = [Given("a", "1", 10, 5, "USD"), Given("b", "2", 20, 7, "EUR"), Given("c", "3", 30, 7)]
    engine = engine_of(orders, "EUR")
    assert features(engine, "spend_total") == {"customer_id": ["b", "c"], "spend_total": [7.0, 7.0]}


@pytest.mark.parametrize("restarts", [False, True])
def test_ten_orders_of_the_largest_amount_do_not_wrap(restarts: bool) -> None:
    orders = [Given("a", str(n), 10 + n, 10**12) for n in range(10)] + [Given("a", "x", 90, 1)]
    engine = engine_of(orders, restarts=restarts)
    assert features(engine, "spend_total", "spend_30d", "orders_total") == {
        "customer_id": ["a"],
        "spend_total": [9e12],
        "spend_30d": [9e12],
        "orders_total": [9],
    }


def test_orders_that_are_taken_back_do_not_make_room() -> None:
    """Else the order in which they come would decide."""
    engine = Engine(EngineSettings(), RULES)
    rows = [Given("a", str(n), 10 + n, 10**12).row | {"status": n % 2} for n in range(10)]
    engine.step(Batch.of(rows))
    output = engine.flush()
    assert output.counts.refused == {EventRefusalReason.SUM_TOO_LARGE: 1}
    assert features(engine, "orders_total", "returns_90d") == {
        "customer_id": ["a"],
        "orders_total": [5],
        "returns_90d": [4],
    }


def test_a_state_of_before_knows_what_was_spent() -> None:
    engine = engine_of([Given("a", str(n), 10 + n, 10**12) for n in range(8)])
    saved = tables(engine)
    saved["customers"] = saved["customers"].drop("currency", "turnover")
    after = Engine(EngineSettings(), RULES)
    restore(after, saved)
    assert after.customers.state["turnover"][0] == 8 * 10**12 * MILLION
    batch = Batch.of([Given("a", "x", 100, 10**12).row, Given("a", "y", 101, 10**12).row])
    after.step(batch)
    assert after.flush().counts.refused == {EventRefusalReason.SUM_TOO_LARGE: 1}


def test_what_does_not_count_is_reported_with_its_place() -> None:
    engine = Engine(EngineSettings(), RULES)
    rows = [
        Given("a", "1", 10, 5, "EUR").row | {"offset": 7},
        Given("a", "1", 20, 6, "EUR").row | {"offset": 8},
        Given("a", "1", 10, 5, "EUR").row | {"offset": 9},
        Given("a", "2", 30, 6, "USD").row | {"offset": 10},
    ]
    engine.step(Batch.of(rows))
    output = engine.flush()
    assert [(e.reason, e.offset, e.topic, e.event_id) for e in output.refused] == [
        (EventRefusalReason.OTHER_CURRENCY, 10, Topic.ORDERS, "2"),
        (EventRefusalReason.ID_REUSED, 8, Topic.ORDERS, "1"),
    ]
    assert output.counts.repeats == 2
    assert output.counts.events == 1


def test_every_reason_is_one_of_the_closed_list() -> None:
    assert {reason.value for reason in EventRefusalReason} < {reason.value for reason in RefusalReason}


def test_what_is_refused_first_does_not_begin_the_calendar() -> None:
    engine = Engine(EngineSettings(currency="EUR"), RULES)
    engine.step(Batch.of([Given("a", "1", 10, 5, "USD").row]))
    engine.flush()
    assert engine.place[0] is None
    assert pl.DataFrame(tables(engine)["customers"]).is_empty()
    assert np.all(engine.customers.state["turnover"] == 0)
