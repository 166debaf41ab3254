"""What is proven impossible never happens: proofs against the feature rows of generated histories."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from streams.core.analysis.cases import Want
from streams.core.analysis.examples import witness
from streams.core.analysis.intervals import Interval, minus, over, plus, times
from streams.core.analysis.satisfiable import possible
from streams.core.conditions.compiler import Program
from streams.core.conditions.parser import parse_condition
from streams.core.conditions.tree import Condition
from streams.core.features.catalogue import CATALOGUE, DTYPES
from tests.oracle.days import DAY
from tests.oracle.drive import compiled, drive
from tests.oracle.engine import OracleSettings
from tests.oracle.histories import as_batch, random_history
from tests.oracle.sample_rules import RULES
from tests.streams.core.conditions import condition_twin as twin

VERDICTS = {1: Want.TRUE, 0: Want.FALSE, -1: Want.MISSING}
NUMBERS = [name for name, dtype in DTYPES.items() if dtype is not pl.String and name != "churn_probability"]


@cache
def seen() -> pl.DataFrame:
    """Return the feature rows of some thousand customers at sweeps."""
    frames = []
    for seed in range(6):
        history = random_history(seed, size=90, days=120, late=seed % 2 == 1)
        last = max(event.at for event in history.arrivals)
        options = replace(OracleSettings(), zone=history.zone)
        driven = drive(options, compiled(RULES[:1]), [as_batch(history.arrivals)], last + 40 * DAY)
        frames += [frame for _, frame in driven.sweeps]
    return pl.concat(frames).select(list(CATALOGUE))


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
        assert possible((condition, VERDICTS[verdict]))
    assert possible((condition, Want.NOT_TRUE)) or there <= {1}
    assert possible((condition, Want.NOT_FALSE)) or there <= {0}


@settings(max_examples=150)
@given(sqls)
@example("orders_7d < (orders_7d + 0) OR NOT 1 < 0")
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
        assert possible((first, Want.TRUE), (second, Want.NOT_TRUE))


@settings(max_examples=40)
@given(sqls)
def test_a_witness_is_what_it_says(sql: str) -> None:
    condition = parsed(sql)
    row = witness([condition])
    if row is not None:
        frame = pl.DataFrame([row], schema={each: DTYPES[each] for each in row}, strict=False)
        assert Program([condition]).run(frame)[0, 0] == 1
        assert possible((condition, Want.TRUE))


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
        "days_since_order < days_since_login AND days_since_login < days_since_complaint"
        " AND days_since_complaint < days_since_order",
    ],
)
def test_the_impossible_is_proven(sql: str) -> None:
    assert not possible((parsed(sql), Want.TRUE))
    assert witness([parsed(sql)]) is None


def test_a_condition_of_too_many_cases_is_left_in_peace() -> None:
    several = " AND ".join(f"(orders_30d > {n} OR overdue > {n} OR logins_30d > {n})" for n in range(12))
    assert possible((parsed(f"{several} AND orders_30d < 0"), Want.TRUE))


finite = st.sampled_from([-3.0, -1.0, -0.1, 0.0, 0.1, 0.3, 1.0, 2.0, 7.0])
intervals = st.tuples(finite, finite).map(lambda ends: Interval(min(ends), max(ends)))


@given(intervals, intervals, st.floats(0, 1), st.floats(0, 1), st.sampled_from("+-*/"))
def test_what_lies_inside_stays_inside(a: Interval, b: Interval, s: float, t: float, op: str) -> None:
    x, y = a.low + (a.high - a.low) * s, b.low + (b.high - b.low) * t
    x, y = min(max(x, a.low), a.high), min(max(y, b.low), b.high)
    if op != "/" or y != 0:
        value = {"+": x + y, "-": x - y, "*": x * y, "/": x / y if y else 0.0}[op]
        assert value in {"+": plus, "-": minus, "*": times, "/": over}[op](a, b)
