"""Cells that are the darker the larger they are."""

import re

import pytest

from consumers import charts

ROWS: list[tuple[str, list[charts.Cell | None]]] = [
    ("2026-01", [charts.Cell(0.9, "90%", "90 of <100>"), charts.Cell(0.5, "50%", "50 of 100")]),
    ("2026-02", [charts.Cell(None, "<5", "fewer than 5"), None]),
]


@pytest.mark.parametrize("width", [charts.NARROW, charts.WIDE])
def test_a_larger_value_is_darker_and_no_value_has_no_shade(width: float) -> None:
    drawing = charts.heat_map(ROWS, ["1", "2"], "cohorts", width=width)
    shades = [float(each) for each in re.findall(r'fill-opacity="([\d.]+)"', drawing)]
    assert shades[0] > 0.9 > 0.1 > shades[1]
    assert drawing.count("<rect") == 3
    assert drawing.count('class="heat none"') == 1
    assert "90 of &lt;100&gt;" in drawing
    assert 'class="cell dark" text-anchor="middle">90%' in drawing
    ends = [float(x) + float(w) for x, w in re.findall(r'<rect x="([\d.]+)"[^>]*? width="([\d.]+)"', drawing)]
    assert max(ends) <= width


def test_many_columns_on_a_phone_have_no_figures_in_the_cells_but_in_their_titles() -> None:
    row: list[charts.Cell | None] = [charts.Cell(n / 24, f"{n / 24:.0%}", f"month {n}") for n in range(24)]
    drawing = charts.heat_map([("2024-01", row)], [str(n) for n in range(24)], "c", width=charts.NARROW)
    assert 'class="cell' not in drawing
    assert "<title>month 23</title>" in drawing


def test_the_scale_can_be_given_and_one_value_alone_is_drawn() -> None:
    drawing = charts.heat_map(ROWS[:1], ["1", "2"], "c", low=0, high=1)
    first = float(re.findall(r'fill-opacity="([\d.]+)"', drawing)[1])
    assert first == pytest.approx(0.5)
    assert "<rect" in charts.heat_map([("a", [charts.Cell(0.3, "30%", "")])], ["1"], "c")
