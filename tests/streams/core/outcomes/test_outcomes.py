"""Outcomes and the census against their slow twin, on generated histories."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import polars as pl
import pytest

from streams.contract.census import encode_census, parse_census
from streams.contract.outcomes import encode_outcome, parse_outcome
from streams.core.decision.holdout import HoldoutTerms
from streams.core.engine import Engine
from streams.core.engine_io import Output
from streams.core.events.batch import Batch
from streams.core.events.topics import Topic
from streams.core.features.catalogue import DTYPES
from streams.core.outcomes.outcome import Acquired, CauseMatured, Lapsed, WarningMatured
from streams.core.outcomes.tables import OUTCOME_TABLES
from streams.core.rules.rule import RuleStatus
from streams.core.rules.rule_set import RuleSet, compile_rules
from streams.core.state_tables import restore, tables
from streams.core.steps import Step, Tier
from tests.oracle.conditions import OracleRule
from tests.oracle.corrections import struck
from tests.oracle.days import DAY
from tests.oracle.drive import compiled, engine_rule
from tests.oracle.engine import OracleEngine, OracleSettings
from tests.oracle.histories import CUSTOMERS, TOPICS, History, as_batch, cut, in_time, random_history
from tests.oracle.history import Event
from tests.oracle.outcomes import OutcomeTwin, TwinTerms
from tests.oracle.sample_rules import RULES
from tests.streams.core.outcomes.driven import (
    drive_outcomes,
    new_engine,
    plain_census,
    plain_days,
    plain_outcome,
    with_words,
)

COMPILED: Final[dict[tuple[OracleRule, ...], RuleSet]] = {RULES: compiled(RULES)}
PLAIN: Final = OracleSettings()
QUIET: Final = OracleSettings(quiet_after_us={Topic.ORDERS: 8 * DAY, Topic.LOGINS: 8 * DAY})

ORDERS: Final = (Topic.ORDERS,)
LOGINS: Final = (Topic.LOGINS,)
BOTH: Final = (Topic.ORDERS, Topic.LOGINS)


def differences(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> list[str]:
    """Return a line for each outcome, or cell, that one side has and the other has not, or has otherwise."""
    lines = []
    mine, twins = (Counter(json.dumps(p, sort_keys=True) for p in side) for side in (found, expected))
    for text in sorted((mine - twins).elements()):
        lines.append(f"engine {text}")
    for text in sorted((twins - mine).elements()):
        lines.append(f"twin   {text}")
    return sorted(lines, key=lambda line: line[7:])


def check(
    history: History,
    *,
    rules: tuple[OracleRule, ...] = RULES,
    options: OracleSettings = PLAIN,
    horizon: int = 20,
    active_within: int = 15,
    activity: tuple[Topic, ...] = ORDERS,
    cut_up: Callable[[Sequence[Event]], list[Batch]] = lambda records: [as_batch(records)],
    restarts: bool = False,
) -> Counter[str]:
    """Compare the engine with the twin; return how many outcomes there were of each kind."""
    history = with_words(history)
    options = replace(options, zone=history.zone)
    terms = TwinTerms(history.zone, horizon * DAY, active_within * DAY, activity)
    until = max(e.at for e in history.arrivals) + 100 * DAY
    run = OracleEngine(options, rules).run(history.arrivals, until)
    twin = OutcomeTwin(terms).run(run.timeline)
    outcomes, census, days = drive_outcomes(
        options, terms, COMPILED[rules], cut_up(history.arrivals), until, restarts=restarts
    )
    assert [o.at for o in outcomes] == sorted(o.at for o in outcomes)
    assert len({o.id for o in outcomes}) == len(outcomes)
    assert len({c.id for c in census}) == len(census)
    assert len({d.id for d in days}) == len(days)
    for outcome in outcomes:
        assert parse_outcome(encode_outcome(outcome, "shop")).subject == outcome.customer_id
    for event in census:
        assert parse_census(encode_census(event, "shop")).id == event.id
    lines = differences([plain_outcome(o) for o in outcomes], twin.outcomes)
    lines += differences([plain_census(c) for c in census], twin.census)
    lines += differences([plain_days(d) for d in days], twin.days)
    assert not lines, "\n".join(lines[:12])
    return Counter(str(o.kind) for o in outcomes) + Counter(type(c).__name__ for c in (*census, *days))


@pytest.mark.parametrize(("seed", "activity"), list(enumerate((ORDERS, LOGINS, BOTH) * 2)))
def test_outcomes_are_those_of_the_twin(seed: int, activity: tuple[Topic, ...]) -> None:
    found = check(random_history(seed, size=200, days=150), activity=activity)
    kinds = {"customer.acquired", "customer.lapsed", "customer.returned", "cause.matured", "warning.matured"}
    assert found.total() > 60
    assert {*kinds, "CensusCell", "CensusSummary", "CensusMatured", "CustomerDays"} <= set(found)


def test_customers_who_close_are_those_of_the_twin() -> None:
    topics = (*TOPICS, *(Topic.CLOSURES,) * 3)
    found = sum((check(random_history(seed, size=150, topics=topics)) for seed in range(3)), Counter[str]())
    assert found["customer.closed"] > 10


@pytest.mark.parametrize("seed", range(4))
def test_treatments_and_their_corrections_are_those_of_the_twin(seed: int) -> None:
    topics = (*TOPICS, *(Topic.ACTIONS,) * 20)
    history = with_words(random_history(seed, size=150, topics=topics, late=seed % 2 == 1))
    corrected = [
        struck([e for e in in_time(history.arrivals) if e.customer_id == customer], 40 * DAY)
        for customer in CUSTOMERS
    ]
    assert sum(map(len, corrected)) > 5
    check(history, options=(PLAIN, QUIET)[seed // 2])


@pytest.mark.parametrize("seed", range(5))
def test_late_events_change_only_what_has_not_been_put_out(seed: int) -> None:
    check(random_history(seed, size=160, days=100, late=True), activity=(ORDERS, BOTH)[seed % 2])


@pytest.mark.parametrize("seed", range(3))
def test_while_activity_is_quiet_nothing_lapses_or_matures(seed: int) -> None:
    check(random_history(seed, size=120, days=120, late=seed % 2 == 0), options=QUIET)


@pytest.mark.parametrize(("horizon", "active_within"), [(30, 30), (7, 40), (90, 5), (100, 45)])
def test_horizon_and_activity_may_be_any(horizon: int, active_within: int) -> None:
    history = random_history(horizon, size=120, days=150)
    check(history, horizon=horizon, active_within=active_within)


@pytest.mark.parametrize("seed", range(4))
def test_no_cut_of_batches_and_no_crash_makes_a_difference(seed: int) -> None:
    history = random_history(seed + 80, size=100, days=120, late=seed % 2 == 1)
    sizes = ((1,), (7, 30))[seed // 2]
    options, horizon = ((PLAIN, 20), (QUIET, 40))[seed % 2]
    check(
        history,
        options=options,
        horizon=horizon,
        cut_up=lambda records: cut(records, sizes),
        restarts=True,
    )


@pytest.mark.parametrize("late", [False, True])
def test_causes_of_shadow_rules_mature_as_those_of_active_ones_do(*, late: bool) -> None:
    history = with_words(random_history(5, size=160, days=150, late=late))
    options, terms = replace(PLAIN, zone=history.zone), TwinTerms(history.zone, 20 * DAY, 15 * DAY)
    until = max(e.at for e in history.arrivals) + 60 * DAY

    def matured(status: RuleStatus) -> list[tuple[str, str, int, int, bool, bool]]:
        rules = compile_rules([replace(engine_rule(rule), status=status) for rule in RULES], DTYPES)
        outcomes, _, _ = drive_outcomes(options, terms, rules, [as_batch(history.arrivals)], until)
        found = [(o, o.details) for o in outcomes]
        assert any(isinstance(c, WarningMatured) for _, c in found) == (status is RuleStatus.ACTIVE)
        causes = [(o, c) for o, c in found if isinstance(c, CauseMatured)]
        assert all((c.warning_id is None) == (status is RuleStatus.SHADOW) for _, c in causes)
        assert {c.status for _, c in causes} == {str(status)}
        return [(o.customer_id, c.rule, c.opened_at, o.at, c.already_lost, c.churned) for o, c in causes]

    assert matured(RuleStatus.SHADOW) == matured(RuleStatus.ACTIVE)


def test_a_state_from_before_there_were_outcomes_is_gone_on_from() -> None:
    history = with_words(random_history(3, size=200, days=150))
    options, terms = replace(PLAIN, zone=history.zone), TwinTerms(history.zone, 20 * DAY, 15 * DAY)
    batch = as_batch(history.arrivals)
    engine = new_engine(options, terms, COMPILED[RULES])
    engine.step(batch.take(slice(0, 50)))
    saved = tables(engine)
    fresh = new_engine(options, terms, COMPILED[RULES])
    restore(fresh, {name: frame for name, frame in saved.items() if name not in OUTCOME_TABLES})
    now = tables(fresh)
    assert set(now) == set(saved)
    rest = batch.take(slice(50, 200))
    until = int(batch.at.max()) + 60 * DAY
    lives = []
    for each in (engine, fresh):
        outputs = [each.step(rest), each.flush(), each.advance(until)]
        kinds = [o for out in outputs for o in out.outcomes if isinstance(o.details, Acquired | Lapsed)]
        lives.append([(o.kind, o.id, o.at) for o in kinds])
    assert lives[0] == lives[1]
    assert len(lives[0]) > 3


def test_what_nobody_reads_is_left_out_and_changes_no_state() -> None:
    history = with_words(random_history(3, size=200, days=150))
    options, terms = replace(PLAIN, zone=history.zone), TwinTerms(history.zone, 20 * DAY, 15 * DAY)
    batch = as_batch(history.arrivals)
    until = int(batch.at.max()) + 60 * DAY

    def ran(*, outcomes: bool, days: bool) -> tuple[dict[str, pl.DataFrame], list[Output]]:
        engine = new_engine(options, terms, COMPILED[RULES])
        engine.leave_out(outcomes=outcomes, customer_days=days)
        outputs = [engine.step(batch), engine.flush(), engine.advance(until)]
        return tables(engine), outputs

    def count(outputs: list[Output], name: str) -> int:
        return sum(len(getattr(output, name)) for output in outputs)

    state, outputs = ran(outcomes=False, days=False)
    assert all(count(outputs, name) for name in ("steps", "outcomes", "census", "customer_days"))
    for outcomes, days in ((True, False), (False, True), (True, True)):
        same, less = ran(outcomes=outcomes, days=days)
        assert all(same[name].equals(frame) for name, frame in state.items())
        assert [s.id for out in less for s in out.steps] == [s.id for out in outputs for s in out.steps]
        assert count(less, "outcomes") == (0 if outcomes else count(outputs, "outcomes"))
        assert count(less, "census") == (0 if outcomes else count(outputs, "census"))
        assert count(less, "customer_days") == (0 if days else count(outputs, "customer_days"))


@pytest.mark.parametrize("seed", range(4))
def test_an_engine_that_keeps_nothing_of_outcomes_gives_the_same_warnings(seed: int) -> None:
    topics = (*TOPICS, *(Topic.ACTIONS,) * 8)
    history = with_words(random_history(seed, size=250, days=200, topics=topics, late=seed % 2 == 1))
    options, terms = (PLAIN, QUIET)[seed // 2], TwinTerms(history.zone, 12 * DAY, 15 * DAY)
    batch = as_batch(history.arrivals)
    until = int(batch.at.max()) + 60 * DAY

    def ran(*, kept: bool) -> tuple[Engine, list[Step], int]:
        engine = new_engine(replace(options, zone=history.zone), terms, COMPILED[RULES])
        shares = HoldoutTerms({int(tier): 0.7 for tier in Tier}, exempt=())
        engine = Engine(replace(engine.settings, holdout=shares, customer_days=False), COMPILED[RULES])
        if not kept:
            engine.keep_no_outcomes()
        outputs = [engine.step(batch), engine.flush(), engine.advance(until)]
        steps = [step for output in outputs for step in output.steps]
        return engine, steps, sum(len(output.outcomes) for output in outputs)

    engine, steps, outcomes = ran(kept=True)
    less, same, none = ran(kept=False)
    assert same == steps
    assert outcomes > 0
    assert none == 0
    assert len({step.warning_id for step in steps if step.holdout}) > 1
    assert len({step.warning_id for step in steps if not step.holdout}) > 0
    for at in range(until - 30 * DAY, until, DAY):
        assert (
            less.outcomes.log.treated(at, until).tolist() == engine.outcomes.log.treated(at, until).tolist()
        )
    with pytest.raises(ValueError, match="no state that could be saved"):
        tables(less)


def test_who_is_held_out_is_known_after_a_restart_as_before() -> None:
    history = with_words(random_history(1, size=250, days=200))
    options, terms = replace(PLAIN, zone=history.zone), TwinTerms(history.zone, 25 * DAY, 15 * DAY)
    settings = replace(
        new_engine(options, terms, COMPILED[RULES]).settings,
        holdout=HoldoutTerms({int(tier): 0.7 for tier in Tier}, exempt=()),
    )
    engine = Engine(settings, COMPILED[RULES])
    found = 0
    for part in cut(history.arrivals, (10,)):
        engine.step(part)
        fresh = Engine(settings, COMPILED[RULES])
        restore(fresh, tables(engine))
        maturity, known = engine.outcomes.maturity, range(engine.customers.count)
        held_out = [maturity.is_held_out(customer) for customer in known]
        assert held_out == [fresh.outcomes.maturity.is_held_out(customer) for customer in known]
        live = maturity.warnings.live("customer")[maturity.warnings.live("holdout")]
        assert {customer for customer in known if held_out[customer]} == set(live.tolist())
        found += sum(held_out)
    assert found > 4
    assert not all(held_out)
