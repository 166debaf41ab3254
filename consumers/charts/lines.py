"""Lines over time or any other scale, with their intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import TypeVar

from consumers.charts.drawing import WIDE, WIDTH, Scale, drawing, length, line, text, ticks

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Line:
    """A named series; `band` is its interval at each x, or nothing."""

    name: str
    kind: str
    values: Sequence[float | None]
    band: Sequence[tuple[float, float] | None]
    titles: Sequence[str] = ()
    """What the dots say; by default name, place and value in English."""


def lines(
    x_values: Sequence[float],
    series: Sequence[Line],
    label: str,
    *,
    percent: bool,
    full: bool = True,
    upright: Sequence[tuple[float, str, str]] = (),
    level: tuple[float, str] | None = None,
    height: float = 260,
    width: float = WIDE,
    x_label: str = "",
    x_names: Sequence[str] = (),
) -> str:
    """Return lines over `x_values`; `upright` marks values of x (value, what, class), `level` one of y.

    `x_names` are what the values of x are called, by default their numbers. Shares have a scale up to 100 %,
    or without `full` one up to the largest. Where a value is not known a line has a gap.
    """
    names = x_names or [f"{value:g}" for value in x_values]
    room = 38 if not x_names else 8 + max(map(length, names))
    narrow = width < WIDTH
    left, right, top, bottom = 48.0, width - (20.0 if narrow else 130.0), 24.0, height - 38
    largest = max(
        [v for s in series for v in s.values if v is not None]
        + [end for s in series for band in s.band if band is not None for end in band]
        + [level[0] if level else 0.0]
    )
    largest = largest if largest > 0 else 1.0  # of nothing but 0 the scale is that of one
    marks = [i / 4 for i in range(5)] if percent and full else ticks(largest)
    top_value = marks[-1]
    y = Scale(0, top_value, bottom, top)
    x = Scale(min(x_values), max(x_values), left, right)
    body = []
    for value in marks:
        shown = f"{value:.{_digits(marks)}%}" if percent else f"{value:,.10g}"
        body.append(line(left, y(value), right, y(value), "grid"))
        body.append(text(left - 6, y(value) + 4, shown, "axis", "end"))
    last = -1e9
    for value, name in zip(x_values, names, strict=True):
        if x(value) - last > room:
            last = x(value)
            body.append(text(last, height - 22, name, "axis", "middle"))
    body.append(text((left + right) / 2, height - 5, x_label, "axis", "middle"))
    for value, what, kind in upright:
        body.append(line(x(value), top, x(value), bottom, kind))
        body.append(text(x(value), top - 6, what, f"{kind}-label", "middle"))
    if level is not None:
        body.append(line(left, y(level[0]), right, y(level[0]), "limit"))
        beside = (right, y(level[0]) - 5, "end") if narrow else (right + 6, y(level[0]) + 4, "start")
        body.append(text(beside[0], beside[1], level[1], "limit-label", beside[2]))
    labels: list[float] = []
    for each in series:
        titles = each.titles or [
            "" if w is None else f"{each.name} at {name}: " + (f"{w:.1%}" if percent else f"{w:,.2f}")
            for name, w in zip(names, each.values, strict=True)
        ]
        points = zip(x_values, titles, each.band, each.values, strict=True)
        known = [(v, title, b, w) for v, title, b, w in points if w is not None]
        if not known:
            continue
        for run in _runs(x_values, each.band):
            body.append(_band(run, x, y, each.kind))
        for whole in _runs(x_values, each.values):
            path = " ".join(f"{x(v):.1f},{y(w):.1f}" for v, w in whole)
            body.append(f'<polyline points="{path}" class="line {each.kind}"/>')
        for v, title, _, w in known:
            body.append(
                f'<circle cx="{x(v):.1f}" cy="{y(w):.1f}" r="3" class="dot {each.kind}">'
                f"<title>{escape(title)}</title></circle>"
            )
        place = y(known[-1][3]) + (-8 if narrow else 4)
        while any(abs(place - other) < 14 for other in labels):
            place += 14
        labels.append(place)
        beside = (right, place, "end") if narrow else (right + 8, place, "start")
        body.append(text(beside[0], beside[1], each.name, f"series {each.kind}", beside[2]))
    return drawing(height, body, label, width)


def _digits(marks: Sequence[float]) -> int:
    """Return how many digits of per cent tell the marks of a scale apart."""
    step = marks[1] - marks[0] if len(marks) > 1 else 1.0
    return max(0, math.ceil(-math.log10(step * 100) - 1e-9))


def _runs(x_values: Sequence[float], values: Sequence[T | None]) -> Iterator[list[tuple[float, T]]]:
    """Yield what is known as runs without a gap."""
    run: list[tuple[float, T]] = []
    for place, value in zip(x_values, values, strict=True):
        if value is not None:
            run.append((place, value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _band(
    points: Sequence[tuple[float, tuple[float, float]]],
    x: Callable[[float], float],
    y: Callable[[float], float],
    kind: str,
) -> str:
    if not points:
        return ""
    upper = [f"{x(v):.1f},{y(high):.1f}" for v, (_, high) in points]
    lower = [f"{x(v):.1f},{y(low):.1f}" for v, (low, _) in reversed(points)]
    return f'<polygon points="{" ".join(upper + lower)}" class="band {kind}"/>'
