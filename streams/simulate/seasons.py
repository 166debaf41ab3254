"""How busy a shop is by day of the year, day of the week and hour of the day."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

WEEKDAYS: Final = (1.02, 1.02, 1.0, 1.05, 1.16, 0.95, 0.8)
"""Orders on Monday to Sunday, relative to the mean day."""

HOURS: Final = (3, 1, 1, 1, 1, 2, 6, 14, 24, 34, 40, 42, 44, 40, 36, 36, 38, 42, 48, 54, 56, 46, 26, 10)
"""Relative number of orders in each local hour: few at night, a peak at noon and one in the evening."""

EARLIEST: Final = 1800 / 86400
"""Share of the day before which nobody orders, so that the login before an order falls on its day."""


def season(day: date) -> float:
    """Return how busy a day is relative to the mean day: weekday, Christmas peak, January and summer dip."""
    position = day.timetuple().tm_yday
    christmas = 0.9 * np.exp(-0.5 * ((position - 342) / 13) ** 2)
    january = -0.18 * np.exp(-0.5 * ((position - 18) / 14) ** 2)
    summer = -0.1 * np.exp(-0.5 * ((position - 212) / 24) ** 2)
    return float(WEEKDAYS[day.weekday()] * (0.967 + christmas + january + summer))


def seasons(start: date, days: int) -> NDArray[np.float64]:
    """Return `season` of each of `days` days from `start` on, `(days,)`."""
    return np.array([season(start + timedelta(days=i)) for i in range(days)])


def midnights(start: date, days: int, zone: ZoneInfo) -> NDArray[np.int64]:
    """Return `days + 1` local midnights in microseconds since the epoch: day `i` is `[m[i], m[i + 1])`."""
    first = [datetime.combine(start + timedelta(days=i), time(), zone) for i in range(days + 1)]
    return np.array([int(moment.timestamp()) * 1_000_000 for moment in first], np.int64)


def time_of_day(uniform: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn uniform numbers `(n,)` into shares of the day `(n,)` that follow `HOURS`."""
    steps = np.concatenate(([0.0], np.cumsum(HOURS) / sum(HOURS)))
    share: NDArray[np.float64] = np.interp(uniform, steps, np.linspace(0.0, 1.0, 25))
    return EARLIEST + (1 - EARLIEST) * share
