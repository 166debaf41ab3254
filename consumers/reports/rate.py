"""Rates of a report: each keeps numerator, denominator, what these are, its period and what was left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from consumers.reports.period import Period
from streams.share import Share, ShareDifference

MIN_CELL: Final = 5
"""A group of fewer customers is hidden: its figures would say something about single persons."""
TOO_FEW: Final = 20
"""A rate of fewer is counted, and is not enough to say anything."""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """What a figure leaves out, and how many."""

    what: str
    n: int

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {"what": self.what, "n": self.n}


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of counted things, with all that has to stand beside it; texts are English and the keys."""

    share: Share
    part_is: str
    whole_is: str
    period: Period
    exclusions: tuple[Exclusion, ...] = ()

    @property
    def value(self) -> float | None:
        """The quotient; `None` where there is nothing to divide by."""
        return self.share.value

    @property
    def is_enough(self) -> bool:
        """Whether there are so many that the rate says something."""
        return self.share.whole >= TOO_FEW

    def points_since(self, before: Rate) -> ShareDifference:
        """Return this rate less an earlier one, with its interval (Newcombe); times 100 it is points."""
        return ShareDifference.between(before.share, self.share)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {**self.share.as_dict(), "enough": self.is_enough, **_about(self)}


@dataclass(frozen=True, slots=True)
class AmountRate:
    """A share of amounts, such as value; it has no interval, as amounts are no counted things."""

    part: float
    whole: float
    part_n: int
    """Of how many customers the part is known."""
    whole_n: int
    part_is: str
    whole_is: str
    period: Period
    exclusions: tuple[Exclusion, ...] = ()

    @property
    def value(self) -> float | None:
        """The quotient; `None` where there is nothing to divide by."""
        return self.part / self.whole if self.whole > 0 else None

    @property
    def is_enough(self) -> bool:
        """Whether there are so many that the rate says something."""
        return self.whole_n >= TOO_FEW

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        own = {name: getattr(self, name) for name in ("part", "whole", "value", "part_n", "whole_n")}
        return {**own, "enough": self.is_enough, **_about(self)}


def _about(rate: Rate | AmountRate) -> dict[str, Any]:
    return {
        "part_is": rate.part_is,
        "whole_is": rate.whole_is,
        "period": rate.period.key,
        "exclusions": [each.as_dict() for each in rate.exclusions],
    }


def points(difference: ShareDifference) -> dict[str, Any]:
    """Return a difference of two rates in percentage points, as plain JSON values."""
    return {
        name: None if value is None else 100 * value
        for name, value in zip(("points", "low", "high"), (difference.value, *difference.limits), strict=True)
    }


def hidden_cells(sizes: Sequence[int], least: int = MIN_CELL) -> frozenset[int]:
    """Return the places of the cells that a table with a total must hide.

    Hidden are cells with 1 to `least` - 1 customers; and as long as a single cell, or fewer customers than
    `least` in all, could be found by subtracting the others from the total, the next larger cells too. An
    empty cell is shown.

    >>> sorted(hidden_cells([90, 3, 40, 0])), sorted(hidden_cells([90, 3, 4])), hidden_cells([90, 40])
    ([1, 2], [1, 2], frozenset())
    """
    order = sorted((place for place, size in enumerate(sizes) if size), key=lambda p: (sizes[p], p))
    small = [place for place in order if sizes[place] < least]
    if not small:
        return frozenset()
    hidden = list(small)
    for place in order[len(small) :]:
        if len(hidden) > 1 and sum(sizes[p] for p in hidden) >= least:
            break
        hidden.append(place)
    return frozenset(hidden)
