"""Measures of probabilities against outcomes, each decision counted by its weight.

`p` are (n,) probabilities, `y` (n,) outcomes, true for churned, and `weight` (n,) what each counts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

BINS: Final = 10
TOP: Final = 0.1
"""The share with the highest probabilities that the lift is about."""
SMALLEST: Final = 1e-15
"""Log loss takes no probability for nearer to 0 or 1 than this."""

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Bin:
    """Decisions whose probabilities lie next to each other."""

    low: float
    """The lowest probability in it."""
    high: float
    n: int
    mean_probability: float
    churned: int
    rate: float
    """Share of those who churned, by weight."""


@dataclass(frozen=True, slots=True)
class Measures:
    """How good the probabilities of `n` decisions were; a measure is `None` where it needs more."""

    n: int
    churned: int
    weight: float
    """What all decisions weigh."""
    base_rate: float | None
    """Share of those who churned, by weight, as in all that follows."""
    mean_probability: float | None
    auc: float | None
    average_precision: float | None
    lift: float | None
    log_loss: float | None
    base_log_loss: float | None
    """Log loss of giving everybody the base rate, which is known in hindsight only."""
    brier: float | None
    calibration_error: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return the measures as plain JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}


def measure(p: Floats, y: Bools, weight: Floats) -> Measures:
    """Return all measures."""
    n, churned, total = len(y), int(np.count_nonzero(y)), float(weight.sum())
    if not n or not total:
        return Measures(n, churned, total, *([None] * 9))
    rate = float((weight * y).sum()) / total
    return Measures(
        n=n,
        churned=churned,
        weight=total,
        base_rate=rate,
        mean_probability=float((weight * p).sum()) / total,
        auc=auc(p, y, weight),
        average_precision=average_precision(p, y, weight),
        lift=lift(p, y, weight),
        log_loss=log_loss(p, y, weight),
        base_log_loss=-sum(part * math.log(part) for part in (rate, 1 - rate) if part > 0),
        brier=float((weight * (p - y) ** 2).sum()) / total,
        calibration_error=calibration_error(p, y, weight),
    )


def auc(p: Floats, y: Bools, weight: Floats) -> float | None:
    """Return the chance that one who churned was given more than one who stayed, ties counted by half."""
    _, churned, kept = _by_probability(p, y, weight)
    pairs = float(churned.sum()) * float(kept.sum())
    if not pairs:
        return None
    below = np.cumsum(kept) - kept
    return float((churned * (below + kept / 2)).sum()) / pairs


def average_precision(p: Floats, y: Bools, weight: Floats) -> float | None:
    """Return the mean precision over those who churned, by falling probability; equal ones go together."""
    _, churned, kept = (each[::-1] for each in _by_probability(p, y, weight))
    if not churned.sum():
        return None
    hits = np.cumsum(churned)
    return float((churned * hits / (hits + np.cumsum(kept))).sum() / churned.sum())


def lift(p: Floats, y: Bools, weight: Floats) -> float | None:
    """Return the rate among the tenth with the highest probabilities over the base rate.

    Of equal probabilities at the edge each counts in part.
    """
    _, churned, kept = (each[::-1] for each in _by_probability(p, y, weight))
    total, all_churned = float(weight.sum()), float(churned.sum())
    if not all_churned:
        return None
    size = churned + kept
    room = np.clip(TOP * total - (np.cumsum(size) - size), 0.0, size)
    found = float((churned * room / size).sum())
    return found / (TOP * total) / (all_churned / total)


def log_loss(p: Floats, y: Bools, weight: Floats) -> float:
    """Return the mean log loss."""
    sure = np.clip(p, SMALLEST, 1 - SMALLEST)
    return -float((weight * np.log(np.where(y, sure, 1 - sure))).sum() / weight.sum())


def reliability(p: Floats, y: Bools, weight: Floats) -> list[Bin]:
    """Return ten bins of equal count by rising probability, of equal ones the earlier first."""
    order = np.argsort(p, kind="stable")
    return [
        Bin(
            low=float(p[rows[0]]),
            high=float(p[rows[-1]]),
            n=len(rows),
            mean_probability=float((weight[rows] * p[rows]).sum() / weight[rows].sum()),
            churned=int(np.count_nonzero(y[rows])),
            rate=float((weight[rows] * y[rows]).sum() / weight[rows].sum()),
        )
        for rows in np.array_split(order, BINS)
        if len(rows)
    ]


def calibration_error(p: Floats, y: Bools, weight: Floats) -> float:
    """Return the mean distance of given and observed rate over the bins of `reliability`, by weight."""
    bins = np.array_split(np.argsort(p, kind="stable"), BINS)
    off = sum(abs(float((weight[rows] * (p[rows] - y[rows])).sum())) for rows in bins)
    return off / float(weight.sum())


def _by_probability(p: Floats, y: Bools, weight: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the different probabilities, rising, and the weight of those who churned and who stayed."""
    values, place = np.unique(p, return_inverse=True)
    sums = np.zeros((2, len(values)))
    sums[0], sums[1] = np.bincount(place, weight * y), np.bincount(place, weight * ~y)
    return values, sums[0], sums[1]
