"""Columns as conditions read them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.conditions.columns import is_same_everywhere

numbers = st.sampled_from([0.0, 1.0, -2.5, math.nan, math.inf])


@given(st.lists(numbers, min_size=1, max_size=5))
def test_a_column_is_the_same_everywhere_if_all_its_values_are(values: list[float]) -> None:
    same = {"missing" if math.isnan(value) else value for value in values}
    assert is_same_everywhere(np.array(values)) == (len(same) == 1)


@pytest.mark.parametrize(("values", "same"), [([3, 3, 3], True), ([3, 4, 3], False), ([7], True)])
def test_counts_may_be_the_same_everywhere(values: list[int], same: bool) -> None:
    assert is_same_everywhere(np.array(values, dtype=np.int32)) == same
