"""A shop whose law of churn is known, run through cohorts and learner as the engine would run it.

Customers decide once in 28 days and the horizon is 20 days, so that no two of a customer's horizons overlap
and an outcome may be drawn at the decision instant from the law and the features of that day.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streams.core.events.calendar import DAY
from streams.core.events.dedup import hash_strings
from streams.core.model.delayed_labels import DelayedLabels
from streams.core.model.logistic import INPUTS, Model, design
from streams.core.model.prequential import Prequential
from streams.learning.learner import RiverLearner

Columns = dict[str, NDArray[np.float64]]
Law = Callable[[Columns, int], NDArray[np.float64]]
"""Log odds of churn from the features (before anything is hidden or spoilt) and the day."""
Spoil = Callable[[Columns, np.random.Generator], None]

HORIZON_DAYS = 20


@dataclass(frozen=True)
class Outcome:
    learner: RiverLearner
    model: Model
    given: int
    """Probabilities given."""
    best: Prequential
    """The same decisions judged on the true probabilities."""

    @property
    def quality(self) -> Prequential:
        return self.learner.quality


def draw(n: int, rng: np.random.Generator) -> Columns:
    """Return features of `n` customers that hang together as in a shop."""
    pace = rng.gamma(2.0, 1.0, n)
    columns: Columns = {i.feature: np.full(n, np.nan) for i in INPUTS}
    columns["orders_30d"] = rng.poisson(pace).astype(np.float64)
    columns["orders_prev_30d"] = rng.poisson(pace).astype(np.float64)
    columns["orders_90d"] = columns["orders_30d"] + columns["orders_prev_30d"] + rng.poisson(pace)
    for window in ("30d", "90d"):
        columns[f"spend_{window}"] = columns[f"orders_{window}"] * rng.lognormal(3.0, 0.5, n)
    columns["logins_30d"] = rng.poisson(3 * pace).astype(np.float64)
    columns["logins_prev_30d"] = rng.poisson(3 * pace).astype(np.float64)
    columns["complaints_90d"] = rng.poisson(0.15, n).astype(np.float64)
    columns["open_complaints"] = np.minimum(columns["complaints_90d"], rng.poisson(0.3, n))
    columns["days_since_order"] = rng.exponential(30 / (pace + 0.2))
    columns["days_since_login"] = rng.exponential(10 / (pace + 0.2))
    columns["tenure_days"] = rng.uniform(0, 700, n)
    columns["order_gap_mean"] = np.where(columns["orders_90d"] > 1, 30 / (pace + 0.2), np.nan)
    columns["overdue"] = columns["days_since_order"] / columns["order_gap_mean"]
    for trend, measure in (("order_trend", "orders"), ("login_trend", "logins")):
        before = columns[f"{measure}_prev_30d"]
        columns[trend] = np.where(before > 0, columns[f"{measure}_30d"] / np.maximum(before, 1), np.nan)
    columns["complaint_rate_90d"] = (columns["complaints_90d"] + 0.1) / (columns["orders_90d"] + 5)
    return columns


def recency_and_complaints(columns: Columns, _day: int) -> NDArray[np.float64]:
    """Those leave who are long overdue, have been silent, or have complained."""
    overdue = np.nan_to_num(np.minimum(columns["overdue"], 5), nan=1.0)
    silent = np.log1p(columns["days_since_order"])
    return -4.2 + 0.9 * overdue + 0.6 * silent + 1.3 * columns["complaints_90d"]


def run(
    law: Law = recency_and_complaints,
    *,
    days: int = 250,
    customers: int = 1500,
    seed: int = 1,
    spoil: Spoil | None = None,
    judge_from: int = 0,
) -> Outcome:
    """Let `days` pass and return what was learned; probabilities given before `judge_from` are not judged."""
    rng = np.random.default_rng(seed)
    learner = RiverLearner()
    model = learner.snapshot()
    cohorts = DelayedLabels(
        [i.name for i in INPUTS], horizon_us=HORIZON_DAYS * DAY, decide_every=28, learn_within_us=10_000 * DAY
    )
    keys = hash_strings([f"customer {i}" for i in range(customers)])
    last_order = np.zeros(customers, dtype=np.int64)
    next_order = np.zeros(customers, dtype=np.int64)
    never = np.full(customers, np.iinfo(np.int64).min)
    best, given = Prequential(), 0
    truth: dict[int, NDArray[np.float64]] = {}
    for day in range(1, days + 1):
        at = day * DAY
        np.copyto(last_order, next_order, where=next_order < at)
        if cohorts.next_due() == at:
            samples = cohorts.mature(at, last_order, never)
            assert samples is not None
            p = samples.p if samples.at >= judge_from * DAY else np.full(len(samples), np.nan)
            learner.learn(samples.x.astype(np.float64), samples.y, p)
            best.add(np.where(np.isnan(p), np.nan, truth.pop(samples.at)), samples.y)
            model = learner.snapshot()
        chosen = cohorts.choose(at, day, keys, last_order, never)
        columns = draw(len(chosen), rng)
        chance = 1 / (1 + np.exp(-law(columns, day)))
        if spoil is not None:
            spoil(columns, rng)
        x = design(columns)
        score = model.score(x) if model.ready else np.full(len(chosen), np.nan)
        assert model.ready is not bool(np.isnan(score).any())
        given += int(model.ready) * len(chosen)
        cohorts.decide(at, chosen, x, score)
        truth[at] = chance
        stays = rng.random(len(chosen)) >= chance
        next_order[chosen[stays]] = at + rng.integers(1, HORIZON_DAYS * DAY, stays.sum())
    return Outcome(learner, model, given, best)
