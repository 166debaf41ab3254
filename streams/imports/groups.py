"""Lines that belong together, such as the items of an order, become one event with their sums."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import msgspec

DIGITS: Final = 6
"""Places behind the point of a sum: the contract keeps millionths."""


def group_keys(rows: Sequence[Sequence[Any]]) -> list[bytes]:
    """Return for rows (n) of the values that they are grouped by one key each; equal values, equal keys."""
    return [msgspec.json.encode([None if value is None else str(value) for value in row]) for row in rows]


def grouped(
    keys: Sequence[bytes], values: Sequence[bytes], sums: Sequence[str]
) -> tuple[list[bytes], list[int]]:
    """Return for each key one event, and the places of their first lines, in the order of these.

    Of an event's fields those in `sums` are added up over all its lines, and are as on the first where no
    line has them; the others are as on the first.
    """
    places: dict[bytes, list[int]] = {}
    for place, key in enumerate(keys):
        places.setdefault(key, []).append(place)
    events: list[bytes] = []
    for lines in places.values():
        events.append(_summed([values[i] for i in lines], sums) if sums else values[lines[0]])
    return events, [lines[0] for lines in places.values()]


def _summed(values: Sequence[bytes], sums: Sequence[str]) -> bytes:
    events: list[dict[str, Any]] = [msgspec.json.decode(value) for value in values]
    whole = dict(events[0])
    for name in sums:
        numbers = [event[name] for event in events if event.get(name) is not None]
        if numbers:
            whole[name] = round(math.fsum(numbers), DIGITS)
    return msgspec.json.encode(whole)
