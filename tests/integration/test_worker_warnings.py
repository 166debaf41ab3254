"""A worker with real engines on a broker warns as the engine does that gets the same events at once."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta

import pytest

from streams.contract.decode import decode_poll
from streams.contract.warnings import encode_step
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.batch import Batch
from streams.core.events.calendar import DAY
from streams.core.events.partitioner import partitions
from streams.core.events.topics import Topic
from streams.core.rules.rule_set import RuleSet
from streams.intake.partition import BatchingPolicy
from streams.rulebook.load import load_rulebook
from tests.integration.workers import Sent, consume, event, produce, running, settings_on

RULES = """
version: 1
rules:
  - id: many-orders
    title: Many orders
    status: active
    when: orders_30d >= 3
    tier: low
    reason: test
    message: "{orders_30d} orders"
  - id: silent
    title: No login for three days
    status: active
    when: days_since_login > 3
    tier: high
    reason: test
    message: "no login for {days_since_login} days"
"""
PARTITIONS = 3
DAYS = 12


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> RuleSet:
    path = tmp_path_factory.mktemp("rules") / "rules.yaml"
    path.write_text(RULES)
    return load_rulebook(path).rules


def history(seed: int) -> list[tuple[Topic, str, bytes]]:
    """Events of forty customers in order of time."""
    dice = random.Random(seed)
    start = datetime(2024, 3, 1, tzinfo=UTC)
    rows = []
    for number in range(600):
        topic = dice.choice([Topic.ORDERS, Topic.LOGINS])
        at = start + timedelta(seconds=dice.randrange(DAYS * 86_400))
        customer = f"c{dice.randrange(40)}"
        rows.append((at, topic, customer, f"e{number}"))
    return [
        (topic, customer, event(topic, name, customer, at.isoformat()))
        for at, topic, customer, name in sorted(rows)
    ]


def engine_of(number: int, rules: RuleSet, app: str) -> Engine:
    """Twelve days go by in a second here, and the topics are a little apart: they are put in order."""
    return Engine(EngineSettings(app=app, reorder_us=4 * DAY), rules, partition=number)


def expected(events: list[tuple[Topic, str, bytes]], rules: RuleSet, app: str) -> dict[str, list[bytes]]:
    """What engines put out that get the events of their partition in one batch."""
    batch = Batch.concat(
        [decode_poll(topic, [value], None, None, max_skew_us=0).batch for topic, _, value in events]
    )
    numbers = partitions(batch.customer_id, PARTITIONS)
    steps: dict[str, list[bytes]] = defaultdict(list)
    for number in range(PARTITIONS):
        engine = engine_of(number, rules, app)
        for output in (engine.step(batch.take(numbers == number)), engine.flush()):
            for step in output.steps:
                steps[step.customer_id].append(encode_step(step, app))
    return dict(steps)


@pytest.mark.parametrize("live", [False, True], ids=["as a backlog", "as it comes"])
def test_the_warnings_are_those_of_the_engine(broker: str, rules: RuleSet, live: bool) -> None:
    settings = settings_on(broker, PARTITIONS, BatchingPolicy(idle_s=2.0, reorder_us=4 * DAY))
    events = history(seed=7)
    records = [Sent(settings.topics[topic], customer.encode(), value) for topic, customer, value in events]
    due = expected(events, rules, settings.app)
    count = sum(map(len, due.values()))
    assert count > 50
    if not live:
        # One topic after the other, as unevenly as a backlog can stand there.
        produce(broker, sorted(records, key=lambda record: record.topic, reverse=True))
    with running(settings, lambda number: engine_of(number, rules, settings.app)) as worker:
        if live:
            worker.wait_until(lambda: len(worker.engines) == PARTITIONS)
            for begin in range(0, len(records), 150):
                produce(broker, records[begin : begin + 150])
        worker.wait_until(lambda: worker.stats is not None and worker.stats.steps >= count)
    found: dict[str, list[bytes]] = defaultdict(list)
    for record in consume(broker, settings.warnings_topic, count + 1, within_s=1):
        found[record.key.decode()].append(record.value)
    assert found == due


@pytest.mark.parametrize("live", [False, True])
def test_an_unset_time_does_not_begin_event_time(broker: str, rules: RuleSet, live: bool) -> None:
    settings = settings_on(broker, 1)
    orders = settings.topics[Topic.ORDERS]
    records = [Sent(orders, b"c", event(Topic.ORDERS, "unset", "c", "1970-01-01T00:00:00Z"))]
    records += [
        Sent(orders, b"c", event(Topic.ORDERS, f"o{day}", "c", f"2024-03-{day:02}T10:00:00Z"))
        for day in range(1, 4)
    ]

    def engine(number: int) -> Engine:
        return Engine(EngineSettings(app=settings.app, beginning=20), rules, partition=number)

    if not live:
        produce(broker, records)
    with running(settings, engine) as worker:
        if live:
            produce(broker, records[:1])
            worker.wait_until(
                lambda: worker.engines.get(0) is not None and len(worker.engines[0].reorder) == 1
            )
            time.sleep(1)  # longer than the worker is idle before it takes what waits
            produce(broker, records[1:])
        worker.wait_until(lambda: worker.stats is not None and worker.stats.events == 3)
        assert worker.engines[0].place[2] <= 3  # sweeps
        assert worker.stats is not None
        assert worker.stats.refused_by_reason == {"past_time": 1}
    [rejected] = consume(broker, settings.rejected_topic, 1)
    assert rejected.value == records[0].value
    assert dict(rejected.headers)["lapwing-reason"] == b"past_time"
