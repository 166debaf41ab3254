"""What customers who churned were like, beside those who did not: from labelled samples, with effect sizes.

A sample is a customer at a decision instant and what became of them a horizon later; it names nobody. Counted
are those whose horizon ended in the period. Each counts as often as the learner counts it: customers whom the
team treated are left out, and those held out weigh more in their place. Means and effect sizes are weighted,
the numbers of samples are not.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from consumers.database.learning import SampleRow
from consumers.reports.knowledge import Knowledge
from consumers.reports.period import Period
from consumers.reports.rate import TOO_FEW
from streams.share import Z95, Share, ShareDifference

Floats = NDArray[np.float64]
_INPUT: Final = re.compile(r"(log|logit)\((\w+)\)")
_WORD: Final = re.compile(r"class\d+\((\w+)\)")
QUARTILES: Final = (0.25, 0.5, 0.75)


@dataclass(frozen=True, slots=True)
class ProfileFacts:
    """Samples as columns."""

    inputs: tuple[str, ...]
    x: Floats
    """(n, m) the model's inputs, NaN for missing."""
    churned: NDArray[np.bool_]
    """(n,)"""
    weight: Floats
    """(n,) how often each counts."""


@dataclass(frozen=True, slots=True)
class Quartiles:
    """The values that a quarter, a half and three quarters of the customers do not exceed."""

    low: float
    median: float
    high: float


@dataclass(frozen=True, slots=True)
class Contrast:
    """One feature among customers who churned and those who stayed."""

    feature: str
    churned: Quartiles | None
    """In the feature's unit, of those of whom it is known."""
    kept: Quartiles | None
    churned_n: int
    """Samples of which it is known."""
    kept_n: int
    churned_missing: Share
    kept_missing: Share
    g: float | None
    """Hedges' g: the difference of the means in standard deviations, on the scale of the model's input."""
    g_low: float | None
    g_high: float | None
    delta: float | None
    """Cliff's delta: how much more often one who churned has the higher value than the lower."""

    @property
    def is_enough(self) -> bool:
        """Whether both sides are large enough to say something."""
        return min(self.churned_n, self.kept_n) >= TOO_FEW

    @property
    def missing_difference(self) -> ShareDifference:
        """How much more often the feature is missing among those who churned (Newcombe)."""
        return ShareDifference.between(self.kept_missing, self.churned_missing)

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        sides = {"churned": self.churned, "kept": self.kept}
        return {
            "feature": self.feature,
            **{
                name: None if of is None else {"q1": of.low, "median": of.median, "q3": of.high}
                for name, of in sides.items()
            },
            "churned_n": self.churned_n,
            "kept_n": self.kept_n,
            "churned_missing": self.churned_missing.as_dict(),
            "kept_missing": self.kept_missing.as_dict(),
            "missing_difference": self.missing_difference.as_dict(),
            "hedges_g": {"value": self.g, "low": self.g_low, "high": self.g_high},
            "cliffs_delta": self.delta,
            "enough": self.is_enough,
        }


@dataclass(frozen=True, slots=True)
class Profile:
    """Customers who churned beside those who stayed, the largest difference first."""

    period: Period
    churned: int
    kept: int
    are_weighted: bool
    """Whether samples count differently."""
    contrasts: tuple[Contrast, ...]
    words: tuple[str, ...]
    """Attributes that the samples hold in a form that cannot be shown: classes of a hash of the word."""

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        return {
            "churned": self.churned,
            "kept": self.kept,
            "weighted": self.are_weighted,
            "features": [each.as_dict() for each in self.contrasts],
            "not_shown": list(self.words),
        }


def read_profile(connection: Connection, period: Period, knowledge: Knowledge) -> ProfileFacts:
    """Return the samples whose horizon ended in the period."""
    query = (
        select(SampleRow.inputs, SampleRow.churned, SampleRow.weight)
        .where(
            SampleRow.at >= period.begin_at - knowledge.horizon,
            SampleRow.at < period.end_at - knowledge.horizon,
            knowledge.by_then(SampleRow.stored_at),
        )
        .order_by(SampleRow.at, SampleRow.id)
    )
    rows = connection.execute(query).all()
    names = tuple(dict.fromkeys(name for row in rows for name in row[0]))
    x = np.array([[row[0].get(name) for name in names] for row in rows], dtype=np.float64)
    return ProfileFacts(
        names,
        x.reshape(len(rows), len(names)),
        np.array([row[1] for row in rows], dtype=np.bool_),
        np.array([row[2] for row in rows], dtype=np.float64),
    )


