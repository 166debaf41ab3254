"""Every value that is computed of a segment has the range, and is missing as, the catalogue states."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from streams.core.analysis.cases import Want
from streams.core.analysis.examples import example
from streams.core.analysis.knowledge import SEGMENTS
from streams.core.analysis.satisfiable import satisfiable
from streams.core.conditions.compiler import Program
from streams.core.conditions.parser import parse_condition
from streams.core.segments.catalogue import (
    SEGMENT_CATALOGUE,
    SEGMENT_DTYPES,
    WINDOW_DAYS,
    SegmentFeatures,
)

counts = arrays.arrays(np.int64, (3, WINDOW_DAYS, 4), elements=st.integers(0, 5))


@settings(max_examples=100)
@given(counts, st.integers(1, 60), st.sets(st.sampled_from(["orders", "logins", "complaints"])))
def test_every_value_is_as_the_catalogue_states(
    days: np.typing.NDArray[np.int64], known_days: int, quiet: set[str]
) -> None:
    shop = days.sum(axis=0)
    features = SegmentFeatures(["n", "s", "w"], days, shop, known_days=known_days, quiet=quiet)
    frame = features.frame(tuple(SEGMENT_CATALOGUE))
    missing = {name: frame[name].is_null() for name in SEGMENT_CATALOGUE}
    for name, feature in SEGMENT_CATALOGUE.items():
        if feature.dtype is pl.String:
            continue
        values = frame[name].drop_nulls()
        assert ((values >= feature.low) & (values <= feature.high)).all(), name
        silent = any(topic.label in quiet for topic in feature.reads)
        if silent or not feature.may_be_missing:
            assert (missing[name] == silent).all(), name
    for name, (above, below) in SEGMENTS.ratios.items():
        can_be = ~missing[above] & ~missing[below] & (frame[below] > 0).fill_null(False)
        assert (missing[name] != can_be).all(), name
    for fact in SEGMENTS.ordered:
        pairs = frame.drop_nulls([fact.low, fact.high])
        assert (pairs[fact.low] <= pairs[fact.high]).all(), fact


@settings(max_examples=100)
@given(counts, st.integers(1, 60), st.sets(st.sampled_from(["orders", "complaints"])))
def test_conditions_read_columns_as_they_read_a_frame(
    days: np.typing.NDArray[np.int64], known_days: int, quiet: set[str]
) -> None:
    features = SegmentFeatures(["n", "s", "w"], days, days.sum(axis=0), known_days=known_days, quiet=quiet)
    program = Program([
        parse_condition(sql, SEGMENT_DTYPES)
        for sql in ("complaints_7d > 9", "value = 's' OR complaint_rise > 1", "complaint_rise_z IS NULL")
    ])  # fmt: skip
    names = tuple(SEGMENT_CATALOGUE)
    found, expected = (program.run(of) for of in (features.columns(names), features.frame(names)))
    assert found.tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("sql", "possible"),
    [
        ("complaints_7d > 5 AND complaints_28d < 5", False),
        ("orders_7d > all_orders_7d", False),
        ("complaint_rate_7d < 0", False),
        ("complaint_rise > 2 AND complaint_rate_prev_28d = 0", False),
        ("complaint_rise > 2 AND complaint_rate_7d > 0.05 AND value = 'north'", True),
        ("complaint_rise_z > 2.5 AND complaints_7d >= 5", True),
    ],
)
def test_what_is_known_of_segments_proves(sql: str, possible: bool) -> None:
    condition = parse_condition(sql, SEGMENT_DTYPES)
    assert satisfiable((condition, Want.TRUE), about=SEGMENTS) is possible
    assert (example([condition], SEGMENTS) is not None) is possible
