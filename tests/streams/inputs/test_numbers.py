"""Texts as numbers and booleans."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.inputs.numbers import boolean_of, booleans_of, number_of, numbers_of

LETTERS = st.text("0123456789.,+-eE _ \n\u0665naif", max_size=12)


@pytest.mark.parametrize(
    ("text", "decimal", "number"),
    [
        ("12", None, 12.0),
        ("-0.5", None, -0.5),
        ("1e3", None, 1000.0),
        ("1,5", None, None),
        (".5", None, None),
        ("nan", None, None),
        ("inf", None, None),
        ("1_0", None, None),
        ("1e999", None, None),
        ("1.234,50", "comma", 1234.5),
        ("1.23", "comma", None),
        ("1.234", "comma", 1234.0),
        ("1,234.50", "point", 1234.5),
        ("1234.5", "point", 1234.5),
        ("12,34", "point", None),
    ],
)
def test_a_number_is_read_in_its_form(text: str, decimal: str | None, number: float | None) -> None:
    assert number_of(text, decimal) == number


@given(st.lists(LETTERS | st.floats().map(repr) | st.none()), st.sampled_from([None, "comma", "point"]))
def test_a_column_is_read_as_each_of_its_texts(texts: list[str | None], decimal: str | None) -> None:
    numbers, wrong = numbers_of(pl.Series(texts, dtype=pl.String), decimal)
    expected = [None if text is None else number_of(text, decimal) for text in texts]
    assert numbers.to_list() == expected
    assert wrong.tolist() == [t is not None and e is None for t, e in zip(texts, expected, strict=True)]


@given(st.lists(st.sampled_from(["true", "TRUE", "False", "yes", "1", "", "\u017false"]) | st.none()))
def test_booleans_are_true_and_false_in_any_case(texts: list[str | None]) -> None:
    found, _ = booleans_of(pl.Series(texts, dtype=pl.String))
    assert found.to_list() == [None if text is None else boolean_of(text) for text in texts]
