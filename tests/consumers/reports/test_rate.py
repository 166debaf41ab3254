from __future__ import annotations

import itertools

import pytest

from consumers.reports.period import Period
from consumers.reports.rate import MIN_CELL, AmountRate, Exclusion, Rate, hidden_cells, points
from streams.share import Share, ShareDifference

MARCH = Period.parse("2024-03", "UTC")


def test_a_rate_says_all_that_has_to_stand_beside_it() -> None:
    rate = Rate(Share(10, 100), "lost", "active at the begin", MARCH, (Exclusion("erased", 2),))
    found = rate.as_dict()
    assert (found["part"], found["whole"], found["value"], found["enough"]) == (10, 100, 0.1, True)
    assert (found["part_is"], found["whole_is"], found["period"]) == (
        "lost",
        "active at the begin",
        "2024-03",
    )
    assert found["exclusions"] == [{"what": "erased", "n": 2}]
    assert found["low"] < 0.1 < found["high"]
    assert not Rate(Share(1, 19), "a", "b", MARCH).is_enough
    assert Rate(Share(0, 0), "a", "b", MARCH).value is None


def test_rates_of_two_years_differ_in_points() -> None:
    # The feature map's S38: 15 % this half-year against 10 % a year ago is +5 percentage points.
    now, then = (Rate(Share(part, 1000), "lost", "all", MARCH) for part in (150, 100))
    found = points(now.points_since(then))
    assert found["points"] == pytest.approx(5)
    assert found["low"] < 5 < found["high"]
    assert points(ShareDifference(None, None, None)) == {"points": None, "low": None, "high": None}


def test_a_rate_of_amounts() -> None:
    rate = AmountRate(25.0, 100.0, 3, 40, "value lost", "value", MARCH)
    assert (rate.value, rate.as_dict()["part_n"], rate.as_dict()["enough"]) == (0.25, 3, True)
    assert AmountRate(0.0, 0.0, 0, 0, "a", "b", MARCH).value is None


@pytest.mark.parametrize("sizes", [*itertools.product((0, 1, 4, 5, 60), repeat=4)])
def test_no_small_cell_can_be_found_by_subtraction(sizes: tuple[int, ...]) -> None:
    hidden = hidden_cells(sizes)
    assert all(place in hidden for place, size in enumerate(sizes) if 0 < size < MIN_CELL)
    assert all(sizes[place] for place in hidden)
    shown = [place for place, size in enumerate(sizes) if size and place not in hidden]
    if hidden and shown:
        # What is left of the total when all that is shown is subtracted.
        assert len(hidden) > 1
        assert sum(sizes[place] for place in hidden) >= MIN_CELL
    if all(size == 0 or size >= MIN_CELL for size in sizes):
        assert not hidden
