"""The twin of effects: DESIGN 7 recounted line by line from what a replay wrote, with plain loops."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from typing import Any

Line = Mapping[str, Any]


def firsts(outcomes: Sequence[Line], play: str) -> list[Line]:
    """Return the `data` of each customer's first warning to rescue by a play, of one experiment."""
    own: dict[str, Line] = {}
    for line in outcomes:
        data = line["data"]
        if line["type"] != "churn.warning.matured" or data["decision"] is None:
            continue
        if data["decision"]["play"] == play and data["decision"]["verdict"] == "rescue":
            own[data["warning_id"]] = data
    in_order = sorted(own.values(), key=lambda data: (data["opened_at"], data["warning_id"]))
    if not in_order:
        return []
    newest = in_order[-1].get("experiment")
    chosen: dict[str, Line] = {}
    for data in in_order:
        if data.get("experiment") == newest and data["customer_id"] not in chosen:
            chosen[data["customer_id"]] = data
    return list(chosen.values())


def side(found: Sequence[Line], lot: str) -> list[Line]:
    """Return those on a side."""
    return [data for data in found if data["lot"] == lot]


def share(found: Sequence[Line], field: str) -> tuple[int, int]:
    """Return of how many a field is true, and how many there are."""
    return sum(bool(data[field]) for data in found), len(found)


def wilson(part: int, whole: int, z: float) -> tuple[float, float]:
    """Return the two p at which (part / whole - p)^2 = z^2 p (1 - p) / whole."""
    a, b, c = 1 + z * z / whole, -(2 * part / whole + z * z / whole), (part / whole) ** 2
    root = math.sqrt(max(b * b - 4 * a * c, 0.0))
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


def newcombe(one: tuple[int, int], other: tuple[int, int], z: float) -> tuple[float, float, float]:
    """Return one share less the other with the limits of Newcombe's method 10."""
    p, q = one[0] / one[1], other[0] / other[1]
    (l1, u1), (l2, u2) = wilson(*one, z), wilson(*other, z)
    low = (p - q) - math.sqrt((p - l1) ** 2 + (u2 - q) ** 2)
    return p - q, low, (p - q) + math.sqrt((u1 - p) ** 2 + (q - l2) ** 2)


def success(held_out: Sequence[Line], shown: Sequence[Line]) -> float | None:
    """Return s, `None` where nothing is to be divided by."""
    if not held_out or not shown:
        return None
    untreated = sum(d["churned"] for d in held_out) / len(held_out)
    churned = sum(d["churned"] for d in shown) / len(shown)
    contacted = sum(d["treated"] for d in shown) / len(shown)
    return (untreated - churned) / (untreated * contacted) if untreated and contacted else None


def bootstrap(held_out: Sequence[Line], shown: Sequence[Line], resamples: int, seed: int) -> list[float]:
    """Return s of so many resamples of customers on each side, ascending."""
    chance = random.Random(seed)
    found = []
    for _ in range(resamples):
        s = success(chance.choices(held_out, k=len(held_out)), chance.choices(shown, k=len(shown)))
        assert s is not None
        found.append(s)
    return sorted(found)


def spent(shown: Sequence[Line], events: Sequence[Line]) -> tuple[float, float]:
    """Return what was spent by actions that nobody took back, and what was planned where none says it."""
    actions = [e for e in events if e.get("type") == "action"]
    taken_back = {
        (later["customer_id"], later["corrects"], later.get("actor"))
        for later in actions
        if later.get("corrects")
    }
    recorded = planned = 0.0
    for data in shown:
        costs = [
            sum(v for v in each["cost"].values() if v is not None)
            for each in actions
            if each.get("warning_id") == data["warning_id"]
            and each.get("cost")
            and any(v is not None for v in each["cost"].values())
            and (each["customer_id"], each["event_id"], each.get("actor")) not in taken_back
        ]
        if costs:
            recorded += sum(costs)
        elif data["treated"]:
            planned += sum(data["decision"]["cost"].values())
    return recorded, planned


def gained(held_out: Sequence[Line], shown: Sequence[Line]) -> float:
    """Return churns avoided times the mean value of those who were not held out."""
    avoided = newcombe(share(held_out, "churned"), share(shown, "churned"), 1.96)[0] * len(shown)
    values = [float(data["decision"]["value"]) for data in shown]
    return avoided * sum(values) / len(values)
