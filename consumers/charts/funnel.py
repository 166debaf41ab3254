"""Steps that follow each other, each of those who took the one before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from consumers.charts.drawing import WIDE, WIDTH, bar, drawing, length, line, room_of, shortened, text


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """A step: its name, how many took it, and what is written beside its bar.

    Without a count it is not known how many, which `text` says.
    """

    name: str
    count: float | None
    text: str
    title: str


def funnel(steps: Sequence[FunnelStep], label: str, *, width: float = WIDE) -> str:
    """Return a bar for each step, as long as its part of the first, with the loss to the next as a slope."""
    narrow = width < WIDTH
    names = room_of([each.name for each in steps], width)
    tall, gap = (22.0, 30.0) if narrow else (28.0, 12.0)
    beside = 8 + max((length(each.text) for each in steps), default=0.0)
    left = names + (4 if narrow else 12)
    longest = max(width - left - (4 if narrow else beside + 8), 40.0)
    most = max((each.count for each in steps if each.count is not None), default=0) or 1
    body: list[str] = []
    for number, each in enumerate(steps):
        y = (gap if narrow else 6.0) + number * (tall + gap)
        long = None if each.count is None else each.count / most * longest
        if narrow:
            body.append(text(left, y - 8, f"{each.name}: {each.text}", "row"))
        else:
            body.append(text(names, y + tall / 2 + 4, shortened(each.name, names - 8), "row", "end"))
            body.append(text(left + (long or 0) + 8, y + tall / 2 + 4, each.text, "value"))
        if long is None:
            continue
        body.append(bar(left, y, long, tall, f"bar step-{min(number, 5)}", each.title))
        after = steps[number + 1].count if number + 1 < len(steps) else None
        if after is not None and not narrow:
            body.append(line(left + long, y + tall, left + after / most * longest, y + tall + gap, "slope"))
    return drawing((gap if narrow else 6.0) + len(steps) * (tall + gap) + 2, body, label, width)
