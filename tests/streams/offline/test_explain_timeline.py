"""Explanations along one customer's timeline: what holds a rule back, what is missing and why."""

from __future__ import annotations

from typing import Any

import pytest

from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.batch import Batch
from streams.core.events.calendar import DAY, HOUR
from streams.core.events.topics import Topic
from streams.core.explain.explain import Explanation, explain
from streams.core.explain.snapshot import MissingReason, take_snapshot
from streams.core.features.catalogue import CATALOGUE, DTYPES
from streams.core.rules.rule import Rule, RuleStatus
from streams.core.rules.rule_set import compile_rules
from streams.core.state_tables import tables
from streams.core.steps import Tier
from streams.core.warnings.causes import CausePhase
from streams.errors import ExplanationError
from streams.learning.learner import RiverLearner
from streams.offline.explain import explain_events

BEGIN = 20_000 * DAY + 9 * HOUR

SILENT = Rule(
    "silent",
    "days_since_login >= 3",
    Tier.HIGH,
    "silence",
    for_us=2 * DAY,
    keep_open_for_us=2 * DAY,
    cooldown_us=10 * DAY,
)
LOGINS = [0, 9, 20]
"""Days of the only logins: `silent` is true from the sweep of the fourth day on."""


def timeline(*logins: float, topic: Topic = Topic.LOGINS) -> Batch:
    return Batch.of(
        [
            {"topic": topic, "at": BEGIN + int(day * DAY), "customer_id": "ann", "event_id": f"{topic}{day}"}
            for day in logins
        ]
    )


def of_rules(*rules: Rule, **settings: Any) -> Any:
    compiled = compile_rules(rules, DTYPES)
    return lambda number: Engine(EngineSettings(**settings), compiled, None, number)


def ann(day: float, *rules: Rule, events: Batch | None = None) -> Explanation:
    batch = timeline(*LOGINS) if events is None else events
    return explain_events(batch, of_rules(*(rules or (SILENT,))), 1, "ann", at=BEGIN + int(day * DAY))


def standing(day: float) -> tuple[CausePhase | None, float | None]:
    """Return where `silent` stands, and the day on which it is due."""
    (view,) = ann(day).rules
    phase = None if view.state is None else view.state.phase
    return phase, None if view.due is None else (view.due - BEGIN) / DAY


def test_what_holds_a_cause_back_is_told_with_its_end() -> None:
    sweep = 15 / 24  # after each login's hour comes the midnight
    assert standing(1) == (None, None)
    assert standing(4) == (CausePhase.PENDING, 3 + sweep + 2)
    assert standing(6) == (CausePhase.OPEN, None)
    assert standing(9.5) == (CausePhase.CLEARING, 9 + 2)
    assert standing(12) == (CausePhase.COOLING, 11 + sweep + 10)
    assert standing(13) == (CausePhase.COOLING, 11 + sweep + 10)  # true again, and held back
    assert ann(13).rules[0].when.verdict == "true"


def test_a_cooldown_that_is_over_holds_nothing_back() -> None:
    events = timeline(0, 9, 10, 12, 14, 16, 18, 20, 22, 23)
    (view,) = ann(22.5, events=events).rules
    assert view.state is None


