"""The nearest rule of those who left unwarned, against a look at every row one by one."""

import math

import polars as pl
import pytest

from streams.backtest.missed import by_rule
from streams.core.conditions.distance import Distances
from streams.core.engine import Engine
from streams.core.rules.rule import Rule, RuleStatus
from streams.core.steps import Tier
from streams.offline.replay import SweptFeatures, replay
from tests.oracle.days import DAY
from tests.oracle.histories import as_batch
from tests.streams.backtest.histories import (
    HORIZON,
    compiled,
    end_of,
    judged,
    many_customers,
    replayed,
    settings_of,
)
from tests.streams.backtest.twin import Twin, warnings_of, without_repeats


@pytest.mark.parametrize("seed", [3, 5])
def test_the_nearest_is_that_of_the_slow_look(seed: int) -> None:
    generated = many_customers(seed, size=120, days=90)
    rules = [
        Rule("quiet", "days_since_order >= 60", Tier.LOW, "test"),
        Rule("many", "orders_30d >= 4", Tier.LOW, "test"),
        Rule("loud", "complaints_30d >= 3", Tier.HIGH, "test"),
        Rule("shadow", "days_since_order >= 21", Tier.HIGH, "test", status=RuleStatus.SHADOW),
    ]
    result = judged(generated, rules)
    events = without_repeats(generated.arrivals, 2 * DAY)
    twin = Twin(events, HORIZON, events[0].at, end_of(events), generated.zone)
    active = compiled([rule for rule in rules if rule.status is RuleStatus.ACTIVE])
    engine = Engine(settings_of(generated), active, None)
    swept = SweptFeatures()
    engine.observe(sweeps=swept)
    batch = as_batch(generated.arrivals)
    replay(batch.take(batch.order()), [engine], on_steps=lambda steps: None)

    warnings = warnings_of(replayed(generated, rules))
    expected = {}
    for left in twin.left():
        if twin.catching(left, warnings):
            continue
        nearest: tuple[float, str | None, int | None] = (math.inf, None, None)
        for at, frame in swept.frames:
            row = frame.filter(pl.col("customer_id") == left.customer)
            if left.last_order < at < left.known_at and row.height:
                for rule, distance in zip(
                    active.rules, Distances(active.whens).to_true(row)[:, 0].tolist(), strict=True
                ):
                    if distance < nearest[0]:
                        nearest = (distance, rule.id, at)
        expected[left.customer, left.last_order] = nearest
    found = {
        (each.customer_id, each.last_order): (
            math.inf if each.distance is None else each.distance,
            each.rule,
            each.at,
        )
        for each in result.missed
    }
    assert found == expected
    assert len({rule for _, rule, _ in expected.values()}) > 1
    summary = by_rule(result.missed)
    assert sum(row["part"] for row in summary) == len(expected)
    distances = [math.inf if each.distance is None else each.distance for each in result.missed]
    assert distances == sorted(distances)
