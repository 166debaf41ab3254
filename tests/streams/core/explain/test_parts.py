"""The parts of a condition with their verdicts, and what keeps it from being true."""

from __future__ import annotations

import math
from time import process_time

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.conditions.parser import parse_condition
from streams.core.explain.parts import CustomerRow, Join, Verdict, gaps, part
from streams.core.features.catalogue import DTYPES
from streams.core.steps import Value
from tests.streams.core.conditions import condition_twin as twin
from tests.streams.core.conditions import distance_twin
from tests.streams.core.conditions.heavy_conditions import HEAVY, SECONDS

MARK = {True: Verdict.TRUE, False: Verdict.FALSE, None: Verdict.MISSING}
one_row = twin.rows.filter(len).map(lambda rows: rows[0])


@settings(max_examples=80, deadline=None)
@given(twin.conditions, one_row, st.booleans())
def test_gaps_are_what_stands_between(tree: twin.Tree, row: twin.Row, want: bool) -> None:
    found = gaps(parse_condition(twin.sql(tree), DTYPES), row, want)
    assert (found == []) == (twin.verdict(tree, row) is want)
    distance = distance_twin.distance(tree, row, want)
    if found and distance is not None and distance < math.inf:
        assert max(gap.distance for gap in found) == pytest.approx(distance)


def test_a_gap_says_what_a_number_lacks() -> None:
    condition = parse_condition(
        "overdue >= 3 AND orders_30d > 4 AND region = 'x' AND order_trend < 1", DTYPES
    )
    values: dict[str, Value] = {"overdue": 2.4, "orders_30d": 2, "region": "y", "order_trend": None}
    short, count, word, missing = gaps(condition, values)
    assert (short.feature, short.value, short.op, short.threshold) == ("overdue", 2.4, ">=", 3)
    assert short.change == pytest.approx(0.6)
    assert short.distance == pytest.approx(0.2)
    assert (count.change, count.distance) == (3, 0.75)
    assert (word.change, word.distance, word.threshold) == (None, math.inf, "x")
    assert (missing.change, missing.missing) == (None, ("order_trend",))
    assert math.isnan(missing.distance)


def test_gaps_of_alternatives_are_those_of_the_nearest() -> None:
    condition = parse_condition("overdue >= 3 OR orders_30d > 4 OR region = 'x'", DTYPES)
    found = gaps(condition, {"overdue": 2.4, "orders_30d": 2, "region": None})
    assert [gap.feature for gap in found] == ["overdue"]
    opposite = gaps(condition, {"overdue": 3.0, "orders_30d": 5, "region": "y"}, want=False)
    assert [(gap.feature, gap.op) for gap in opposite] == [("overdue", "<"), ("orders_30d", "<=")]


@settings(max_examples=80, deadline=None)
@given(twin.conditions, one_row)
def test_every_part_of_a_condition_has_its_verdict(tree: twin.Tree, row: twin.Row) -> None:
    condition = parse_condition(twin.sql(tree), DTYPES)
    open_parts = [part(condition, CustomerRow(row))]
    assert open_parts[0].verdict == MARK[twin.verdict(tree, row)]
    while open_parts:
        one = open_parts.pop()
        again = parse_condition(one.text, DTYPES)
        assert CustomerRow(row).verdict(again) == one.verdict
        verdicts = {each.verdict for each in one.parts}
        if one.join is Join.ALL:
            order = [Verdict.FALSE, Verdict.MISSING, Verdict.TRUE]
            assert one.verdict == next(each for each in order if each in verdicts)
        elif one.join is Join.ANY:
            order = [Verdict.TRUE, Verdict.MISSING, Verdict.FALSE]
            assert one.verdict == next(each for each in order if each in verdicts)
        assert set(one.missing) == {name for name, value in one.values if value is None}
        open_parts += one.parts


@pytest.mark.parametrize("sql", HEAVY.values(), ids=HEAVY)
def test_no_condition_takes_long_to_take_apart(sql: str) -> None:
    row: dict[str, Value] = {name: "a" if dtype is pl.String else 4 for name, dtype in DTYPES.items()}
    condition = parse_condition(sql, DTYPES)
    begin = process_time()
    for want in (True, False):
        gaps(condition, row, want)
    part(condition, CustomerRow(row))
    assert process_time() - begin < SECONDS
