"""Workers put out the outcomes and the census that engines do which get all events at once."""

from __future__ import annotations

import random
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from streams.contract.census import encode_census, parse_census
from streams.contract.decode import decode_poll
from streams.contract.outcomes import encode_outcome, parse_outcome
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.batch import Batch
from streams.core.events.calendar import DAY
from streams.core.events.partitioner import partitions
from streams.core.events.topics import Topic
from streams.core.rules.rule_set import RuleSet
from streams.intake.partition import BatchingPolicy
from streams.rulebook.load import parse_rulebook
from streams.worker.settings import WorkerSettings
from tests.integration.test_worker_warnings import RULES
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

PARTITIONS = 2


def history() -> list[tuple[Topic, str, bytes]]:
    """Events of thirty customers over twelve days in which March begins."""
    dice = random.Random(5)
    start = datetime(2024, 2, 23, tzinfo=UTC)
    rows = []
    for number in range(400):
        at = start + timedelta(seconds=dice.randrange(12 * 86_400))
        rows.append((at, dice.choice([Topic.ORDERS, Topic.LOGINS]), f"c{dice.randrange(30)}", f"e{number}"))
    return [
        (topic, customer, event(topic, name, customer, at.isoformat()))
        for at, topic, customer, name in sorted(rows)
    ]


def engine_of(number: int, rules: RuleSet, app: str) -> Engine:
    settings = EngineSettings(app=app, reorder_us=3 * DAY, horizon_us=2 * DAY, outcomes=True)
    return Engine(settings, rules, partition=number)


def expected(
    events: list[tuple[Topic, str, bytes]], rules: RuleSet, app: str
) -> tuple[set[bytes], set[bytes]]:
    batch = Batch.concat(
        [decode_poll(topic, [value], None, None, max_skew_us=0).batch for topic, _, value in events]
    )
    numbers = partitions(batch.customer_id, PARTITIONS)
    outcomes, census = set(), set()
    for number in range(PARTITIONS):
        engine = engine_of(number, rules, app)
        for output in (engine.step(batch.take(numbers == number)), engine.flush()):
            outcomes |= {encode_outcome(each, app) for each in output.outcomes}
            census |= {encode_census(each, app) for each in output.census}
    return outcomes, census


def with_topics(settings: WorkerSettings) -> WorkerSettings:
    outcomes, census = f"{settings.app}-outcomes", f"{settings.app}-census"
    make_topics(settings.broker, [outcomes], PARTITIONS)
    make_topics(settings.broker, [census], 1)
    return replace(settings, outcomes_topic=outcomes, census_topic=census)


def caught_up(worker: RunningWorker) -> bool:
    stats = worker.stats
    return stats is not None and len(stats.lag) == 3 * PARTITIONS and not any(stats.lag.values())


def sent(settings: WorkerSettings) -> int:
    return len({record.value for record in consume(settings.broker, settings.outcomes_topic, 10_000, 1)})


def test_a_worker_that_is_stopped_and_started_puts_out_each_outcome(broker: str, tmp_path: Path) -> None:
    settings = with_topics(settings_on(broker, PARTITIONS, BatchingPolicy(idle_s=4.0, reorder_us=3 * DAY)))
    settings = replace(settings, checkpoints=str(tmp_path / "checkpoints"), checkpoint_every_s=0.5)
    rules, events = parse_rulebook({"rules.yaml": RULES}).rules, history()
    outcomes, census = expected(events, rules, settings.app)
    kinds = {parse_outcome(value).type for value in outcomes}
    assert {"churn.customer.acquired", "churn.customer.lapsed", "churn.customer.returned"} < kinds
    assert {"churn.cause.matured", "churn.warning.matured"} < kinds
    assert {parse_census(value).type.rpartition(".")[2] for value in census} == {
        "taken",
        "summary",
        "matured",
    }
    records = [Sent(settings.topics[topic], customer.encode(), value) for topic, customer, value in events]

    def worker() -> AbstractContextManager[RunningWorker]:
        return running(settings, lambda number: engine_of(number, rules, settings.app))

    produce(broker, records[:250])
    with worker() as first:
        first.wait_until(lambda: caught_up(first))
    produce(broker, records[250:])
    with worker() as second:
        second.wait_until(lambda: sent(settings) >= len(outcomes))
    found = {record.value: record for record in consume(broker, settings.outcomes_topic, 10_000, 1)}
    assert found.keys() == outcomes
    assert all(parse_outcome(value).subject == record.key.decode() for value, record in found.items())
    assert {record.value for record in consume(broker, settings.census_topic, 10_000, 1)} == census


def test_without_their_topics_a_worker_warns_all_the_same(broker: str) -> None:
    settings = settings_on(broker, PARTITIONS, BatchingPolicy(idle_s=1.0, reorder_us=3 * DAY))
    settings = replace(settings, outcomes_topic=f"{settings.app}-outcomes", census_topic="")
    rules, events = parse_rulebook({"rules.yaml": RULES}).rules, history()
    produce(broker, [Sent(settings.topics[topic], name.encode(), value) for topic, name, value in events])
    with running(settings, lambda number: engine_of(number, rules, settings.app)) as worker:
        worker.wait_until(lambda: worker.stats is not None and worker.stats.steps > 20)
