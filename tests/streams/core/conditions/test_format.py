"""Conditions as SQL again."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings

from streams.core.conditions.compiler import Program
from streams.core.conditions.format import number_text, text
from streams.core.conditions.parser import parse_condition
from streams.core.features.catalogue import DTYPES
from tests.streams.core.conditions import condition_twin as twin

SCHEMA = {name: DTYPES[name] for name in (*twin.NUMBERS, *twin.WORDS)}


@settings(max_examples=80, deadline=None)
@given(twin.conditions, twin.rows)
def test_the_text_of_a_condition_is_read_as_the_same(tree: twin.Tree, rows: list[twin.Row]) -> None:
    condition = parse_condition(twin.sql(tree), DTYPES)
    again = parse_condition(text(condition), DTYPES)
    assert text(again) == text(condition)
    program = Program([condition, again])
    verdicts = program.run(pl.DataFrame(rows, schema=SCHEMA))
    assert (verdicts[0] == verdicts[1]).all()


@pytest.mark.parametrize(
    "sql",
    [
        "region LIKE 'x!%%' ESCAPE '!'",
        "region ILIKE 'it''s_%'",
        "NOT region LIKE 'a%'",
        "STARTS_WITH(region, 'k%') AND ENDS_WITH(LOWER(region), '_')",
        "COALESCE(region, 'none') IN ('none', 'north')",
        "orders_30d - (overdue - 1) > -3",
        "(orders_30d + 1) * overdue % 7 <= ROUND(overdue, 2)",
        "NOT (overdue > 1 OR orders_30d = 2) AND overdue IS NULL",
        "(overdue > 1) IS NULL",
        "GREATEST(overdue, 1) <> LEAST(2, overdue)",
        "CASE WHEN overdue > 1 THEN orders_30d ELSE NULL END > 2",
    ],
)
def test_a_condition_in_the_shortest_form_stays_as_it_is(sql: str) -> None:
    assert text(parse_condition(sql, DTYPES)) == sql


@pytest.mark.parametrize(
    ("value", "expected"), [(3.0, "3"), (-2.0, "-2"), (0.5, "0.5"), (1e16, "1e+16"), (1e-07, "1e-07")]
)
def test_a_number_is_written_short(value: float, expected: str) -> None:
    assert number_text(value) == expected
    assert float(expected) == value
