"""Measures of probabilities against outcomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

BINS: Final = 10
FIRST_INSTANTS: Final = 6
"""Instants at the beginning that are counted apart."""

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Measures:
    """How good the probabilities of a set of rows were."""

    n: int
    base: float
    """Share of those who churned."""
    auc: float
    """The chance that one who churned was given more than one who stayed, over all instants."""
    auc_instant: float
    """The same within an instant, the mean over instants."""
    auc_first: float
    """The same, of the first instants alone."""
    precision: float
    """Average precision."""
    lift: float
    """Rate among the tenth with the highest probability at each instant, over the base rate."""
    log_loss: float
    brier: float
    calibration: float
    """Expected calibration error, ten bins of equal count."""


def measure(p: Floats, y: Bools, at: NDArray[np.int64]) -> Measures:
    """Return the measures of (n,) probabilities at instants `at` with outcomes `y`."""
    instants = np.unique(at)
    within = [auc(p[at == t], y[at == t]) for t in instants.tolist()]
    top = [_top_rate(p[at == t], y[at == t]) for t in instants.tolist()]
    sure = np.clip(p, 1e-6, 1 - 1e-6)
    return Measures(
        n=len(p),
        base=float(y.mean()),
        auc=auc(p, y),
        auc_instant=float(np.nanmean(within)),
        auc_first=float(np.nanmean(within[:FIRST_INSTANTS])),
        precision=average_precision(p, y),
        lift=float(np.mean(top) / y.mean()),
        log_loss=float(-np.log(np.where(y, sure, 1 - sure)).mean()),
        brier=float(((p - y) ** 2).mean()),
        calibration=calibration_error(p, y),
    )


def auc(p: Floats, y: Bools) -> float:
    """Return the area under the curve, ties counted by half; NaN without both outcomes."""
    churned = int(y.sum())
    kept = len(y) - churned
    if not churned or not kept:
        return float("nan")
    _, place, count = np.unique(p, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[place]
    return float((rank[y].sum() - churned * (churned + 1) / 2) / (churned * kept))


def average_precision(p: Floats, y: Bools) -> float:
    """Return the mean precision at each of those who churned, by falling probability."""
    hits = y[np.argsort(-p, kind="stable")]
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return float(precision[hits].mean())


def calibration_error(p: Floats, y: Bools) -> float:
    """Return the mean distance between the mean probability and the rate of ten bins of equal count."""
    bins = np.array_split(np.argsort(p, kind="stable"), BINS)
    return float(sum(abs(p[rows].sum() - y[rows].sum()) for rows in bins) / len(p))


def bootstrap(p: Floats, other: Floats, y: Bools, customer: NDArray[np.intp], times: int = 100) -> float:
    """Return the standard error of the difference of two pooled AUCs, by drawing customers."""
    dice = np.random.default_rng(1)
    order = np.argsort(customer, kind="stable")
    bounds = np.searchsorted(customer[order], np.arange(customer.max() + 2))
    found = []
    for _ in range(times):
        drawn = dice.integers(0, customer.max() + 1, customer.max() + 1)
        rows = np.concatenate([order[bounds[c] : bounds[c + 1]] for c in drawn.tolist()])
        found.append(auc(p[rows], y[rows]) - auc(other[rows], y[rows]))
    return float(np.std(found))


def _top_rate(p: Floats, y: Bools) -> float:
    count = max(1, len(p) // 10)
    return float(y[np.argsort(-p, kind="stable")[:count]].mean())
