"""The buying model: how likely a customer is still active, from how often and how lately they were.

An MBG/NBD: while active a customer is active on days at a rate of their own (Gamma over customers), and
after each active day, the first one included, leaves with a chance of their own (Beta over customers). In a
plain BG/NBD a customer of one day cannot have left. Its four parameters are fitted on what is known of each
customer: `x` days of activity after the first, `t_x` local days from the first to the last, and `T` local
days from the first until now.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

REFIT_DAYS: Final = 28
FIRST_BLOCK: Final = 4
"""1970-01-05, a Monday, as days since the epoch: blocks of `REFIT_DAYS` are counted from it."""
MOST_HISTORIES: Final = 4000
"""Histories that a fit reads; of more a subset, by a hash of the customer."""
FEWEST_HISTORIES: Final = 20
"""Below so many there is no fit."""

_START: Final = (1.0, 30.0, 0.5, 2.0)
_LOG_LIMIT: Final = 9.0
"""Parameters stay within e to the power of this, either way."""
_STEPS: Final = 60
_TOLERANCE: Final = 1e-7

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Histories:
    """(n,) customers as the buying model knows them."""

    x: Floats
    t_x: Floats
    T: Floats

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True, slots=True)
class BuyingModel:
    """The four parameters, as fitted at one sweep."""

    r: float
    """Shape of the rates."""
    alpha: float
    """Their scale, in days."""
    a: float
    b: float
    """The chances of leaving are Beta(a, b)."""
    horizon_days: float = 90.0
    """How far `p_silent` looks ahead."""

    def p_alive(self, of: Histories) -> Floats:
        """Return the probability that each customer is still active, (n,)."""
        with np.errstate(over="ignore"):
            odds = np.exp((self.r + of.x) * (np.log(self.alpha + of.T) - np.log(self.alpha + of.t_x)))
            odds *= self.a / (self.b + of.x)
        alive: Floats = 1.0 / (1.0 + odds)
        return alive

    def p_silent(self, of: Histories, p_alive: Floats) -> Floats:
        """Return the probability that no activity of each customer follows in the horizon, (n,)."""
        base = self.alpha + of.T
        idle = np.exp((self.r + of.x) * (np.log(base) - np.log(base + self.horizon_days)))
        silent: Floats = 1.0 - p_alive * (1.0 - idle)
        return silent

    def state(self) -> list[float]:
        """Return the four parameters."""
        return [self.r, self.alpha, self.a, self.b]


class _Likelihood:
    """The mean log likelihood of histories; what depends on `x` alone is computed once for each value."""

    def __init__(self, of: Histories) -> None:
        self._x, self._inverse = np.unique(of.x, return_inverse=True)
        self._of = of

    def __call__(self, log_parameters: Floats) -> float:
        r, alpha, a, b = np.exp(log_parameters).tolist()
        of, lgamma = self._of, math.lgamma
        fixed = r * math.log(alpha) - lgamma(r) + lgamma(a + b) - lgamma(b)
        by_x = np.array(
            [
                fixed + lgamma(r + x) + lgamma(b + x) - lgamma(a + b + x + 1) + math.log(b + x)
                for x in self._x.tolist()
            ]
        )
        leaves = math.log(a) - np.log(b + self._x)
        stayed = -(r + of.x) * np.log(alpha + of.T)
        left = leaves[self._inverse] - (r + of.x) * np.log(alpha + of.t_x)
        return float(np.mean(by_x[self._inverse] + np.logaddexp(stayed, left)))


def fit(of: Histories, horizon_days: float = 90.0) -> BuyingModel:
    """Return the parameters under which the histories are most likely.

    The search begins anew each time: a fit depends on its histories alone, and none starts in the flat region
    where an earlier one saw nobody leave.
    """
    r, alpha, a, b = np.exp(_maximum(_Likelihood(of), np.log(np.array(_START)))).tolist()
    return BuyingModel(r, alpha, a, b, horizon_days)


def _maximum(function: Callable[[Floats], float], start: Floats) -> Floats:
    """Return where `function` is largest: BFGS on numeric gradients, within the limits of parameters."""
    at = np.clip(start, -_LOG_LIMIT, _LOG_LIMIT)
    value = function(at)
    slope = _slope(function, at, value)
    curvature = np.eye(len(at))
    for _ in range(_STEPS):
        direction = curvature @ slope
        if direction @ slope <= 0:
            curvature, direction = np.eye(len(at)), slope
        length = float(np.abs(direction).max())
        if length > 2.0:
            direction = direction * (2.0 / length)
        step = 1.0
        while True:
            ahead = np.clip(at + step * direction, -_LOG_LIMIT, _LOG_LIMIT)
            risen = function(ahead)
            if risen >= value + 1e-4 * float(slope @ (ahead - at)) or step < 1e-6:
                break
            step /= 2
        if not risen > value:
            break
        moved, next_slope = ahead - at, _slope(function, ahead, risen)
        gain, bend = risen - value, slope - next_slope
        at, value, slope = ahead, risen, next_slope
        if gain < _TOLERANCE and float(np.abs(slope).max()) < 1e-4:
            break
        along = float(bend @ moved)
        if along > 1e-12:
            left = np.eye(len(at)) - np.outer(moved, bend) / along
            curvature = left @ curvature @ left.T + np.outer(moved, moved) / along
    return at


def _slope(function: Callable[[Floats], float], at: Floats, value: float) -> Floats:
    """Return the gradient where `function` is `value`, by differences."""
    width = 1e-5
    slope = np.empty(len(at))
    for i in range(len(at)):
        step = np.zeros(len(at))
        step[i] = width
        slope[i] = (function(at + step) - value) / width
    return slope
