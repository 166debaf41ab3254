"""Input topics that have grown: a worker refuses to go on, and a rebuild loses no open warning."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiokafka import TopicPartition  # type: ignore[import-untyped]  # ships no types
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, RecordsToDelete  # type: ignore[import-untyped]  # none

from streams.contract.warnings import parse_warning
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.calendar import DAY
from streams.core.events.partitioner import partitions
from streams.core.events.topics import Topic
from streams.core.rules.rule_set import RuleSet
from streams.errors import BrokerError, StateError
from streams.intake.partition import BatchingPolicy
from streams.rulebook.load import parse_rulebook
from streams.worker import run as worker_run
from streams.worker.rebuild import Rebuilt, rebuild
from streams.worker.settings import WorkerSettings
from tests.integration.test_worker_warnings import RULES, engine_of, expected, history
from tests.integration.workers import Sent, consume, event, make_topics, produce, running, settings_on

GROWN = 3


def grow(broker: str, settings: WorkerSettings) -> None:
    async def add() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=broker)
        await admin.start()
        names = [*settings.topics.values(), settings.warnings_topic]
        await admin.create_partitions({name: NewPartitions(GROWN) for name in names})
        await admin.close()

    asyncio.run(add())


def first_steps(settings: WorkerSettings) -> dict[str, list[bytes]]:
    """Return the first of each id in the warnings topic, by customer, in the order of time."""
    found: dict[str, dict[str, bytes]] = defaultdict(dict)
    for record in consume(settings.broker, settings.warnings_topic, 10_000, 3.0):
        if record.value.startswith(b"["):
            continue  # garbage of the test's own
        found[record.key.decode()].setdefault(parse_warning(record.value).id, record.value)
    return {
        customer: sorted(
            steps.values(), key=lambda value: (parse_warning(value).time, parse_warning(value).data.step)
        )
        for customer, steps in found.items()
    }


def without_decisions(steps: dict[str, list[bytes]]) -> dict[str, list[dict[str, Any]]]:
    """Return steps without what they say of value: it is judged by the customers of a partition.

    What was sent while there was one partition of more customers knew other means than a rebuild does.
    """
    made = {customer: [json.loads(value) for value in values] for customer, values in steps.items()}
    for values in made.values():
        for value in values:
            assert value["data"].pop("decision")["verdict"] == "unknown"
    return made


@pytest.mark.kafka  # topics of the embedded broker do not grow
def test_topics_that_grow_are_refused_and_rebuilt(broker: str, tmp_path: Path) -> None:
    rules = parse_rulebook({"rules.yaml": RULES}).rules
    settings = settings_on(broker, 1, BatchingPolicy(idle_s=2.0))
    settings = replace(settings, checkpoints=str(tmp_path / "states"), checkpoint_every_s=0.5)
    events = history(7)
    half = len(events) // 2
    names = np.array([name for _, name, _ in events], dtype=object)
    moved = partitions(names, GROWN)
    produce(
        broker,
        [Sent(settings.topics[topic], name.encode(), value, 0) for topic, name, value in events[:half]],
    )
    with running(settings, lambda number: engine_of(number, rules, settings.app)) as worker:
        worker.wait_until(
            lambda: worker.stats is not None and worker.stats.events == half and worker.stats.checkpoints > 0
        )
    grow(broker, settings)
    produce(
        broker,
        [
            Sent(settings.topics[topic], name.encode(), value, int(moved[half + i]))
            for i, (topic, name, value) in enumerate(events[half:])
        ],
    )
    with (
        pytest.raises(StateError, match=r"had 1 partitions, and they have 3.*lapwing worker --rebuild"),
        running(settings, lambda number: engine_of(number, rules, settings.app)) as refused,
    ):
        refused.wait_until(lambda: False)
    rebuilt = rebuild_now(settings, rules)
    assert (rebuilt.partitions, rebuilt.events, rebuilt.withdrawn) == (GROWN, len(events), 0)
    assert rebuilt.open_warnings > 0
    due = expected(events, rules, settings.app)
    assert without_decisions(first_steps(settings)) == without_decisions(due)
    again = rebuild_now(settings, rules)
    assert again == replace(rebuilt, sent=0)
    later = replace(settings, checkpoint_every_s=60.0)
    with running(later, lambda number: engine_of(number, rules, settings.app)) as after:
        after.wait_until(lambda: after.stats is not None and len(after.stats.lag) == 3 * GROWN)
        after.wait_until(lambda: after.stats is not None and not any(after.stats.lag.values()))
    assert after.stats is not None
    assert after.stats.events == 0
    assert without_decisions(first_steps(settings)) == without_decisions(due)


@pytest.mark.kafka  # the embedded broker takes commits of anybody
def test_a_rebuild_waits_until_no_worker_runs(broker: str, tmp_path: Path) -> None:
    rules = parse_rulebook({"rules.yaml": RULES}).rules
    settings = replace(settings_on(broker, 1), checkpoints=str(tmp_path / "states"), checkpoint_every_s=0.5)
    topic, name, value = history(7)[0]
    produce(broker, [Sent(settings.topics[topic], name.encode(), value, 0)])
    with running(settings, lambda number: engine_of(number, rules, settings.app)) as worker:
        worker.wait_until(lambda: worker.stats is not None and worker.stats.checkpoints > 0)
        with pytest.raises(BrokerError, match=r"workers of .* are running: stop them all"):
            rebuild_now(settings, rules)
    assert rebuild_now(settings, rules).events == 1


def test_a_warning_that_the_events_no_longer_give_is_withdrawn(broker: str, tmp_path: Path) -> None:
    """As after retention has removed the events that opened it."""
    rules = parse_rulebook({"rules.yaml": RULES}).rules
    settings = replace(settings_on(broker, 1), checkpoints=str(tmp_path / "states"))
    events = history(7)
    steps = [value for values in expected(events, rules, settings.app).values() for value in values]
    newest = {parse_warning(value).data.warning_id: value for value in steps}
    still = [value for value in newest.values() if parse_warning(value).data.state == "open"]
    customers = [parse_warning(value).subject for value in still]
    produce(
        broker,
        [Sent(settings.warnings_topic, parse_warning(v).subject.encode(), v, 0) for v in steps]
        + [Sent(settings.warnings_topic, b"x", b"[" * 20_000, 0)],
    )
    kept = [(topic, name, value) for topic, name, value in events if name != customers[0]]
    produce(broker, [Sent(settings.topics[topic], name.encode(), value, 0) for topic, name, value in kept])
    rebuilt = rebuild_now(settings, rules)
    assert (rebuilt.events, rebuilt.withdrawn, rebuilt.sent) == (len(kept), 1, 0)
    last = parse_warning(first_steps(settings)[customers[0]][-1])
    before = parse_warning(still[0])
    assert (last.type, last.data.state) == ("churn.warning.withdrawn", "withdrawn")
    assert (last.data.warning_id, last.data.step) == (before.data.warning_id, before.data.step + 1)
    assert last.data.causes == before.data.causes
    assert rebuild_now(settings, rules) == replace(rebuilt, withdrawn=0)


@pytest.mark.kafka  # the embedded broker deletes no records
def test_a_warning_whose_events_were_deleted_stays_open(broker: str, tmp_path: Path) -> None:
    rules = parse_rulebook({"rules.yaml": RULES}).rules
    settings = replace(settings_on(broker, 1), checkpoints=str(tmp_path / "states"))
    events = history(7)
    steps = [value for values in expected(events, rules, settings.app).values() for value in values]
    newest = {parse_warning(value).data.warning_id: value for value in steps}
    still = {w: v for w, v in newest.items() if parse_warning(v).data.state == "open"}
    produce(broker, [Sent(settings.warnings_topic, parse_warning(v).subject.encode(), v, 0) for v in steps])
    produce(broker, [Sent(settings.topics[topic], name.encode(), value, 0) for topic, name, value in events])

    async def delete() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=broker)
        await admin.start()
        places = [
            TopicPartition(name, 0) for name in (settings.topics[t] for t in (Topic.LOGINS, Topic.ORDERS))
        ]
        await admin.delete_records({place: RecordsToDelete(before_offset=250) for place in places})
        await admin.close()

    asyncio.run(delete())
    rebuilt = rebuild_now(settings, rules)
    assert (rebuilt.withdrawn, rebuilt.kept > 0) == (0, True)
    assert rebuilt.kept <= len(still) <= rebuilt.open_warnings
    open_now = {
        last.data.warning_id
        for last in (parse_warning(values[-1]) for values in first_steps(settings).values())
        if last.data.state == "open"
    }
    assert still.keys() <= open_now
    # A worker goes on with them, and they end where their rules clear.
    later = [
        Sent(
            settings.topics[Topic.LOGINS],
            name.encode(),
            event(Topic.LOGINS, f"x{name}", name, "2024-03-13T12:00:00+00:00"),
            0,
        )
        for name in {parse_warning(v).subject for v in still.values()}
    ]
    with running(settings, lambda number: engine_of(number, rules, settings.app)) as worker:
        produce(broker, later)
        worker.wait_until(lambda: worker.stats is not None and worker.stats.events == len(later))
    last = {name: parse_warning(values[-1]) for name, values in first_steps(settings).items()}
    for warning in still.values():
        ended = last[parse_warning(warning).subject]
        open_causes = {cause.rule for cause in ended.data.causes if ended.data.state == "open"}
        assert ended.data.state in {"open", "resolved"}
        assert "silent" not in open_causes


def rebuild_now(settings: WorkerSettings, rules: RuleSet) -> Rebuilt:
    return rebuild_with(settings, lambda number: engine_of(number, rules, settings.app))


def test_outcomes_that_their_topic_lacks_are_sent_once(broker: str, tmp_path: Path) -> None:
    rules = parse_rulebook({"rules.yaml": RULES}).rules
    settings = settings_on(broker, 1)
    settings = replace(
        settings, checkpoints=str(tmp_path / "states"), outcomes_topic=f"{settings.app}-outcomes"
    )
    make_topics(broker, [settings.outcomes_topic], 1)
    events = history(7)
    produce(broker, [Sent(settings.topics[topic], name.encode(), value, 0) for topic, name, value in events])

    def engine(number: int) -> Engine:
        return Engine(
            EngineSettings(app=settings.app, outcomes=True, horizon_us=3 * DAY), rules, None, number
        )

    def ids() -> list[str]:
        found = consume(broker, settings.outcomes_topic, 10_000, 3.0)
        return [json.loads(record.value)["id"] for record in found]

    rebuild_with(settings, engine)
    first = ids()
    assert len(first) > 40
    assert len(set(first)) == len(first)
    rebuild_with(settings, engine)
    assert ids() == first


def rebuild_with(settings: WorkerSettings, engine: Callable[[int], Engine]) -> Rebuilt:
    async def main() -> Rebuilt:
        checked, _ = await worker_run._checked(settings, lambda given: ())
        return await rebuild(checked, engine)

    return asyncio.run(main())
