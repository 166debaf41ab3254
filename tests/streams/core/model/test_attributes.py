"""Profile attributes as inputs of the model: out unless switched on, and what they do then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from streams.contract.models import ModelLog
from streams.contract.samples import encode_samples, parse_samples
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings, Output
from streams.core.events.batch import Batch, ProfileRecord
from streams.core.events.calendar import DAY
from streams.core.events.topics import Topic
from streams.core.explain.snapshot import take_snapshot
from streams.core.features.catalogue import DTYPES, Features
from streams.core.model.logistic import ALL_INPUTS, INPUTS, inputs_with, knows_inputs
from streams.core.rules.rule import Rule
from streams.core.rules.rule_set import compile_rules
from streams.core.state_tables import restore, tables
from streams.core.steps import Tier
from streams.learning.learner import LearnerSettings, RiverLearner
from streams.learning.shared import SharedLearner
from streams.quality.importance import importance
from tests.streams.core.test_state_tables import outputs

OWN = LearnerSettings(5, 5)
RULES = compile_rules([Rule("a", "churn_probability >= 0.01", Tier.HIGH, "model")], DTYPES)


@cache
def shop(regions: tuple[str, str] = ("north", "south")) -> Batch:
    """Return a shop's history in which customers of the second region leave four times as often."""
    dice = np.random.default_rng(4)
    events: list[dict[str, Any]] = []
    for number in range(240):
        region, name = number % 2, f"c{number}"
        record = ProfileRecord("ordinary", segment=f"s{number % 5}", region=regions[region])
        begins = float(dice.uniform(0, 60))
        events.append({"topic": Topic.PROFILES, "at": begins, "customer_id": name, "record": record})
        at = begins
        while at < 240 and (at == begins or dice.random() > (0.05, 0.2)[region]):
            events.append({"topic": Topic.ORDERS, "at": at, "customer_id": name, "amount": 10_000_000})
            at += float(dice.uniform(3, 11))
    made = Batch.of([e | {"at": int(e["at"] * DAY), "event_id": str(n)} for n, e in enumerate(events)])
    return made.take(made.order())


def engine_of(*attributes: str, shared: bool = False) -> Engine:
    settings = EngineSettings(
        reorder_us=0,
        horizon_us=20 * DAY,
        learn_within_us=40 * DAY,
        decide_every=2,
        model_attributes=attributes,
        shared_learner=shared,
        samples=True,
    )
    return Engine(settings, RULES, RiverLearner(OWN, inputs_with(attributes)))


def parts(batch: Batch, days: int = 40) -> list[Batch]:
    number = (batch.at - batch.at.min()) // (days * DAY)
    return [batch.take(number == part) for part in range(int(number.max()) + 1)]


def probabilities(engine: Engine) -> dict[str, float]:
    """Return each customer's probability at the end."""
    view = engine.source_guard.view_at(engine.customers, engine.reorder.watermark)
    features = Features(view, engine.settings.priors)
    assert engine.scorer.model is not None
    p = engine.scorer.model.score_columns(features, len(features)).tolist()
    return dict(zip(engine.customers.ids, p, strict=False))


def gap(engine: Engine) -> float:
    """Return by how much the mean probability in the south is higher, of equal logits otherwise."""
    model = engine.scorer.model
    assert model is not None
    names = [each.name for each in model.inputs]
    codes = [engine.customers.code("region", word) for word in ("north", "south")]
    words = engine.customers.vocabulary.classes()
    shares = np.zeros(2)
    for time, name in enumerate(("class1(region)", "class2(region)", "class3(region)")):
        shares += model.weight[names.index(name)].take(words[codes, time].astype(int))
    return float(shares[1] - shares[0])


def test_without_the_switch_the_model_reads_what_customers_did_alone() -> None:
    assert EngineSettings().model_attributes == ()
    assert inputs_with(()) == INPUTS
    engine = engine_of()
    assert engine.scorer.delayed_labels.inputs == tuple(i.name for i in INPUTS)
    engine.step(shop())
    other = engine_of()
    other.step(shop(("up", "down")))
    assert engine.scorer.model is not None
    assert other.scorer.model is not None
    assert engine.scorer.model.ready
    assert engine.scorer.model.to_dict() == other.scorer.model.to_dict()


def test_only_what_is_named_is_read() -> None:
    both = inputs_with(("region", "segment"))
    assert both == inputs_with(("segment", "region"))
    assert [i.name for i in both[len(INPUTS) :]] == [
        f"class{n}({name})" for name in ("segment", "region") for n in (1, 2, 3)
    ]
    assert {i.feature for i in ALL_INPUTS[len(INPUTS) :]} == {"customer_class", "segment", "region", "origin"}
    engine, other = engine_of("segment"), engine_of("segment")
    engine.step(shop())
    other.step(shop(("up", "down")))
    assert engine.scorer.model is not None
    assert other.scorer.model is not None
    assert engine.scorer.model.to_dict() == other.scorer.model.to_dict()


def test_a_region_from_which_more_leave_raises_the_probability_where_it_is_read() -> None:
    engine, blind = engine_of("region"), engine_of()
    for each in (engine, blind):
        each.step(shop())
    assert gap(engine) > 0.4

    def loss(of: Engine) -> float:
        assert of.scorer.learner is not None
        return float(of.scorer.learner.metrics()["prequential"]["log_loss"])

    assert loss(engine) < loss(blind) - 0.005


