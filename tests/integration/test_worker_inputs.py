"""A worker whose topics hold a shop's own records warns as one that gets the contract's."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from streams.contract.instants import read_instant, to_us
from streams.core.events.calendar import DAY
from streams.core.events.topics import Topic
from streams.core.rules.rule_set import RuleSet
from streams.errors import BrokerError
from streams.inputs.load import parse_inputs
from streams.inputs.watch import InputWatch
from streams.intake.partition import BatchingPolicy
from streams.worker.settings import WorkerSettings
from tests.integration.test_worker_warnings import PARTITIONS, engine_of, expected, history, rules
from tests.integration.workers import (
    WITHIN_S,
    RunningWorker,
    Sent,
    consume,
    make_topics,
    produce,
    running,
    settings_on,
)

__all__ = ["rules"]

INPUTS = """\
version: 1
sources:
  web:
    topic: {app}.web
    events:
      - to: orders
        where: {{kind: [order]}}
        fields:
          event_id: id
          customer_id: customer.number
          occurred_at: {{path: created, time: epoch_ms}}
          order_id: id
          amount: {{path: cents, minor_units: EUR}}
          currency: {{path: currency, default: EUR}}
      - to: logins
        where: {{kind: login{more}}}
        fields:
          event_id: id
          customer_id: customer.number
          occurred_at: {{path: created, time: epoch_ms}}
  tills:
    topic: {app}.tills
    key: trusted
    events:
      - to: orders
        fields:
          event_id: receipt
          customer_id: card
          occurred_at: {{path: printed, time: "%d.%m.%Y %H:%M:%S"}}
          order_id: receipt
          amount: {{path: sum, decimal: comma}}
          currency: {{constant: EUR}}
"""


def web(topic: Topic, value: bytes, **more: Any) -> bytes:
    """The record of the web shop that becomes this event."""
    event = json.loads(value)
    record = {
        "id": event["event_id"],
        "kind": "order" if topic is Topic.ORDERS else "login",
        "customer": {"number": event["customer_id"], "name": "somebody"},
        "created": to_us(read_instant(event["occurred_at"])) // 1_000,
        "cents": 1250,
    }
    return json.dumps(record | more).encode()


def till(value: bytes) -> bytes:
    """The receipt of a till that becomes this order."""
    event = json.loads(value)
    return json.dumps(
        {
            "receipt": event["event_id"],
            "card": event["customer_id"],
            "printed": read_instant(event["occurred_at"]).strftime("%d.%m.%Y %H:%M:%S"),
            "sum": "12,50",
        }
    ).encode()


class Shop:
    """Topics of a shop's own records beside those of the contract, and the file that maps them."""

    def __init__(self, broker: str, folder: Path, pace: BatchingPolicy | None = None) -> None:
        settings = settings_on(broker, PARTITIONS, pace or BatchingPolicy(idle_s=2.0, reorder_us=4 * DAY))
        self.file = folder / "inputs.yaml"
        self.app = settings.app
        self.write()
        watch = InputWatch(self.file, parse_inputs)
        self.web, self.tills = f"{settings.app}.web", f"{settings.app}.tills"
        make_topics(broker, [self.web, self.tills], PARTITIONS)
        self.settings = replace(settings, sources=watch.current.sources)

    def write(self, more: str = "") -> None:
        self.file.write_text(INPUTS.format(app=self.app, more=more))

    def records(self, events: list[tuple[Topic, str, bytes]]) -> list[Sent]:
        """Some logins as the contract has them, some orders from tills, the rest from the web shop."""
        made = []
        for number, (topic, customer, value) in enumerate(events):
            if topic is Topic.LOGINS and number % 2:
                made.append(Sent(self.settings.topics[topic], customer.encode(), value))
            elif topic is Topic.ORDERS and number % 3 == 0:
                made.append(Sent(self.tills, customer.encode(), till(value)))
            else:
                made.append(Sent(self.web, customer.encode(), web(topic, value)))
        return made

    @contextmanager
    def worker(self, rules: RuleSet, settings: WorkerSettings | None = None) -> Iterator[RunningWorker]:
        watch = InputWatch(self.file, parse_inputs)
        given = replace(settings or self.settings, sources=watch.current.sources)
        with running(given, lambda number: engine_of(number, rules, self.app), inputs=watch) as worker:
            yield worker


