"""Plots: one scale where two are compared, and readable on a phone."""

import re
from itertools import pairwise

import pytest

from consumers import charts

SHARE = charts.Dot(0.5, 0.4, 0.6, "1 of 2")


def texts(drawing: str) -> list[tuple[float, float, str]]:
    found = re.findall(r'<text x="([-\d.]+)" y="([-\d.]+)"[^>]*>([^<]*)</text>', drawing)
    return [(float(x), float(y), content) for x, y, content in found]


def y_axis(drawing: str) -> list[str]:
    return [content for x, _, content in texts(drawing) if x < 40]


def heights(drawing: str) -> list[float]:
    return [float(each) for each in re.findall(r'<rect[^>]* height="([\d.]+)"', drawing)]


def bars(values: list[float], top_value: float = 0, limit: float | None = None) -> str:
    return charts.bars(values, [""] * len(values), [(0, "Jan")], "plot", top_value=top_value, limit=limit)


def test_two_plots_can_have_one_scale() -> None:
    low, high = bars([1, 2], top_value=40), bars([3, 40], top_value=40)
    assert y_axis(low) == y_axis(high) == ["0", "10", "20", "30", "40"]
    assert heights(low)[1] * 20 == pytest.approx(heights(high)[1], rel=0.02)


def test_without_it_each_reaches_to_its_own_largest() -> None:
    assert y_axis(bars([1, 2]))[-1] == "2"
    assert y_axis(bars([3, 40], limit=50))[-1] == "50"


@pytest.mark.parametrize("width", [charts.NARROW, charts.WIDTH, charts.WIDE])
def test_marks_on_the_x_axis_do_not_run_into_one_another(width: float) -> None:
    drawing = charts.bars([1] * 240, [""] * 240, [(n * 10, "Sep") for n in range(24)], "plot", width=width)
    places = [x for x, _, content in texts(drawing) if content == "Sep"]
    assert len(places) >= 5
    assert min(after - before for before, after in pairwise(places)) >= 35


def test_a_plot_for_both_is_drawn_for_a_phone_too() -> None:
    drawn = charts.for_both(
        lambda width: charts.forest([("a-rule", "", (SHARE, SHARE))], ("P", "R"), "f", width=width)
    )
    broad, narrow = drawn.split('<div class="narrow">')
    assert f'viewBox="0 0 {charts.WIDE} ' in broad
    assert f'viewBox="0 0 {charts.NARROW} ' in narrow


@pytest.mark.parametrize("width", [charts.NARROW, charts.WIDE])
def test_everything_of_a_forest_lies_inside_it(width: float) -> None:
    name = "a-rule-with-a-long-name"
    drawing = charts.forest(
        [(name, "", (SHARE, charts.Dot(None, None, None, "")))], ("P", "R"), "f", width=width
    )
    places = {content: (x, y) for x, y, content in texts(drawing)}
    circle = re.search(r'<circle cx="([\d.]+)" cy="([\d.]+)"', drawing)
    assert circle is not None
    (name_x, name_y), dot_y = places[name], float(circle[2])
    if width == charts.NARROW:
        assert name_y < dot_y - 6  # above its dots
        assert name_x + 6.2 * len(name) < width
    else:
        assert name_x < float(circle[1])  # beside them
    assert all(0 <= x <= width for x, _, _ in texts(drawing))
    assert "none" in places


def test_lines_are_named_beside_or_on_a_phone_above_their_ends() -> None:
    series = [
        charts.Line(name, "", [0.1, value], [None, None]) for name, value in (("one", 0.5), ("two", 0.5))
    ]
    for width in (charts.NARROW, charts.WIDE):
        drawing = charts.lines([1, 2], series, "lines", percent=True, width=width)
        named = {content: y for _, y, content in texts(drawing) if content in ("one", "two")}
        assert abs(named["one"] - named["two"]) >= 14


@pytest.mark.parametrize("width", [charts.WIDTH, charts.NARROW])
def test_an_agreement_has_a_dot_for_each_share_and_none_where_there_is_none(width: float) -> None:
    points = [(0.1, charts.Dot(0.2, 0.1, 0.3, "a")), (0.9, charts.Dot(None, None, None, "b"))]
    drawing = charts.agreement(points, "label", "given", "churned", width=width)
    assert drawing.count("<circle") == 1
    [(x, y)] = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', drawing)
    assert 0 < float(x) < width / 2  # a tenth of the way
    [(x1, y1, x2, y2)] = re.findall(
        r'<line x1="([\d.]+)" y1="([\d.]+)" x2="([\d.]+)" y2="([\d.]+)" class="limit"', drawing
    )
    on_line = float(y1) + (float(x) - float(x1)) / (float(x2) - float(x1)) * (float(y2) - float(y1))
    assert float(y) < on_line  # more churned than was given: above the line of both


