from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.reports.period import Period, PeriodKind, add_months, local_day, local_days, midnight
from streams.contract.instants import EPOCH, to_us
from streams.core.events.calendar import Calendar
from streams.errors import ReportError

DAYS = st.dates(date(1971, 1, 1), date(2150, 1, 1))
ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Shanghai", "Africa/Cairo", "Pacific/Apia"]
)
KINDS = [kind for kind in PeriodKind if kind is not PeriodKind.SPAN]


@given(DAYS, ZONES)
def test_its_days_are_those_of_the_engines_calendar(day: date, zone: str) -> None:
    number = (day - EPOCH.date()).days
    assert to_us(midnight(day, zone)) == Calendar(zone).start(number)
    period = Period.containing(day, PeriodKind.DAY, zone)
    assert (period.begin_us, period.end_us) == (
        Calendar(zone).start(number),
        Calendar(zone).start(number + 1),
    )


@given(st.integers(31_536_000_000_000, 5_600_000_000_000_000), ZONES)
def test_the_local_day_is_that_of_the_engines_calendar(at_us: int, zone: str) -> None:
    at = EPOCH + timedelta(microseconds=at_us)
    assert (local_day(at, zone) - EPOCH.date()).days == Calendar(zone).day(at_us)


@pytest.mark.parametrize("zone", ["America/Sao_Paulo", "Africa/Cairo", "America/Havana"])
def test_where_the_clock_changes_at_midnight_too(zone: str) -> None:
    calendar = Calendar(zone)
    starts = np.array([calendar.start(day) for day in range(13_000, 17_000)])
    for around in (-1, 0, 1, 1_800_000_000, 3_600_000_000):
        for start in starts[:: 1 if around == 0 else 7].tolist():
            at = EPOCH + timedelta(microseconds=start + around)
            assert (local_day(at, zone) - EPOCH.date()).days == calendar.day(start + around)


@given(st.lists(st.integers(1_600_000_000_000_000, 1_700_000_000_000_000), max_size=20), ZONES)
def test_the_local_days_of_many_instants_are_those_of_each(instants: list[int], zone: str) -> None:
    calendar = Calendar(zone)
    midnights = [calendar.start(calendar.day(at)) - before for at in instants for before in (0, 1)]
    at = np.array(instants + midnights, dtype=np.int64)
    assert local_days(at, zone).tolist() == calendar.days(at).tolist()


@given(DAYS, st.sampled_from(KINDS))
def test_periods_of_a_kind_follow_each_other_without_a_gap(day: date, kind: PeriodKind) -> None:
    period = Period.containing(day, kind, "UTC")
    assert period.begin <= day < period.end
    assert period.before().end == period.begin
    assert period.before().after() == period == period.after().before()
    assert Period.parse(period.key, "UTC") == period


@given(DAYS, st.integers(0, 900))
def test_a_span_is_read_as_what_it_is(first: date, more: int) -> None:
    period = Period.between(first, first + timedelta(days=more), "UTC")
    assert (period.begin, period.days) == (first, more + 1)
    assert Period.parse(period.key, "UTC") == period
    assert period.before().end == period.begin
    if not period.months():
        assert period.before().days == period.days or period.kind is not PeriodKind.SPAN


@pytest.mark.parametrize(
    ("text", "before", "year_before"),
    [
        ("2024-02-29", "2024-02-28", "2023-02-28"),
        ("2024-03-31", "2024-03-30", "2023-03-31"),
        ("2024-02", "2024-01", "2023-02"),
        ("2024-Q1", "2023-Q4", "2023-Q1"),
        ("2024", "2023", "2023"),
        ("2024-W01", "2023-W52", "2023-W01"),
        ("2020-W53", "2020-W52", "2019-W52"),
        ("2024-01-01..2024-02-29", "2023-11-01..2023-12-31", "2023-01-01..2023-02-28"),
        ("2024-03-10..2024-03-12", "2024-03-07..2024-03-09", "2023-03-10..2023-03-12"),
        ("2024-02-01..2024-02-29", "2024-01", "2023-02"),
    ],
)
def test_what_it_is_compared_with(text: str, before: str, year_before: str) -> None:
    period = Period.parse(text, "UTC")
    assert (period.before().key, period.year_before().key) == (before, year_before)


def test_its_months() -> None:
    def keys(periods: tuple[Period, ...]) -> list[str]:
        return [each.key for each in periods]

    assert keys(Period.parse("2024-Q1", "UTC").months()) == ["2024-01", "2024-02", "2024-03"]
    assert Period.parse("2024-W09", "UTC").months() == ()
    assert keys(Period.parse("2024-W09", "UTC").touched_months()) == ["2024-02", "2024-03"]
    assert keys(Period.parse("2024-02", "UTC").trailing_months(3)) == ["2023-12", "2024-01", "2024-02"]
    assert keys(Period.parse("2024-02-28", "UTC").trailing_months(1)) == ["2024-01"]


def test_the_newest_that_is_over() -> None:
    at = datetime(2024, 3, 31, 22, 30, tzinfo=UTC)
    assert Period.last_ended(PeriodKind.MONTH, at, "UTC").key == "2024-02"
    assert Period.last_ended(PeriodKind.MONTH, at, "Europe/Berlin").key == "2024-03"
    assert Period.last_ended(PeriodKind.DAY, at, "Europe/Berlin").key == "2024-03-31"
    assert Period.last_ended(PeriodKind.WEEK, at, "UTC").key == "2024-W12"


@pytest.mark.parametrize(
    "text", ["", "2024-13", "2024-W54", "2024-Q5", "march", "2024-3", "2024-02-30", "2024-03-05..", "x..y"]
)
def test_what_is_no_period_is_refused_with_the_forms(text: str) -> None:
    with pytest.raises(ReportError, match=r"write it as|before it begins"):
        Period.parse(text, "UTC")


def test_a_span_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ReportError, match=r"ends before it begins: 2024-03-05\.\.2024-03-01"):
        Period.parse("2024-03-05..2024-03-01", "UTC")


@pytest.mark.parametrize(
    ("text", "english", "chinese"),
    [
        ("2024-03-05", "5 March 2024", "2024年3月5日"),
        ("2024-W09", "week 9 of 2024 (26 Feb – 3 Mar 2024)", "2024年第9周（2024年2月26日 – 3月3日）"),
        ("2024-03", "March 2024", "2024年3月"),
        ("2024-Q2", "2nd quarter 2024", "2024年第2季度"),
        ("2024", "2024", "2024年"),
        ("2024-03-05..2024-04-20", "5 Mar – 20 Apr 2024", "2024年3月5日 – 4月20日"),
    ],
)
def test_its_name_in_words(text: str, english: str, chinese: str) -> None:
    period = Period.parse(text, "UTC")
    assert [period.title(locale).replace("\u2009", " ") for locale in ("en_GB", "zh_Hans_CN")] == [
        english,
        chinese,
    ]


def test_months_later_never_leaves_the_month() -> None:
    for count in range(-30, 30):
        found = add_months(date(2024, 1, 31), count)
        assert (found.year * 12 + found.month) - (2024 * 12 + 1) == count
