"""What all plots are drawn with: scales, lines, bars and texts."""

from __future__ import annotations

import math
import unicodedata
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


def square(x: float, y: float, width: float, height: float, look: str, title: str = "") -> str:
    """Return a rectangle; `look` is its attributes as SVG has them."""
    inside = f"<title>{escape(title)}</title>" if title else ""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" {look}>{inside}</rect>'


def length(content: str) -> float:
    """Return about how long a text is in the size of an axis; a Chinese character takes two places."""
    return sum(12.0 if unicodedata.east_asian_width(each) in "WF" else 6.8 for each in content)


NAMES = 210.0
"""The room of names beside a plot, unless a longer one needs more."""


def room_of(names: Sequence[str], width: float) -> float:
    """Return the room that names beside a plot get, two fifths of the width at most."""
    longest = max((length(name) for name in names), default=0.0) + 12
    return max(NAMES, min(longest, width * 0.4)) if width >= WIDTH else 0.0


def shortened(name: str, room: float) -> str:
    """Return a name that fits into a room, with its end left out where it must be.

    >>> shortened("Customers who left", 80)
    'Customers\u2026'
    """
    if length(name) <= room:
        return name
    while name and length(name) + 12 > room:
        name = name[:-1]
    return f"{name.rstrip()}…"
