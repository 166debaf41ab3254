"""The smallest change that makes a condition true, or false."""

from __future__ import annotations

import itertools
import math
from time import process_time

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from streams.core.conditions.parser import parse_condition
from streams.core.explain.smallest_change import FeatureChange, smallest_change
from streams.core.features.catalogue import DTYPES
from streams.core.steps import Value
from tests.streams.core.conditions import condition_twin as twin
from tests.streams.core.conditions.heavy_conditions import HEAVY, SECONDS

one_row = twin.rows.filter(len).map(lambda rows: rows[0])


def of(sql: str, want: bool = True, **values: Value) -> dict[str, float] | None:
    known = {name: values.get(name) for name in (*twin.NUMBERS, *twin.WORDS, *values)}
    found = smallest_change(parse_condition(sql, DTYPES), known, want)
    return None if found is None else {change.feature: change.to for change in found}


def changed(row: twin.Row, changes: tuple[FeatureChange, ...]) -> twin.Row:
    return row | {change.feature: change.to for change in changes}


@settings(max_examples=120, deadline=None)
@given(twin.conditions, one_row, st.booleans())
def test_the_change_does_what_is_asked_and_no_part_of_it_can_be_left_out(
    tree: twin.Tree, row: twin.Row, want: bool
) -> None:
    found = smallest_change(parse_condition(twin.sql(tree), DTYPES), row, want)
    assume(found is not None)
    assert found is not None
    assert twin.verdict(tree, changed(row, found)) is want
    for left_out in found:
        rest = tuple(change for change in found if change is not left_out)
        assert twin.verdict(tree, changed(row, rest)) is not want


def _plain(names: tuple[str, ...]) -> st.SearchStrategy[twin.Tree]:
    feature, value = st.sampled_from(names).map(lambda n: ("feature", n)), st.integers(0, 4)
    leaf = st.tuples(
        st.just("compare"), st.sampled_from(sorted(twin.COMPARE)), feature, value.map(lambda v: ("value", v))
    )

    def grow(inner: st.SearchStrategy[twin.Tree]) -> st.SearchStrategy[twin.Tree]:
        joined = st.tuples(st.sampled_from(["and", "or"]), inner, inner)
        return st.one_of(joined, st.tuples(st.just("not"), inner))

    return st.recursive(leaf, grow, max_leaves=5)


COUNTS = ("orders_7d", "orders_30d", "orders_90d")


@settings(max_examples=80, deadline=None)
@given(_plain(COUNTS), st.tuples(*[st.integers(0, 5)] * 3), st.booleans())
def test_no_nearer_change_does_it(tree: twin.Tree, given_: tuple[int, ...], want: bool) -> None:
    """All customers with counts up to 6 are tried: none that is as wanted needs fewer counts changed less."""
    row = dict(zip(COUNTS, given_, strict=True))
    found = smallest_change(parse_condition(twin.sql(tree), DTYPES), row, want)
    ways = [dict(zip(COUNTS, each, strict=True)) for each in itertools.product(range(7), repeat=3)]
    does = [way for way in ways if twin.verdict(tree, way) is want]
    assert (found is None) == (not does)
    if found is not None:
        moved = {change.feature: change.to for change in found}
        for way in does:
            # What moves every count less than, or as far as, the change does moves at least one as far.
            within = all(
                abs(way[n] - row[n]) <= abs(moved.get(n, row[n]) - row[n])
                and (way[n] - row[n]) * (moved.get(n, row[n]) - row[n]) >= 0
                for n in COUNTS
            )
            assert not within or way == row | moved


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("overdue < 1", {"overdue": math.nextafter(1, 0)}),
        ("overdue <= 1", {"overdue": 1}),
        ("orders_30d > 4", {"orders_30d": 5}),
        ("orders_30d * 2 >= 9", {"orders_30d": 5}),
        ("overdue / 2 < 1 AND overdue / 2 > 0.5", {"overdue": math.nextafter(2, 0)}),
        ("10 / overdue >= 5", {"overdue": 2}),
        ("orders_30d - overdue > 0", {"overdue": math.nextafter(2, 0)}),  # a third; 2 orders more are a half
        ("overdue < 1 OR orders_30d >= 3", {"orders_30d": 3}),
        ("overdue < 1 AND orders_30d >= 3", {"overdue": math.nextafter(1, 0), "orders_30d": 3}),
        ("orders_30d >= 4 AND orders_30d <> 4", {"orders_30d": 5}),
        ("orders_30d IN (7, 9)", {"orders_30d": 7}),
        ("orders_30d NOT IN (2, 3)", {"orders_30d": 1}),
        ("ABS(overdue - 10) <= 1", {"overdue": 9}),
        ("SQRT(overdue) >= 2", {"overdue": 4}),
        ("GREATEST(overdue, orders_30d) >= 4", {"overdue": 4}),
        ("COALESCE(order_trend, overdue) >= 4", {"overdue": 4}),
        ("orders_30d > 1e20", None),
        ("orders_30d < 0", None),  # no count is negative
        ("overdue > 4 AND overdue < 4", None),
        ("order_trend > 1", None),  # missing
        ("order_trend > 1 OR overdue > 4", {"overdue": math.nextafter(4, 5)}),
        ("customer_class = 'small'", None),
        ("customer_class = 'small' OR overdue < 1", {"overdue": math.nextafter(1, 0)}),
        ("customer_class = 'key'", {}),
        ("CASE WHEN orders_30d > 2 THEN overdue > 9 ELSE overdue > 4 END", {"overdue": math.nextafter(4, 5)}),
        ("COALESCE(order_trend > 1, overdue > 4)", {"overdue": math.nextafter(4, 5)}),
        ("churn_probability > 1", None),
    ],
)
def test_the_smallest_change(sql: str, expected: dict[str, float] | None) -> None:
    found = of(sql, overdue=3.0, orders_30d=2, customer_class="key", churn_probability=0.5)
    assert found == (expected if expected is None else pytest.approx(expected, rel=1e-11))


def test_a_change_says_all_the_numbers_that_would_do() -> None:
    condition = parse_condition("orders_90d * order_gap_mean < 45", DTYPES)
    found = smallest_change(condition, {"orders_90d": 2, "order_gap_mean": 30.0})
    assert found is not None
    assert [(change.feature, change.op, change.bound) for change in found] == [("order_gap_mean", "<", 22.5)]


@pytest.mark.parametrize("sql", HEAVY.values(), ids=HEAVY)
@pytest.mark.parametrize("want", [True, False])
def test_no_change_takes_long_to_find(sql: str, want: bool) -> None:
    row: dict[str, Value] = {name: "a" if dtype is pl.String else 4 for name, dtype in DTYPES.items()}
    condition = parse_condition(sql, DTYPES)
    begin = process_time()
    smallest_change(condition, row, want)
    assert process_time() - begin < SECONDS
