"""The blend: how much of the model and how much of the buying model is in the log odds that are given.

The two err in different ways: the model has learned from outcomes that are a horizon old, the buying model
sees only how often and when. So the log odds given are `own` times the model's, at the level of now, and
`silent` times those of `p_silent`. Both shares are a logistic regression on what has matured, learned as it
comes: a step of iteratively reweighted least squares for each batch, on sums that fade (McCullagh and Nelder,
Generalized Linear Models, 2.5). There is no intercept: it would follow labels that are a horizon old, which
cost much of the ranking where it was tried; the level is moved elsewhere.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streams.core.events.calendar import DAY
from streams.core.model.logistic import KNOTS, Model, sigmoid

START: Final = (0.6, 0.4)
"""The shares before any outcome is known."""
_TRUST: Final = 100.0
"""What the start counts: as much as some 250 outcomes."""
_LARGEST: Final = 1.5
"""No share is larger."""
_LASTS: Final = 26 * 7 * DAY
"""After this time an outcome counts for e times less, microseconds."""
_SILENCE: Final = "p_silent"

Floats = NDArray[np.float64]


class Blend:
    """The shares in force, and what they were learned from."""

    def __init__(self) -> None:
        self.own, self.silent = START
        self._at: int | None = None
        """The newest decision instant whose outcomes were learned."""
        self._information = np.zeros(3)
        """Sums over samples of weight p(1 - p) times own², own silent and silent²."""
        self._evidence = np.zeros(2)
        """Sums over samples of their working responses, times each of the two."""
        self._usual = np.zeros(2)
        """Weights, and sums of the buying model's log odds."""

    def matured(self, at: int, own: Floats, silent: Floats, y: NDArray[np.bool_], weight: Floats) -> None:
        """Learn from decisions of the instant `at` whose outcome `y` (k,) is known, each `weight` (k,) times.

        `own` (k,) are the model's log odds at the level of then, `silent` (k,) those of `p_silent`; NaN where
        there were none.
        """
        known = ~(np.isnan(own) | np.isnan(silent))
        if not known.any():
            return
        own, silent, y, weight = own[known], silent[known], y[known], weight[known]
        fade = 1.0 if self._at is None else math.exp(-max(at - self._at, 0) / _LASTS)
        self._at = at
        logit = self.own * own + self.silent * silent
        p = sigmoid(logit)
        slope = weight * p * (1 - p)
        response = slope * logit + weight * (y - p)
        # Written out: a matrix product may sum in another order on another machine.
        squares = [(slope * own * own).sum(), (slope * own * silent).sum(), (slope * silent * silent).sum()]
        self._information = self._information * fade + np.array(squares)
        self._evidence = self._evidence * fade + np.array([(response * own).sum(), (response * silent).sum()])
        self._usual = self._usual * fade + np.array([weight.sum(), (weight * silent).sum()])
        self._solve()

    def _solve(self) -> None:
        """Set the shares to those that explain best what has matured."""
        a, b, c = (self._information + np.array([_TRUST, 0.0, _TRUST])).tolist()
        u, v = (self._evidence + _TRUST * np.array(START)).tolist()
        whole = a * c - b * b
        self.own = min(max((c * u - b * v) / whole, 0.0), _LARGEST)
        self.silent = min(max((a * v - b * u) / whole, 0.0), _LARGEST)

    def apply(self, model: Model, shift: float) -> Model:
        """Return `model` with its log odds moved by `shift` and blended.

        The buying model's share goes to the input `p_silent`, less its mean, so that shares of inputs still
        add up to the log odds. Where `p_silent` is missing it counts as its mean. A model that does not read
        it is only moved.
        """
        place = next((n for n, each in enumerate(model.inputs) if each.feature == _SILENCE), None)
        if place is None or (self.own, self.silent) == (1.0, 0.0):
            return replace(model, level=shift)
        each = model.inputs[place]
        n, total = self._usual.tolist()
        usual = total / n if n else 0.0
        weight = model.weight * self.own
        weight[place, :KNOTS] += self.silent * (np.linspace(each.low, each.high, KNOTS) - usual)
        return replace(
            model,
            weight=weight,
            bias=model.bias * self.own + self.silent * usual,
            level=shift * self.own,
            tables={},
        )

    def state(self) -> dict[str, Any]:
        """Return everything it knows as plain JSON values."""
        return {
            "shares": [self.own, self.silent],
            "at": self._at,
            "information": self._information.tolist(),
            "evidence": self._evidence.tolist(),
            "usual": self._usual.tolist(),
        }

    def restore(self, state: dict[str, Any] | None) -> None:
        """Go on from what `state` returned; with `None`, from a time before there was a blend."""
        self.__dict__.update(Blend().__dict__)
        if state is None:
            self.own, self.silent = 1.0, 0.0
            return
        self.own, self.silent = state["shares"]
        self._at = state["at"]
        self._information = np.array(state["information"])
        self._evidence = np.array(state["evidence"])
        self._usual = np.array(state["usual"])
