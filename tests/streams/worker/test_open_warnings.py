"""Warnings are put back into states that do not know why they are open, and live on there."""

from __future__ import annotations

import pytest

from streams.contract.instants import to_us
from streams.contract.warnings import WarningEvent, encode_step, parse_warning
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.batch import Batch
from streams.core.events.calendar import DAY
from streams.core.events.topics import Topic
from streams.core.features.catalogue import DTYPES
from streams.core.rules.rule import Rule
from streams.core.rules.rule_set import compile_rules
from streams.core.state_tables import restore, tables
from streams.core.steps import Step, StepKind, Tier
from streams.core.warnings.acknowledgement import AcknowledgementTerms
from streams.worker.open_warnings import keep_open

SILENT = Rule("silent", "days_since_login > 3", Tier.LOW, "silence")
OFTEN = Rule("often", "orders_7d >= 2", Tier.HIGH, "pace")
T0 = 19_700 * DAY
TERMS = AcknowledgementTerms(acknowledge_within={Tier.HIGH: 5 * DAY})


def engine_with(*rules: Rule) -> Engine:
    return Engine(EngineSettings(reorder_us=0, acknowledgement=TERMS), compile_rules(rules, DTYPES))


def batch(*rows: tuple[Topic, str, float]) -> Batch:
    return Batch.of(
        [
            {
                "topic": topic,
                "at": T0 + int(day * DAY),
                "customer_id": name,
                "event_id": f"{topic.label}{name}{day}",
            }
            for topic, name, day in sorted(rows, key=lambda row: row[2])
        ]
    )


OPENING = (
    (Topic.LOGINS, "ann", 0.5),
    (Topic.LOGINS, "ben", 0.5),
    (Topic.ORDERS, "ben", 5.5),
    (Topic.ORDERS, "ben", 5.6),
)


def newest(steps: list[Step]) -> dict[str, WarningEvent]:
    events = [parse_warning(encode_step(step, "lapwing")) for step in steps]
    return {event.subject: event for event in events}


@pytest.fixture
def before() -> dict[str, WarningEvent]:
    """Return the newest events of the two customers' warnings, from an engine that has seen why."""
    engine = engine_with(SILENT, OFTEN)
    steps = [*engine.step(batch(*OPENING)).steps, *engine.flush().steps]
    found = newest(steps)
    assert {name: {c.rule for c in event.data.causes} for name, event in found.items()} == {
        "ann": {"silent"},
        "ben": {"silent", "often"},
    }
    return found


def saved_and_restored(engine: Engine, *rules: Rule) -> Engine:
    after = engine_with(*rules)
    restore(after, tables(engine))
    assert after.adopt().steps == []
    return after


@pytest.mark.parametrize("begun", [True, False], ids=["others have events", "nobody has an event"])
def test_they_go_on_where_they_were_and_end_on_evidence_only(
    before: dict[str, WarningEvent], begun: bool
) -> None:
    engine = engine_with(SILENT, OFTEN)
    if begun:
        engine.step(batch((Topic.ORDERS, "eve", 6.1)))
        engine.flush()
    assert keep_open(engine, before.values()).steps == []
    engine = saved_and_restored(engine, SILENT, OFTEN)
    quiet = [*engine.step(batch((Topic.ORDERS, "eve", 7.5))).steps, *engine.flush().steps]
    # Ben's orders are not known here: that is evidence against `often`, and nothing is against `silent`.
    known = [(s.customer_id, s.kind, len(s.causes)) for s in quiet if s.customer_id in before]
    assert known == [("ben", StepKind.UPDATED, 1)]
    steps = engine.step(
        batch((Topic.LOGINS, "ann", 8.2), (Topic.LOGINS, "ben", 8.3), (Topic.LOGINS, "eve", 8.4))
    )
    ended = {s.customer_id: s for s in [*steps.steps, *engine.flush().steps] if s.customer_id in before}
    assert {name: step.kind for name, step in ended.items()} == dict.fromkeys(
        ("ann", "ben"), StepKind.RESOLVED
    )
    for name, step in ended.items():
        assert step.warning_id == before[name].data.warning_id
        assert step.number == before[name].data.step + (2 if name == "ben" else 1)


def test_their_deadlines_run_on(before: dict[str, WarningEvent]) -> None:
    engine = engine_with(SILENT, OFTEN)
    keep_open(engine, before.values())
    attention = before["ben"].data.attention
    assert attention is not None
    assert attention.state == "waiting"
    engine = saved_and_restored(engine, SILENT, OFTEN)
    kept = engine.episodes.open[engine.customers.ids.index("ben")]
    assert kept.acknowledgement is not None
    deadline = attention.deadline
    assert deadline is not None
    assert kept.acknowledgement.deadline == to_us(deadline)
    kept.causes = {place: cause for place, cause in kept.causes.items() if cause.rule == "often"}
    steps = list(engine.episodes.pass_time(to_us(deadline)))
    assert [(step.kind, step.at, step.warning.id) for step in steps] == [
        (StepKind.ESCALATED, to_us(deadline), before["ben"].data.warning_id)
    ]


def test_causes_of_rules_that_are_gone_are_withdrawn(before: dict[str, WarningEvent]) -> None:
    engine = engine_with(OFTEN)
    found = {s.customer_id: s for s in keep_open(engine, before.values()).steps}
    assert (found["ann"].kind, found["ben"].kind) == (StepKind.WITHDRAWN, StepKind.UPDATED)
    assert [cause.rule for cause in found["ben"].causes] == ["often"]
    assert found["ann"].number == before["ann"].data.step + 1


def test_a_customer_has_one_warning_that_of_the_topic(before: dict[str, WarningEvent]) -> None:
    engine = engine_with(SILENT, OFTEN)
    engine.step(batch((Topic.ORDERS, "ben", 5.7), (Topic.ORDERS, "ben", 5.8), (Topic.ORDERS, "eve", 6.1)))
    engine.flush()
    customer = engine.customers.ids.index("ben")
    given = engine.episodes.open[customer].id
    assert given != before["ben"].data.warning_id
    keep_open(engine, before.values())
    assert engine.episodes.open[customer].id == before["ben"].data.warning_id
    assert {cause.rule for cause in engine.episodes.open[customer].causes.values()} == {"silent", "often"}
