"""Decisions and the holdout of an engine's warnings against a recount from the events."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from streams.contract.outcomes import encode_outcome
from streams.contract.warnings import decision_data, encode_step, parse_warning
from streams.core.decision.holdout import HoldoutTerms
from streams.core.decision.plays import Play, PlayCost, Plays, Success
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings, Output
from streams.core.events.batch import ProfileRecord
from streams.core.events.calendar import DAY
from streams.core.events.partitioner import partitions
from streams.core.events.topics import Topic
from streams.core.features.catalogue import DTYPES
from streams.core.outcomes.outcome import Outcome, WarningMatured
from streams.core.rules.rule import Rule
from streams.core.rules.rule_set import RuleSet
from streams.core.state_tables import restore, tables
from streams.core.steps import Step, StepKind, Tier
from streams.rulebook.cases.run import stated
from tests.oracle.days import local_day, midnight
from tests.oracle.decisions import TwinHoldout, twin_decision
from tests.oracle.histories import as_batch
from tests.oracle.history import Event
from tests.oracle.value import TwinValue
from tests.streams.core.features.test_value import TERMS, TWIN_MARGINS, ZONE, shop

HORIZON = 20 * DAY
PLAYS = Plays(
    [
        Play("call", Success(0.3, "prior"), classes=("key",), cost=PlayCost(labour_minutes=12.0, gift=2.0)),
        Play(
            "mail",
            Success(0.02, "measured", 400, (0.0, 0.05)),
            reasons=("silence",),
            cost=PlayCost(communication=4.0),
        ),
        Play("coupon", Success(0.2, "prior"), reasons=("decline",), cost=PlayCost(discount=0.1)),
    ]
)
RULES = (
    Rule("silent", "days_since_order >= 9", Tier.MEDIUM, "silence", clear="days_since_order < 1"),
    Rule("named", "days_since_login >= 9", Tier.HIGH, "silence", play="coupon", clear="days_since_login < 1"),
    Rule("nothing", "orders_30d >= 9", Tier.LOW, "decline", play="none"),
    Rule("unknown", "returns_90d >= 2", Tier.LOW, "decline", play="letter"),
    Rule("decline", "orders_7d < orders_prev_30d / 5", Tier.LOW, "decline"),
)
SHARES: dict[int, float] = {Tier.HIGH: 0.4, Tier.MEDIUM: 0.2}
MINUTE = 0.5


def history(seed: int) -> list[Event]:
    """Return a shop of which some are not to be contacted, and some a problem."""
    events = []
    for event in shop(seed):
        record, number = event.record, int(event.customer_id[1:])
        if isinstance(record, ProfileRecord):
            problem = number % 7 == 1
            record = replace(
                record,
                customer_class="problem" if problem else record.customer_class,
                do_not_contact=number % 5 == 0,
            )
        events.append(replace(event, record=record))
    return events


def driven(
    events: Sequence[Event],
    sizes: Sequence[int],
    p: float | None = 0.4,
    *,
    restarts: bool = False,
    **more: Any,
) -> tuple[list[Step], list[Outcome], list[Any]]:
    settings = EngineSettings(
        time_zone=ZONE.key,
        reorder_us=0,
        value=TERMS,
        horizon_us=HORIZON,
        labour_rate=MINUTE,
        holdout=HoldoutTerms(SHARES, "s1"),
        outcomes=True,
        customer_days=True,
        **more,
    )

    def begun() -> Engine:
        engine = Engine(settings, RuleSet(RULES, DTYPES, PLAYS))
        engine.scorer.use(stated(p))
        return engine

    engine, outputs, begin, turn = begun(), list[Output](), 0, 0
    while begin < len(events):
        size = sizes[turn % len(sizes)]
        outputs.append(engine.step(as_batch(events[begin : begin + size])))
        begin, turn = begin + size, turn + 1
        if restarts:
            saved = tables(engine)
            engine = begun()
            restore(engine, saved)
            again = tables(engine)
            assert all(again[name].equals(frame) for name, frame in saved.items())
    outputs += [engine.flush(), engine.advance(max(e.at for e in events) + 3 * DAY)]
    return (
        [step for output in outputs for step in output.steps],
        [outcome for output in outputs for outcome in output.outcomes],
        [days for output in outputs for days in output.customer_days],
    )


def sweeps(events: Sequence[Event]) -> list[int]:
    first, last = (local_day(edge(e.at for e in events), ZONE) for edge in (min, max))
    return [midnight(day, ZONE) for day in range(first + 1, last + 4)]


def profile(events: Sequence[Event], step_customer: str, at: int, *, sweep: bool) -> ProfileRecord:
    seen = [
        e
        for e in events
        if e.customer_id == step_customer
        and isinstance(e.record, ProfileRecord)
        and (e.at < at or (e.at == at and not sweep))
    ]
    record = max(seen, key=lambda e: e.at).record if seen else ProfileRecord()
    assert isinstance(record, ProfileRecord)
    return record


@pytest.mark.parametrize(("seed", "p"), [(1, 0.4), (2, 0.4), (3, None)])
def test_each_decision_is_what_a_recount_of_the_events_gives(seed: int, p: float | None) -> None:
    events = history(seed)
    steps, outcomes, customer_days = driven(events, [len(events)], p)
    grid = set(sweeps(events))
    twin = TwinValue(ZONE, 200, 2.5, TWIN_MARGINS, 0.25)
    pending = sorted(grid)
    verdicts: Counter[str] = Counter()
    for step in sorted(steps, key=lambda s: s.at):
        while pending and pending[0] <= step.at:  # fits happen at sweeps
            twin.sweep(events, pending.pop(0))
        is_sweep = step.at in grid
        known = [
            e
            for e in events
            if e.customer_id == step.customer_id and (e.at < step.at or (e.at == step.at and not is_sweep))
        ]
        today = local_day(step.at - 1 if is_sweep else step.at, ZONE)
        whose = profile(events, step.customer_id, step.at, sweep=is_sweep)
        expected = twin_decision(
            step.causes,
            PLAYS,
            p=p,
            value=twin.value(known, today),
            order_day_spend=twin.order_day_spend(known),
            minute=MINUTE,
            customer_class=whose.customer_class,
            do_not_contact=whose.do_not_contact,
        )
        sent = parse_warning(encode_step(step, "shop")).data
        assert sent.decision is not None
        found = json.loads(sent.decision.model_dump_json())
        numbers = ("value", "gain", "net", "break_even")
        for name in numbers:
            assert found[name] == (
                None if expected[name] is None else pytest.approx(expected[name], rel=1e-9, abs=1e-9)
            )
        assert found["cost"] == {
            item: None if amount is None else pytest.approx(amount, rel=1e-9)
            for item, amount in expected["cost"].items()
        }
        same = {name for name in expected if name not in (*numbers, "cost")}
        assert {n: found[n] for n in same} == {n: expected[n] for n in same}
        at_risk = None if p is None or expected["value"] is None else p * expected["value"]
        assert sent.value_at_risk == (None if at_risk is None else pytest.approx(at_risk))
        assert sent.play == expected["play"]
        verdicts[f"{found['verdict']} {found['why']}"] += 1
    if p is not None:
        assert verdicts.keys() >= {"rescue worth", "dont not_worth", "dont problem_class", "unknown missing"}
        assert verdicts.keys() >= {"dont do_not_contact"}
    else:
        assert "rescue worth" not in verdicts
    opened = {s.warning_id: s for s in steps if s.kind is StepKind.OPENED}
    matured = [o for o in outcomes if isinstance(o.details, WarningMatured)]
    assert len(matured) > 20
    for each in matured:
        assert isinstance(each.details, WarningMatured)
        step = opened[each.details.warning_id]
        assert (each.details.play, each.details.decision) == (step.play, step.decision)
        data = json.loads(encode_outcome(each, "shop"))["data"]["decision"]
        assert data == json.loads(json.dumps(decision_data(step.decision)))
    first_days = {d.warning_id: d for d in customer_days if d.id.endswith("/opened")}
    assert {w: d.decision for w, d in first_days.items()} == {w: s.decision for w, s in opened.items()}
    assert all(d.value == d.decision.value for d in customer_days)


@pytest.mark.parametrize("seed", [1, 2, 4])
def test_who_is_held_out_is_fixed_at_the_opening_and_bound_until_it_matures(seed: int) -> None:
    events = history(seed)
    steps, outcomes, _ = driven(events, [len(events)])
    grid = sweeps(events)
    twin = TwinHoldout(SHARES, "s1", ("key",), HORIZON, grid)
    held: dict[str, bool] = {}
    alone = bound = 0
    for step in steps:
        if step.kind is StepKind.OPENED:
            whose = profile(events, step.customer_id, step.at, sweep=step.at in grid)
            held[step.warning_id] = twin.opens(step.customer_id, step.at, step.tier, whose.customer_class)
            own = HoldoutTerms(SHARES, "s1").holds_out(step.customer_id, step.tier, whose.customer_class)
            alone += own
            bound += held[step.warning_id] and not own
        assert step.holdout is held[step.warning_id]
    assert min(alone, bound) > 0
    assert sum(held.values()) < len(held)
    largest = HoldoutTerms(SHARES, "s1")
    for outcome in outcomes:
        of_warning = isinstance(outcome.details, WarningMatured) and held[outcome.details.warning_id]
        waits = any(
            who == outcome.customer_id and then <= outcome.at and not twin.matured(then, outcome.at)
            for who, then in twin.held
        )
        assert outcome.facts.holdout is (
            largest.below_largest([outcome.customer_id])[0] or waits or of_warning
        )
    assert {o.facts.holdout for o in outcomes} == {True, False}
    opened = {step.warning_id: step for step in steps if step.kind is StepKind.OPENED}
    terms, lots = HoldoutTerms(SHARES, "s1"), Counter[str]()
    for outcome in outcomes:
        if isinstance(outcome.details, WarningMatured):
            step = opened[outcome.details.warning_id]
            whose = profile(events, step.customer_id, step.at, sweep=step.at in grid)
            drawn = SHARES.get(step.tier, 0.0) > 0 and whose.customer_class != "key"
            below = terms.draw(step.customer_id) < SHARES.get(step.tier, 0.0)
            lot = "held_out" if below else "not_drawn" if step.holdout else "shown"
            assert outcome.details.lot == (lot if drawn else "not_drawn")
            play = PLAYS.by_id.get(step.play or "")
            expected = None if play is None else terms.experiment(play.measured_hash)
            assert outcome.details.experiment == expected
            data = json.loads(encode_outcome(outcome, "shop"))["data"]
            assert (data["lot"], data.get("experiment")) == (outcome.details.lot, expected)
            lots[str(outcome.details.lot)] += 1
    assert lots.keys() == {"held_out", "shown", "not_drawn"}


@pytest.mark.parametrize(("sizes", "count"), [([1], 150), ([7, 40, 3], 600)])
def test_it_is_the_same_in_any_cut_and_with_a_crash_after_each_batch(sizes: list[int], count: int) -> None:
    events = history(5)[:count]
    whole = driven(events, [len(events)])
    assert driven(events, sizes, restarts=True) == whole
    assert any(step.holdout for step in whole[0])


def test_plays_are_adopted_with_the_rules_and_hold_from_the_next_step() -> None:
    events = history(1)
    settings = EngineSettings(reorder_us=0, time_zone=ZONE.key, value=TERMS, horizon_us=HORIZON)
    engine = Engine(settings, RuleSet(RULES, DTYPES))
    engine.scorer.use(stated(0.4))
    before = engine.step(as_batch(events[:500])).steps
    assert {s.decision.verdict for s in before if s.decision} <= {"unknown", "dont"}
    assert all(
        "play" in s.decision.arithmetic().missing
        for s in before
        if s.decision and s.decision.verdict == "unknown"
    )
    old = engine.rules.hash
    assert not engine.replace_rules(RuleSet(RULES, DTYPES, PLAYS)).steps
    assert engine.rules.hash != old
    after = engine.step(as_batch(events[500:])).steps
    assert "rescue" in {s.decision.verdict for s in after if s.decision}
    assert {s.rule_set for s in after} == {engine.rules.hash}


def test_a_state_of_before_decisions_goes_on() -> None:
    events = history(1)
    settings = EngineSettings(reorder_us=0, time_zone=ZONE.key, horizon_us=HORIZON, outcomes=True)
    engine = Engine(settings, RuleSet(RULES, DTYPES, PLAYS))
    engine.step(as_batch(events[:500]))
    saved = tables(engine)
    new = ["holdout", "decision_basis", "value", "order_day_spend"]
    older = saved | {"warnings": saved["warnings"].drop(new)}
    maturing = saved["maturing_warnings"].drop(["holdout", "value", "order_day_spend"])
    shapes = [
        json.dumps(json.loads(shape)[:4]) for shape in maturing["opening"]
    ]  # without lot and experiment
    older["maturing_warnings"] = maturing.with_columns(opening=pl.Series(shapes, dtype=pl.String))
    assert len(maturing) > 5
    again = Engine(settings, RuleSet(RULES, DTYPES, PLAYS))
    restore(again, older)
    assert all(w.scoring.decision is None and not w.holdout for w in again.episodes.open.values())
    output = again.step(as_batch(events[500:]))
    assert output.steps
    matured = [o.details for o in output.outcomes if isinstance(o.details, WarningMatured)]
    assert {each.lot for each in matured} == {None, "not_drawn"}
    assert None in {each.experiment for each in matured}


def test_each_partition_holds_out_as_it_would_alone_and_all_by_the_same_draw() -> None:
    events = history(2)
    numbers = partitions(as_batch(events).customer_id, 3)
    terms = HoldoutTerms(SHARES, "s1")
    held: Counter[bool] = Counter()
    for number in range(3):
        own = [e for e, where in zip(events, numbers.tolist(), strict=True) if where == number]
        twin = TwinHoldout(SHARES, "s1", ("key",), HORIZON, sweeps(own))
        for step in driven(own, [60])[0]:
            if step.kind is StepKind.OPENED:
                whose = profile(own, step.customer_id, step.at, sweep=step.at in sweeps(own))
                assert step.holdout is twin.opens(step.customer_id, step.at, step.tier, whose.customer_class)
                # Whoever the draw holds out at this tier is held out on any partition.
                if terms.holds_out(step.customer_id, step.tier, whose.customer_class):
                    assert step.holdout
                held[step.holdout] += 1
    assert min(held[True], held[False]) > 5


def test_while_a_quiet_source_delays_maturity_a_held_out_customer_stays_held_out() -> None:
    """A warning that is due matures only when orders are back, and until then it binds the next one."""

    def order(customer: str, day: float, number: int) -> Event:
        return Event(Topic.ORDERS, int(day * DAY), customer, f"{customer}-{number}")

    terms = HoldoutTerms({int(Tier.HIGH): 0.0, int(Tier.LOW): 0.5}, "s1")
    name = next(f"c{n}" for n in range(100) if terms.draw(f"c{n}") < 0.5)
    rules = [
        Rule("first", "orders_total = 1", Tier.LOW, "other"),
        Rule("login", "logins_7d >= 1", Tier.HIGH, "other", clear="logins_7d < 1"),
    ]
    quiet = {Topic.ORDERS: 5 * DAY}

    def run(quiet_after: dict[Topic, int], orders_end: float) -> list[bool]:
        settings = EngineSettings(
            reorder_us=0, holdout=terms, horizon_us=20 * DAY, quiet_after_us=quiet_after, outcomes=True
        )
        engine = Engine(settings, RuleSet(rules, DTYPES))
        noise = [order("other", day + 0.5, int(day)) for day in range(int(orders_end))]
        own = [order(name, 1.2, 0), order(name, 1.3, 1)]
        later = Event(Topic.LOGINS, int(25.5 * DAY), name, "login")
        events = sorted([*noise, *own, later], key=lambda e: e.at)
        steps = engine.step(as_batch(events)).steps + engine.advance(30 * DAY).steps
        opened = [s for s in steps if s.kind is StepKind.OPENED and s.customer_id == name]
        return [s.holdout for s in opened]

    # The first warning is due on day 22; the next opens on day 25, at a tier that holds nobody out by itself.
    assert run({}, 30) == [True, False]
    assert run(quiet, 30) == [True, False]
    assert run(quiet, 15) == [True, True]
