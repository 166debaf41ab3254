"""Rules that changed while an engine was at rest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.batch import Batch
from streams.core.events.calendar import DAY
from streams.core.events.topics import Topic
from streams.core.features.catalogue import DTYPES
from streams.core.rules.rule import Rule, RuleStatus
from streams.core.rules.rule_set import compile_rules
from streams.core.state_tables import restore, tables
from streams.core.steps import Step, StepKind, Tier

BUYS = Rule("buys", "orders_7d > 0", Tier.LOW, "test")
LOGS_IN = Rule("logs-in", "logins_7d > 0", Tier.HIGH, "test", cooldown_us=9 * DAY)
AT = 20_000 * DAY


def engine(*rules: Rule) -> Engine:
    return Engine(EngineSettings(reorder_us=0), compile_rules(rules, DTYPES))


def batch(*events: tuple[Topic, str, int]) -> Batch:
    return Batch.of(
        [
            {"topic": topic, "at": AT + at, "customer_id": name, "event_id": f"{name}{at}{topic}"}
            for topic, name, at in events
        ]
    )


def open_warnings(*rules: Rule) -> Engine:
    """Return an engine where `both` has bought and logged in, and `one` has logged in."""
    made = engine(*rules)
    made.step(batch((Topic.ORDERS, "both", 1), (Topic.LOGINS, "both", 2), (Topic.LOGINS, "one", 3)))
    made.flush()
    return made


def adopted(former: Engine, *rules: Rule) -> tuple[Engine, list[Step]]:
    made = engine(*rules)
    restore(made, tables(former))
    return made, made.adopt().steps


def facts(steps: list[Step]) -> list[tuple[str, StepKind, Tier, list[str]]]:
    return [(s.customer_id, s.kind, s.tier, [cause.rule for cause in s.causes]) for s in steps]


@pytest.mark.parametrize(
    "off", [(), (replace(LOGS_IN, status=RuleStatus.SHADOW),)], ids=["gone", "in shadow"]
)
def test_the_causes_of_a_rule_that_no_longer_warns_are_withdrawn_at_once(off: tuple[Rule, ...]) -> None:
    former = open_warnings(BUYS, LOGS_IN)
    numbers = {former.customers.ids[c]: (w.id, w.number) for c, w in former.episodes.open.items()}
    made, steps = adopted(former, BUYS, *off)
    assert facts(steps) == [
        ("both", StepKind.UPDATED, Tier.LOW, ["buys"]),
        ("one", StepKind.WITHDRAWN, Tier.HIGH, ["logs-in"]),
    ]
    for step in steps:
        assert (step.warning_id, step.number - 1) == numbers[step.customer_id]
        assert step.at == AT + 3
        assert step.rule_set == made.rules.hash
    assert [w.tier for w in made.episodes.open.values()] == [Tier.LOW]
    assert made.adopt().steps == []


def test_the_same_comes_out_whenever_it_is_adopted_again() -> None:
    former = open_warnings(BUYS, LOGS_IN)
    assert adopted(former, BUYS)[1] == adopted(former, BUYS)[1]


def test_rules_that_stay_are_left_as_they_are() -> None:
    former = open_warnings(BUYS, LOGS_IN)
    made, steps = adopted(former, BUYS, LOGS_IN, Rule("new", "orders_7d > 5", Tier.LOW, "test"))
    assert steps == []
    assert len(made.episodes.open) == 2


def test_a_withdrawn_cause_has_no_cooldown() -> None:
    made, _ = adopted(open_warnings(BUYS, LOGS_IN), BUYS)
    again, steps = adopted(made, BUYS, LOGS_IN)
    assert steps == []
    output = again.step(batch((Topic.LOGINS, "one", 5)))
    assert facts(output.steps + again.flush().steps) == [("one", StepKind.OPENED, Tier.HIGH, ["logs-in"])]


def test_what_a_rule_saw_in_shadow_is_told_once_it_warns() -> None:
    former = open_warnings(BUYS, replace(LOGS_IN, status=RuleStatus.SHADOW))
    made, steps = adopted(former, BUYS, LOGS_IN)
    assert steps == []
    output = made.step(batch((Topic.LOGINS, "one", 5)))
    assert facts(output.steps + made.flush().steps) == [("one", StepKind.OPENED, Tier.HIGH, ["logs-in"])]