def test_an_event_of_the_very_instant_is_seen_and_one_of_a_sweep_comes_after_it() -> None:
    assert ann(9).snapshot.values["logins_total"] == 2
    midnight = (BEGIN // DAY + 3) * DAY
    events = timeline(0, (midnight - BEGIN) / DAY)
    told = ann((midnight - BEGIN) / DAY, events=events)
    assert told.snapshot.values["logins_total"] == 1
    assert told.snapshot.values["logins_7d"] == 1
    assert explain_events(events, of_rules(SILENT), 1, "ann").snapshot.values["logins_total"] == 2


def test_the_history_has_every_step() -> None:
    assert [step.kind for step in ann(12).history] == ["opened", "resolved"]
    assert [step.kind for step in ann(6).history] == ["opened"]
    assert ann(6).warning is not None
    assert ann(12).warning is None


def test_shadow_rules_are_evaluated_and_idle_ones_are_named() -> None:
    quiet = Rule("quiet", "days_since_login >= 1", Tier.LOW, "silence", status=RuleStatus.SHADOW)
    draft = Rule("draft", "logins_7d > 1", Tier.LOW, "silence", status=RuleStatus.DRAFT)
    told = ann(2, quiet, draft)
    assert [view.rule.id for view in told.rules] == ["quiet"]
    assert told.rules[0].is_open
    assert told.warning is None
    assert [rule.id for rule in told.idle] == ["draft"]


def test_the_rules_nearest_to_a_warning_come_first() -> None:
    rules = [
        Rule(name, sql, Tier.LOW, "test")
        for name, sql in {
            "a-far": "logins_7d >= 10",
            "b-near": "logins_7d >= 2",
            "c-missing": "days_since_order > 1",
            "d-open": "logins_7d >= 1",
            "e-never": "customer_class = 'x' AND logins_7d < 0",
        }.items()
    ]
    told = ann(1, *rules)
    assert [view.rule.id for view in told.rules][:3] == ["d-open", "b-near", "a-far"]


def test_it_says_why_a_feature_is_missing() -> None:
    names = [
        "days_since_order",
        "order_trend",
        "days_since_complaint",
        "churn_probability",
        "days_since_login",
    ]
    rules = [Rule(name.replace("_", "-"), f"{name} > 1", Tier.LOW, "test") for name in names]
    others = [{"topic": Topic.ORDERS, "at": BEGIN, "customer_id": "bob", "event_id": "b"}]
    events = Batch.concat([timeline(0, 1), Batch.of(others)])
    events = events.take(events.order())

    def why(engines: Any) -> dict[str, MissingReason]:
        told = explain_events(events, engines, 1, "ann", at=BEGIN + 5 * DAY)
        return {each.feature: each.why for view in told.rules for each in view.missing}

    assert why(of_rules(*rules, quiet_after_us={Topic.LOGINS: DAY})) == {
        "days_since_order": MissingReason.NO_HISTORY,
        "order_trend": MissingReason.NO_HISTORY,
        "days_since_complaint": MissingReason.NOT_CONNECTED,
        "churn_probability": MissingReason.NO_MODEL,
        "days_since_login": MissingReason.QUIET,
    }
    compiled = compile_rules(rules, DTYPES)
    learning = why(lambda number: Engine(EngineSettings(), compiled, RiverLearner(), number))
    assert learning["churn_probability"] is MissingReason.MODEL_NOT_READY


def test_complaints_that_are_settled_end_a_cause_and_nothing_is_changed_by_asking() -> None:
    unsettled = Rule("unsettled", "open_complaints >= 1", Tier.LOW, "complaint")
    complaint = {"topic": Topic.COMPLAINTS, "at": BEGIN, "customer_id": "ann"}
    rows = [complaint | {"event_id": f"c{i}", "complaint_id": f"{i}"} for i in range(2)]
    told = ann(1, unsettled, events=Batch.of(rows))
    assert [(end.topic, end.count) for end in told.rules[0].endings] == [(Topic.COMPLAINTS, 2)]
    engine = of_rules(unsettled)(0)
    engine.step(Batch.of(rows))
    before = tables(engine)
    sight = take_snapshot(engine, 0, BEGIN + DAY)
    explain(engine, "ann", sight, source="", topics_seen=frozenset(Topic), history=())
    assert all(frame.equals(before[name]) for name, frame in tables(engine).items())


# -- what is not known ---------------------------------------------------------------------------------


def test_a_customer_or_an_instant_of_which_nothing_is_known_is_refused() -> None:
    events = timeline(0, 9)
    for customer, at, said in (
        ("bob", None, "customer 'bob' is unknown"),
        ("ann", BEGIN - 1, "lies before the customer's first event, 2024-10-04T09:00:00Z"),
    ):
        with pytest.raises(ExplanationError, match=said):
            explain_events(events, of_rules(SILENT), 1, customer, at=at)


def test_a_sweep_precedes_the_first_event_of_its_instant() -> None:
    midnight = (BEGIN // DAY + 1) * DAY
    others = Batch.of([{"topic": Topic.LOGINS, "at": BEGIN, "customer_id": "bob", "event_id": "b"}])
    events = Batch.concat([others, timeline((midnight - BEGIN) / DAY)])
    with pytest.raises(ExplanationError, match="is unknown at 2024-10-05T00:00:00Z"):
        explain_events(events, of_rules(SILENT), 1, "ann", at=midnight)


def test_every_feature_is_in_the_sight() -> None:
    assert list(ann(1).snapshot.values) == list(CATALOGUE)