def warnings(shop: Shop, broker: str, count: int) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = defaultdict(list)
    for record in consume(broker, shop.settings.warnings_topic, count + 1, within_s=1):
        found[record.key.decode()].append(record.value)
    return found


@pytest.mark.parametrize("live", [False, True], ids=["as a backlog", "as it comes"])
def test_the_warnings_are_those_of_the_contracts_events(
    broker: str, rules: RuleSet, tmp_path: Path, live: bool
) -> None:
    shop = Shop(broker, tmp_path)
    events = history(seed=7)
    records = shop.records(events)
    due = expected(events, rules, shop.app)
    count = sum(map(len, due.values()))
    assert count > 50
    assert len({record.topic for record in records}) == 3
    if not live:
        produce(broker, sorted(records, key=lambda record: record.topic, reverse=True))
    with shop.worker(rules) as worker:
        if live:
            worker.wait_until(lambda: len(worker.engines) == PARTITIONS)
            for begin in range(0, len(records), 150):
                produce(broker, records[begin : begin + 150])
        worker.wait_until(lambda: worker.stats is not None and worker.stats.steps >= count)
        assert worker.stats is not None
        assert worker.stats.refused == 0
        assert set(worker.stats.lag) == {
            f"{name}/{number}" for name in shop.settings.input_topics for number in range(PARTITIONS)
        }
        assert worker.stats.events_by_topic == {
            shop.settings.topics[Topic.COMPLAINTS]: 0,
            shop.settings.topics[Topic.LOGINS]: sum(topic is Topic.LOGINS for topic, *_ in events),
            shop.settings.topics[Topic.ORDERS]: sum(topic is Topic.ORDERS for topic, *_ in events),
        }
    assert warnings(shop, broker, count) == due


def test_states_go_on_where_they_were_saved(broker: str, rules: RuleSet, tmp_path: Path) -> None:
    shop = Shop(broker, tmp_path, BatchingPolicy(idle_s=3.0))
    settings = replace(shop.settings, checkpoints=str(tmp_path / "states"), checkpoint_every_s=0.5)
    events = history(seed=8)
    records, due = shop.records(events), expected(events, rules, shop.app)
    count = sum(map(len, due.values()))
    taken = 0
    for begin, end in ((0, 200), (200, 400), (400, len(records))):
        produce(broker, records[begin:end])
        with shop.worker(rules, settings) as worker:
            worker.wait_until(lambda: worker.stats is not None and len(worker.stats.lag) == 5 * PARTITIONS)
            worker.wait_until(lambda: worker.stats is not None and not any(worker.stats.lag.values()))
            if end == len(records):
                worker.wait_until(lambda: sum(map(len, warnings(shop, broker, count).values())) >= count)
        assert worker.stats is not None
        taken += worker.stats.events
    assert taken == len(records)
    assert warnings(shop, broker, count) == due


