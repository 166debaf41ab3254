"""The twin of decision and holdout: DESIGN 7 as plain arithmetic on what a step and the events say."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from streams.core.decision.plays import Plays
from streams.core.steps import Cause, Tier


def twin_decision(
    causes: Sequence[Cause],
    plays: Plays,
    *,
    p: float | None,
    value: float | None,
    order_day_spend: float | None,
    minute: float | None,
    customer_class: str | None,
    do_not_contact: bool,
) -> dict[str, Any]:
    """Return verdict and numbers as on the wire."""
    first = sorted(causes, key=lambda c: (-int(c.tier), c.opened_at, c.rule))[0]
    play = None
    if first.play != "none":
        fitting = [
            each
            for each in plays.plays
            if (not each.reasons or first.reason in each.reasons)
            and (not each.classes or customer_class in each.classes)
        ]
        named = [each for each in plays.plays if each.id == first.play]
        play = next(iter(named if first.play is not None else fitting), None)
    made: dict[str, Any] = {
        "play": play.id if play else (None if first.play == "none" else first.play),
        "value": value,
        "probability": p,
        "success": play.success.chance if play else None,
        "success_source": play.success.source if play else None,
        "cost": {},
    }
    if play is not None:
        c = play.cost
        if c.gift is not None:
            made["cost"]["gift"] = c.gift
        if c.communication is not None:
            made["cost"]["communication"] = c.communication
        if c.labour_minutes is not None:
            made["cost"]["labour"] = None if minute is None else c.labour_minutes * minute
        if c.discount is not None:
            made["cost"]["discount"] = None if order_day_spend is None else c.discount * order_day_spend
    items = list(made["cost"].values())
    cost = None if play is None or None in items else sum(items)
    s = made["success"]
    made["gain"] = None if None in (p, s, value) else (1 - p * (1 - s)) * value - (1 - p) * value  # type: ignore[operator]  # known
    made["net"] = None if made["gain"] is None or cost is None else made["gain"] - cost
    made["break_even"] = None if None in (p, value, cost) or p * value <= 0 else cost / (p * value)  # type: ignore[operator]  # known
    missing = [] if play else ["play"]
    missing += [name for name, number in (("value", value), ("probability", p)) if number is None]
    missing += ["cost"] if play and cost is None else []
    if customer_class == "problem":
        return made | {"verdict": "dont", "why": "problem_class", "missing": []}
    if do_not_contact:
        return made | {"verdict": "dont", "why": "do_not_contact", "missing": []}
    if first.play == "none":
        return made | {"verdict": "dont", "why": "play_none", "missing": []}
    if missing:
        return made | {"verdict": "unknown", "why": "missing", "missing": missing}
    worth = made["net"] >= 0
    return made | {
        "verdict": "rescue" if worth else "dont",
        "why": "worth" if worth else "not_worth",
        "missing": [],
    }


@dataclass(slots=True)
class TwinHoldout:
    """Who is held out, asked in the order of openings."""

    shares: Mapping[int, float]
    salt: str
    exempt: Sequence[str]
    horizon: int
    sweeps: Sequence[int]
    held: list[tuple[str, int]] = field(default_factory=list)
    """(customer, opening) of each held-out warning."""

    def opens(self, customer: str, at: int, tier: Tier, customer_class: str | None) -> bool:
        """Return whether a warning that opens is held out."""
        number = int(hashlib.sha256(f"{self.salt}\n{customer}".encode()).hexdigest()[:16], 16)
        own = number < self.shares.get(tier, 0.0) * 2**64 and customer_class not in self.exempt
        bound = any(who == customer and not self.matured(then, at) for who, then in self.held)
        if own or bound:
            self.held.append((customer, at))
        return own or bound

    def matured(self, opened_at: int, at: int) -> bool:
        """Return whether a warning has matured at an instant: at the first sweep later than its horizon."""
        return any(opened_at + self.horizon < sweep <= at for sweep in self.sweeps)
