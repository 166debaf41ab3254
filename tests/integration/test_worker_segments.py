"""Workers that judge segments together say what one engine says of all events, once each."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
import pytest

from streams.contract.audit import RulesAdopted, parse_adopted
from streams.contract.decode import decode_poll
from streams.contract.instants import to_us
from streams.contract.segments import encode_segment_step, parse_segment_warning
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.batch import Batch
from streams.core.events.calendar import DAY
from streams.core.events.partitioner import partitions
from streams.core.events.topics import Topic
from streams.core.rules.rule_set import RuleSet
from streams.core.segments.counts import DaySums
from streams.core.segments.engine import SegmentEngine, SegmentSettings, SegmentStep
from streams.core.segments.rules import SegmentRules
from streams.intake.partition import BatchingPolicy
from streams.offline.replay import replay
from streams.rulebook.load import load_rulebook, parse_rulebook
from streams.rulebook.watch import RuleWatch
from streams.worker.settings import WorkerSettings
from tests.integration.workers import RunningWorker, Sent, consume, make_topics, produce, running, settings_on

RULES = """
version: 1
segments:
  - {id: up, by: region, when: complaints_7d > 13, clear: complaints_7d < 13, for: 1d, tier: high, reason: x}
  - {id: many, by: region, when: complaints_7d >= 15, tier: low, reason: test, message: "{orders_7d} orders"}
  - {id: delivery, by: category, when: complaints_7d >= 21, tier: low, reason: test}
