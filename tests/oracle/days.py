"""Local days, midnights and the sweep grid, by `zoneinfo` and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

SECOND: Final = 1_000_000
HOUR: Final = 3_600 * SECOND
DAY: Final = 24 * HOUR
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=200_000)
def local_day(at: int, zone: ZoneInfo) -> int:
    """Return the number (proleptic ordinal) of the local day that holds the instant `at`."""
    return (EPOCH + timedelta(microseconds=at)).astimezone(zone).date().toordinal()


@lru_cache(maxsize=20_000)
def midnight(day: int, zone: ZoneInfo) -> int:
    """Return the instant at which the local day begins (01:00 where the clock skips midnight)."""
    wall = datetime.combine(date.fromordinal(day), datetime.min.time(), tzinfo=zone)
    return (wall.astimezone(UTC) - EPOCH) // timedelta(microseconds=1)


def instant(text: str, zone: ZoneInfo | None = None) -> int:
    """Return the instant of an ISO 8601 text, which stands in `zone` unless it names an offset.

    >>> instant("1970-01-02T00:00:00Z") == DAY
    True
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone or UTC)
    return (moment.astimezone(UTC) - EPOCH) // timedelta(microseconds=1)


def sweep_instants(first: int, every: int, zone: ZoneInfo) -> Iterator[int]:
    """Yield the sweeps after the first evaluation, without end.

    They begin at the first local midnight after `first`; with `every` below a day each local midnight
    begins the count anew, so that a sweep at local midnight exists on days of 23 and 25 hours too. The twin
    knows no grid above a day.
    """
    assert every <= DAY
    day = local_day(first, zone) + 1
    while True:
        begin, end = midnight(day, zone), midnight(day + 1, zone)
        if begin == end:  # a day that a zone left out, as Samoa did when it crossed the date line
            pass
        elif every == DAY:
            yield begin
        else:
            yield from range(begin, end, every)
        day += 1
