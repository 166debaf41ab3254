"""Plots as SVG text: sized by their view box, coloured by classes, with a title on every mark.

The one home of plots: reports, the desk and the pages that commands write draw with them. What a mark shows
can be read without its colour: a label, its place or its lightness says it too. `plot.css` has the classes.
"""

from importlib.resources import files
from typing import Final

from consumers.charts.bars import Bin, Stack, bars, histogram, stacked
from consumers.charts.dots import agreement, differences, forest
from consumers.charts.drawing import NARROW, WIDE, WIDTH, Dot, Scale, for_both
from consumers.charts.funnel import FunnelStep, funnel
from consumers.charts.heat_map import Cell, heat_map
from consumers.charts.lines import Line, lines
from consumers.charts.spans import Span, spans

STYLE: Final = files("consumers.charts").joinpath("plot.css").read_text(encoding="utf-8")
"""By the colours that the page defines: --ink, --soft, --rule, --card, --main, --other, --alert, --mark."""

__all__ = [
    "NARROW", "STYLE", "WIDE", "WIDTH", "Bin", "Cell", "Dot", "FunnelStep", "Line", "Scale", "Span", "Stack",
    "agreement", "bars", "differences", "for_both", "forest", "funnel", "heat_map", "histogram", "lines",
    "spans", "stacked",
]  # fmt: skip