def profile(facts: ProfileFacts, period: Period) -> Profile:
    """Return in which features customers who churned differ from those who stayed."""
    contrasts, words = [], []
    for place, name in enumerate(facts.inputs):
        if (word := _WORD.fullmatch(name)) is not None:
            words.append(word[1])
        else:
            contrasts.append(_contrast(name, facts.x[:, place], facts.churned, facts.weight))
    return Profile(
        period=period,
        churned=int(facts.churned.sum()),
        kept=int((~facts.churned).sum()),
        are_weighted=bool((facts.weight != 1).any()),
        contrasts=tuple(sorted(contrasts, key=_by_size)),
        words=tuple(dict.fromkeys(words)),
    )


def _by_size(of: Contrast) -> tuple[bool, float, str]:
    return not of.is_enough, -abs(of.g or 0.0), of.feature


def _contrast(name: str, x: Floats, churned: NDArray[np.bool_], weight: Floats) -> Contrast:
    found = _INPUT.fullmatch(name)
    scale, feature = (found[1], found[2]) if found else ("", name)
    known = ~np.isnan(x)
    gone, stayed = known & churned, known & ~churned
    a, b = (x[gone], weight[gone]), (x[stayed], weight[stayed])
    g, low, high = hedges_g(*a, *b)
    back = _BACK.get(scale, _as_it_is)
    return Contrast(
        feature=feature,
        churned=_quartiles(*a, back),
        kept=_quartiles(*b, back),
        churned_n=len(a[0]),
        kept_n=len(b[0]),
        churned_missing=Share.of(~known[churned]),
        kept_missing=Share.of(~known[~churned]),
        g=g,
        g_low=low,
        g_high=high,
        delta=cliffs_delta(*a, *b),
    )


def hedges_g(
    x: Floats, x_weight: Floats, y: Floats, y_weight: Floats
) -> tuple[float | None, float | None, float | None]:
    """Return Hedges' g of (n,) x less (m,) y with its 95 % interval.

    Hedges, L. V., and Olkin, I. (1985): Statistical Methods for Meta-Analysis, chapter 5. With weights, the
    number of samples is Kish's effective one, (sum of w)^2 / sum of w^2, and the variance has the divisor of
    reliability weights; where all weigh the same both are the usual ones.
    """
    if min(len(x), len(y)) < 2:
        return None, None, None
    n, m = _effective(x_weight), _effective(y_weight)
    mean, other = np.average(x, weights=x_weight), np.average(y, weights=y_weight)
    pooled = ((n - 1) * _variance(x, x_weight) + (m - 1) * _variance(y, y_weight)) / (n + m - 2)
    if pooled <= 0 or n + m <= 2:
        return (0.0, None, None) if mean == other else (None, None, None)
    g = float((mean - other) / math.sqrt(pooled)) * (1 - 3 / (4 * (n + m - 2) - 1))
    half = Z95 * math.sqrt((n + m) / (n * m) + g * g / (2 * (n + m)))
    return g, g - half, g + half


def _effective(weight: Floats) -> float:
    return float(weight.sum() ** 2 / (weight**2).sum())


def _variance(x: Floats, weight: Floats) -> float:
    total = weight.sum()
    spread = (weight * (x - np.average(x, weights=weight)) ** 2).sum()
    divisor = total - (weight**2).sum() / total
    return float(spread / divisor) if divisor > 0 else 0.0


def cliffs_delta(x: Floats, x_weight: Floats, y: Floats, y_weight: Floats) -> float | None:
    """Return the chance that one of (n,) x is larger than one of (m,) y, less that it is smaller."""
    if not len(x) or not len(y):
        return None
    order = np.argsort(y, kind="stable")
    ordered, below = y[order], np.concatenate([[0.0], np.cumsum(y_weight[order])])
    smaller = below[np.searchsorted(ordered, x, side="left")]
    larger = below[-1] - below[np.searchsorted(ordered, x, side="right")]
    return float((x_weight * (smaller - larger)).sum() / (x_weight.sum() * below[-1]))


def _quartiles(x: Floats, weight: Floats, back: Callable[[float], float]) -> Quartiles | None:
    """Return the smallest values that so much of the weight does not exceed, in the feature's unit."""
    if not len(x):
        return None
    order = np.argsort(x, kind="stable")
    reached = np.cumsum(weight[order])
    places = np.searchsorted(reached, np.array(QUARTILES) * reached[-1] * (1 - 1e-12))
    low, median, high = (back(float(x[order][place])) for place in places)
    return Quartiles(low, median, high)


def _as_it_is(value: float) -> float:
    return value


def _from_log(value: float) -> float:
    """Return what `sign(v) log(1 + |v|)` was made from."""
    return math.copysign(math.expm1(abs(value)), value)


def _from_logit(value: float) -> float:
    return 1 / (1 + math.exp(-value))


_BACK: Final[dict[str, Callable[[float], float]]] = {"log": _from_log, "logit": _from_logit}
