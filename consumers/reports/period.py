"""The span of local days that a report is about, and the spans that it is compared with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from babel.dates import format_interval, format_skeleton
from numpy.typing import NDArray

from streams.contract.instants import EPOCH, MICROSECOND, to_us
from streams.errors import ReportError

ONE_DAY: Final = timedelta(days=1)
_WEEK: Final = {"en": "week {week} of {year} ({days})", "zh": "{year}年第{week}周（{days}）"}
YEARS: Final = range(1971, 2201)
"""The years of which there are reports: the periods that one is compared with lie in the calendar too."""
_FORMS: Final = "2024-03-05, 2024-W09, 2024-03, 2024-Q1, 2024 or 2024-03-05..2024-04-20"


class PeriodKind(StrEnum):
    """How a period lies in the calendar."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    SPAN = "span"


_MONTHS: Final = {PeriodKind.MONTH: 1, PeriodKind.QUARTER: 3, PeriodKind.YEAR: 12}


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """Local days from `begin` up to but without `end`, in the business's time zone."""

    begin: date
    end: date
    kind: PeriodKind
    zone: str

    # -- which one ----------------------------------------------------------------------------------

    @classmethod
    def containing(cls, day: date, kind: PeriodKind, zone: str) -> Period:
        """Return the day, ISO week, month, quarter or year in which a day lies."""
        if kind is PeriodKind.DAY:
            return cls(day, day + ONE_DAY, kind, zone)
        if kind is PeriodKind.WEEK:
            monday = day - timedelta(days=day.weekday())
            return cls(monday, monday + 7 * ONE_DAY, kind, zone)
        if kind is PeriodKind.SPAN:
            msg = "a span has a first and a last day"
            raise ValueError(msg)
        count = _MONTHS[kind]
        begin = date(day.year, (day.month - 1) // count * count + 1, 1)
        return cls(begin, add_months(begin, count), kind, zone)

    @classmethod
    def between(cls, first: date, last: date, zone: str) -> Period:
        """Return the period of the days from `first` to `last`, both included.

        >>> Period.between(date(2024, 2, 1), date(2024, 2, 29), "UTC").key
        '2024-02'
        """
        if last < first:
            msg = f"a period ends before it begins: {first}..{last}"
            raise ReportError(msg)
        for kind in (*reversed(_MONTHS), PeriodKind.WEEK, PeriodKind.DAY):
            whole = cls.containing(first, kind, zone)
            if (whole.begin, whole.end) == (first, last + ONE_DAY):
                return whole
        return cls(first, last + ONE_DAY, PeriodKind.SPAN, zone)

    @classmethod
    def parse(cls, text: str, zone: str) -> Period:
        """Return the period that a text names.

        >>> [Period.parse(text, "UTC").end.isoformat() for text in ("2024-02", "2024-W09", "2024-Q4")]
        ['2024-03-01', '2024-03-04', '2025-01-01']
        """
        try:
            return cls._parsed(text.strip(), zone)
        except (ValueError, OverflowError):
            msg = f"no period: {text!r}; write it as {_FORMS}"
            raise ReportError(msg) from None

    @classmethod
    def _parsed(cls, text: str, zone: str) -> Period:
        first, dots, last = text.partition("..")
        if dots:
            return cls.between(_day(first), _day(last), zone)
        if re.fullmatch(r"\d{4}", text):
            return cls.containing(date(int(text), 1, 1), PeriodKind.YEAR, zone)
        if re.fullmatch(r"\d{4}-\d{2}", text):
            return cls.containing(_day(f"{text}-01"), PeriodKind.MONTH, zone)
        if found := re.fullmatch(r"(\d{4})-[Qq]([1-4])", text):
            return cls.containing(date(int(found[1]), 3 * int(found[2]), 1), PeriodKind.QUARTER, zone)
        if found := re.fullmatch(r"(\d{4})-[Ww](\d{2})", text):
            monday = date.fromisocalendar(int(found[1]), int(found[2]), 1)
            return cls.containing(monday, PeriodKind.WEEK, zone)
        return cls.containing(_day(text), PeriodKind.DAY, zone)

    @classmethod
    def last_ended(cls, kind: PeriodKind, at: datetime, zone: str) -> Period:
        """Return the newest period of a kind that is over at an instant."""
        return cls.containing(local_day(at, zone), kind, zone).before()

    # -- where it lies --------------------------------------------------------------------------------

    @property
    def begin_at(self) -> datetime:
        """The first instant of the period, in UTC."""
        return midnight(self.begin, self.zone)

    @property
    def end_at(self) -> datetime:
        """The first instant after the period, in UTC."""
        return midnight(self.end, self.zone)

    @property
    def begin_us(self) -> int:
        """The first instant of the period, in microseconds since the epoch."""
        return to_us(self.begin_at)

    @property
    def end_us(self) -> int:
        """The first instant after the period, in microseconds since the epoch."""
        return to_us(self.end_at)

    @property
    def days(self) -> int:
        """How many local days it has."""
        return (self.end - self.begin).days

    @property
    def is_reportable(self) -> bool:
        """Whether it lies in the years of which there are reports."""
        return self.begin.year in YEARS and self.end.year in YEARS

    # -- its neighbours ---------------------------------------------------------------------------------

    def before(self) -> Period:
        """Return the period of the same kind, or the span of the same length, just before it."""
        if self.kind is PeriodKind.SPAN:
            months = len(self.months())
            begin = add_months(self.begin, -months) if months else self.begin - ONE_DAY * self.days
            return Period.between(begin, self.begin - ONE_DAY, self.zone)
        return Period.containing(self.begin - ONE_DAY, self.kind, self.zone)

    def year_before(self) -> Period:
        """Return the same period one year earlier: of a week the one of that number, or the year's last.

        >>> Period.parse("2020-W53", "UTC").year_before().key
        '2019-W52'
        """
        if self.kind is PeriodKind.WEEK:
            year, week, _ = self.begin.isocalendar()
            last = date(year - 1, 12, 28).isocalendar().week  # 28 December always lies in the last one
            monday = date.fromisocalendar(year - 1, min(week, last), 1)
            return Period.containing(monday, self.kind, self.zone)
        begin = add_months(self.begin, -12)
        if self.kind is not PeriodKind.SPAN:
            return Period.containing(begin, self.kind, self.zone)
        end = add_months(self.end, -12)
        return Period.between(begin, max(begin, end - ONE_DAY), self.zone)

    def months(self) -> tuple[Period, ...]:
        """Return the months of which it consists; none where it has a part of one."""
        return self.touched_months() if self.begin.day == self.end.day == 1 else ()

    def touched_months(self) -> tuple[Period, ...]:
        """Return the months in which it has a day."""
        found = []
        month = Period.containing(self.begin, PeriodKind.MONTH, self.zone)
        while month.begin < self.end:
            found.append(month)
            month = month.after()
        return tuple(found)

    def after(self) -> Period:
        """Return the period of the same kind, or the span of the same length, just after it."""
        if self.kind is PeriodKind.SPAN:
            months = len(self.months())
            end = add_months(self.end, months) if months else self.end + ONE_DAY * self.days
            return Period.between(self.end, end - ONE_DAY, self.zone)
        return Period.containing(self.end, self.kind, self.zone)

    def trailing_months(self, count: int) -> tuple[Period, ...]:
        """Return so many months up to the last that is over when the period is."""
        end = Period.containing(self.end, PeriodKind.MONTH, self.zone)
        found = [end.before()]
        while len(found) < count:
            found.append(found[-1].before())
        return tuple(reversed(found))

    # -- its names --------------------------------------------------------------------------------------

    @property
    def key(self) -> str:
        """Its name in figures and file names; `parse` reads it."""
        first = self.begin.isoformat()
        if self.kind is PeriodKind.WEEK:
            year, week, _ = self.begin.isocalendar()
            return f"{year}-W{week:02}"
        if self.kind is PeriodKind.QUARTER:
            return f"{first[:4]}-Q{(self.begin.month + 2) // 3}"
        if self.kind is PeriodKind.SPAN:
            return f"{first}..{self.end - ONE_DAY}"
        return {PeriodKind.DAY: first, PeriodKind.MONTH: first[:7]}.get(self.kind, first[:4])

    def title(self, locale: str) -> str:
        """Return its name in the language of a locale of Babel's.

        >>> Period.parse("2024-Q1", "UTC").title("en_GB")
        '1st quarter 2024'
        """
        if self.kind is PeriodKind.DAY:
            return str(format_skeleton("yMMMMd", self.begin, locale=locale))
        if self.kind in _MONTHS:
            skeleton = {PeriodKind.MONTH: "yMMMM", PeriodKind.QUARTER: "yQQQQ"}.get(self.kind, "y")
            return str(format_skeleton(skeleton, self.begin, locale=locale))
        days = str(format_interval(self.begin, self.end - ONE_DAY, "yMMMd", locale=locale))
        if self.kind is PeriodKind.SPAN:
            return days
        year, week, _ = self.begin.isocalendar()
        return _WEEK[locale[:2]].format(year=year, week=week, days=days)


def _day(text: str) -> date:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text.strip()):
        raise ValueError(text)
    return date.fromisoformat(text.strip())