"""
PARTITIONS = 3
DAYS = 30
START = datetime(2024, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> SegmentRules:
    path = tmp_path_factory.mktemp("rules") / "rules.yaml"
    path.write_text(RULES)
    return load_rulebook(path).segment_rules


def history(seed: int) -> list[tuple[datetime, Topic, str, bytes]]:
    """Events of forty customers of three regions in order of time; in the end everybody orders once more."""
    dice = random.Random(seed)
    rows: list[tuple[datetime, Topic, str, dict[str, object]]] = []
    for number in range(40):
        region = ("north", "east", "south")[number % 3]
        rows.append((START + timedelta(minutes=number), Topic.PROFILES, f"c{number}", {"region": region}))
        rows.append((START + timedelta(days=DAYS, minutes=number), Topic.ORDERS, f"c{number}", {}))
    for _ in range(700):
        topic = dice.choice([Topic.ORDERS, Topic.ORDERS, Topic.LOGINS, Topic.COMPLAINTS])
        at = START + timedelta(hours=1, seconds=dice.randrange(DAYS * 86_400 - 7200))
        fields: dict[str, object] = {}
        if topic is Topic.COMPLAINTS:
            fields["category"] = dice.choice(["delivery", "price"])
        rows.append((at, topic, f"c{dice.randrange(40)}", fields))
    rows.sort(key=lambda row: row[0])
    made = []
    for number, (at, topic, customer, fields) in enumerate(rows):
        record = {
            "event_id": f"e{number}",
            "customer_id": customer,
            "occurred_at": at.isoformat(),
            **fields,
        }
        if topic is Topic.ORDERS:
            record |= {"order_id": "o", "amount": 1}
        if topic is Topic.COMPLAINTS:
            record |= {"complaint_id": "k"}
        made.append((at, topic, customer, msgspec.json.encode(record)))
    return made


def engine_of(app: str) -> Callable[[int], Engine]:
    """Weeks go by in a second here, and the topics are a little apart: they are put in order."""
    settings = EngineSettings(app=app, reorder_us=4 * DAY, segments=True)
    return lambda number: Engine(settings, RuleSet((), {}), partition=number)


def judge_of(app: str, rules: SegmentRules, grace_days: int = DAYS) -> Callable[[int], SegmentEngine]:
    """With days that last a tenth of a second, a partition may seem idle for several: it is waited for."""
    return lambda count: SegmentEngine(SegmentSettings(app, partitions=count, grace_days=grace_days), rules)


def expected(events: list[tuple[datetime, Topic, str, bytes]], rules: SegmentRules, app: str) -> list[bytes]:
    """What one engine of segments says of the events of all partitions."""
    batch = Batch.concat(
        [decode_poll(topic, [value], None, None, max_skew_us=0).batch for _, topic, _, value in events]
    )
    found: list[SegmentStep] = []
    replay(
        batch.take(batch.order()),
        [engine_of(app)(number) for number in range(PARTITIONS)],
        on_steps=lambda steps: None,
        segments=SegmentEngine(SegmentSettings(app=app, partitions=PARTITIONS, grace_days=0), rules),
        on_segments=found.extend,
    )
    return [encode_segment_step(step, app) for step in found]


def prepared(broker: str) -> WorkerSettings:
    settings = settings_on(broker, PARTITIONS, BatchingPolicy(idle_s=2.0, reorder_us=4 * DAY))
    profiles = f"{settings.app}-profiles"
    days, warnings = f"{settings.app}.segment-days", f"{settings.app}-segment-warnings"
    make_topics(broker, [profiles], PARTITIONS)
    make_topics(broker, [days, warnings], 2)
    topics = {**settings.topics, Topic.PROFILES: profiles}
    return replace(settings, topics=topics, segment_days_topic=days, segment_warnings_topic=warnings)


def records_of(settings: WorkerSettings, events: list[tuple[datetime, Topic, str, bytes]]) -> list[Sent]:
    return [Sent(settings.topics[topic], customer.encode(), value) for _, topic, customer, value in events]


def sent_segments(settings: WorkerSettings, count: int, within_s: float = 1) -> list[bytes]:
    """Return what the topic of segments' warnings holds, each segment's in order, by time and segment."""
    values = [
        record.value for record in consume(settings.broker, settings.segment_warnings_topic, count, within_s)
    ]
    return sorted(
        values, key=lambda value: (parse_segment_warning(value).time, parse_segment_warning(value).subject)
    )


def test_two_workers_tell_of_each_segment_once(broker: str, rules: SegmentRules) -> None:
    settings = prepared(broker)
    events = history(4)
    due = expected(events, rules, settings.app)
    assert len(due) > 15
    records = records_of(settings, events)
    judge, engines = judge_of(settings.app, rules), engine_of(settings.app)
    with running(settings, engines, judge) as first, running(settings, engines, judge) as second:
        first.wait_until(lambda: len(assigned(first)) > 0 and len(assigned(second)) > 0)
        for begin in range(0, len(records), 70):
            produce(broker, records[begin : begin + 70])
        assert sent_segments(settings, len(due), within_s=20) == due
    assert sent_segments(settings, len(due) + 1, within_s=2) == due


def test_a_judge_that_comes_back_says_nothing_twice_and_forgets_nothing(
    broker: str, rules: SegmentRules, tmp_path: Path
) -> None:
    settings = replace(prepared(broker), checkpoints=str(tmp_path), checkpoint_every_s=0.5)
    events = history(9)
    due = expected(events, rules, settings.app)
    records = records_of(settings, events)
    middle = next(i for i, (at, *_) in enumerate(events) if at > START + timedelta(days=17))
    judge, engines = judge_of(settings.app, rules), engine_of(settings.app)
    for part in (records[:middle], records[middle:]):
        produce(broker, part)
        with running(settings, engines, judge) as worker:
            worker.wait_until(lambda: worker.stats is not None and sum(worker.stats.lag.values()) == 0)
            worker.wait_until(lambda: worker.stats is not None and worker.stats.checkpoints >= PARTITIONS)
            before = sent_segments(settings, len(due), within_s=3)
            assert before == due[: len(before)]
            assert len(before) > 3
    assert len(due) > 10
    assert sent_segments(settings, len(due) + 1, within_s=2) == due


def test_a_partition_without_customers_is_not_waited_for(broker: str, rules: SegmentRules) -> None:
    settings = prepared(broker)
    everybody = history(4)
    names = np.array([customer for _, _, customer, _ in everybody], dtype=np.object_)
    events = [e for e, n in zip(everybody, partitions(names, PARTITIONS).tolist(), strict=True) if n != 1]
    # The last day that was ended is judged when a day more has ended.
    last = START + timedelta(days=DAYS)
    due = [
        value for value in expected(events, rules, settings.app) if parse_segment_warning(value).time < last
    ]
    assert len(due) > 5
    produce(broker, records_of(settings, events))
    with running(settings, engine_of(settings.app), judge_of(settings.app, rules, grace_days=1)):
        assert sent_segments(settings, len(due) + 1, within_s=12) == due


class Collecting(SegmentEngine):
    """Remembers the sums that it is given."""

    def __init__(self, app: str) -> None:
        super().__init__(SegmentSettings(app=app, partitions=PARTITIONS, grace_days=0), SegmentRules())
        self.sums: list[DaySums] = []

    def take(self, sums: DaySums) -> None:
        self.sums.append(sums)


def changed(
    events: list[tuple[datetime, Topic, str, bytes]], app: str, rules: list[SegmentRules], at: datetime
) -> list[bytes]:
    """What one engine of segments says that goes over to other rules when it has judged up to `at`."""
    batch = Batch.concat(
        [decode_poll(topic, [value], None, None, max_skew_us=0).batch for _, topic, _, value in events]
    )
    collecting = Collecting(app)
    engines = [engine_of(app)(number) for number in range(PARTITIONS)]
    replay(batch.take(batch.order()), engines, on_steps=lambda steps: None, segments=collecting)
    engine = SegmentEngine(SegmentSettings(app=app, partitions=PARTITIONS, grace_days=DAYS), rules[0])
    steps: list[SegmentStep] = []
    for sums in sorted(collecting.sums, key=lambda each: (each.closed, each.partition)):
        engine.take(sums)
        steps += engine.judge()
        if engine.judged_at == to_us(at) and engine.rules is rules[0]:
            steps += engine.replace_rules(rules[1])
    return [encode_segment_step(step, app) for step in steps]


def test_segment_rules_change_while_workers_run(broker: str, tmp_path: Path) -> None:
    audit, control = f"{tmp_path.name}-audit", f"{tmp_path.name}-control"
    make_topics(broker, [audit, control], 1)
    settings = replace(
        prepared(broker), checkpoints=str(tmp_path / "states"), checkpoint_every_s=0.5,
        audit_topic=audit, control_topic=control,
    )  # fmt: skip
    events = history(4)
    records = records_of(settings, events)
    middle = next(i for i, (at, *_) in enumerate(events) if at > START + timedelta(days=17))
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)
    other = (
        RULES.replace("> 13,", "> 11,")
        .replace("delivery", "d2")
        .replace("many, by: region", "many, by: category")
    )
    rules = [load_rulebook(path).segment_rules, parse_rulebook({"rules.yaml": other}).segment_rules]
    judge, engines = judge_of(settings.app, rules[0]), engine_of(settings.app)

    def adopted() -> dict[int, RulesAdopted]:
        found = [parse_adopted(each.value) for each in consume(broker, audit, 100, 0.3)]
        return {each.partition: each for each in found if each.judges == "segments" and each.rule_set_before}

    with running(settings, engines, judge, RuleWatch(path)) as worker:
        produce(broker, records[:middle])
        worker.wait_until(lambda: len(sent_segments(settings, 1000, within_s=0.5)) > 3)
        path.write_text(other)
        worker.wait_until(lambda: len(adopted()) == 2)
    changes = adopted()
    assert {each.rule_set for each in changes.values()} == {rules[1].hash}
    assert {change.rule for change in changes[0].changes or ()} == {"up", "many", "delivery", "d2"}
    with running(settings, engines, judge, RuleWatch(path)):
        produce(broker, records[middle:])
        due = {
            number: [
                value
                for value in changed(events, settings.app, rules, change.at)
                if number_of(parse_segment_warning(value).subject) == number
            ]
            for number, change in changes.items()
            if change.at
        }
        assert all(len(values) > 5 for values in due.values())
        count = sum(map(len, due.values()))
        assert len(sent_segments(settings, count, within_s=20)) == count
    found = consume(broker, settings.segment_warnings_topic, count + 1, 2)
    for number, values in due.items():
        assert [each.value for each in found if each.partition == number] == values
    assert adopted() == changes


def number_of(segment: str) -> int:
    """Return the partition of the days' sums on which a segment is judged."""
    return int(partitions(np.array([segment], dtype=np.object_), 2)[0])


def assigned(worker: RunningWorker) -> set[int]:
    return set(worker.engines)
