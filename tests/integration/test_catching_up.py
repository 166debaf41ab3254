"""Two days of backlog, as unevenly spread as an outage leaves them, give the warnings of a replay."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from streams.contract.decode import decode_poll
from streams.contract.warnings import encode_step
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.batch import Batch
from streams.core.events.partitioner import partitions
from streams.core.events.topics import Topic
from streams.core.rules.rule_set import RuleSet
from streams.core.steps import Step
from streams.intake.partition import BatchingPolicy
from streams.offline.replay import replay
from streams.rulebook.load import load_rulebook
from streams.worker.settings import WorkerSettings
from tests.integration.test_worker_warnings import RULES
from tests.integration.workers import Sent, consume, event, produce, running, settings_on

PARTITIONS = 3
CUSTOMERS = 200
DAYS, BACKLOG_DAYS = 10, 2
LOADED_S = 90.0
START = datetime(2024, 3, 1, tzinfo=UTC)
LOGINS, ORDERS, COMPLAINTS = 4_000, 600, 80
"""One topic has fifty times what another has."""
Event = tuple[Topic, str, datetime, bytes]

FALSE_ALARM = """
  - id: orders-without-logins
    title: Orders by someone who has not logged in since yesterday
    status: active
    when: orders_7d >= 1 AND days_since_login > 1
    tier: medium
    reason: test
    message: "an order, and no login for {days_since_login} days"
"""


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> RuleSet:
    path = tmp_path_factory.mktemp("rules") / "rules.yaml"
    path.write_text(RULES + FALSE_ALARM)
    return load_rulebook(path).rules


def history(seed: int) -> list[Event]:
    """Events in order of time; half of them are those of a few customers, on one partition."""
    dice = random.Random(seed)
    customers = [f"c{number}" for number in range(CUSTOMERS)]
    on = partitions(np.array(customers, dtype=object), PARTITIONS)
    busy = [customer for customer, number in zip(customers, on, strict=True) if number == 0]
    rows = []
    for topic, count in ((Topic.LOGINS, LOGINS), (Topic.ORDERS, ORDERS), (Topic.COMPLAINTS, COMPLAINTS)):
        for number in range(count):
            at = START + timedelta(milliseconds=dice.randrange(DAYS * 86_400_000))
            customer = dice.choice(busy if dice.random() < 0.5 else customers)
            rows.append(
                (topic, customer, at, event(topic, f"{topic.label}{number}", customer, at.isoformat()))
            )
    return sorted(rows, key=lambda row: row[2])


def engine_of(number: int, rules: RuleSet, app: str) -> Engine:
    """An engine with all its defaults, `reorder` of 250 ms among them."""
    return Engine(EngineSettings(app=app), rules, partition=number)


def due(events: list[Event], rules: RuleSet, app: str) -> dict[str, list[bytes]]:
    """Return by customer what a replay gives."""
    values = [decode_poll(topic, [value], None, None, max_skew_us=0).batch for topic, *_, value in events]
    batch = Batch.concat(values)
    steps: dict[str, list[bytes]] = defaultdict(list)
    engines = [engine_of(number, rules, app) for number in range(PARTITIONS)]

    def take(told: list[Step]) -> None:
        for step in told:
            steps[step.customer_id].append(encode_step(step, app))

    replay(
        batch.take(batch.order()),
        engines,
        on_steps=take,
    )
    return dict(steps)


def on_the_broker(settings: WorkerSettings, events: list[Event]) -> int:
    """Write all of one topic, then all of the next, the largest last; return how many records there are."""
    for topic in (Topic.COMPLAINTS, Topic.ORDERS, Topic.LOGINS):
        produce(
            settings.broker,
            [Sent(settings.topics[of], who.encode(), value) for of, who, _, value in events if of is topic],
        )
    return len(events)


def test_a_backlog_gives_no_warning_that_a_live_run_would_not_have_given(
    broker: str, rules: RuleSet, tmp_path: Path
) -> None:
    # Many small fetches, and little that may wait: what is read of one topic runs ahead of the others.
    settings = replace(
        settings_on(
            broker, PARTITIONS, BatchingPolicy(step_events=200, waiting_limit=150, reorder_us=250_000)
        ),
        checkpoints=str(tmp_path / "checkpoints"),
        fetch_bytes=30_000,
        poll_records=1_000,
    )
    events = history(seed=5)
    outage = START + timedelta(days=DAYS - BACKLOG_DAYS)
    before = [row for row in events if row[2] < outage]
    backlog = [row for row in events if row[2] >= outage]
    topics = Counter(row[0] for row in backlog)
    assert topics[Topic.LOGINS] > 40 * topics[Topic.COMPLAINTS]
    expected = due(events, rules, settings.app)
    count = sum(map(len, expected.values()))
    assert count > 100

    def engine(number: int) -> Engine:
        return engine_of(number, rules, settings.app)

    sent = on_the_broker(settings, before)
    with running(settings, engine) as first:
        first.wait_until(lambda: first.stats is not None and first.stats.events == sent, LOADED_S)
    sent = on_the_broker(settings, backlog)
    with running(settings, engine) as second:
        second.wait_until(lambda: second.stats is not None and second.stats.events == sent, LOADED_S)
        second.wait_until(lambda: second.stats is not None and not any(second.stats.lag.values()))
    assert second.stats is not None
    assert second.stats.late == 0

    found: dict[str, list[bytes]] = defaultdict(list)
    for record in consume(broker, settings.warnings_topic, 10 * count, within_s=2):
        found[record.key.decode()].append(record.value)
    assert found == expected
