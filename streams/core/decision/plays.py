"""Plays: what the team can do about a customer, what it costs and how often it helps."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

NO_PLAY: Final = "none"
"""What a rule names as its play where nothing is to be done."""


@dataclass(frozen=True, slots=True)
class Success:
    """The chance that a customer who would leave stays because of a play."""

    chance: float
    source: str
    """`prior`: what people believe; `measured`: against customers who were held out."""
    n: int | None = None
    """Customers that it was measured on."""
    interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class PlayCost:
    """What a play costs for one customer; `None` where an item does not occur."""

    gift: float | None = None
    communication: float | None = None
    labour_minutes: float | None = None
    discount: float | None = None
    """As a share of the customer's mean spend of an order day."""


@dataclass(frozen=True, slots=True)
class Play:
    """Something that the team can do about a customer."""

    id: str
    success: Success
    title: str = ""
    reasons: tuple[str, ...] = ()
    """The reasons of rules that it is for; none named is all."""
    classes: tuple[str, ...] = ()
    """The customer classes that it is for; none named is all, those without a class too."""
    cost: PlayCost = PlayCost()
    budget_month: float | None = None
    """What it may cost in a month, for all customers."""

    def fits(self, reason: str, customer_class: str | None) -> bool:
        """Return whether it is for a reason and a class."""
        return (not self.reasons or reason in self.reasons) and (
            not self.classes or customer_class in self.classes
        )

    @property
    def measured_hash(self) -> str:
        """Return 16 hex digits of what the play does and for whom: another hash begins its measurement anew.

        Title, budget and success are not part of it.
        """
        content = {
            name: value
            for name, value in self.plain().items()
            if name not in ("title", "budget_month", "success")
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    def plain(self) -> dict[str, object]:
        """Return its fields, named as in the file, without those that say nothing."""
        cost, success = self.cost, self.success
        found: dict[str, object] = {
            "id": self.id,
            "title": self.title,
            "reasons": self.reasons,
            "classes": self.classes,
            "cost": {name: value for name in cost.__slots__ if (value := getattr(cost, name)) is not None},
            "budget_month": self.budget_month,
            "success": {
                name: value for name in success.__slots__ if (value := getattr(success, name)) is not None
            },
        }
        return {name: value for name, value in found.items() if value not in (None, "", (), {})}


class Plays:
    """All plays, in the order of their file: of those that fit, the first is chosen."""

    def __init__(self, plays: Sequence[Play] = ()) -> None:
        self.plays: Final = tuple(plays)
        self.by_id: Final = {play.id: play for play in plays}
        self.hash: Final = _hash(self.plays)
        """16 hex digits of what they say; empty where there are none."""

    def __len__(self) -> int:
        return len(self.plays)

    def choose(self, named: str | None, reason: str, customer_class: str | None) -> Play | None:
        """Return the play that a rule names, or where it names none the first that fits.

        `None` where there is none: also where the named one is unknown.
        """
        if named is not None:
            return self.by_id.get(named)
        return next((play for play in self.plays if play.fits(reason, customer_class)), None)


def _hash(plays: Sequence[Play]) -> str:
    if not plays:
        return ""
    content = json.dumps([play.plain() for play in plays], ensure_ascii=True, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


NO_PLAYS: Final = Plays()
