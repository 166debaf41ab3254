"""Arithmetic with intervals."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.core.analysis.intervals import Interval, minus, over, plus, times

finite = st.sampled_from([-3.0, -1.0, -0.1, 0.0, 0.1, 0.3, 1.0, 2.0, 7.0])
intervals = st.tuples(finite, finite).map(lambda ends: Interval(min(ends), max(ends)))


@given(intervals, intervals, st.floats(0, 1), st.floats(0, 1), st.sampled_from("+-*/"))
def test_what_lies_inside_stays_inside(a: Interval, b: Interval, s: float, t: float, op: str) -> None:
    x, y = a.low + (a.high - a.low) * s, b.low + (b.high - b.low) * t
    x, y = min(max(x, a.low), a.high), min(max(y, b.low), b.high)
    if op != "/" or y != 0:
        value = {"+": x + y, "-": x - y, "*": x * y, "/": x / y if y else 0.0}[op]
        assert value in {"+": plus, "-": minus, "*": times, "/": over}[op](a, b)
