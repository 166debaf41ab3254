from __future__ import annotations

import math

import numpy as np
import pytest

from streams.core.model.logistic import INPUTS, KNOTS, SLOTS
from streams.learning.hats import Hats
from tests.streams.learning.test_learner import samples_of


def test_the_columns_of_hats_are_the_knots_of_each_value() -> None:
    x, _, _ = samples_of(60, seed=4)
    at, part = Hats.of(x).columns()
    for row, (columns, amounts) in enumerate(zip(at.tolist(), part.tolist(), strict=True)):
        expected = {len(INPUTS) * SLOTS: 1.0}
        for place, each in enumerate(INPUTS):
            value = float(np.float32(x[row, place]))
            if math.isnan(value):
                expected[place * SLOTS + KNOTS] = 1.0
                continue
            way = min(max((value - each.low) * (KNOTS - 1) / (each.high - each.low), 0.0), KNOTS - 1.0)
            knot = min(int(way), KNOTS - 2)
            expected[place * SLOTS + knot] = 1 - (way - knot)
            expected[place * SLOTS + knot + 1] = way - knot
        found = {column: amount for column, amount in zip(columns, amounts, strict=True) if amount}
        assert found == pytest.approx({column: amount for column, amount in expected.items() if amount})
