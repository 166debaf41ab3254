"""When a route sends: now or after its quiet hours, and the daily digest."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from consumers.muting.windows import local_instant, window_end
from consumers.notify.routes import Receiver, Route
from streams.contract.silences import Recurring

MOST_WINDOWS: Final = 14
"""Windows of quiet hours that may follow each other without a break; then they count as over."""
LOOK_AHEAD_DAYS: Final = 14


def after_quiet_hours(hours: Recurring | None, at: datetime) -> datetime:
    """Return `at`, or the end of the quiet hours that it lies in."""
    for _ in range(MOST_WINDOWS):
        end = window_end(hours, at) if hours is not None else None
        if end is None:
            break
        at = end
    return at


def send_at(route: Route, receiver: Receiver, now: datetime) -> datetime:
    """Return when what is not for the digest is sent to a receiver."""
    return after_quiet_hours(route.hours_of(receiver), now)


def digest_of(route: Route, day: date) -> datetime | None:
    """Return when the digest of a local day is sent, or `None` where quiet hours take up the rest of it."""
    if route.digest is None:
        return None
    zone = ZoneInfo(route.receiver.time_zone)
    at = local_instant(datetime.combine(day, time.fromisoformat(route.digest), zone))
    at = send_at(route, route.receiver, at)
    return at if at.astimezone(zone).date() == day else None


def due_digest(route: Route, now: datetime) -> date | None:
    """Return the local day whose digest is due: today's, from its time on and outside of quiet hours."""
    day = now.astimezone(ZoneInfo(route.receiver.time_zone)).date()
    at = digest_of(route, day)
    if at is None or now < at or send_at(route, route.receiver, now) != now:
        return None
    return day


def next_digest(route: Route, now: datetime) -> datetime | None:
    """Return when the next digest after `now` is sent, `None` where none is within two weeks."""
    today = now.astimezone(ZoneInfo(route.receiver.time_zone)).date()
    for days in range(LOOK_AHEAD_DAYS):
        at = digest_of(route, today + timedelta(days=days))
        if at is not None and at > now:
            return at
    return None