def add_months(day: date, count: int) -> date:
    """Return the day so many months later, the month's last day where it is shorter.

    >>> add_months(date(2024, 3, 31), -1)
    datetime.date(2024, 2, 29)
    """
    month = day.year * 12 + day.month - 1 + count
    last = date((month + 1) // 12, (month + 1) % 12 + 1, 1) - ONE_DAY
    return last.replace(day=min(day.day, last.day))


@lru_cache(maxsize=4096)
def midnight(day: date, zone: str) -> datetime:
    """Return the first instant of a local day, in UTC.

    Where a clock change skips midnight, the offset before the change gives the change itself, as it does in
    the engine's calendar.
    """
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def local_day(at: datetime, zone: str) -> date:
    """Return the local day of an instant."""
    day = at.astimezone(ZoneInfo(zone)).date()
    # Where a clock change repeats midnight, the day begins with the first of the two and is not left again.
    return day + ONE_DAY if at >= midnight(day + ONE_DAY, zone) else day


def local_days(at: NDArray[np.int64], zone: str) -> NDArray[np.int64]:
    """Return the local day of each instant in microseconds, (n,), as days since 1970-01-01."""
    if not len(at):
        return at
    first, last = (
        local_day(EPOCH + int(edge) * MICROSECOND, zone).toordinal() for edge in (at.min(), at.max())
    )
    begins = [to_us(midnight(date.fromordinal(day), zone)) for day in range(first, last + 1)]
    return np.searchsorted(begins, at, side="right") + (first - EPOCH.toordinal() - 1)
