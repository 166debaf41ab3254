"""When a route sends, against a slow twin that looks at every quarter of an hour."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.notify.routes import Receiver, Route
from consumers.notify.schedule import after_quiet_hours, digest_of, due_digest, next_digest, send_at
from streams.contract.silences import WEEKDAYS, Recurring, make_recurring

ZONES = ("UTC", "Europe/Berlin", "Asia/Shanghai", "America/St_Johns", "Pacific/Apia")
QUARTER = timedelta(minutes=15)
BEGIN = datetime(2026, 3, 27, tzinfo=UTC)
"""Two days before the clocks of Berlin go forward."""

clocks = st.integers(0, 95).map(lambda n: f"{n // 4:02}:{n % 4 * 15:02}")
zones = st.sampled_from(ZONES)
days = st.sets(st.sampled_from(WEEKDAYS), max_size=4).map(lambda found: tuple(sorted(found)))


@st.composite
def routes(draw: st.DrawFn) -> Route:
    zone = draw(zones)
    hours = None
    if draw(st.booleans()):
        hours = make_recurring(days=draw(days), begins=draw(clocks), ends=draw(clocks), time_zone=zone)
    return Route("r", Receiver("team", ("desk",), zone), digest=draw(clocks), quiet_hours=hours)


def is_quiet(hours: Recurring | None, at: datetime) -> bool:
    """Return whether an instant lies in quiet hours, by the clock on the wall alone."""
    if hours is None:
        return False
    local = at.astimezone(ZoneInfo(hours.time_zone))
    begins, ends = time.fromisoformat(hours.begins), time.fromisoformat(hours.ends)
    today, before = local.date(), local.date() - timedelta(days=1)

    def begin_on(day: date) -> bool:
        return not hours.days or WEEKDAYS[day.weekday()] in hours.days

    if begins < ends:
        return begin_on(today) and begins <= local.time() < ends
    return (begin_on(today) and local.time() >= begins) or (begin_on(before) and local.time() < ends)


@given(routes(), st.integers(0, 95))
def test_it_is_sent_at_the_first_quarter_that_is_not_quiet(route: Route, number: int) -> None:
    # Without a change of clocks, at which quiet hours end with the second of two equal times.
    now = datetime(2026, 5, 4, tzinfo=UTC) + number * QUARTER
    sent = send_at(route, route.receiver, now)
    at = now
    for _ in range(14 * 96):
        if not is_quiet(route.quiet_hours, at):
            break
        at += QUARTER
    else:
        return  # there is no other hour
    assert sent == at


@given(routes(), st.integers(1, 7))
def test_each_local_day_has_at_most_one_digest_and_one_unless_it_is_quiet_to_its_end(
    route: Route, step: int
) -> None:
    """However often a notifier looks: here every so many quarters of an hour."""
    zone = ZoneInfo(route.receiver.time_zone)
    made: dict[date, datetime] = {}
    for number in range(0, 6 * 96, step):
        now = BEGIN + number * QUARTER
        day = due_digest(route, now)
        if day is not None and day not in made:
            made[day] = now
            assert now.astimezone(zone).date() == day
            assert not is_quiet(route.quiet_hours, now)
    for number in range(1, 5):
        day = BEGIN.date() + timedelta(days=number)
        at = digest_of(route, day)
        if at is not None and send_at(route, route.receiver, at) == at:
            ends = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
            quiet = any(
                is_quiet(route.quiet_hours, at + n * QUARTER) for n in range(int((ends - at) / QUARTER))
            )
            # Between two looks the rest of the day may turn quiet, or end.
            assert day in made or quiet or ends - at < step * QUARTER
        if at is None:
            assert day not in made


@given(routes(), st.integers(0, 6 * 96))
def test_the_next_digest_is_the_first_after_now(route: Route, number: int) -> None:
    now = BEGIN + number * QUARTER
    found = next_digest(route, now)
    here = now.astimezone(ZoneInfo(route.receiver.time_zone)).date()
    possible = [digest_of(route, here + timedelta(days=n)) for n in range(-1, 14)]
    assert found == min((at for at in possible if at is not None and at > now), default=None)
    if found is not None:
        assert due_digest(route, found) is not None


def test_a_digest_at_a_time_that_the_clocks_leave_out_comes_with_the_change() -> None:
    berlin = Route("r", Receiver("team", ("desk",), "Europe/Berlin"), digest="02:30")
    assert digest_of(berlin, date(2026, 3, 29)) == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert digest_of(berlin, date(2026, 3, 30)) == datetime(2026, 3, 30, 0, 30, tzinfo=UTC)


def test_a_digest_waits_for_the_end_of_quiet_hours_and_is_left_out_where_that_is_the_next_day() -> None:
    night = make_recurring(begins="20:00", ends="08:00")
    route = Route("r", Receiver("team", ("desk",)), digest="07:00", quiet_hours=night)
    assert digest_of(route, date(2026, 3, 2)) == datetime(2026, 3, 2, 8, tzinfo=UTC)
    sundays = make_recurring(days=("sun",))
    route = Route("r", Receiver("team", ("desk",)), digest="07:00", quiet_hours=sundays)
    assert digest_of(route, date(2026, 3, 1)) is None
    assert next_digest(route, datetime(2026, 3, 1, tzinfo=UTC)) == datetime(2026, 3, 2, 7, tzinfo=UTC)


def test_hours_that_never_end_delay_by_two_weeks_at_most() -> None:
    always = make_recurring(begins="00:00", ends="00:00")
    now = datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert after_quiet_hours(always, now) == datetime(2026, 3, 16, tzinfo=UTC)


@pytest.mark.parametrize("zone", ZONES)
def test_quiet_hours_are_those_of_the_receivers_clock(zone: str) -> None:
    night = make_recurring(begins="22:00", ends="06:00", time_zone="Europe/Berlin")
    route = Route("r", Receiver("team", ("desk",), "Europe/Berlin"), quiet_hours=night)
    other = Receiver("other", ("mail",), zone)
    midnight = datetime(2026, 5, 4, tzinfo=ZoneInfo(zone))
    assert send_at(route, other, midnight).astimezone(ZoneInfo(zone)).hour == 6
