"""Recurring hours on days on which the clocks change, compared with what a clock on the wall shows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from consumers.muting.windows import window_end
from streams.contract.silences import Recurring, make_recurring

MINUTE = timedelta(minutes=1)
BERLIN = "Europe/Berlin"


def hours(begins: str, ends: str, zone: str = BERLIN) -> Recurring:
    return make_recurring(begins=begins, ends=ends, time_zone=zone)


def in_force(window: Recurring, first: datetime, minutes: int) -> list[tuple[str, str]]:
    """Return the spans in UTC, found minute by minute, in which the hours are in force."""
    spans: list[list[datetime]] = []
    for minute in range(minutes):
        at = first + minute * MINUTE
        if window_end(window, at) is None:
            continue
        if spans and spans[-1][1] == at:
            spans[-1][1] = at + MINUTE
        else:
            spans.append([at, at + MINUTE])
    return [(f"{begin:%H:%M}", f"{end:%H:%M}") for begin, end in spans]


SPRING, AUTUMN = datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "begins", "ends", "spans"),
    [
        # 02:00 to 03:00 does not exist: the clock shows 03:00 at 01:00 UTC.
        (SPRING, "02:30", "03:15", [("01:00", "01:15")]),
        (SPRING, "01:30", "02:30", [("00:30", "01:00")]),
        (SPRING, "02:15", "02:45", []),
        (SPRING, "02:00", "03:00", []),
        (SPRING, "03:00", "03:15", [("01:00", "01:15")]),
        # 02:00 to 03:00 is there twice, from 00:00 and from 01:00 UTC.
        (AUTUMN, "02:30", "03:15", [("00:30", "02:15")]),
        (AUTUMN, "01:30", "02:30", [("00:00", "01:30")]),
        (AUTUMN, "02:15", "02:45", [("00:15", "01:45")]),
        (AUTUMN, "03:00", "03:15", [("02:00", "02:15")]),
    ],
)
def test_hours_on_the_days_on_which_the_clocks_change(
    day: datetime, begins: str, ends: str, spans: list[tuple[str, str]]
) -> None:
    assert in_force(hours(begins, ends), day, 4 * 60) == spans


def test_a_whole_day_that_begins_in_a_gap_begins_with_the_change() -> None:
    # Beirut's clocks go from 00:00 to 01:00.
    window = make_recurring(dates=(date(2026, 3, 29),), time_zone="Asia/Beirut")
    begin = datetime(2026, 3, 28, 22, tzinfo=UTC)
    assert window_end(window, begin - MINUTE) is None
    assert window_end(window, begin) == datetime(2026, 3, 29, 21, tzinfo=UTC)


ZONES = ["UTC", BERLIN, "America/New_York", "Asia/Beirut", "Australia/Lord_Howe", "America/Havana"]
clocks = st.tuples(st.integers(0, 23), st.sampled_from([0, 15, 30, 45])).map(
    lambda at: f"{at[0]:02}:{at[1]:02}"
)


@given(st.integers(0, 366 * 24 * 60 - 1), st.sampled_from(ZONES), clocks, clocks)
@example((SPRING - datetime(2026, 1, 1, tzinfo=UTC)) // MINUTE + 65, BERLIN, "02:30", "03:15")
def test_hours_are_in_force_whenever_a_clock_on_the_wall_shows_them(
    minute: int, zone: str, begins: str, ends: str
) -> None:
    """The slow twin is the look of a clock; only around a clock that is put back may they last longer."""
    at = datetime(2026, 1, 1, tzinfo=UTC) + minute * MINUTE
    shown = f"{at.astimezone(ZoneInfo(zone)):%H:%M}"
    inside = begins <= shown < ends if begins < ends else shown >= begins or shown < ends
    end = window_end(hours(begins, ends, zone), at)
    if inside:
        assert end is not None
    elif end is not None:
        local = [at + n * timedelta(hours=1) for n in range(-25, 26)]
        offsets = [moment.astimezone(ZoneInfo(zone)).utcoffset() for moment in local]
        assert any(b < a for a, b in pairwise(offsets))  # type: ignore[operator]
    if end is not None:
        assert end > at
        assert window_end(hours(begins, ends, zone), end - timedelta(seconds=1)) is not None
