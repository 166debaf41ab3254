"""Shares that keep numerator and denominator, with the interval that their size allows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Z95: Final = 1.959963984540054
"""The standard normal distribution holds 95 % between this and its opposite."""


@cache
def normal_quantile(level: float) -> float:
    """Return the z between whose opposite and itself the standard normal distribution holds `level`."""
    return Z95 if level == 0.95 else NormalDist().inv_cdf((1 + level) / 2)


@dataclass(frozen=True, slots=True)
class Share:
    """`part` of `whole`, counted."""

    part: int
    whole: int

    @classmethod
    def of(cls, mask: NDArray[np.bool_]) -> Share:
        """Return how many of a mask's entries are true."""
        return cls(int(np.count_nonzero(mask)), len(mask))

    @property
    def value(self) -> float | None:
        """The quotient; `None` where there is nothing to divide by."""
        return self.part / self.whole if self.whole else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of Wilson's score; `None` without a denominator.

        Wilson, E. B. (1927): Probable inference, the law of succession, and statistical inference. Journal
        of the American Statistical Association 22, 209-212. With p = part / n and z = 1.96:
        (p + z²/2n ± z sqrt(p (1 - p) / n + z²/4n²)) / (1 + z²/n).
        """
        return self.interval_at(0.95)

    def interval_at(self, level: float) -> tuple[float, float] | None:
        """Return Wilson's interval at another level than 95 %.

        Figures that contradict each other, such as more kept than there were, have none.
        """
        if not 0 <= self.part <= self.whole or not self.whole:
            return None
        n, p, z = self.whole, self.part / self.whole, normal_quantile(level)
        zz = z * z
        middle = (p + zz / (2 * n)) / (1 + zz / n)
        half = z * math.sqrt(p * (1 - p) / n + zz / (4 * n * n)) / (1 + zz / n)
        # At the ends the formula gives 0 and 1 exactly, but for rounding.
        low = 0.0 if self.part == 0 else middle - half
        high = 1.0 if self.part == self.whole else middle + half
        return low, high

    @property
    def limits(self) -> tuple[float | None, float | None]:
        """Both ends of the interval."""
        return self.interval or (None, None)

    def as_dict(self) -> dict[str, Any]:
        """Return numerator, denominator, quotient and interval as plain JSON values."""
        low, high = self.limits
        return {"part": self.part, "whole": self.whole, "value": self.value, "low": low, "high": high}


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and quartiles of so many values (linear between two neighbours, as NumPy's default)."""

    count: int
    low: float | None
    median: float | None
    high: float | None

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> Spread:
        """Return the spread of (n,) values."""
        if not len(values):
            return cls(0, None, None, None)
        low, median, high = np.quantile(values, (0.25, 0.5, 0.75)).tolist()
        return cls(len(values), low, median, high)

    def as_dict(self) -> dict[str, Any]:
        """Return the spread as plain JSON values."""
        return {"count": self.count, "q1": self.low, "median": self.median, "q3": self.high}


@dataclass(frozen=True, slots=True)
class ShareDifference:
    """A difference of two shares with its interval, of 95 % where nothing else is said."""

    value: float | None
    low: float | None
    high: float | None

    @classmethod
    def between(cls, old: Share, new: Share, level: float = 0.95) -> ShareDifference:
        """Return `new` less `old` as if the two were counted on different customers.

        Newcombe, R. G. (1998): Interval estimation for the difference between independent proportions.
        Statistics in Medicine 17, 873-890, method 10: square and add the distances to Wilson's limits.
        Where the two share most of what they count, as two rule sets do, the interval is wider than need be.
        """
        olds, news = old.interval_at(level), new.interval_at(level)
        if olds is None or news is None or old.value is None or new.value is None:
            return cls(None, None, None)
        d = new.value - old.value
        low = d - math.hypot(new.value - news[0], olds[1] - old.value)
        high = d + math.hypot(news[1] - new.value, old.value - olds[0])
        return cls(d, low, high)

    @classmethod
    def paired(cls, old: NDArray[np.bool_], new: NDArray[np.bool_]) -> ShareDifference:
        """Return the share of `new` less that of `old` among the same (n,) things.

        Bonett, D. G., and Price, R. M. (2012): Adjusted Wald confidence interval for a difference of binomial
        proportions based on paired data. Journal of Educational and Behavioral Statistics 37, 479-488.
        """
        n = len(old)
        if not n:
            return cls(None, None, None)
        gained, lost = int(np.count_nonzero(new & ~old)), int(np.count_nonzero(old & ~new))
        p, q = (gained + 1) / (n + 2), (lost + 1) / (n + 2)
        half = Z95 * math.sqrt((p + q - (p - q) ** 2) / (n + 2))
        return cls((gained - lost) / n, max(-1.0, p - q - half), min(1.0, p - q + half))

    @property
    def limits(self) -> tuple[float | None, float | None]:
        """Both ends of the interval."""
        return self.low, self.high

    def as_dict(self) -> dict[str, Any]:
        """Return the difference as plain JSON values."""
        return {"value": self.value, "low": self.low, "high": self.high}
