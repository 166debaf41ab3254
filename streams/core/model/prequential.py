"""How good probabilities were that were given before the outcome was known: counted, never recomputed."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

DECILES: Final = 10

_LOGIT_LIMIT: Final = 12.0
_BINS: Final = 960
"""Bins of a fortieth of a logit: in the AUC a pair within one counts as a tie."""
_SMALLEST: Final = 1e-15
"""Log loss takes no probability for nearer to 0 or 1 than this."""
QUALITY_MEASURES: Final = (
    "auc",
    "log_loss",
    "base_log_loss",
    "calibration_error",
    "base_rate",
    "mean_probability",
)
"""Of a summary: those that are one number each, and say how good the probabilities were."""


class Prequential:
    """Discrimination and calibration of probabilities, each taken once with its outcome.

    Only counts by bin and sums are kept, so it neither grows nor depends on anything but the order of `add`.
    """

    def __init__(self) -> None:
        self.count = 0
        """Samples, whatever they weigh."""
        self.kept = np.zeros(_BINS)
        """(bins,) weight of samples that stayed, by the logit of the probability given."""
        self.churned = np.zeros(_BINS)
        """(bins,) weight of samples that churned."""
        self.loss = 0.0
        """Sum of log losses, each times its weight, as all sums here."""
        self.given = np.zeros(DECILES)
        """(10,) sum of the probabilities given, by their decile."""
        self.seen = np.zeros(DECILES)
        """(10,) weight of the samples in each."""
        self.left = np.zeros(DECILES)
        """(10,) of these, churned."""

    def add(
        self, p: NDArray[np.float64], y: NDArray[np.bool_], weight: NDArray[np.float64] | None = None
    ) -> None:
        """Take (k,) probabilities, outcomes and weights; rows without a probability (NaN) are passed over."""
        given = ~np.isnan(p)
        weight = np.ones(len(p)) if weight is None else weight
        p, y, weight = np.clip(p[given], _SMALLEST, 1 - _SMALLEST), y[given], weight[given]
        self.count += len(p)
        place = (np.log(p / (1 - p)) + _LOGIT_LIMIT) * (_BINS / (2 * _LOGIT_LIMIT))
        bins = np.clip(place, 0, _BINS - 1).astype(int)
        self.churned += np.bincount(bins[y], weight[y], _BINS)
        self.kept += np.bincount(bins[~y], weight[~y], _BINS)
        self.loss -= float((weight * np.log(np.where(y, p, 1 - p))).sum())
        decile = np.minimum((p * DECILES).astype(int), DECILES - 1)
        self.given += np.bincount(decile, p * weight, DECILES)
        self.seen += np.bincount(decile, weight, DECILES)
        self.left += np.bincount(decile[y], weight[y], DECILES)

    def __len__(self) -> int:
        return self.count

    @property
    def total(self) -> float:
        """What all samples weigh."""
        return float(self.seen.sum())

    def auc(self) -> float | None:
        """Return the chance that one who churned was given more than one who stayed; `None` without both."""
        pairs = float(self.churned.sum()) * float(self.kept.sum())
        if not pairs:
            return None
        below = np.cumsum(self.kept) - self.kept
        return float((self.churned * (below + self.kept / 2)).sum()) / pairs

    def log_loss(self) -> float | None:
        """Return the mean log loss."""
        return self.loss / self.total if len(self) else None

    def base_log_loss(self) -> float | None:
        """Return the log loss of giving everybody these samples' own base rate, known only in hindsight."""
        if not len(self):
            return None
        rate = float(self.left.sum()) / self.total
        return -sum(part * math.log(part) for part in (rate, 1 - rate) if part > 0)

    def calibration_error(self) -> float | None:
        """Return the mean distance of given and observed rate over deciles, weighted by their samples."""
        return float(np.abs(self.given - self.left).sum()) / self.total if len(self) else None

    def summary(self) -> dict[str, Any]:
        """Return all measures as plain JSON values; what needs samples is `None` without them.

        `samples` counts them; `churned` and what is under `reliability` count each by its weight.
        """
        n, churned = len(self), float(self.left.sum())
        return {
            "samples": n,
            "churned": plain(churned),
            "base_rate": churned / self.total if n else None,
            "mean_probability": float(self.given.sum()) / self.total if n else None,
            "auc": self.auc(),
            "log_loss": self.log_loss(),
            "base_log_loss": self.base_log_loss(),
            "calibration_error": self.calibration_error(),
            "reliability": [
                {
                    "from": d / DECILES,
                    "samples": plain(seen),
                    "mean_probability": given / seen,
                    "churned": plain(left),
                }
                for d, (seen, given, left) in enumerate(
                    zip(self.seen.tolist(), self.given.tolist(), self.left.tolist(), strict=True)
                )
                if seen
            ],
        }

    def state(self) -> dict[str, Any]:
        """Return all counts and sums as plain JSON values."""
        return {
            "count": self.count,
            "kept": [plain(each) for each in self.kept.tolist()],
            "churned": [plain(each) for each in self.churned.tolist()],
            "loss": self.loss,
            "given": self.given.tolist(),
            "seen": [plain(each) for each in self.seen.tolist()],
            "left": [plain(each) for each in self.left.tolist()],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` returned."""
        self.kept = np.array(state["kept"], dtype=np.float64)
        self.churned = np.array(state["churned"], dtype=np.float64)
        self.loss = state["loss"]
        self.given = np.array(state["given"], dtype=np.float64)
        self.seen = np.array(state["seen"], dtype=np.float64)
        self.left = np.array(state["left"], dtype=np.float64)
        # States of before there were weights have no number of samples: each weighed 1.
        self.count = int(state.get("count", self.seen.sum()))


def plain(weight: float) -> int | float:
    """Return a sum of weights as JSON shows it: a whole number where it is one."""
    return int(weight) if weight.is_integer() else weight
