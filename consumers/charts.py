"""Plots as SVG text: sized by their view box, coloured by the page's classes, with a title on every mark."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 540
"""Of a plot in half a page."""
WIDE = 1120
"""Of one across the page."""
NARROW = 350
"""Of any on a phone, where a wide one would shrink until nobody can read it."""


def for_both(draw: Callable[[float], str], width: float = WIDE) -> str:
    """Return a plot twice, drawn at its width and for a phone; the page's style shows one of them."""
    return f'<div class="broad">{draw(width)}</div><div class="narrow">{draw(NARROW)}</div>'


@dataclass(frozen=True, slots=True)
class Scale:
    """From values to places along an axis."""

    low: float
    high: float
    begin: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the place of a value."""
        span = self.high - self.low or 1.0
        return self.begin + (value - self.low) / span * (self.end - self.begin)


@dataclass(frozen=True, slots=True)
class Dot:
    """A share with its interval, or nothing where there is none."""

    value: float | None
    low: float | None
    high: float | None
    title: str


def drawing(height: float, body: Sequence[str], label: str, width: float = WIDTH) -> str:
    """Return a whole SVG element."""
    return (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{escape(label, quote=True)}">'
        + "".join(body)
        + "</svg>"
    )


def ticks(high: float, about: int = 5) -> list[float]:
    """Return round values from 0 up to the first that is not below `high`."""
    raw = max(high, 1e-9) / about
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= raw)
    return [step * i for i in range(math.ceil(high / step - 1e-9) + 1)]


def text(x: float, y: float, content: str, kind: str = "", anchor: str = "start") -> str:
    """Return a line of text."""
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(content)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """Return a straight line."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def bar(x: float, y: float, width: float, height: float, kind: str, title: str) -> str:
    """Return a bar; `y` is its top."""
    return (
        f'<rect x="{x:.2f}" y="{y:.2f}" width="{max(width, 0.4):.2f}" height="{max(height, 0):.2f}" '
        f'class="{kind}"><title>{escape(title)}</title></rect>'
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
    body = [text(left, 12, y_label, "axis")] if y_label else []
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
    for place, name in marks:
        x = left + (place + 0.5) * step
        body.append(
            text(x, height - 8, name, "axis", "end" if x > right - 20 and len(name) > 4 else "middle")
        )
    if limit is not None:
        body.append(line(left, y(limit), right, y(limit), "limit"))
        body.append(text(right, y(limit) - 5, limit_label, "limit-label", "end"))
    return drawing(height, body, label, width)


def forest(
    rows: Sequence[tuple[str, str, Sequence[Dot]]],
    heads: Sequence[str],
    label: str,
    *,
    reference: tuple[int, float, str] | None = None,
    absent: str = "none",
    width: float = WIDE,
) -> str:
    """Return a row for each name (with its class), and in each panel a dot with its interval, 0 to 100 %.

    `reference` draws a line in one panel: its place, the value and what it is. `absent` stands where there is
    no share. On a phone a name stands above its dots.
    """
    narrow = width < WIDTH
    names, row_height, gap = (0.0, 40.0, 44.0) if narrow else (210.0, 24.0, 48.0)
    top = 40.0
    panel = (width - names - gap * len(heads)) / len(heads)
    height = top + row_height * len(rows) + 26
    begins = [names + gap / 2 + i * (panel + gap) for i in range(len(heads))]
    scales = [Scale(0, 1, begin, begin + panel) for begin in begins]
    body: list[str] = []
    floor = height - 26
    for scale, head in zip(scales, heads, strict=True):
        body.append(text(scale.begin, 14, head, "head"))
        for value in (0, 0.5, 1) if narrow else (0, 0.25, 0.5, 0.75, 1):
            body.append(line(scale(value), top - 8, scale(value), floor, "grid"))
            body.append(text(scale(value), height - 8, f"{value:.0%}", "axis", "middle"))
    if reference is not None:
        place, value, what = reference
        x = scales[place](value)
        body.append(line(x, top - 8, x, floor, "limit"))
        body.append(text(x + 4, top - 12, what, "limit-label"))
    for number, (name, kind, dots) in enumerate(rows):
        y = top + row_height * (number + (0.75 if narrow else 0.5))
        beside = (begins[0], y - 12, "start") if narrow else (names, y + 4, "end")
        body.append(text(beside[0], beside[1], name, f"row {kind}", beside[2]))
        for scale, dot in zip(scales, dots, strict=True):
            if dot.value is None or dot.low is None or dot.high is None:
                body.append(text(scale(0) + 4, y + 4, absent, "axis"))
                continue
            body.append(line(scale(dot.low), y, scale(dot.high), y, f"whisker {kind}"))
            body.append(
                f'<circle cx="{scale(dot.value):.1f}" cy="{y:.1f}" r="4.5" class="dot {kind}">'
                f"<title>{escape(dot.title)}</title></circle>"
            )
    return drawing(height, body, label, width)


def differences(
    rows: Sequence[tuple[str, str, Dot]],
    label: str,
    *,
    absent: str = "one side is empty",
    width: float = WIDE,
) -> str:
    """Return a row for each name (with its class): a dot with its interval on both sides of 0, in points."""
    narrow = width < WIDTH
    names, row_height, top = (0.0, 40.0, 20.0) if narrow else (210.0, 24.0, 20.0)
    ends = [abs(end) for _, _, dot in rows for end in (dot.low, dot.high) if end is not None]
    marks = ticks(max(ends, default=0.01) * 100, 2 if narrow else 4)
    begin, end = names + 24.0, width - 24.0
    scale = Scale(-marks[-1] / 100, marks[-1] / 100, begin, end)
    floor = top + row_height * len(rows) + 4
    body: list[str] = []
    for value in (*(-mark for mark in marks[:0:-1]), *marks):
        body.append(line(scale(value / 100), top - 8, scale(value / 100), floor, "grid"))
        body.append(text(scale(value / 100), floor + 18, f"{value:+g}" if value else "0", "axis", "middle"))
    body.append(line(scale(0), top - 8, scale(0), floor, "limit"))
    for number, (name, kind, dot) in enumerate(rows):
        y = top + row_height * (number + (0.75 if narrow else 0.5))
        beside = (begin, y - 12, "start") if narrow else (names, y + 4, "end")
        body.append(text(beside[0], beside[1], name, f"row {kind}", beside[2]))
        if dot.value is None or dot.low is None or dot.high is None:
            body.append(text(scale(0) + 6, y + 4, absent, "axis"))
            continue
        body.append(line(scale(dot.low), y, scale(dot.high), y, f"whisker {kind}"))
        body.append(
            f'<circle cx="{scale(dot.value):.1f}" cy="{y:.1f}" r="4.5" class="dot {kind}">'
            f"<title>{escape(dot.title)}</title></circle>"
        )
    return drawing(floor + 26, body, label, width)


@dataclass(frozen=True, slots=True)
class Line:
    """A named series; `band` is its interval at each x, or nothing."""

    name: str
    kind: str
    values: Sequence[float | None]
    band: Sequence[tuple[float, float] | None]


def lines(
    x_values: Sequence[float],
    series: Sequence[Line],
    label: str,
    *,
    percent: bool,
    upright: Sequence[tuple[float, str, str]] = (),
    level: tuple[float, str] | None = None,
    height: float = 260,
    width: float = WIDE,
    x_label: str = "",
    x_names: Sequence[str] = (),
) -> str:
    """Return lines over `x_values`; `upright` marks values of x (value, what, class), `level` one of y.

    `x_names` are what the values of x are called, by default their numbers.
    """
    names = x_names or [f"{value:g}" for value in x_values]
    room = 38 if not x_names else 10 + 6.5 * max(map(len, names))
    narrow = width < WIDTH
    left, right, top, bottom = 48.0, width - (20.0 if narrow else 130.0), 24.0, height - 38
    top_value = (
        1.0
        if percent
        else ticks(
            max([v for s in series for v in s.values if v is not None] + [level[0] if level else 0, 1e-9])
        )[-1]
    )
    y = Scale(0, top_value, bottom, top)
    x = Scale(min(x_values), max(x_values), left, right)
    body = []
    for value in [i / 4 for i in range(5)] if percent else ticks(top_value):
        body.append(line(left, y(value), right, y(value), "grid"))
        body.append(text(left - 6, y(value) + 4, f"{value:.0%}" if percent else f"{value:g}", "axis", "end"))
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
        points = zip(x_values, names, each.band, each.values, strict=True)
        known = [(v, name, b, w) for v, name, b, w in points if w is not None]
        if not known:
            continue
        body.append(_band([(v, b) for v, _, b, _ in known if b is not None], x, y, each.kind))
        path = " ".join(f"{x(v):.1f},{y(w):.1f}" for v, _, _, w in known)
        body.append(f'<polyline points="{path}" class="line {each.kind}"/>')
        for v, name, _, w in known:
            shown = f"{w:.1%}" if percent else f"{w:,.2f}"
            body.append(
                f'<circle cx="{x(v):.1f}" cy="{y(w):.1f}" r="3" class="dot {each.kind}">'
                f"<title>{escape(f'{each.name} at {name}: {shown}')}</title></circle>"
            )
        place = y(known[-1][3]) + (-8 if narrow else 4)
        while any(abs(place - other) < 14 for other in labels):
            place += 14
        labels.append(place)
        beside = (right, place, "end") if narrow else (right + 8, place, "start")
        body.append(text(beside[0], beside[1], each.name, f"series {each.kind}", beside[2]))
    return drawing(height, body, label, width)


def agreement(
    points: Sequence[tuple[float, Dot]],
    label: str,
    x_label: str,
    y_label: str,
    *,
    width: float = WIDTH,
) -> str:
    """Return shares, each with its interval, over what they should be, 0 to 100 %, and the line of both."""
    height = min(width, 380.0)
    left, right, top, bottom = 48.0, width - 16.0, 24.0, height - 38
    x, y = Scale(0, 1, left, right), Scale(0, 1, bottom, top)
    body = [text(left, 12, y_label, "axis")]
    for value in (0, 0.25, 0.5, 0.75, 1):
        body.append(line(left, y(value), right, y(value), "grid"))
        body.append(line(x(value), top, x(value), bottom, "grid"))
        body.append(text(left - 6, y(value) + 4, f"{value:.0%}", "axis", "end"))
        body.append(text(x(value), height - 22, f"{value:.0%}", "axis", "middle"))
    body.append(text((left + right) / 2, height - 5, x_label, "axis", "middle"))
    body.append(line(x(0), y(0), x(1), y(1), "limit"))
    for value, dot in points:
        if dot.value is None or dot.low is None or dot.high is None:
            continue
        body.append(line(x(value), y(dot.low), x(value), y(dot.high), "whisker"))
        body.append(
            f'<circle cx="{x(value):.1f}" cy="{y(dot.value):.1f}" r="4.5" class="dot">'
            f"<title>{escape(dot.title)}</title></circle>"
        )
    return drawing(height, body, label, width)


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
