"""Steps that follow each other."""

import re

import pytest

from consumers import charts

STEPS = [
    charts.FunnelStep("Warned", 200, "200", "200 warned"),
    charts.FunnelStep("Contacted", 50, "50 (25.0% of the step before)", "50 contacted"),
    charts.FunnelStep("Stayed", None, "not known yet", ""),
]


@pytest.mark.parametrize("width", [charts.NARROW, charts.WIDTH, charts.WIDE])
def test_a_bar_is_as_long_as_its_part_of_the_first_and_what_is_unknown_has_none(width: float) -> None:
    drawing = charts.funnel(STEPS, "f", width=width)
    wide = [float(each) for each in re.findall(r'<rect x="[\d.]+" y="[\d.]+" width="([\d.]+)"', drawing)]
    assert len(wide) == 2
    assert wide[0] / wide[1] == pytest.approx(4, rel=0.01)
    assert "not known yet" in drawing
    assert "50 (25.0% of the step before)" in drawing
    for x, words in re.findall(r'<text x="([\d.]+)"[^>]*text-anchor="start">([^<]*)<', drawing):
        assert float(x) + 5.6 * len(words) < width


def test_a_funnel_of_nobody_is_drawn() -> None:
    assert charts.funnel([charts.FunnelStep("Warned", 0, "0", "")], "f").count("<rect") == 1
