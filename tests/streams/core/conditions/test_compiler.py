"""Conditions: what SQL means row by row."""

from __future__ import annotations

from time import process_time

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.conditions.compiler import FEW_ROWS, ROWS_AT_ONCE, Program
from streams.core.conditions.distance import Distances
from streams.core.conditions.parser import parse_condition
from streams.core.features.catalogue import DTYPES
from tests.streams.core.conditions import condition_twin as twin
from tests.streams.core.conditions.heavy_conditions import HEAVY, SECONDS

SCHEMA = {name: DTYPES[name] for name in (*twin.NUMBERS, *twin.WORDS)}
MARK = {True: 1, False: 0, None: -1}


def verdicts(sql: str, frame: pl.DataFrame) -> list[int]:
    return Program([parse_condition(sql, DTYPES)]).run(frame)[0].tolist()  # type: ignore[no-any-return]


def of_one(sql: str, **values: object) -> int:
    return verdicts(sql, pl.DataFrame({name: [values.get(name)] for name in SCHEMA}, schema=SCHEMA))[0]


@settings(max_examples=200, deadline=None)
@given(twin.conditions, twin.rows)
def test_verdicts_are_those_of_the_slow_twin(tree: twin.Tree, rows: list[twin.Row]) -> None:
    expected = [MARK[twin.verdict(tree, row)] for row in rows]
    assert verdicts(twin.sql(tree), pl.DataFrame(rows, schema=SCHEMA)) == expected


@settings(max_examples=100, deadline=None)
@given(twin.plain_conditions, twin.rows)
def test_without_arithmetic_polars_means_the_same(tree: twin.Tree, rows: list[twin.Row]) -> None:
    sql, frame = twin.sql(tree), pl.DataFrame(rows, schema=SCHEMA)
    expected = frame.with_columns(pl.sql_expr(sql).alias("verdict"))["verdict"]
    assert verdicts(sql, frame) == [MARK[each] for each in expected.to_list()]


@settings(max_examples=50, deadline=None)
@given(st.lists(twin.conditions, min_size=1, max_size=4), twin.rows, st.data())
def test_a_verdict_depends_on_its_own_row_alone(
    trees: list[twin.Tree], rows: list[twin.Row], data: st.DataObject
) -> None:
    program = Program([parse_condition(twin.sql(tree), DTYPES) for tree in trees])
    frame = pl.DataFrame(rows, schema=SCHEMA)
    whole = program.run(frame)
    order = data.draw(st.permutations(range(len(rows))))
    assert np.array_equal(program.run(frame[list(order)]), whole[:, list(order)])
    for row in range(len(rows)):
        assert np.array_equal(program.run(frame[row : row + 1]), whole[:, row : row + 1])


@pytest.mark.parametrize("sql", HEAVY.values(), ids=HEAVY)
def test_no_condition_takes_long(sql: str) -> None:
    """Ten thousand rows; `ROUND(orders_30d, 2000000000)` once took half a minute for five thousand."""
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({
        name: [f"{'a' * 100}{i % 50}" for i in range(10_000)]
        if dtype is pl.String
        else rng.integers(0, 9, 10_000)
        for name, dtype in DTYPES.items()
    })  # fmt: skip
    begin = process_time()
    condition = parse_condition(sql, DTYPES)
    Program([condition]).run(frame)
    Distances([condition]).to_true(frame)
    assert process_time() - begin < SECONDS


def test_a_pattern_of_many_wildcards_takes_no_longer_than_its_length() -> None:
    words = [f"x{'a' * 200}{i}" for i in range(2000)]
    frame = pl.DataFrame({"region": pl.Series(words, dtype=pl.String)})
    begin = process_time()
    assert set(verdicts("region LIKE 'x%a%a%a%a%a%a%z'", frame)) == {0}
    assert set(verdicts("region ILIKE 'X%A_%A_%A_%A_%A_%A%0'", frame)) == {0, 1}
    assert process_time() - begin < 10  # a second is usual; trying all splits would take years


@pytest.mark.parametrize("rows", [FEW_ROWS + 7, ROWS_AT_ONCE + 7])
@pytest.mark.parametrize("dtype", [pl.String, pl.Categorical])
def test_many_rows_are_as_few(rows: int, dtype: type[pl.DataType]) -> None:
    words = ["key", None, "small", "Key"]
    frame = pl.DataFrame({
        "customer_class": pl.Series([words[i % 4] for i in range(rows)], dtype=dtype),
        "orders_30d": pl.Series([None if i % 5 == 0 else i % 7 for i in range(rows)], dtype=pl.Int64),
    })  # fmt: skip
    program = Program([parse_condition("customer_class IN ('key', 'Key') AND orders_30d > 3", DTYPES)])
    pieces = [program.run(frame[begin : begin + 100]) for begin in range(0, rows, 100)]
    assert np.array_equal(program.run(frame), np.concatenate(pieces, axis=1))


