"""Bars in bins and on top of each other."""

import re
from itertools import pairwise

import pytest

from consumers import charts
from consumers.charts.drawing import length

WIDTHS = [charts.NARROW, charts.WIDTH, charts.WIDE]


def rects(drawing: str, kind: str) -> list[tuple[float, float, float, float]]:
    pattern = rf'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)" class="{kind}'
    return [(float(x), float(y), float(w), float(h)) for x, y, w, h in re.findall(pattern, drawing)]


@pytest.mark.parametrize("width", WIDTHS)
def test_the_area_of_a_bin_is_its_count_however_wide_it_is(width: float) -> None:
    bins = [charts.Bin(0, 10, 30, "a"), charts.Bin(10, 20, 15, "b"), charts.Bin(20, 60, 60, "c")]
    areas = [w * h for _, _, w, h in rects(charts.histogram(bins, "h", width=width), "bar")]
    assert areas[0] / areas[1] == pytest.approx(2, rel=0.02)
    assert areas[2] / areas[1] == pytest.approx(4, rel=0.05)
    drawing = charts.histogram(bins, "h", width=width)
    above = re.findall(r'y="([\d.]+)" class="axis" text-anchor="middle">(\d+)<', drawing)
    assert {count for place, count in above if float(place) < 200} == {"30", "15", "60"}


def test_an_open_bin_is_as_wide_as_the_one_before_and_says_that_it_is_open() -> None:
    bins = [charts.Bin(0, 10, 1, "a"), charts.Bin(10, 20, 2, "b"), charts.Bin(20, float("inf"), 3, "c")]
    drawing = charts.histogram(bins, "h", open_end=True)
    wide = [w for _, _, w, _ in rects(drawing, "bar")]
    assert wide[2] == pytest.approx(wide[1], abs=0.1)
    assert ">20+</text>" in drawing
    assert "inf" not in drawing
    assert charts.histogram([], "h").startswith("<svg")


@pytest.mark.parametrize("width", WIDTHS)
def test_parts_stand_on_top_of_each_other_and_a_column_that_is_not_known_is_empty(width: float) -> None:
    stacks = [
        charts.Stack("kept", [0.9, None, 0.5], ["kept 90%", "", "kept 50%"]),
        charts.Stack("lost", [0.1, 0.2, 0.5], ["lost 10%", "lost 20%", "lost 50%"]),
    ]
    drawing = charts.stacked(["Jan", "Feb", "Mar"], stacks, "s", percent=True, width=width)
    kept, lost = (
        [each for each in rects(drawing, f"part p{n}") if each[2] != 11]
        for n in (0, 1)
    )  # fmt: skip
    assert len(kept) == len(lost) == 2
    for below, above in zip(kept, lost, strict=True):
        assert above[0] == below[0]
        assert above[1] + above[3] == pytest.approx(below[1], abs=0.02)
    assert kept[0][3] / lost[0][3] == pytest.approx(9, rel=0.01)
    assert "lost 20%" not in drawing
    assert all(f">{name}</text>" in drawing for name in ("kept", "lost", "100%", "Mar"))
    assert all(x >= 0 and x + w <= width + 0.5 for x, _, w, _ in kept + lost)


@pytest.mark.parametrize("width", WIDTHS)
def test_long_names_below_bars_never_lie_on_each_other(width: float) -> None:
    names = ["not known", "L" * 200, "http://a.long.example/address", "key customer", "last of all names"]
    marks = list(enumerate(names))
    stacks = [charts.Stack("all", [1.0] * 5, names)]
    for drawing in (
        charts.bars([1.0] * 5, names, marks, "b", width=width, y_label="L" * 300),
        charts.stacked(names, stacks, "s", width=width),
    ):
        found = re.findall(
            r'<text x="([\d.]+)" y="([\d.]+)" class="axis" text-anchor="(\w+)">([^<]+)<', drawing
        )
        lowest = max(float(y) for _, y, _, _ in found)
        shares = {"start": 0.0, "middle": 0.5, "end": 1.0}
        spans = sorted(
            (
                float(x) - shares[anchor] * length(name),
                float(x) + (1 - shares[anchor]) * length(name),
                float(y),
            )
            for x, y, anchor, name in found
        )
        assert all(begin >= -1 and end <= width + 1 for begin, end, _ in spans)
        below = [(begin, end) for begin, end, y in spans if y == lowest]
        assert len(below) > 2
        assert all(one[1] <= other[0] + 5 for one, other in pairwise(below))  # `length` is generous


@pytest.mark.parametrize("width", WIDTHS)
def test_long_names_of_parts_do_not_lie_on_each_other(width: float) -> None:
    names = ["Kept", "Acquired and still active", "Returned and still active", "Lost"]
    drawing = charts.stacked(["a"], [charts.Stack(name, [1.0], [name]) for name in names], "s", width=width)
    found = re.findall(r'<text x="([\d.]+)" y="([\d.]+)" class="legend"[^>]*>([^<]+)<', drawing)
    assert [name for _, _, name in found] == names
    for (x, y, name), (after, y_after, _) in pairwise(found):
        assert y != y_after or float(x) + length(name) < float(after)
