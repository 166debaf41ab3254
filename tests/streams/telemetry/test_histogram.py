from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.telemetry.histogram import Histogram


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(1, 3)), max_size=30))
def test_each_bucket_has_all_that_does_not_lie_above_its_bound(given_: list[tuple[float, int]]) -> None:
    histogram = Histogram((1.0, 2.5, 50.0))
    for seconds, times in given_:
        histogram.observe(seconds, times)
    figures = histogram.figures()
    expected = [
        sum(times for seconds, times in given_ if seconds <= bound) for bound in (1, 2.5, 50, math.inf)
    ]
    assert figures.cumulated() == list(zip(("1.0", "2.5", "50.0", "+Inf"), expected, strict=True))
    assert figures.count == expected[-1]
    assert figures.sum == pytest.approx(sum(seconds * times for seconds, times in given_))


def test_threads_that_observe_at_once_lose_nothing() -> None:
    histogram = Histogram()

    def observe(times: int) -> None:
        for _ in range(times):
            histogram.observe(0.1)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(observe, [500] * 8))
    assert histogram.figures().count == 4_000
