"""Recurring hours: whether an instant lies in them, and when they end."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from streams.contract.silences import WEEKDAYS, Recurring


def window_end(hours: Recurring, at: datetime) -> datetime | None:
    """Return when the hours end that `at` lies in, or `None` outside of them; the end is outside.

    The hours belong to the local day on which they begin. A local time that a change of clocks leaves out is
    the instant of the change; of one that it repeats, hours begin with the first and end with the second.

    >>> night = Recurring(days=("mon",), begins="22:00", ends="07:00", time_zone="Europe/Berlin")
    >>> window_end(night, datetime(2026, 3, 3, 1, 0, tzinfo=UTC)).isoformat()
    '2026-03-03T06:00:00+00:00'
    """
    zone = ZoneInfo(hours.time_zone)
    today = at.astimezone(zone).date()
    # Hours of yesterday may reach into today, and none are longer than a day.
    for day in (today, today - timedelta(days=1)):
        if _begins_on(hours, day):
            begin, end = _instants(hours, day, zone)
            if begin <= at < end:
                return end
    return None


def last_end(hours: Recurring) -> datetime | None:
    """Return when the hours end for the last time, `None` where they come again without end."""
    if hours.days or not hours.dates:
        return None
    return _instants(hours, max(hours.dates), ZoneInfo(hours.time_zone))[1]


def _begins_on(hours: Recurring, day: date) -> bool:
    if not hours.days and not hours.dates:
        return True
    return WEEKDAYS[day.weekday()] in hours.days or day in hours.dates


def _instants(hours: Recurring, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    begins, ends = time.fromisoformat(hours.begins), time.fromisoformat(hours.ends)
    last = day + timedelta(days=1) if ends <= begins else day
    begin = local_instant(datetime.combine(day, begins, zone))
    return begin, local_instant(datetime.combine(last, ends, zone).replace(fold=1))


def local_instant(local: datetime) -> datetime:
    """Return the instant at which a clock shows `local`, or that of the change which leaves it out."""
    # PEP 495: in a gap the two folds lie around the change, the second before the first.
    before, after = (local.replace(fold=fold).astimezone(UTC) for fold in (1, 0))
    if before <= after and before.astimezone(local.tzinfo).replace(tzinfo=None) != local.replace(tzinfo=None):
        offset = before.astimezone(local.tzinfo).utcoffset()
        while after - before > timedelta(seconds=1):
            middle = before + (after - before) // 2
            if middle.astimezone(local.tzinfo).utcoffset() == offset:
                before = middle
            else:
                after = middle
        return after.replace(microsecond=0)
    return local.astimezone(UTC)
