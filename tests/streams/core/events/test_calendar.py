from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.events.calendar import DAY, HOUR, Calendar

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "America/Sao_Paulo", "Pacific/Apia"]


def us(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1_000_000)


@given(
    st.sampled_from(ZONES),
    st.datetimes(datetime.fromisoformat("1971-01-01"), datetime.fromisoformat("2060-01-01")),
)
def test_a_local_day_is_the_date_on_the_wall(zone: str, wall: datetime) -> None:
    instant = us(wall.isoformat() + "+00:00")
    local = datetime.fromtimestamp(instant / 1e6, ZoneInfo(zone)).date()
    days = (local - date(1970, 1, 1)).days
    calendar = Calendar(zone)
    assert calendar.day(instant) == days
    assert calendar.days(np.array([instant])).tolist() == [days]
    assert calendar.start(days) <= instant < calendar.start(days + 1)


@pytest.mark.parametrize(
    ("zone", "at", "midnight"),
    [
        ("Europe/Berlin", "2024-03-30T23:00:00+00:00", "2024-03-31T22:00:00+00:00"),  # a day of 23 hours
        ("Europe/Berlin", "2024-10-26T22:00:00+00:00", "2024-10-27T23:00:00+00:00"),  # and one of 25
        ("America/Sao_Paulo", "2018-11-03T12:00:00+00:00", "2018-11-04T03:00:00+00:00"),  # 00:00 skipped
    ],
)
def test_midnight_where_the_clock_changes(zone: str, at: str, midnight: str) -> None:
    assert Calendar(zone).next_midnight(us(at)) == us(midnight)
    assert Calendar(zone).next_sweep(us(at)) == us(midnight)


def test_sweeps_within_a_day_begin_anew_at_each_midnight() -> None:
    calendar = Calendar("Europe/Berlin", 6 * HOUR)
    at = us("2024-03-31T00:00:00+01:00")
    sweeps = []
    for _ in range(5):
        at = calendar.next_sweep(at)
        sweeps.append(datetime.fromtimestamp(at / 1e6, ZoneInfo("Europe/Berlin")).strftime("%d %H:%M"))
    # The clock goes from 02:00 to 03:00, so the parts of that day lie an hour later on the wall.
    assert sweeps == ["31 07:00", "31 13:00", "31 19:00", "01 00:00", "01 06:00"]


def test_sweeps_of_several_days_fall_on_fixed_days() -> None:
    calendar = Calendar("UTC", 7 * DAY)
    first = calendar.next_sweep(us("2024-05-01T10:00:00+00:00"))
    assert first % (7 * DAY) == 0
    assert calendar.next_sweep(first) == first + 7 * DAY


@pytest.mark.parametrize("every", [0, -DAY, 7 * HOUR, DAY + HOUR])
def test_an_interval_that_fits_no_grid_is_refused(every: int) -> None:
    with pytest.raises(ValueError, match="sweep interval"):
        Calendar("UTC", every)


def test_days_before_1970_are_not_needed_but_the_day_before_the_epoch_is() -> None:
    calendar = Calendar("America/New_York")
    assert calendar.day(0) == -1
    assert calendar.start(0) == timedelta(hours=5) / timedelta(microseconds=1)
