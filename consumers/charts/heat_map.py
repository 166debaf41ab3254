"""A table of shares whose cells are the darker the larger they are, each with its figure in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from consumers.charts.drawing import WIDE, WIDTH, drawing, length, square, text

LIGHT: Final = 0.08
DARK: Final = 0.92
"""How opaque the least and the largest are."""
TEXT_TURNS: Final = 0.5
"""From here on a cell is dark enough for light text."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell shows; without a value it is empty and its text says why."""

    value: float | None
    text: str
    title: str


def heat_map(
    rows: Sequence[tuple[str, Sequence[Cell | None]]],
    columns: Sequence[str],
    label: str,
    *,
    low: float | None = None,
    high: float | None = None,
    width: float = WIDE,
) -> str:
    """Return a row for each name and a cell for each column; `None` leaves the place free.

    The scale reaches from `low` to `high`, by default from the least to the largest value. On a phone the
    cells have no text, and a cell's title has its figure.
    """
    known = [cell.value for _, cells in rows for cell in cells if cell is not None and cell.value is not None]
    least = min(known, default=0.0) if low is None else low
    most = max(known, default=1.0) if high is None else high
    narrow = width < WIDTH
    names = 12 + max((length(name) for name, _ in rows), default=0.0)
    names = min(names, width * 0.4)
    step = (width - names - 4) / max(len(columns), 1)
    tall, top = (20.0 if narrow else 26.0), 24.0
    longest = max((length(c.text) for _, cells in rows for c in cells if c is not None), default=0.0)
    with_text = step >= longest + 4
    body: list[str] = []
    last = -1e9
    for place, name in enumerate(columns):
        x = names + (place + 0.5) * step
        if x - last >= 6 + length(name):
            last = x
            body.append(text(x, 14, name, "axis", "middle"))
    for number, (name, cells) in enumerate(rows):
        y = top + number * tall
        body.append(text(names - 8, y + tall / 2 + 4, name, "row", "end"))
        for place, cell in enumerate(cells):
            if cell is None:
                continue
            x = names + place * step
            share = 0.0 if cell.value is None else _share(cell.value, least, most)
            opacity = LIGHT + share * (DARK - LIGHT)
            look = 'class="heat none"' if cell.value is None else f'class="heat" fill-opacity="{opacity:.2f}"'
            body.append(square(x + 0.5, y + 0.5, step - 1, tall - 1, look, cell.title))
            if with_text:
                kind = "cell dark" if cell.value is not None and opacity > TEXT_TURNS else "cell"
                body.append(text(x + step / 2, y + tall / 2 + 4, cell.text, kind, "middle"))
    return drawing(top + tall * len(rows) + 6, body, label, width)


def _share(value: float, least: float, most: float) -> float:
    return 1.0 if most <= least else min(max((value - least) / (most - least), 0.0), 1.0)
