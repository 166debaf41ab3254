"""The report: its decisions are those of a replay, counted anew from the events and the feature rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import polars as pl
import pytest

from streams.core.engine import Engine
from streams.core.events.batch import Batch, ProfileRecord
from streams.core.events.calendar import Calendar
from streams.core.events.partitioner import partitions
from streams.core.features.catalogue import CATALOGUE, Features
from streams.core.features.customers import PROFILE_WORDS
from streams.core.model.logistic import INPUTS, Model, inputs_with
from streams.core.steps import Step, StepKind
from streams.learning.learner import LearnerSettings, RiverLearner
from streams.offline.replay import replay
from streams.quality.decisions import DecisionLog, Decisions
from streams.quality.measures import measure
from streams.quality.report import ModelReport, ReportInput, report
from tests.oracle.histories import as_batch
from tests.streams.backtest.histories import HORIZON, compiled, many_customers, rules_of, settings_of

LEARNER = LearnerSettings(5, 5)


@dataclass(frozen=True)
class Run:
    decisions: Decisions
    report: ModelReport
    probability: Mapping[tuple[str, int], float | None]
    """By customer and sweep."""
    region: Mapping[tuple[str, int], str | None]
    steps: list[Step]
    waiting: int
    zone: str
    models: tuple[Model, ...]
    log: DecisionLog


class Rows:
    """Keeps probability and region of everybody at each sweep."""

    def __init__(self) -> None:
        self.probability: dict[tuple[str, int], float | None] = {}
        self.region: dict[tuple[str, int], str | None] = {}

    def swept(self, at: int, features: Features) -> None:
        frame = features.frame(("churn_probability", "region"))
        for name, (p, region) in zip(features.view.customers.ids, frame.iter_rows(), strict=False):
            self.probability[name, at] = p
            self.region[name, at] = region


def other_profiles(batch: Batch) -> Batch:
    """Return the events with every customer of another class, segment, region and origin."""
    records = batch.record.copy()
    for row, each in enumerate(records):
        if isinstance(each, ProfileRecord):
            records[row] = replace(
                each, customer_class="small", segment=f"s{row}", region=f"r{row}", origin=f"o{row}"
            )
    return replace(batch, record=records)


@cache
def run(seed: int, count: int = 1, *, other: bool = False, attributes: tuple[str, ...] = ()) -> Run:
    made = many_customers(seed, 2500, 110)
    batch = as_batch(made.arrivals)
    batch = batch.take(batch.order())
    batch = other_profiles(batch) if other else batch
    settings = replace(settings_of(made), samples=True, decide_every=3, model_attributes=attributes)
    inputs = inputs_with(attributes)
    engines = [Engine(settings, compiled(rules_of()), RiverLearner(LEARNER, inputs), n) for n in range(count)]
    rows, log = Rows(), DecisionLog(engines)
    for engine in engines:
        engine.observe(sweeps=rows, reads=("churn_probability", "region"))
    steps: list[Step] = []
    done = replay(batch, engines, on_steps=steps.extend, on_output=log.take)
    decisions = log.decisions()
    models = tuple(engine.scorer.model for engine in engines if engine.scorer.model is not None)
    given = ReportInput(
        horizon_us=HORIZON,
        time_zone=made.zone.key,
        events=done.counts.events,
        customers=done.customers,
        rule_set="r",
        waiting=log.waiting,
        thinned=log.thinned,
        models=models,
        least_customers=2,
    )
    made_report = report(decisions, given)
    return Run(
        decisions, made_report, rows.probability, rows.region, steps, log.waiting, made.zone.key, models, log
    )


@pytest.mark.parametrize("count", [1, 3])
def test_each_probability_is_the_one_of_the_decision_instant(count: int) -> None:
    of = run(1, count)
    given = 0
    for row, at in enumerate(of.decisions.at.tolist()):
        customer = of.decisions.ids[of.decisions.customer[row]]
        known = of.probability[customer, at]
        p = float(of.decisions.p[row])
        assert (known is None) == np.isnan(p)
        assert known is None or p == known
        given += known is not None
    assert given > 100


def test_no_probability_depends_on_region_class_segment_or_origin() -> None:
    of, other = run(1), run(1, other=True)
    assert set(of.decisions.groups["region"].tolist()) != set(other.decisions.groups["region"].tolist())
    for name in ("at", "customer", "x", "p", "y", "weight"):
        np.testing.assert_array_equal(getattr(of.decisions, name), getattr(other.decisions, name))
    assert [model.version for model in of.models] == [model.version for model in other.models]
    assert of.probability == other.probability


def test_no_input_of_the_model_is_a_trait() -> None:
    assert {each.feature for each in INPUTS} & {*PROFILE_WORDS, "do_not_contact"} == set()
    assert {each.feature for each in INPUTS} <= {
        name for name, f in CATALOGUE.items() if f.dtype != pl.String
    }


def test_the_report_counts_warnings_by_region_whether_the_model_reads_it_or_not() -> None:
    reading, blind = run(1, attributes=("region",)), run(1)
    assert {each.group.value for each in reading.report.importance} - {
        each.group.value for each in blind.report.importance
    } == {"profile"}
    for of in (reading, blind):
        (by_region,) = (each for each in of.report.groupings if each.name == "region")
        counted = {each.group: (each.warned.part, each.warned.whole) for each in by_region.groups}
        assert len(counted) > 1
        rows = np.flatnonzero(of.decisions.plain)
        expected: dict[str | None, tuple[float, float]] = {}
        for row in rows.tolist():
            group = of.decisions.groups["region"][row]
            part, whole = expected.get(group, (0, 0))
            expected[group] = (part + bool(of.decisions.warned[row]), whole + 1)
        assert counted == {group: expected[group] for group in counted}


@pytest.mark.parametrize("count", [1, 3])
def test_warned_is_who_had_an_open_warning_at_the_instant(count: int) -> None:
    of = run(1, count)
    seen = 0
    for row, at in enumerate(of.decisions.at.tolist()):
        customer = of.decisions.ids[of.decisions.customer[row]]
        own = [step for step in of.steps if step.customer_id == customer and step.at <= at]
        is_open = False
        for step in own:
            if step.kind is StepKind.OPENED:
                is_open = True
            elif step.kind in (StepKind.RESOLVED, StepKind.WITHDRAWN, StepKind.EXPIRED):
                is_open = False
        assert bool(of.decisions.warned[row]) is is_open
        seen += is_open
    assert 0 < seen < len(of.decisions)


@pytest.mark.parametrize("count", [1, 3])
def test_months_groups_and_funnel_count_the_same_decisions(count: int) -> None:
    of = run(1, count)
    d, made = of.decisions, of.report
    judged = [row for row in range(len(d)) if not (d.excluded[row] or d.treated[row] or np.isnan(d.p[row]))]
    assert made.funnel.judged == len(judged) == made.all.n
    assert made.funnel.matured == len(d)
    assert made.funnel.censored == of.waiting > 0
    assert made.funnel.population == len(d) + of.waiting + made.funnel.thinned
    by_month: dict[str, list[int]] = {}
    for row in judged:
        # A sweep at local midnight belongs to the day that has just ended.
        local = pl.Series([int(d.at[row]) - 1]).cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(of.zone)
        by_month.setdefault(f"{local[0]:%Y-%m}", []).append(row)
    assert [month.month for month in made.months] == sorted(by_month)
    for month in made.months:
        rows = by_month[month.month]
        assert month.measures == measure(d.p[rows], d.y[rows], d.weight[rows])
    assert sum(month.measures.n for month in made.months) == len(judged)
    [regions] = [each for each in made.groupings if each.name == "region"]
    shown = sum(each.measures.n for each in regions.groups)
    assert shown + regions.hidden_decisions == len(judged)
    for each in regions.groups:
        rows = [row for row in judged if d.groups["region"][row] == each.group]
        known = [
            row
            for row in range(len(d))
            if d.groups["region"][row] == each.group and not (d.excluded[row] or d.treated[row])
        ]
        assert each.measures == measure(d.p[rows], d.y[rows], d.weight[rows])
        assert each.customers == len({int(d.customer[row]) for row in known}) >= 2
        assert (each.warned.part, each.warned.whole) == (int(sum(d.warned[known])), len(known))
        stayed = [row for row in known if not d.y[row]]
        assert (each.warned_kept.part, each.warned_kept.whole) == (int(sum(d.warned[stayed])), len(stayed))


def test_a_group_is_the_profile_of_when_the_outcome_was_known() -> None:
    of = run(1)
    assert set(of.decisions.groups["region"].tolist()) > {None}
    calendar = Calendar(of.zone)
    checked = 0
    for row, at in enumerate(of.decisions.at.tolist()):
        customer = of.decisions.ids[of.decisions.customer[row]]
        due = at + HORIZON
        if calendar.next_midnight(due - 1) == due and (customer, due) in of.region:
            assert of.decisions.groups["region"][row] == of.region[customer, due]
            checked += 1
    assert checked > 100


def test_decisions_of_several_partitions_are_those_of_each_alone() -> None:
    of = run(1, 3)
    ids = np.array(of.decisions.ids, dtype=np.object_)
    expected = partitions(ids, 3)[of.decisions.customer]
    assert (of.decisions.partition == expected).all()
    assert (np.diff(of.decisions.at) >= 0).all()


def test_small_groups_are_hidden_and_counted() -> None:
    of = run(1)
    given = ReportInput(HORIZON, of.zone, 0, 0, "r", 0, 0, (), least_customers=10_000)
    made = report(of.decisions, given)
    for each in made.groupings:
        assert not each.groups
        assert each.hidden > 0
        assert each.hidden_decisions == made.funnel.judged


def test_customers_are_grouped_by_what_a_caller_knows_of_them() -> None:
    of = run(1)
    of_caller = {customer: "old" if place % 3 else "young" for place, customer in enumerate(of.decisions.ids)}
    del of_caller[of.decisions.ids[0]]
    found = of.log.decisions({"age": of_caller})
    ids = [found.ids[place] for place in found.customer.tolist()]
    assert found.groups["age"].tolist() == [of_caller.get(customer) for customer in ids]
    assert set(found.groups["age"].tolist()) == {None, "old", "young"}
    np.testing.assert_array_equal(found.p, of.decisions.p)


def test_the_treated_and_excluded_are_counted_and_the_others_count_by_their_weights() -> None:
    of = run(1)
    rng = np.random.default_rng(3)
    n = len(of.decisions)
    d = replace(
        of.decisions,
        treated=rng.random(n) < 0.2,
        excluded=rng.random(n) < 0.1,
        weight=np.where(rng.random(n) < 0.3, 3.5, 1.0),
    )
    made = report(d, ReportInput(HORIZON, of.zone, 0, 0, "r", 11, 5, of.models, least_customers=1))
    rows = [row for row in range(n) if not d.treated[row] and not d.excluded[row] and not np.isnan(d.p[row])]
    assert made.all == measure(d.p[rows], d.y[rows], d.weight[rows])
    assert made.all.weight > made.all.n == len(rows)
    assert made.heaviest == 3.5
    funnel = made.funnel
    assert funnel.excluded == sum(d.excluded)
    assert funnel.treated == sum(d.treated & ~d.excluded)
    rest = funnel.excluded + funnel.treated + funnel.without_probability + funnel.judged
    assert rest == funnel.matured == n
    assert funnel.population == n + 11 + 5
    for grouping in made.groupings:
        assert sum(each.measures.n for each in grouping.groups) == len(rows)
        assert sum(each.warned.whole for each in grouping.groups) == sum(d.plain)


@pytest.mark.parametrize("count", [1, 3])
def test_importance_is_the_mean_size_of_the_groups_shares(count: int) -> None:
    of = run(1, count)
    d = of.decisions.take(of.decisions.judged)
    sizes: dict[str, float] = {}
    inputs: dict[str, float] = {}
    for row in range(len(d)):
        model = of.models[int(d.partition[row])]
        shares = model.contributions(d.x[row : row + 1].astype(np.float64))[0].tolist()
        own: dict[str, float] = {}
        for each, share in zip(model.inputs, shares, strict=True):
            own[each.group.value] = own.get(each.group.value, 0.0) + share
            inputs[each.feature] = inputs.get(each.feature, 0.0) + abs(share)
        for group, share in own.items():
            sizes[group] = sizes.get(group, 0.0) + abs(share)
    total = sum(sizes.values())
    assert [each.size for each in of.report.importance] == sorted(
        (each.size for each in of.report.importance), reverse=True
    )
    assert {each.group.value for each in of.report.importance} == set(sizes)
    for found in of.report.importance:
        assert found.size == pytest.approx(sizes[found.group.value] / len(d))
        assert found.part == pytest.approx(sizes[found.group.value] / total)
        for one in found.inputs:
            assert one.size == pytest.approx(inputs[one.feature] / len(d))


def test_a_report_on_nothing_says_so() -> None:
    of = run(1)
    empty = of.decisions.take(np.zeros(len(of.decisions), dtype=np.bool_))
    made = report(empty, ReportInput(HORIZON, "UTC", 0, 0, "r", 7, 0, ()))
    assert (made.since, made.all.n, made.all.auc, made.bins, made.months) == (None, 0, None, (), ())
    assert made.funnel.population == 7
    assert not made.ready