@pytest.mark.parametrize("dtype", [pl.Null, pl.Int64, pl.Float64])
def test_a_column_without_values_is_missing_whatever_its_type(dtype: type[pl.DataType]) -> None:
    frame = pl.DataFrame({"orders_30d": pl.Series([None, None], dtype=dtype)})
    assert verdicts("orders_30d > 3", frame) == [-1, -1]
    assert verdicts("orders_30d IS NULL", frame) == [1, 1]


def test_a_word_column_without_values_is_missing() -> None:
    assert verdicts("region = 'x'", pl.DataFrame({"region": pl.Series([None], dtype=pl.Null)})) == [-1]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_a_value_that_is_not_finite_is_missing(bad: float) -> None:
    for sql in ("overdue > 1", "overdue < 1", "overdue <> 1", "NOT overdue > 1", "overdue IN (1, 2)"):
        assert of_one(sql, overdue=bad) == -1
    assert of_one("overdue IS NULL", overdue=bad) == 1


@pytest.mark.parametrize(
    "sql",
    [
        "orders_30d / order_trend > 1",
        "order_trend / order_trend > 1",
        "NOT (order_trend / order_trend > 1)",
        "orders_30d / 0 > 1",
        "orders_30d % order_trend = 0",
        "1 / (orders_30d / order_trend) < 1",
        "SQRT(order_trend - 1) < 1",
        "orders_30d * 1.0 / order_trend > 1",
        "overdue * overdue > 1",
        "overdue * overdue - overdue * overdue <> 0",
    ],
)
def test_what_arithmetic_cannot_give_is_missing(sql: str) -> None:
    assert of_one(sql, orders_30d=5, order_trend=0.0, overdue=1e200) == -1


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("orders_30d / 2 = 2.5", 1),  # not whole-number division
        ("orders_30d > 1 OR overdue > 1 AND order_trend > 1", 1),  # AND binds tighter
        ("NOT orders_30d = 5 OR orders_30d = 5", 1),  # NOT binds tighter than OR
        ("2 + 3 * 1 = orders_30d", 1),
        ("-orders_30d < -4.5", 1),
        ("orders_30d NOT BETWEEN 6 AND 9", 1),
        ("orders_30d NOT IN (1, 2)", 1),
        ("orders_30d NOT IN (1, NULL)", -1),
        ("orders_30d != 5", 0),
        ("overdue IS NOT NULL", 0),
        ("overdue > 1 AND orders_30d > 9", 0),  # missing and false
        ("overdue > 1 OR orders_30d > 1", 1),  # missing or true
        ("overdue > 1 AND orders_30d > 1", -1),
        ("COALESCE(overdue, 9) > 1", 1),
        ("COALESCE(overdue > 1, FALSE)", 0),
        ("(overdue > 1) IS NULL", 1),
        ("CASE WHEN orders_30d > 3 THEN order_trend ELSE 9 END < 1", 1),
        ("CASE orders_30d WHEN 5 THEN TRUE END", 1),
        ("NULLIF(orders_30d, 5) > 1", -1),
        ("GREATEST(orders_30d, overdue) = 5", -1),
        ("GREATEST(orders_30d, order_trend) = 5", 1),
        ("LEAST(orders_30d, order_trend, overdue) < 1", -1),
        ("ROUND(order_trend) = 0 AND CEIL(order_trend) = 1 AND SIGN(order_trend) = 1", 1),
        ("ABS(0 - orders_30d) = 5", 1),
        ("CAST(orders_30d AS DOUBLE) / 2 > 2", 1),
        ("customer_class = 'key' AND region IS NULL", 1),
        ("UPPER(customer_class) = 'KEY'", 1),
        ("customer_class ILIKE 'K_Y'", 1),
        ("customer_class ILIKE 'K%'", 1),
        ("customer_class LIKE 'K%'", 0),
        ("customer_class NOT LIKE 'k!%' ESCAPE '!'", 1),
        ("region LIKE '%'", -1),
        ("0.1 + 0.2 = 0.3 AND 0.1 * 3 = 0.3", 1),
        ("1e300 * 1e300 > 1", -1),
        ("MOD(orders_30d, 3) = 2 AND CEILING(order_trend) = 1", 1),
        ("ROUND(orders_30d * 1e300, 15) > 1e299", 1),
        ("'l' > customer_class", 1),
        ("orders_30d > 1e0 AND orders_30d < 9999999999999999999", 1),
        ("TRUE", 1),
    ],
)
def test_sql_means_what_it_says(sql: str, expected: int) -> None:
    assert of_one(sql, orders_30d=5, order_trend=0.5, customer_class="key") == expected
