"""Intervals against published figures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.share import Share, ShareDifference, Spread


def test_wilson_against_the_literature() -> None:
    # Newcombe (1998), Two-sided confidence intervals for the single proportion, table I, method 3.
    for part, whole, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        assert Share(part, whole).interval == pytest.approx((low, high), abs=5e-5)


def test_a_difference_against_the_literature() -> None:
    # Newcombe (1998), table II, method 10: 56 of 70 less 48 of 80.
    found = ShareDifference.between(Share(48, 80), Share(56, 70))
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_holds_its_share_and_lies_between_none_and_all(counts: tuple[int, int]) -> None:
    share = Share(*counts)
    assert share.interval is not None
    assert share.value is not None
    low, high = share.interval
    assert 0 <= low <= share.value <= high <= 1
    assert high - low > 0


def test_nothing_has_no_share_and_no_interval() -> None:
    assert Share(0, 0).as_dict() == {"part": 0, "whole": 0, "value": None, "low": None, "high": None}
    assert ShareDifference.between(Share(0, 0), Share(1, 2)).value is None
    assert ShareDifference.paired(np.array([], dtype=np.bool_), np.array([], dtype=np.bool_)).value is None
    assert Spread.of(np.array([])).median is None


def test_a_paired_difference_counts_who_changed() -> None:
    old = np.array([True] * 10 + [False] * 90)
    new = np.array([False] * 2 + [True] * 8 + [True] * 12 + [False] * 78)
    found = ShareDifference.paired(old, new)
    assert found.value == pytest.approx(0.10)
    assert found.low is not None
    assert found.high is not None
    assert 0 < found.low < 0.10 < found.high
    assert ShareDifference.paired(old, old).value == 0


def test_a_difference_against_another_implementation() -> None:
    # statsmodels 0.15.0: confint_proportions_2indep(a, n, b, m, method="newcomb", compare="diff", alpha=...)
    for counts, at_95, at_99 in (
        ((56, 70, 48, 80), (0.0524314724, 0.3338726540), (0.0053708693, 0.3718084318)),
        ((9, 10, 3, 10), (0.1705227239, 0.8090179735), (0.0430269666, 0.8374050679)),
        ((5, 56, 0, 29), (-0.0381371479, 0.1925600139), (-0.1060277697, 0.2352932462)),
        ((10, 10, 0, 10), (0.6075093504, 1.0), (0.4359351318, 1.0)),
        ((0, 10, 0, 10), (-0.2775327999, 0.2775327999), (-0.3988540933, 0.3988540933)),
        ((120, 600, 900, 5400), (0.0016045444, 0.0685652500), (-0.0076250230, 0.0803113912)),
    ):
        a, n, b, m = counts
        for level, limits in ((0.95, at_95), (0.99, at_99)):
            found = ShareDifference.between(Share(b, m), Share(a, n), level)
            assert found.limits == pytest.approx(limits, abs=1e-9)


def test_more_than_the_whole_has_no_interval_and_stops_nobody() -> None:
    for share in (Share(52, 51), Share(-1, 51), Share(0, 0)):
        assert share.interval is None
        assert share.limits == (None, None)
    assert ShareDifference.between(Share(52, 51), Share(1, 51)).value is None
