"""The slow twin of grouping: line items become orders, a line at a time."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any


def group(lines: Sequence[tuple[Any, dict[str, Any]]], sums: Sequence[str]) -> list[dict[str, Any]]:
    """Return the events of lines, each a key and its event: the first of a key, with sums to millionths."""
    found: dict[Any, dict[str, Any]] = {}
    totals: dict[Any, dict[str, Decimal]] = {}
    for key, event in lines:
        found.setdefault(key, event)
        for name in sums:
            if event.get(name) is not None:
                of_key = totals.setdefault(key, {})
                of_key[name] = of_key.get(name, Decimal(0)) + Decimal(event[name])
    rounded = {
        key: {name: float(round(total, 6)) for name, total in of_key.items()}
        for key, of_key in totals.items()
    }
    return [{**event, **rounded.get(key, {})} for key, event in found.items()]
