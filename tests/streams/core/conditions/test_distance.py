"""How far rows are from making a condition true or false."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings

from streams.core.conditions.compiler import ROWS_AT_ONCE, Program
from streams.core.conditions.distance import Distances
from streams.core.conditions.parser import parse_condition
from streams.core.features.catalogue import DTYPES
from streams.core.rules.rule import Rule
from streams.core.rules.rule_set import compile_rules
from streams.core.steps import Tier
from tests.streams.core.conditions import condition_twin as twin
from tests.streams.core.conditions import distance_twin

SCHEMA = {name: DTYPES[name] for name in (*twin.NUMBERS, *twin.WORDS)}


def to_true(sql: str, **values: object) -> float:
    frame = pl.DataFrame({name: [values.get(name)] for name in SCHEMA}, schema=SCHEMA)
    return float(Distances([parse_condition(sql, DTYPES)]).to_true(frame)[0, 0])


@settings(max_examples=150, deadline=None)
@given(twin.conditions, twin.rows)
def test_distances_are_those_of_the_slow_twin(tree: twin.Tree, rows: list[twin.Row]) -> None:
    distances = Distances([parse_condition(twin.sql(tree), DTYPES)])
    frame = pl.DataFrame(rows, schema=SCHEMA)
    for want, found in ((True, distances.to_true(frame)), (False, distances.to_false(frame))):
        expected = [distance_twin.distance(tree, row, want) for row in rows]
        assert found[0].tolist() == pytest.approx(
            [math.nan if e is None else e for e in expected], nan_ok=True
        )


@settings(max_examples=100, deadline=None)
@given(twin.conditions, twin.rows)
def test_the_distance_is_nothing_exactly_where_the_verdict_is_given(
    tree: twin.Tree, rows: list[twin.Row]
) -> None:
    condition, frame = parse_condition(twin.sql(tree), DTYPES), pl.DataFrame(rows, schema=SCHEMA)
    verdicts, distances = Program([condition]).run(frame), Distances([condition])
    assert np.array_equal(distances.to_true(frame) == 0, verdicts == 1)
    assert np.array_equal(distances.to_false(frame) == 0, verdicts == 0)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("overdue >= 3", 0.2),
        ("3 <= overdue", 0.2),
        ("overdue >= 2.4", 0),
        ("order_trend < 0", 0.5),  # a threshold of 0 has the size 1
        ("orders_30d > 4", 0.75),  # a count: 5 is the next
        ("orders_30d >= 2.5", 0.4),
        ("orders_30d = 2.5", math.inf),
        ("orders_30d IN (4, 8)", 0.5),
        ("overdue >= 3 AND orders_30d >= 4", 0.5),
        ("overdue >= 3 OR orders_30d >= 4", 0.2),
        ("NOT overdue < 3", 0.2),
        ("orders_30d * overdue < 2.4", 1),
        ("orders_30d > overdue", 1 / 2.4),
        ("region = 'x' AND overdue > 1", math.nan),
        ("customer_class = 'small' OR overdue >= 3", 0.2),
        ("customer_class = 'small' AND overdue >= 3", math.inf),
        ("customer_class = 'small' AND region = 'x'", math.inf),
        ("customer_class = 'small' OR region = 'x'", math.nan),
        ("overdue IS NULL", math.inf),
    ],
)  # fmt: skip
def test_a_distance_is_a_share_of_the_threshold(sql: str, expected: float) -> None:
    values = {"overdue": 2.4, "order_trend": 0.5, "orders_30d": 2, "customer_class": "key"}
    assert to_true(sql, **values) == pytest.approx(expected, nan_ok=True)


def test_a_count_below_a_whole_threshold_is_one_short() -> None:
    assert to_true("orders_30d < 2", orders_30d=2) == 0.5
    assert 0 < to_true("overdue < 2", overdue=2.0) < 1e-15


def test_the_distance_of_a_rule_takes_only_into_account() -> None:
    fields = {"tier": Tier.LOW, "reason": "silence"}
    rules = compile_rules(
        [
            Rule("b", when="overdue >= 3", only="customer_class = 'key'", **fields),  # type: ignore[arg-type]
            Rule("a", when="overdue >= 4", **fields),  # type: ignore[arg-type]
        ],
        DTYPES,
    )
    frame = pl.DataFrame({"overdue": [1.5, 1.5, 3.0], "customer_class": ["key", "small", "key"]})
    both = Distances(rules.whens).to_true(frame)
    assert both[1].tolist() == [0.5, math.inf, 0]
    for rule in (0, 1):
        assert np.array_equal(both[rule], Distances([rules.whens[rule]]).to_true(frame)[0])


def test_many_rows_are_as_few() -> None:
    frame = pl.DataFrame({"overdue": [float(i % 7) for i in range(ROWS_AT_ONCE + 7)]})
    distances = Distances([parse_condition("overdue >= 3 OR overdue < 1", DTYPES)])
    pieces = [distances.to_true(frame[begin : begin + 1000]) for begin in range(0, len(frame), 1000)]
    assert np.array_equal(distances.to_true(frame), np.concatenate(pieces, axis=1))