def test_a_region_is_a_reason_in_words_and_a_missing_one_is_none() -> None:
    engine = engine_of("region")
    given: list[Output] = [engine.step(part) for part in parts(shop())]
    reasons = [r for out in given for step in out.steps for r in step.reasons if r.group == "profile"]
    assert {r.text for r in reasons} == {"a customer of region south"}
    assert {(r.feature, r.value) for r in reasons} == {("region", "south")}
    bare = engine_of("region")
    batch = shop()
    given = [bare.step(batch.take(batch.topic != Topic.PROFILES))]
    assert any(step.reasons for out in given for step in out.steps)
    assert not [r for out in given for step in out.steps for r in step.reasons if r.group == "profile"]
    assert engine.scorer.model is not None
    seen = take_snapshot(engine, 1, engine.reorder.watermark)
    assert seen.model is not None
    assert [r.feature for r in seen.model.shares].count("region") == 1
    total = seen.model.bias + sum(r.contribution for r in seen.model.shares)
    assert 1 / (1 + np.exp(-total)) == pytest.approx(seen.model.probability)


def test_importance_counts_a_word_once() -> None:
    engine = engine_of("region", "segment")
    out = engine.step(shop())
    x = np.concatenate([samples.x for samples in out.samples])
    assert engine.scorer.model is not None
    found = importance([engine.scorer.model], x, np.zeros(len(x), dtype=np.int64))
    (profile,) = (each for each in found if each.group.value == "profile")
    assert [each.feature for each in profile.inputs] == ["region", "segment"]
    assert [each.text() for each in profile.inputs] == ["region", "segment"]
    assert profile.size > 0.1


@pytest.mark.parametrize("attributes", [(), ("region",), ("customer_class", "segment", "region", "origin")])
def test_a_restored_engine_goes_on_bit_for_bit(attributes: tuple[str, ...]) -> None:
    whole, cut = engine_of(*attributes), engine_of(*attributes)
    expected, found = [], []
    for part in parts(shop()):
        expected.append(whole.step(part))
        found.append(cut.step(part))
        saved = tables(cut)
        cut = engine_of(*attributes)
        restore(cut, saved)
    assert outputs(found) == outputs(expected)
    assert probabilities(cut) == probabilities(whole)


@pytest.mark.parametrize(
    ("before", "after"), [((), ("region",)), (("region",), ()), (("segment",), ("region",))]
)
def test_a_state_of_other_attributes_is_gone_on_from(before: tuple[str, ...], after: tuple[str, ...]) -> None:
    first, *rest = parts(shop(), 120)
    old = engine_of(*before)
    old.step(first)
    engine = engine_of(*after)
    restore(engine, tables(old))
    assert engine.scorer.learner is not None
    assert old.scorer.learner is not None
    assert engine.scorer.learner.progress() == old.scorer.learner.progress()
    for part in rest:
        engine.step(part)
    assert engine.scorer.model is not None
    assert engine.scorer.model.inputs == inputs_with(after)
    if after == ("region",):
        assert gap(engine) > 0.2


def taught(given: list[Output], learner: SharedLearner) -> None:
    for output in given:
        for samples in output.samples:
            learner.take(parse_samples(encode_samples(samples, "shop", 0, 1), "shop"), learner.offset)


def test_a_shared_learner_reads_them_from_samples_and_publishes_them_by_name() -> None:
    engine, learner = engine_of("region", shared=True), SharedLearner(OWN, inputs_with(("region",)))
    blind = SharedLearner(OWN)
    for part in parts(shop()):
        given = [engine.step(part)]
        taught(given, learner)
        taught(given, blind)
        log = ModelLog("shop")
        for version, value in learner.records("shop").items() if learner.at is not None else ():
            log.take(version.encode(), value)
        if log.models:
            engine.scorer.adopt(log.models[learner.model().version].model())
    assert engine.scorer.model is not None
    assert engine.scorer.model.inputs == inputs_with(("region",))
    assert gap(engine) > 0.4
    assert blind.model().inputs == INPUTS
    again = SharedLearner(OWN, inputs_with(("region",)))
    again.restore(learner.state())
    assert again.model().to_dict() == learner.model().to_dict()


def test_a_model_that_reads_more_than_it_may_is_not_known_and_one_that_reads_less_scores() -> None:
    engine, learner = engine_of("region", shared=True), SharedLearner(OWN, inputs_with(("region",)))
    taught([engine.step(shop())], learner)
    model = learner.model()
    strict = engine_of(shared=True)
    assert not strict.scorer.knows_inputs(model)
    assert engine.scorer.knows_inputs(model)
    assert knows_inputs(i.name for i in model.inputs)
    saved = strict.scorer.state() | {"model": model.to_dict()}
    own = strict.scorer.model
    strict.scorer.restore(saved)
    assert strict.scorer.model == own
    kept = [place for place, each in enumerate(model.inputs) if each.feature not in ("region", "p_alive")]
    less = replace(model, inputs=tuple(model.inputs[n] for n in kept), weight=model.weight[kept], ready=True)
    assert strict.scorer.knows_inputs(less)
    strict.scorer.adopt(less)
    out = strict.step(shop())
    known = [s for samples in out.samples for s in samples.logit.tolist()]
    assert known
    # By hand: its inputs alone, as they were at the decision.
    names = [i.name for i in INPUTS]
    own_columns = [names.index(i.name) for i in less.inputs]
    for samples in out.samples[:20]:
        x = samples.x.astype(np.float64)[:, own_columns]
        np.testing.assert_allclose(samples.logit, less.logit(x), rtol=1e-4, atol=1e-4)


def words_of(batch: Batch) -> Iterator[str | None]:
    return (each.region for each in batch.record if isinstance(each, ProfileRecord))


def test_the_histories_differ_in_their_regions_alone() -> None:
    assert set(words_of(shop())) == {"north", "south"}
    assert set(words_of(shop(("up", "down")))) == {"up", "down"}
