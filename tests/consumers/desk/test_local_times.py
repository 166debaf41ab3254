"""Times that people type, by their own clock; whatever else they type is refused in their language."""

from datetime import UTC, datetime

import pytest

from consumers.desk.local_times import NoTime, read_day, read_time
from consumers.language import language

WRONG = ("", "x", "2026-13-01", "2026-03-01T25:00", "0001-01-01T00:00", "2026-03-01T09:00+99:00", "\0")
"""The first instants of year 1 lie before any time in UTC, where the clock is ahead of it."""


def test_a_time_is_by_the_readers_clock_unless_it_names_another() -> None:
    assert read_time(" 2026-07-01T09:30 ", "Asia/Shanghai") == datetime(2026, 7, 1, 1, 30, tzinfo=UTC)
    assert read_time("2026-07-01T09:30+00:00", "Asia/Shanghai") == datetime(2026, 7, 1, 9, 30, tzinfo=UTC)


def test_a_day_begins_at_the_readers_midnight_when_clocks_change_too() -> None:
    assert read_day("2026-03-29", "Europe/Berlin") == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert read_day("2026-03-29", "Europe/Berlin", after=1) == datetime(2026, 3, 29, 22, tzinfo=UTC)


@pytest.mark.parametrize("text", WRONG)
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises(NoTime, match="not a time"):
        read_time(text, "Asia/Shanghai")
    with pytest.raises(NoTime, match="not a day"):
        read_day(text, "Asia/Shanghai")


def test_the_last_day_of_all_has_none_after_it() -> None:
    with pytest.raises(NoTime):
        read_day("9999-12-31", "UTC", after=1)


def test_the_refusal_is_in_the_readers_language() -> None:
    token = language.set("zh")
    try:
        with pytest.raises(NoTime, match="有效时间"):
            read_time("x", "UTC")
    finally:
        language.reset(token)
