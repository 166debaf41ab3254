"""Samples of treated customers are left out and held-out ones stand for them: against a slow twin."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest

from streams.contract.samples import encode_samples, parse_samples
from streams.core.decision.holdout import HoldoutTerms
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings, Output
from streams.core.events.batch import ActionRecord
from streams.core.events.calendar import DAY
from streams.core.events.topics import Topic
from streams.core.features.catalogue import DTYPES
from streams.core.model.delayed_labels import LabelledSamples
from streams.core.model.treatment import HEAVIEST, NO_VERDICT, WarningsThen
from streams.core.rules.rule_set import RuleSet
from streams.core.state_tables import restore, tables
from streams.core.steps import Step, Tier
from streams.learning.learner import RiverLearner
from streams.rulebook.cases.run import stated
from tests.oracle.histories import as_batch
from tests.oracle.history import Event
from tests.oracle.treatment import twin_samples
from tests.streams.core.features.test_value import TERMS, ZONE, shop
from tests.streams.core.warnings.test_decisions import MINUTE, PLAYS, RULES

HORIZON = 15 * DAY
SHARES: dict[int, float] = {Tier.HIGH: 0.3, Tier.MEDIUM: 0.3, Tier.LOW: 0.1}


class Driven:
    """What an engine put out."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.samples: list[LabelledSamples] = []
        self.names: list[str] = []
        self.counts: Counter[str] = Counter()

    def take(self, output: Output) -> None:
        """Note an output."""
        self.steps += output.steps
        self.samples += output.samples


def driven(events: Sequence[Event], size: int = 10_000, *, restarts: bool = False, **more: Any) -> Driven:
    settings = EngineSettings(
        time_zone=ZONE.key,
        reorder_us=0,
        value=TERMS,
        horizon_us=HORIZON,
        learn_within_us=4 * HORIZON,
        decide_every=2,
        labour_rate=MINUTE,
        holdout=HoldoutTerms(SHARES, "s1"),
        shared_learner=True,
        **more,
    )

    def begun() -> Engine:
        return Engine(settings, RuleSet(RULES, DTYPES, PLAYS), RiverLearner())

    engine, made = begun(), Driven()
    model = stated(0.4)
    assert model is not None
    engine.scorer.adopt(model)
    for begin in range(0, len(events), size):
        made.take(engine.step(as_batch(events[begin : begin + size])))
        if restarts:
            saved = tables(engine)
            engine = begun()
            restore(engine, saved)
            again = tables(engine)
            assert all(again[name].equals(frame) for name, frame in saved.items())
            engine.scorer.adopt(model)  # its inputs are none of a learner's, so no state keeps it
    made.take(engine.flush())
    made.take(engine.advance(max(e.at for e in events) + DAY))
    made.names, made.counts = engine.customers.ids, engine.scorer.delayed_labels.counts
    return made


def acted(seed: int, *, customers: int = 120, late: bool = False) -> list[Event]:
    """Return a shop whose team acts on its warnings, now and then on others, and corrects itself."""
    events = shop(seed, customers, 90)
    rng = np.random.default_rng(seed)
    acts: list[Event] = []
    for step in driven(events).steps:
        if rng.random() > (0.15 if step.holdout else 0.5):
            continue
        at = step.at + int(rng.uniform(0.01, 6) * DAY)
        kind = ("contact", "offer", "assign")[int(rng.integers(0, 3))]
        result = (None, "declined", "wrong_contact")[int(rng.integers(0, 3))]
        record = ActionRecord(step.warning_id, kind, result, actor="ann")
        acts.append(Event(Topic.ACTIONS, at, step.customer_id, f"a{len(acts)}", record=record))
        if rng.random() < 0.2:
            by = "ann" if rng.random() < 0.7 else "ben"
            taken_back = ActionRecord(step.warning_id, "correct", actor=by, corrects=acts[-1].event_id)
            then = at + int(rng.uniform(0.01, 20) * DAY)
            acts.append(Event(Topic.ACTIONS, then, step.customer_id, f"a{len(acts)}", record=taken_back))
    end = max(e.at for e in events)
    everything = sorted((e for e in [*events, *acts] if e.at < end), key=lambda e: e.order)
    if not late:
        return everything
    # Some of the actions are heard of days later.
    arrives = [
        e.at + (int(rng.uniform(0, 12) * DAY) if e.topic == Topic.ACTIONS and rng.random() < 0.4 else 0)
        for e in everything
    ]
    order = np.argsort(arrives, kind="stable")
    return [everything[place] for place in order.tolist()]


def rows(made: Driven) -> list[tuple[int, str, bool, bool, float]]:
    return [
        (s.at, made.names[row], bool(y), bool(treated), float(weight))
        for s in made.samples
        for row, y, treated, weight in zip(s.customers, s.y, s.treated, s.weight, strict=True)
    ]


