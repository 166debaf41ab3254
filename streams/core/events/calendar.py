"""The business's calendar: local days and the grid of sweeps, in event time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

NEVER: Final = -(2**63)
"""The instant of something that has not happened: before every other."""
ALWAYS: Final = 2**63 - 1
"""An instant after every other."""

SECOND: Final = 1_000_000
"""Microseconds in a second."""
HOUR: Final = 3600 * SECOND
DAY: Final = 24 * HOUR
"""Microseconds in 24 hours; a local day may be longer or shorter."""

FIRST_DAY: Final = -1
LAST_DAY: Final = 84_370
"""Local days that the calendar knows, counted from 1970-01-01: up to the end of the year 2200."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@lru_cache(maxsize=8)
def _midnights(zone: str) -> NDArray[np.int64]:
    """Return the first instant of every local day that the calendar knows, (days,)."""
    if zone == "UTC":
        return np.arange(FIRST_DAY, LAST_DAY + 1, dtype=np.int64) * DAY
    info = ZoneInfo(zone)
    first = datetime(1970, 1, 1, tzinfo=info)
    # Wall-clock arithmetic: a datetime plus whole days keeps 00:00 local. Where a clock change skips
    # midnight, the offset before the change gives the change itself, which is the day's first instant.
    return np.array(
        [(first + timedelta(days=d) - _EPOCH) // _MICROSECOND for d in range(FIRST_DAY, LAST_DAY + 1)],
        dtype=np.int64,
    )


class Calendar:
    """Local days of one time zone, counted from 1970-01-01, and the sweeps on them.

    `sweep_every` is a whole number of days, or a part of a day that divides it; parts are counted from
    each local midnight anew, so that every midnight is a sweep also where the clock changes.

    Raises `ValueError` for any other interval and `ZoneInfoNotFoundError` for an unknown zone.
    """

    def __init__(self, zone: str, sweep_every: int = DAY) -> None:
        if sweep_every <= 0 or (sweep_every % DAY and DAY % sweep_every):
            msg = "the sweep interval must be whole days or divide a day"
            raise ValueError(msg)
        self.zone = zone
        self._starts = _midnights(zone)
        self._every_days = max(1, sweep_every // DAY)
        self._part = min(sweep_every, DAY)

    def days(self, at: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the local day of each instant, (n,)."""
        if self.zone == "UTC":
            return at // DAY
        return np.searchsorted(self._starts, at, side="right") + (FIRST_DAY - 1)

    def day(self, at: int) -> int:
        """Return the local day of one instant."""
        return int(np.searchsorted(self._starts, at, side="right")) + FIRST_DAY - 1

    def start(self, day: int) -> int:
        """Return the first instant of a local day."""
        return int(self._starts[day - FIRST_DAY])

    def next_midnight(self, at: int) -> int:
        """Return the first local midnight after `at`."""
        return self.start(self.day(at) + 1)

    def next_sweep(self, at: int) -> int:
        """Return the first sweep after `at`."""
        day = self.day(at)
        if self._part < DAY:
            midnight = self.start(day)
            within = midnight + ((at - midnight) // self._part + 1) * self._part
            return min(within, self.start(day + 1))
        return self.start((day // self._every_days + 1) * self._every_days)