def test_what_is_refused_goes_away_as_it_was(broker: str, rules: RuleSet, tmp_path: Path) -> None:
    shop = Shop(broker, tmp_path, BatchingPolicy(reorder_us=250_000))
    (_, customer, value), *_ = [each for each in history(seed=1) if each[0] is Topic.ORDERS]
    other = json.loads(value) | {"event_id": "later"}
    key = customer.encode()
    sent = [
        Sent(shop.web, key, b"no JSON"),
        Sent(shop.web, b"somebody", web(Topic.ORDERS, value)),
        Sent(shop.web, key, web(Topic.ORDERS, value, cents="a lot")),
        Sent(shop.web, key, web(Topic.ORDERS, value)),
        # Only an engine knows that the customer pays in another currency.
        Sent(shop.web, key, web(Topic.ORDERS, json.dumps(other).encode(), currency="USD")),
        Sent(shop.tills, key, till(json.dumps(other | {"event_id": "till"}).encode())),
    ]
    with shop.worker(rules) as worker:
        produce(broker, sent)
        worker.wait_until(lambda: worker.stats is not None and worker.stats.refused >= 4)
        worker.wait_until(lambda: worker.stats is not None and worker.stats.events >= 2)
    found = {}
    for record in consume(broker, shop.settings.rejected_topic, 5, within_s=2):
        headers = dict(record.headers)
        assert headers["lapwing-topic"].decode() == shop.web
        found[headers["lapwing-reason"].decode()] = (record.key, record.value, headers["lapwing-detail"])
    assert {reason: each[:2] for reason, each in found.items()} == {
        "not_json": (sent[0].key, sent[0].value),
        "key_mismatch": (sent[1].key, sent[1].value),
        "wrong_type": (sent[2].key, sent[2].value),
        "other_currency": (sent[4].key, sent[4].value),
    }
    assert b"lapwing import --follow" in found["key_mismatch"][2]
    assert b"a lot" not in found["wrong_type"][2]


def test_a_new_mapping_is_in_force_a_moment_later(broker: str, rules: RuleSet, tmp_path: Path) -> None:
    shop = Shop(broker, tmp_path, BatchingPolicy(reorder_us=250_000))
    settings = replace(shop.settings, checkpoints=str(tmp_path / "states"), checkpoint_every_s=60.0)
    (_, customer, value), *_ = [each for each in history(seed=1) if each[0] is Topic.LOGINS]
    with shop.worker(rules, settings) as worker:
        click = Sent(shop.web, customer.encode(), web(Topic.LOGINS, value, kind="click"))
        produce(broker, [click])
        worker.wait_until(lambda: worker.stats is not None and worker.stats.passed_by_topic[shop.web] == 1)
        shop.write(more=", click")
        shop.file.write_text(shop.file.read_text().replace("kind: login, click", "kind: [login, click]"))
        worker.wait_until(lambda: worker.stats is not None and worker.stats.inputs_adopted == PARTITIONS)
        assert worker.stats is not None
        assert worker.stats.checkpoints >= PARTITIONS
        produce(broker, [click])
        worker.wait_until(lambda: worker.stats is not None and worker.stats.events == 1)
        shop.file.write_text("version: 2")
        worker.wait_until(lambda: worker.stats is not None and bool(worker.stats.input_mistakes))


def test_a_topic_of_the_contract_need_not_be_there_where_a_source_brings_its_events(
    broker: str, rules: RuleSet, tmp_path: Path
) -> None:
    shop = Shop(broker, tmp_path)
    absent = {**shop.settings.topics, Topic.ORDERS: f"{shop.app}-none", Topic.LOGINS: f"{shop.app}-neither"}
    with shop.worker(rules, replace(shop.settings, topics=absent)) as worker:
        worker.wait_until(lambda: worker.stats is not None and len(worker.stats.lag) == 3 * PARTITIONS)
        assert worker.stats is not None
        assert set(worker.stats.events_by_topic) == {
            shop.settings.topics[Topic.COMPLAINTS],
            "logins",
            "orders",
        }


def test_a_source_whose_topic_does_not_fit_is_named(broker: str, rules: RuleSet, tmp_path: Path) -> None:
    shop = Shop(broker, tmp_path)
    text = shop.file.read_text()
    shop.file.write_text(text.replace(shop.tills, f"{shop.app}.nowhere"))
    with (
        pytest.raises(BrokerError, match=r"no topic \S+nowhere, which the file of inputs names"),
        shop.worker(rules) as worker,
    ):
        worker._thread.join(WITHIN_S)
    make_topics(broker, [f"{shop.app}.small"], 1)
    shop.file.write_text(text.replace(shop.tills, f"{shop.app}.small"))
    with (
        pytest.raises(BrokerError, match=r"same number of partitions.*import --follow"),
        shop.worker(rules) as worker,
    ):
        worker._thread.join(WITHIN_S)