def test_names_of_the_x_axis_take_the_place_of_numbers_and_leave_each_other_room() -> None:
    names = [f"2026-{month:02}" for month in range(1, 13)]
    series = [charts.Line("AUC", "", [0.5] * 12, [None] * 12)]
    drawing = charts.lines(list(range(12)), series, "label", percent=True, x_names=names, width=charts.NARROW)
    shown = [(x, text) for x, _, text in texts(drawing) if text in names]
    assert 2 <= len(shown) < 12
    assert all(right - left > 50 for (left, _), (right, _) in pairwise(sorted(shown)))
    assert "AUC at 2026-03: 50.0%" in drawing


def test_spans_are_cut_at_the_ends_and_say_what_they_are() -> None:
    rows = [
        ("north", [charts.Span(-5, 3, "high", "before <b>"), charts.Span(8, 20, "low", "after")]),
        ("south", [charts.Span(30, 40, "low", "outside")]),
    ]
    for width in (charts.WIDE, charts.NARROW):
        drawn = charts.spans(rows, (0, 10), [(0, "1 May"), (5, "2 May")], "when", width=width)
        bars = re.findall(r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"[^>]*class="bar (\w+)"', drawn)
        begin, end = 222.0 if width > charts.NARROW else 12.0, width - 24
        scale = (end - begin) / 10
        assert [kind for *_, kind in bars] == ["high", "low"]
        assert float(bars[0][1]) == pytest.approx(3 * scale, abs=0.01)
        assert float(bars[1][0]) + float(bars[1][1]) == pytest.approx(end, abs=0.01)
        assert "before &lt;b&gt;" in drawn
        assert "outside" not in drawn


def test_a_line_has_a_gap_where_a_value_is_missing() -> None:
    series = [charts.Line("churn", "", [0.02, 0.03, None, 0.01], [(0.01, 0.04), None, None, (0.0, 0.02)])]
    drawing = charts.lines(range(4), series, "l", percent=True, full=False)
    paths = re.findall(r'<polyline points="([^"]+)"', drawing)
    assert [len(path.split()) for path in paths] == [2, 1]
    assert drawing.count("<circle") == 3


def test_small_shares_can_have_a_scale_of_their_own_that_says_their_digits() -> None:
    series = [charts.Line("churn", "", [0.002, 0.0035], [None, None], ["Jan: 2 of 1,000", "Feb"])]
    drawing = charts.lines([0, 1], series, "l", percent=True, full=False)
    assert [content for x, _, content in texts(drawing) if x < 45][:2] == ["0.0%", "0.1%"]
    assert "Jan: 2 of 1,000" in drawing
    assert "100%" not in drawing
    assert "100%" in charts.lines([0, 1], series, "l", percent=True)


def test_every_class_of_a_mark_has_a_look() -> None:
    """A mark whose class the style does not know is black, or cannot be seen."""
    drawn = (
        charts.bars([1, 3], ["", ""], [(0, "a")], "b", limit=2, limit_label="x", y_label="y")
        + charts.forest([("r", "", (SHARE,))], ("P",), "f", reference=(0, 0.1, "base"))
        + charts.lines([0, 1], [charts.Line("l", "other", [0.1, 0.2], [(0, 1), (0, 1)])], "l", percent=True)
        + charts.histogram([charts.Bin(0, 1, 2, "")], "h")
        + charts.stacked(["a"], [charts.Stack("s", [1], [""])], "s")
        + charts.heat_map([("a", [charts.Cell(None, "", ""), charts.Cell(1, "1", "")])], ["1", "2"], "h")
        + charts.funnel([charts.FunnelStep("w", 2, "", ""), charts.FunnelStep("c", 1, "", "")], "f")
    )
    for tag, kind in sorted(
        set(re.findall(r'<(rect|circle|line|polyline|polygon)[^>]*? class="([^" ]+)', drawn))
    ):
        assert f"svg {tag}.{kind} " in charts.STYLE, (tag, kind)


def test_a_long_name_gets_more_room_and_what_does_not_fit_is_left_out() -> None:
    name = "What the customer does, the cause not known yet"
    for width in (charts.NARROW, charts.WIDTH, charts.WIDE):
        drawing = charts.forest([(name, "", (SHARE,))], ("P",), "f", width=width)
        [(x, shown)] = [(x, content) for x, _, content in texts(drawing) if content.startswith("What")]
        assert name.startswith(shown.removesuffix("…"))
        begin = x if width == charts.NARROW else x - 6.8 * len(shown)
        assert begin >= 0
        assert begin + 6.8 * len(shown) <= width
        assert (shown == name) == (width != charts.WIDTH)
