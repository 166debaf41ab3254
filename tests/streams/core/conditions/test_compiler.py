"""Conditions: what SQL means row by row, and what is refused."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.conditions.compiler import FEW_ROWS, ROWS_AT_ONCE, Program
from streams.core.conditions.parser import ConditionError, parse_condition
from streams.core.conditions.tree import features_of
from streams.core.features.catalogue import DTYPES
from tests.streams.core.conditions import condition_twin as twin

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
        ("GREATEST(orders_30d, overdue) = 5", 1),
        ("ROUND(order_trend) = 0 AND CEIL(order_trend) = 1 AND SIGN(order_trend) = 1", 1),
        ("ABS(0 - orders_30d) = 5", 1),
        ("CAST(orders_30d AS DOUBLE) / 2 > 2", 1),
        ("customer_class = 'key' AND region IS NULL", 1),
        ("UPPER(customer_class) = 'KEY'", 1),
        ("customer_class ILIKE 'K_Y'", 1),
        ("'l' > customer_class", 1),
        ("orders_30d > 1e0 AND orders_30d < 9999999999999999999", 1),
        ("TRUE", 1),
    ],
)
def test_sql_means_what_it_says(sql: str, expected: int) -> None:
    assert of_one(sql, orders_30d=5, order_trend=0.5, customer_class="key") == expected


LOOKS_AT_OTHERS = """
SUM(orders_30d) > 3 ¦ orders_30d > AVG(orders_30d) ¦ COUNT(*) > 3 ¦ COUNT(orders_30d) > 3
COUNT(DISTINCT orders_30d) > 3 ¦ MAX(orders_30d) > 3 ¦ MIN(orders_30d) > 3 ¦ MEDIAN(orders_30d) > 3
STDDEV(orders_30d) > 3 ¦ VAR(orders_30d) > 3 ¦ FIRST(orders_30d) > 3 ¦ LAST(orders_30d) > 3
FIRST_VALUE(orders_30d) > 3 ¦ ARRAY_AGG(orders_30d) > 3 ¦ QUANTILE_DISC(orders_30d, 0.5) > 3
CORR(orders_30d, overdue) > 0 ¦ SUM(orders_30d) FILTER (WHERE overdue > 1) > 3
orders_30d > AVG(orders_30d) OVER (PARTITION BY region) ¦ ROW_NUMBER() OVER () > 1
RANK() OVER (ORDER BY overdue) > 1 ¦ LAG(orders_30d) OVER (ORDER BY overdue) > 1
DENSE_RANK() OVER (ORDER BY overdue) > 1 ¦ orders_30d > (SELECT 1) ¦ EXISTS (SELECT 1)
orders_30d IN (SELECT 1) ¦ orders_30d > ALL (SELECT 1) ¦ orders_30d > ANY (ARRAY[1, 2])
orders_30d > ALL (1) ¦ UNNEST(region) = 'x' ¦ "^orders_.*$" > 1 ¦ COLUMNS('orders') > 1 ¦ * > 1 ¦ *
COALESCE(overdue, AVG(overdue)) > 1 ¦ CASE WHEN SUM(orders_30d) > 1 THEN TRUE ELSE FALSE END
NOT (orders_30d > MAX(orders_30d)) ¦ customer_class = FIRST(customer_class)
"""
READS_A_CLOCK = """
NOW() > 1 ¦ CURRENT_DATE > orders_30d ¦ CURRENT_TIMESTAMP > orders_30d ¦ RANDOM() > 0.5 ¦ RAND() > 0.5
orders_30d >= DATE '2020-01-01' ¦ INTERVAL '1 day' > orders_30d ¦ DATE_PART('year', orders_30d) > 1
"""
NOT_A_CONDITION = """
orders_30d ¦ region ¦ NULL AND orders_30d ¦ orders_30d + 1 ¦ 'key' ¦ orders_30d AND overdue > 1
NOT orders_30d ¦ NOT region ¦ CASE WHEN orders_30d THEN TRUE ELSE FALSE END ¦ orders_30d IS TRUE
CASE WHEN overdue > 1 THEN 1 ELSE 0 END ¦ CASE WHEN overdue > 1 THEN 1 ELSE TRUE END
"""
WRONG_TYPES = """
customer_class > 3 ¦ orders_30d = 'x' ¦ orders_30d > '5' ¦ orders_30d IN ('5') ¦ region IN (1, 2)
region + 1 > 2 ¦ -region > 2 ¦ ABS(region) > 1 ¦ region = customer_class ¦ orders_30d LIKE '5%'
COALESCE(orders_30d, 'x') > 1 ¦ COALESCE(region, 1) = 'x' ¦ orders_30d < 5 < 9 ¦ (overdue > 1) > 0
overdue = NULL ¦ overdue > NULL ¦ (overdue > 1) = TRUE ¦ (overdue > 1) IS TRUE ¦ region || 'x' = 'xx'
"""
NOT_SQL_OF_A_RULE = """
orders_30d > ¦ orders_30d > 1, overdue > 1 ¦ orders_30d > 1; ¦ orders_30d > 1; DROP TABLE x
orders_30d > 1 AS x ¦ orders_30d AS overdue ¦ orders_30d overdue ¦ orders_30d >> 1
orders_30d > 1 XOR overdue > 1 ¦ orders_30d & 1 = 1 ¦ SELECT 1 ¦ orders_30d > 1 GROUP BY region
orders_30d[1] > 1 ¦ orders_30d.x > 1 ¦ region ~ 'x' ¦ region RLIKE 'x' ¦ REGEXP_LIKE(region, 'x')
SHELL('ls') > 1 ¦ orders_30d > $1 ¦ orders_30d > ? ¦ CAST(overdue AS INT) > 1 ¦ overdue::INT > 1
CAST(region AS INT) > 1 ¦ orders_30d > 0x10 ¦ orders_30d > 1e400 ¦ orders_30d > 1_000
overdue IS DISTINCT FROM 1 ¦ overdue <=> 1 ¦ orders_30d // 2 > 1 ¦ LN(overdue) > 1
POWER(overdue, 2) > 1 ¦ orders_30d > 1 -- why ¦ orders_30d > 1 /* why */ ¦ CONCAT(region, 'x') = 'x'
orders_30d > 'a' COLLATE "C"
"""
REFUSED = [
    sql.strip()
    for text in (LOOKS_AT_OTHERS, READS_A_CLOCK, NOT_A_CONDITION, WRONG_TYPES, NOT_SQL_OF_A_RULE)
    for line in text.strip().splitlines()
    for sql in line.split("¦")
]
TOO_MUCH = [
    "",
    "   ",
    "(" * 300 + "orders_30d > 1" + ")" * 300,
    "NOT " * 400 + "orders_30d > 1",
    "orders_30d + " * 150 + "1 > 1",
    "overdue > 1 AND " * 120 + "overdue + " * 9 + "1 > 1",
    "orders_30d > 1 AND " * 1000 + "TRUE",
    "orders_30d" + "::DOUBLE" * 200 + " > 1",
]


@pytest.mark.parametrize("sql", [*REFUSED, *TOO_MUCH])
def test_whatever_is_not_a_condition_of_one_row_is_refused(sql: str) -> None:
    with pytest.raises(ConditionError) as refused:
        parse_condition(sql, DTYPES)
    assert all(message and "\n" not in message for message, _ in refused.value.mistakes)


@pytest.mark.parametrize(
    ("sql", "message", "hint"),
    [
        ("order_30d > 1", "unknown feature 'order_30d'", "orders_30d"),
        ("Orders_30d > 1", "unknown feature 'Orders_30d'", "orders_30d"),
        ("p_alive < 0.5", "unknown feature 'p_alive'", None),
        ("customer_class > 3", "compares customer_class (a word) with the number 3", None),
        ("overdue = NULL", "a comparison with NULL is never true; write IS NULL or IS NOT NULL", None),
        ("orders_30d", "gives a number, not true or false; compare it with something", None),
        ("NOT orders_30d", "expected a condition, found orders_30d (a number)", None),
        ("overdue > 1 AND region", "AND expects a condition, found region (a word)", None),
    ],
)
def test_a_refusal_says_what_is_wrong(sql: str, message: str, hint: str | None) -> None:
    with pytest.raises(ConditionError) as refused:
        parse_condition(sql, DTYPES)
    assert refused.value.mistakes == [(message, hint)]


def test_all_mistakes_of_a_condition_are_told_at_once() -> None:
    with pytest.raises(ConditionError) as refused:
        parse_condition("order_30d > 1 AND login_30d > 1 AND region > 3 AND SUM(overdue) > 1", DTYPES)
    assert len(refused.value.mistakes) == 4


def test_features_are_named_in_the_order_of_reading() -> None:
    condition = parse_condition("region IN ('x') AND orders_30d / overdue > COALESCE(order_trend, 1)", DTYPES)
    assert list(features_of(condition)) == ["region", "orders_30d", "overdue", "order_trend"]
