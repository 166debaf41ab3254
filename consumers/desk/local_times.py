"""Days and times that people type, read by their own clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from consumers.language import gettext


class NoTime(ValueError):
    """What somebody typed is no time, or no day; the text is in the reader's language."""


def read_time(text: str, zone: str) -> datetime:
    """Return the instant that somebody means, by the clock of a zone where the text names none.

    >>> read_time("2026-03-01T09:00", "Europe/Berlin").isoformat()
    '2026-03-01T08:00:00+00:00'
    """
    try:
        found = datetime.fromisoformat(text.strip())
        return (found if found.tzinfo is not None else found.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise NoTime(gettext("This is not a time: choose a day and an hour.")) from error


def read_day(text: str, zone: str, *, after: int = 0, at: time = time()) -> datetime:
    """Return when a day begins by the clock of a zone, or another hour of it, or some days after it.

    >>> read_day("2026-03-01", "Europe/Berlin", after=1).isoformat()
    '2026-03-01T23:00:00+00:00'
    """
    try:
        day = date.fromisoformat(text.strip()) + timedelta(days=after)
        return datetime.combine(day, at, ZoneInfo(zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise NoTime(gettext("This is not a day: write it as 2026-03-31.")) from error
