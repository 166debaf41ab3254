"""Dots with their intervals: shares, differences, and shares over what they should be."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from consumers.charts.drawing import WIDE, WIDTH, Dot, Scale, drawing, line, room_of, shortened, text, ticks


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
    names = room_of([name for name, _, _ in rows], width)
    row_height, gap = (40.0, 44.0) if narrow else (24.0, 48.0)
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
        shown = shortened(name, names - 8 if names else width - beside[0])
        body.append(text(beside[0], beside[1], shown, f"row {kind}", beside[2]))
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
    names = room_of([name for name, _, _ in rows], width)
    row_height, top = (40.0 if narrow else 24.0), 20.0
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
        shown = shortened(name, names - 8 if names else width - beside[0])
        body.append(text(beside[0], beside[1], shown, f"row {kind}", beside[2]))
        if dot.value is None or dot.low is None or dot.high is None:
            body.append(text(scale(0) + 6, y + 4, absent, "axis"))
            continue
        body.append(line(scale(dot.low), y, scale(dot.high), y, f"whisker {kind}"))
        body.append(
            f'<circle cx="{scale(dot.value):.1f}" cy="{y:.1f}" r="4.5" class="dot {kind}">'
            f"<title>{escape(dot.title)}</title></circle>"
        )
    return drawing(floor + 26, body, label, width)


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
