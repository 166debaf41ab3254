"""Equations that figures must fulfil; they are checked whenever a report is made."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Identity:
    """Two figures that must be equal, but for the rounding of sums; the text is English and the key."""

    what: str
    left: float
    right: float

    @property
    def holds(self) -> bool:
        """Whether they are equal."""
        return math.isclose(self.left, self.right, rel_tol=1e-9, abs_tol=1e-6)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {"what": self.what, "left": self.left, "right": self.right, "holds": self.holds}


def failures(identities: Iterable[Identity], where: str) -> tuple[str, ...]:
    """Return those that do not hold, each as a line with its figures.

    >>> failures([Identity("kept + lost = original", 9, 10)], "origin")
    ('kept + lost = original: origin: 9 ≠ 10',)
    """
    return tuple(
        f"{each.what}: {where}: {each.left:,.6g} ≠ {each.right:,.6g}" for each in identities if not each.holds
    )
