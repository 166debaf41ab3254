"""The level: how far all scores are moved so that on average they are right now, not a horizon ago.

Labels are a horizon old, and so is the level of a model that has learned from them. The buying model needs
no label: it sees today's silence. So at each decision there are two forecasts of how many will churn: the
mean of the scores, and the mean of the buying model's `p_silent`. Both are corrected by how far they were off
on what has matured, and weighed by how well they did. All scores of a time are moved alike, so their order
stays. How much of the move is made, all, half or nothing, is what had the least log loss on what has matured.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streams.core.events.calendar import DAY
from streams.core.model.logistic import sigmoid

STRENGTHS: Final = (0.0, 0.5, 1.0)
"""The shares of the move that are tried."""
FIRST_STRENGTH: Final = 0.5
"""The share that is made before any outcome is known."""

WEEK: Final = 7 * DAY
_ERRORS_LAST: Final = 8.0
"""Weeks after which an error counts for e times less."""
_LOSSES_LAST: Final = 26.0
_PRIOR: Final = 4.0
"""Weeks without error and with `_VARIANCE` that a forecast has as a prior."""
_VARIANCE: Final = 0.04
_FULL_WEEK: Final = 20.0
"""A week of as many samples counts by half."""
_LIMIT: Final = 2.0
"""The level is never moved further than this many log odds."""

Floats = NDArray[np.float64]


class LevelShift:
    """The shift in force, and what it is learned from."""

    def __init__(self, horizon_us: int) -> None:
        self.shift = 0.0
        """What is added to all log odds."""
        self.strength = FIRST_STRENGTH
        """The share of the move that is made."""
        self.full = 0.0
        """What would be added at full strength."""
        self._lag = math.exp(-horizon_us / WEEK / _ERRORS_LAST)
        """What is known is a horizon old: so much less it says of now."""
        self._now = np.zeros(4)
        """Of the decisions of about a week: their number, and sums of scores, slopes and `p_silent`."""
        self._week: int | None = None
        """The week of decisions that is maturing."""
        self._maturing = np.zeros(4)
        """Of it: number, and sums of scores, of `p_silent` and of those who churned."""
        self._errors = np.zeros(5)
        """Of the weeks before: weight, and sums of both forecasts' errors and of their squares."""
        self._losses = np.zeros(len(STRENGTHS))
        """Sums of log losses with each strength."""
        self.first: int | None = None
        """The first decision instant whose scores were compared with what came of them."""
        self.calibrated = False
        """Whether a week of them was."""

    def decided(self, score: Floats, p_silent: Floats, every: int) -> None:
        """Note the scores (k,) of a sweep's decisions, without shift; each customer has one in `every`."""
        known = ~np.isnan(p_silent)
        score, p_silent = score[known], p_silent[known]
        sums = (len(score), score.sum(), (score * (1 - score)).sum(), p_silent.sum())
        self._now = self._now * (1 - 1 / every) + np.array(sums)
        self._move()

    def matured(
        self,
        at: int,
        logit: Floats,
        full: float,
        p_silent: Floats,
        y: NDArray[np.bool_],
        weight: Floats | None = None,
    ) -> None:
        """Note decisions of the instant `at` of which the outcome is known, each `weight` (k,) times.

        `logit` (k,) are their log odds without shift and `full` the shift at full strength, both as of then.
        """
        if not np.isnan(logit).all():
            self.first = at if self.first is None else self.first
            self.calibrated = self.calibrated or at // WEEK > self.first // WEEK
        known = ~np.isnan(logit) & ~np.isnan(p_silent)
        if not known.any():
            return
        weight = np.ones(len(y)) if weight is None else weight
        logit, p_silent, y, weight = logit[known], p_silent[known], y[known], weight[known]
        week = at // WEEK
        if self._week is not None and week != self._week:
            self._close(week - self._week)
        self._week = week
        sums = (weight.sum(), (weight * sigmoid(logit)).sum(), (weight * p_silent).sum(), weight[y].sum())
        self._maturing += np.array(sums, dtype=np.float64)
        sign = np.where(y, -1.0, 1.0)
        for place, strength in enumerate(STRENGTHS):
            losses = np.logaddexp(0.0, sign * (logit + strength * full))
            self._losses[place] += (weight * losses).sum()
        self._move()

    def _close(self, weeks: int) -> None:
        """Take the week that has matured into the errors."""
        n, score, silent, churned = self._maturing.tolist()
        a, b, true = (_log_odds(part, n) for part in (score, silent, churned))
        weight = n / (n + _FULL_WEEK)
        errors = np.array([1.0, true - a, (true - a) ** 2, true - b, (true - b) ** 2]) * weight
        self._errors = (self._errors + errors) * math.exp(-weeks / _ERRORS_LAST)
        self._losses *= math.exp(-weeks / _LOSSES_LAST)
        self._maturing[:] = 0.0

    def _move(self) -> None:
        """Set the shift by what is known."""
        n, score, slope, silent = self._now.tolist()
        self.full = 0.0
        if n > 0 and slope > 0:
            weight, a, aa, b, bb = (self._errors * self._lag).tolist()
            both = weight + _PRIOR
            of_score, of_silence = a / both, b / both
            worse_score = (aa - 2 * of_score * a + weight * of_score**2 + _PRIOR * _VARIANCE) / both
            worse_silence = (bb - 2 * of_silence * b + weight * of_silence**2 + _PRIOR * _VARIANCE) / both
            trust = worse_score / (worse_score + worse_silence)
            now = _log_odds(score, n)
            target = (1 - trust) * (now + of_score) + trust * (_log_odds(silent, n) + of_silence)
            # The mean of many probabilities moves more slowly than one probability at their mean.
            mean = score / n
            stretch = mean * (1 - mean) / (slope / n)
            self.full = min(_LIMIT, max(-_LIMIT, (target - now) * min(stretch, 3.0)))
        known = bool(self._losses.any())
        self.strength = STRENGTHS[int(np.argmin(self._losses))] if known else FIRST_STRENGTH
        self.shift = self.strength * self.full

    def state(self) -> dict[str, Any]:
        """Return everything it knows as plain JSON values."""
        return {
            "week": self._week,
            "now": self._now.tolist(),
            "maturing": self._maturing.tolist(),
            "errors": self._errors.tolist(),
            "losses": self._losses.tolist(),
            "first": self.first,
            "calibrated": self.calibrated,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` returned."""
        self._week = state["week"]
        self._now = np.array(state["now"])
        self._maturing = np.array(state["maturing"])
        self._errors = np.array(state["errors"])
        self._losses = np.array(state["losses"])
        self.first = state.get("first")
        # Models of before this was asked for stay ready.
        self.calibrated = state.get("calibrated", True)
        self._move()


def _log_odds(count: float, n: float) -> float:
    """Return the log odds of a share, half a case away from none and from all."""
    count = min(max(count, 0.5), n - 0.5) if n > 1 else n / 2
    return math.log(count / (n - count))