@pytest.mark.parametrize("seed", range(3))
def test_who_is_left_out_and_who_weighs_more_is_as_the_twin_says(seed: int) -> None:
    events = acted(seed, late=seed == 2)
    made = driven(events)
    weighted = treated = 0
    strata = set()
    for samples in made.samples:
        names = [made.names[row] for row in samples.customers]
        twin = twin_samples(names, samples.at, HORIZON, made.steps, events)
        assert samples.treated.tolist() == [twin[name].treated for name in names]
        assert samples.weight.tolist() == [twin[name].weight for name in names]
        treated += int(samples.treated.sum())
        weighted += int((samples.plain().weight > 1).sum())
        strata.update(samples.weight[samples.weight > 1].tolist())
    assert treated > 100
    assert weighted > 20
    assert len(strata) > 3
    assert made.counts["treated"] == treated
    assert made.counts["weighted"] == weighted
    assert made.counts["learned"] + treated == sum(map(len, made.samples))


@pytest.mark.parametrize("late", [False, True])
def test_it_does_not_depend_on_how_events_are_cut_nor_on_restarts(late: bool) -> None:
    events = acted(5, customers=40, late=late)
    whole = driven(events)
    for size, restarts in ((7, False), (41, True)):
        other = driven(events, size, restarts=restarts)
        assert rows(other) == rows(whole)
        assert other.counts == whole.counts


def test_nothing_changes_where_nobody_was_treated() -> None:
    events = [e for e in acted(1) if e.topic != Topic.ACTIONS]
    made, more = driven(events, max_samples=5), driven(events)
    assert all((s.weight == 1).all() and not s.treated.any() for s in more.samples)
    assert max(map(len, made.samples)) == 5
    assert more.counts["treated"] == more.counts["weighted"] == 0


def test_held_out_customers_are_not_thinned_once_there_are_treatments() -> None:
    events = acted(1)
    few, all_of_them = driven(events, max_samples=5), driven(events)
    first = min(e.at for e in events if isinstance(e.record, ActionRecord) and e.record.kind != "assign")
    thinned = 0
    for some, every in zip(few.samples, all_of_them.samples, strict=True):
        held_out = {
            step.customer_id: step.holdout and step.kind not in ("resolved", "withdrawn", "expired")
            for step in few.steps
            if step.at <= some.at
        }
        names, all_names = ({few.names[row] for row in s.customers} for s in (some, every))
        if some.at > first + DAY:
            assert {name for name in all_names if held_out.get(name)} <= names
            thinned += len(all_names - names)
        assert len([name for name in names if not held_out.get(name)]) <= 5
    assert thinned > 100


def test_the_learner_gets_neither_the_treated_nor_their_probabilities() -> None:
    made = driven(acted(3))
    some = [s for s in made.samples if s.treated.any() and (s.weight > 1).any()]
    assert some
    for samples in some:
        batch = parse_samples(encode_samples(samples, "shop", 0, 1), "shop")
        assert len(batch) == int((~samples.treated).sum())
        assert batch.treated == int(samples.treated.sum())
        assert batch.weight.tolist() == samples.weight[~samples.treated].tolist()


def test_a_sample_stands_for_ten_at_most_and_for_its_own_tier_and_verdict_alone() -> None:
    tier = np.array([3] * 30 + [2] * 3 + [0], dtype=np.int8)
    verdict = np.array([0] * 30 + [0, 1, NO_VERDICT, NO_VERDICT], dtype=np.int8)
    holdout = np.array([True] + [False] * 29 + [True, True, True, True])
    treated = np.array([False] + [True] * 25 + [False] * 8)
    weight = WarningsThen(tier, verdict, holdout).weights(treated)
    assert weight.tolist() == [HEAVIEST] + [1.0] * 33
    treated[5:] = False
    assert WarningsThen(tier, verdict, holdout).weights(treated)[0] == 5.0


def test_a_state_of_before_is_gone_on_from() -> None:
    events = acted(4, customers=40)
    settings = EngineSettings(time_zone=ZONE.key, reorder_us=0, horizon_us=HORIZON, shared_learner=True)

    def begun() -> Engine:
        return Engine(settings, RuleSet(RULES, DTYPES, PLAYS), RiverLearner())

    engine = begun()
    engine.step(as_batch(events[: len(events) // 2]))
    saved = tables(engine)
    assert len(saved["decisions"])
    saved["decisions"] = saved["decisions"].drop("tier", "verdict", "holdout")
    once = json.loads(saved["engine"]["json"][0])
    assert once.pop("samples")
    saved["engine"] = pl.DataFrame({"json": [json.dumps(once)]})
    after = begun()
    restore(after, saved)
    output = after.step(as_batch(events[len(events) // 2 :]))
    assert output.samples
    assert any(s.treated.any() for s in output.samples)
    assert (output.samples[0].weight == 1).all()
