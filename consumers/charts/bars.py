"""Bars: one for each value, on top of each other, or over a scale of numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from consumers.charts.drawing import (
    WIDE,
    WIDTH,
    Scale,
    bar,
    drawing,
    length,
    line,
    shortened,
    square,
    text,
    ticks,
)


def bars(
    values: Sequence[float],
    titles: Sequence[str],
    marks: Sequence[tuple[int, str]],
    label: str,
    *,
    limit: float | None = None,
    limit_label: str = "",
    top_value: float = 0.0,
    height: float = 220,
    width: float = WIDTH,
    y_label: str = "",
) -> str:
    """Return a bar for each value; those above `limit` stand out. `marks` name places on the x axis.

    The y axis reaches to `top_value` at least, so that two plots can have one scale.
    """
    left, right, top, bottom = 44.0, width - 12, 22.0, height - 26
    marks_y = ticks(max([*values, limit or 0, top_value, 1]))
    y = Scale(0, marks_y[-1], bottom, top)
    body = [text(left, 12, shortened(y_label, right - left), "axis")] if y_label else []
    for value in marks_y:
        body.append(line(left, y(value), right, y(value), "grid"))
        body.append(text(left - 6, y(value) + 4, f"{value:g}", "axis", "end"))
    step = (right - left) / max(len(values), 1)
    marks = marks[:: math.ceil(len(marks) * 42 / (right - left))] if marks else marks
    gap = min(step * 0.25, 6)
    for place, (value, title) in enumerate(zip(values, titles, strict=True)):
        over = limit is not None and value > limit
        x = left + place * step + gap / 2
        body.append(bar(x, y(value), step - gap, bottom - y(value), "bar over" if over else "bar", title))
    apart = min((after - before for (before, _), (after, _) in pairwise(marks)), default=len(values)) * step
    for place, name in marks:
        x = left + (place + 0.5) * step
        shown = shortened(name, max(apart + 4, 38))  # most letters are narrower than `length` takes them
        body.append(text(x, height - 8, shown, "axis", "end" if x + length(shown) / 2 > width else "middle"))
    if limit is not None:
        body.append(line(left, y(limit), right, y(limit), "limit"))
        body.append(text(right, y(limit) - 5, limit_label, "limit-label", "end"))
    return drawing(height, body, label, width)


@dataclass(frozen=True, slots=True)
class Bin:
    """A bar of a histogram: from one value up to the next, how many, and what its title says."""

    begin: float
    end: float
    count: float
    title: str
    kind: str = ""


def histogram(
    bins: Sequence[Bin],
    label: str,
    *,
    x_label: str = "",
    y_label: str = "",
    open_end: bool = False,
    height: float = 240,
    width: float = WIDTH,
) -> str:
    """Return bars without gaps over a scale of numbers; with `open_end` the last bin has no upper end.

    A bar's area stands for its count where bins have different widths, so that a wide one looks no larger
    than it is; there is no y axis then, and each bar has its count above it. The open last bin is drawn as
    wide as the one before it.
    """
    if not bins:
        return drawing(height, [], label, width)
    ends = [each.end for each in bins]
    if open_end and len(bins) > 1:
        ends[-1] = bins[-1].begin + bins[-2].end - bins[-2].begin
    spans = [end - each.begin for each, end in zip(bins, ends, strict=True)]
    unit = min(spans)
    heights = [each.count * unit / span for each, span in zip(bins, spans, strict=True)]
    left, right, top, bottom = 44.0, width - 16, 22.0, height - 40
    marks = ticks(max([*heights, 1]))
    x, y = Scale(bins[0].begin, ends[-1], left, right), Scale(0, marks[-1], bottom, top)
    body = [text(left, 12, y_label, "axis")] if y_label else []
    even = max(spans) - unit < 1e-9 * unit
    for value in marks if even else marks[:1]:
        body.append(line(left, y(value), right, y(value), "grid"))
        body.append(text(left - 6, y(value) + 4, f"{value:g}", "axis", "end"))
    for each, end, tall in zip(bins, ends, heights, strict=True):
        wide, count = x(end) - x(each.begin) - 1, f"{each.count:,g}"
        body.append(bar(x(each.begin), y(tall), wide, bottom - y(tall), f"bar {each.kind}", each.title))
        if not even and each.count and wide >= length(count):
            body.append(text(x(each.begin) + wide / 2, y(tall) - 4, count, "axis", "middle"))
    last = -1e9
    for number, value in enumerate([bins[0].begin, *(ends[:-1] if open_end else ends)]):
        name = f"{value:g}" + ("+" if open_end and number == len(bins) - 1 else "")
        if x(value) - last > 8 + length(name):
            last = x(value)
            body.append(text(last, height - 24, name, "axis", "middle"))
    body.append(text((left + right) / 2, height - 6, x_label, "axis", "middle"))
    return drawing(height, body, label, width)


@dataclass(frozen=True, slots=True)
class Stack:
    """One part of every column: its name and its values, `None` where one is not known."""

    name: str
    values: Sequence[float | None]
    titles: Sequence[str]


STACKS = 6
"""So many parts have a shade of their own."""


def stacked(
    names: Sequence[str],
    stacks: Sequence[Stack],
    label: str,
    *,
    percent: bool = False,
    y_label: str = "",
    width: float = WIDE,
    height: float = 280,
) -> str:
    """Return a column for each name with its parts on top of each other, the first at the bottom.

    Parts differ in lightness and have white between them; the list above the plot names them in the order
    of the column. With `percent` values are shares and the scale ends at 100 % or above. A column with a
    part that is not known has none.
    """
    narrow = width < WIDTH
    across = min(len(stacks), 2 if narrow else 4) or 1
    longest = max((length(each.name) for each in stacks), default=0.0) + 24
    across = max(1, min(across, int((width - 60) / longest)))
    lines_of_names = math.ceil(len(stacks) / across)
    left, right = 48.0, width - 12
    top = 26.0 + 18 * lines_of_names
    height += 18 * lines_of_names
    bottom = height - 26
    columns = [[each.values[i] for each in stacks] for i in range(len(names))]
    sums = [None if None in column else sum(value or 0 for value in column) for column in columns]
    highest = max([each for each in sums if each is not None], default=0)
    marks = [each / 4 for each in range(5)] if percent and highest <= 1 + 1e-9 else ticks(max(highest, 1e-9))
    y = Scale(0, marks[-1], bottom, top)
    body = []
    for number, each in enumerate(stacks):
        place_x = left + number % across * (right - left) / across
        place_y = 12 + 18 * (number // across)
        body.append(square(place_x, place_y - 9, 11, 11, f'class="part p{number % STACKS}"'))
        body.append(text(place_x + 16, place_y + 1, each.name, "legend"))
    if y_label:
        body.append(text(left, top - 8, y_label, "axis"))
    for value in marks:
        body.append(line(left, y(value), right, y(value), "grid"))
        body.append(text(left - 6, y(value) + 4, f"{value:.0%}" if percent else f"{value:g}", "axis", "end"))
    step = (right - left) / max(len(names), 1)
    gap = min(step * 0.25, 10)
    for place, total in enumerate(sums):
        if total is None:
            continue
        reached = 0.0
        for number, each in enumerate(stacks):
            value = each.values[place] or 0
            begin, end = y(reached), y(reached + value)
            reached += value
            x = left + place * step + gap / 2
            body.append(bar(x, end, step - gap, begin - end, f"part p{number % STACKS}", each.titles[place]))
    last = -1e9
    for place, name in enumerate(names):
        x, shown = left + (place + 0.5) * step, shortened(name, max(step - 8, 60))
        if x - last > 8 + length(shown):
            last = x
            body.append(text(x, height - 8, shown, "axis", "middle"))
    return drawing(height, body, label, width)
