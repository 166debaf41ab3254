"""What is proven impossible never happens: proofs against the feature rows of generated histories."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from time import process_time

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from streams.core.analysis.cases import Want
from streams.core.analysis.examples import example as example_of
from streams.core.analysis.satisfiable import satisfiable, satisfiable_after
from streams.core.conditions.compiler import Program
from streams.core.conditions.parser import parse_condition
from streams.core.conditions.tree import Condition
from streams.core.events.topics import Topic
from streams.core.features.catalogue import DTYPES
from tests.oracle.days import DAY
from tests.oracle.drive import compiled, drive
from tests.oracle.engine import OracleSettings
from tests.oracle.histories import as_batch, random_history
from tests.oracle.sample_rules import RULES
from tests.streams.core.conditions import condition_twin as twin
from tests.streams.core.conditions.heavy_conditions import HEAVY, SECONDS

VERDICTS = {1: Want.TRUE, 0: Want.FALSE, -1: Want.MISSING}
NUMBERS = [name for name, dtype in DTYPES.items() if dtype is not pl.String and name != "churn_probability"]


@cache
def seen() -> pl.DataFrame:
    """Return the feature rows of some thousand customers at sweeps."""
    frames = []
    for seed in range(6):
        history = random_history(seed, size=90, days=120, late=seed % 2 == 1)
        last = max(event.at for event in history.arrivals)
        quiet = {Topic.ORDERS: 9 * DAY, Topic.LOGINS: 12 * DAY} if seed % 3 == 2 else {}
        options = replace(OracleSettings(), zone=history.zone, quiet_after_us=quiet)
        driven = drive(options, compiled(RULES[:1]), [as_batch(history.arrivals)], last + 40 * DAY)
        frames += [
            frame.with_columns(customer_id=pl.col("customer_id") + f"/{seed}", at=pl.lit(at))
            for at, frame in driven.sweeps
        ]
    return pl.concat(frames).sort("customer_id", "at")


def parsed(sql: str) -> Condition:
    return parse_condition(sql, DTYPES)


def happened(condition: Condition) -> set[int]:
    return set(np.unique(Program([condition]).run(seen())).tolist())


number = st.sampled_from(["0", "1", "2", "3", "0.5", "5", "10", "29", "30", "31", "60", "90", "100"])
name = st.sampled_from(NUMBERS)
term = st.one_of(
    name, name, number,
    st.builds("({} {} {})".format, name, st.sampled_from("+-*/"), st.one_of(name, number)),
    st.builds("COALESCE({}, {})".format, name, number),
    st.builds("ABS({})".format, name),
)  # fmt: skip
leaf = st.one_of(
    st.builds("{} {} {}".format, term, st.sampled_from(["<", "<=", "=", "<>", ">=", ">"]), term),
    st.builds("{} IS NULL".format, name),
    st.builds("{} IN ({}, {})".format, name, number, number),
)
sqls = st.recursive(
    leaf,
    lambda inner: st.one_of(
        st.builds("({} AND {})".format, inner, inner),
        st.builds("({} AND {})".format, inner, inner),
        st.builds("({} OR {})".format, inner, inner),
        st.builds("(NOT {})".format, inner),
        st.builds("(CASE WHEN {} THEN {} ELSE {} END)".format, inner, inner, inner),
        st.builds("(COALESCE({}, {}))".format, inner, inner),
    ),
    max_leaves=5,
).filter(lambda sql: any(feature in sql for feature in NUMBERS))


def check(condition: Condition) -> None:
    there = happened(condition)
    for verdict in there:
        assert satisfiable((condition, VERDICTS[verdict]))
    assert satisfiable((condition, Want.NOT_TRUE)) or there <= {1}
    assert satisfiable((condition, Want.NOT_FALSE)) or there <= {0}


@settings(max_examples=150)
@given(sqls)
@example("orders_7d < (orders_7d + 0) OR NOT 1 < 0")
@example("orders_30d > orders_30d * orders_30d")
def test_what_happens_is_possible(sql: str) -> None:
    check(parsed(sql))


@settings(max_examples=100)
@given(twin.conditions)
def test_what_happens_is_possible_with_words_too(tree: twin.Tree) -> None:
    check(parsed(twin.sql(tree)))


@settings(max_examples=60)
@given(sqls, sqls)
def test_what_happens_together_is_possible_together(one: str, other: str) -> None:
    first, second = parsed(one), parsed(other)
    verdicts = Program([first, second]).run(seen())
    if ((verdicts[0] == 1) & (verdicts[1] != 1)).any():
        assert satisfiable((first, Want.TRUE), (second, Want.NOT_TRUE))


@settings(max_examples=100)
@given(sqls, sqls)
@example("complaints_total < 9", "complaints_total >= 2")
def test_what_happens_after_another_is_possible_after_it(one: str, other: str) -> None:
    first, second = parsed(one), parsed(other)
    verdicts = Program([first, second]).run(seen())
    before, after = (pl.Series(each == 1) for each in verdicts)
    frame = seen().select("customer_id", before=before, after=after)
    begun = pl.col("before").cast(pl.Int8).cum_max().over("customer_id") == 1
    if frame.select((begun & pl.col("after")).any()).item():
        assert satisfiable_after(first, second)


@settings(max_examples=40)
@given(sqls)
def test_a_witness_is_what_it_says(sql: str) -> None:
    condition = parsed(sql)
    row = example_of([condition])
    if row is not None:
        frame = pl.DataFrame([row], schema={each: DTYPES[each] for each in row}, strict=False)
        assert Program([condition]).run(frame)[0, 0] == 1
        assert satisfiable((condition, Want.TRUE))


@pytest.mark.parametrize(
    "sql",
    [
        "orders_7d > 2 AND orders_total < 2",
        "logins_prev_30d > logins_90d",
        "days_since_order > tenure_days",
        "days_since_any_login > days_since_login",
        "orders_7d = 0 AND days_since_order < 3",
        "complaint_without_order_days < days_since_complaint",
        "complaint_without_login_days >= 0 AND complaints_total = 0",
        "overdue > 10 AND days_since_order < 10",
        "open_complaints = 0 AND oldest_open_complaint_days > 3",
        "orders_90d * order_gap_mean < 45 AND 50 < orders_90d * order_gap_mean",
        "churn_probability * 100 > 100.5",
        "ABS(spend_30d) < 0",
        "tenure_days IS NULL",
        "orders_30d IN (1, 2) AND orders_30d NOT IN (1, 2)",
        "orders_30d = 2.5",
        "customer_class NOT IN ('key', 'ordinary', 'small', 'problem')",
        "overdue IS NULL AND overdue > 1",
        "CASE WHEN overdue > 2 THEN overdue < 1 ELSE FALSE END",
        "COALESCE(churn_probability, 0.5) > 1",
        "orders_30d IS NULL AND orders_90d > 0",
        "orders_30d IS NULL AND days_since_order > 3",
        "spend_30d IS NOT NULL AND orders_total IS NULL",
        "complaint_rate_90d > 0.1 AND logins_7d >= 0 AND orders_7d IS NULL",
        "complaint_without_order_days > 3 AND complaints_total IS NULL",
        "order_trend IS NULL AND orders_prev_30d > 0 AND orders_30d >= 0",
        "spend_trend > 1 AND spend_prev_30d <= 0",
        "days_since_order < days_since_login AND days_since_login < days_since_complaint"
        " AND days_since_complaint < days_since_order",
    ],
)
def test_the_impossible_is_proven(sql: str) -> None:
    assert not satisfiable((parsed(sql), Want.TRUE))
    assert example_of([parsed(sql)]) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("complaints_total >= 3", "complaints_total < 2"),
        ("orders_total > 3 AND overdue > 2", "orders_total * 2 < 8"),
        ("overdue > 2", "orders_total < 2"),
        ("tenure_days >= 90", "tenure_days < 30 OR days_since_order > tenure_days"),
        ("orders_7d >= 3", "orders_total <= 2"),
    ],
)
def test_what_never_falls_is_no_less_later(before: str, after: str) -> None:
    assert satisfiable((parsed(before), Want.TRUE))
    assert satisfiable((parsed(after), Want.TRUE))
    assert not satisfiable_after(parsed(before), parsed(after))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("complaints_total >= 3", "complaints_total < 4"),
        ("spend_total >= 300", "spend_total < 200"),  # returns lower it
        ("complaints_total >= 3 OR overdue > 2", "complaints_total < 2"),
        ("complaints_total >= 3", "complaints_total < 2 OR overdue < 1"),
        ("complaints_total >= 3", "complaints_total IS NULL"),
    ],
)
def test_what_may_still_come_is_not_disproven(before: str, after: str) -> None:
    assert satisfiable_after(parsed(before), parsed(after))


@pytest.mark.parametrize("sql", HEAVY.values(), ids=HEAVY)
def test_no_proof_takes_long(sql: str) -> None:
    condition = parsed(sql)
    begin = process_time()
    for want in Want:
        satisfiable((condition, want))
    example_of([condition])
    satisfiable_after(condition, condition)
    assert process_time() - begin < SECONDS


def test_a_condition_of_too_many_cases_is_left_in_peace() -> None:
    several = " AND ".join(f"(orders_30d > {n} OR overdue > {n} OR logins_30d > {n})" for n in range(12))
    assert satisfiable((parsed(f"{several} AND orders_30d < 0"), Want.TRUE))
