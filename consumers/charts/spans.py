"""Times as bars on a row for each name."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from consumers.charts.drawing import WIDE, WIDTH, Scale, bar, drawing, line, text


@dataclass(frozen=True, slots=True)
class Span:
    """A time from one value to another, with its class and what is said of it."""

    begin: float
    end: float
    kind: str
    title: str


def spans(
    rows: Sequence[tuple[str, Sequence[Span]]],
    ends: tuple[float, float],
    marks: Sequence[tuple[float, str]],
    label: str,
    *,
    width: float = WIDE,
) -> str:
    """Return a row for each name with a bar for each of its times; `marks` name places on the axis.

    Times that reach beyond the ends are cut there.
    """
    narrow = width < WIDTH
    names, row_height, top = (0.0, 40.0, 10.0) if narrow else (210.0, 24.0, 10.0)
    begin, end = names + 12.0, width - 24.0
    scale = Scale(*ends, begin, end)
    floor = top + row_height * len(rows) + 4
    room = (end - begin) / 70
    shown = marks[:: max(1, math.ceil(len(marks) / room))]
    body: list[str] = []
    for value, name in shown:
        body.append(line(scale(value), top, scale(value), floor, "grid"))
        body.append(text(scale(value), floor + 16, name, "axis", "middle"))
    for number, (name, times) in enumerate(rows):
        y = top + row_height * (number + (0.7 if narrow else 0.5))
        beside = (begin, y - 10, "start") if narrow else (names, y + 4, "end")
        body.append(text(beside[0], beside[1], name, "row", beside[2]))
        for each in times:
            left, right = scale(max(each.begin, ends[0])), scale(min(each.end, ends[1]))
            if right >= left:
                body.append(bar(left, y - 6, max(right - left, 2.0), 12, f"bar {each.kind}", each.title))
    return drawing(floor + 24, body, label, width)
