"""What a report is written with: texts in a language, and numbers, amounts and dates as it writes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_skeleton
from babel.numbers import format_currency, format_decimal, format_percent

from consumers import language as languages
from streams.share import Share, ShareDifference

NOTHING: Final = "–"
"""Where there is no figure."""
WHOLE_FROM: Final = 1000
"""Amounts of this size are written without a fraction."""


@dataclass(frozen=True, slots=True)
class Words:
    """One language, with the time zone and the currency of the business."""

    language: str = languages.DEFAULT
    zone: str = "UTC"
    currency: str | None = None

    @property
    def locale(self) -> str:
        """Babel's name of the language."""
        return languages.LOCALES[self.language]

    def gettext(self, text: str, **values: Any) -> str:
        """Return a text in the language; `{name}` in it is filled with a value.

        >>> Words().gettext("{n} of all", n="5")
        '5 of all'
        """
        shown = languages.translated(self.language, text)
        return shown.format(**values) if values else shown

    def ngettext(self, one: str, many: str, count: int, **values: Any) -> str:
        """Return a text in the form for a count, which fills `{count}`.

        >>> Words().ngettext("{count} customer", "{count} customers", 1200)
        '1,200 customers'
        """
        shown = languages.translated_plural(self.language, one, many, count)
        return shown.format(count=self.count(count), **values)

    def count(self, value: float) -> str:
        """Return a whole number with its groups of digits."""
        return str(format_decimal(round(value), locale=self.locale))

    def number(self, value: float | None, digits: int = 1) -> str:
        """Return a number."""
        if value is None:
            return NOTHING
        pattern = "#,##0." + "0" * digits if digits else "#,##0"
        return str(format_decimal(value, format=pattern, locale=self.locale))

    def percent(self, value: float | None, digits: int = 1) -> str:
        """Return a share in per cent.

        >>> Words().percent(1602 / 4128)
        '38.8%'
        """
        if value is None:
            return NOTHING
        pattern = "#,##0." + "0" * digits + "%" if digits else "#,##0%"
        return str(format_percent(value, format=pattern, locale=self.locale))

    def points(self, value: float | None) -> str:
        """Return a difference of two shares in percentage points.

        >>> Words().points(0.05), Words("zh").points(-0.05)
        ('+5.0 points', '-5.0 个百分点')
        """
        if value is None:
            return NOTHING
        return self.gettext("{value} points", value=self.signed(value * 100))

    def signed(self, value: float, digits: int = 1) -> str:
        """Return a number with its sign."""
        pattern = "#,##0." + "0" * digits
        return str(format_decimal(value, format=f"+{pattern};-{pattern}", locale=self.locale))

    def money(self, value: float | None) -> str:
        """Return an amount, in the currency where one is set.

        >>> Words(currency="EUR").money(12.5), Words().money(123456.7)
        ('€12.50', '123,457')
        """
        if value is None:
            return NOTHING
        pattern = "#,##0" if abs(value) >= WHOLE_FROM else "#,##0.00"
        if self.currency is None:
            return str(format_decimal(value, format=pattern, locale=self.locale))
        return str(
            format_currency(
                value, self.currency, format=f"¤{pattern}", currency_digits=False, locale=self.locale
            )
        )

    def days(self, value: float | None, digits: int = 0) -> str:
        """Return a number of days."""
        if value is None:
            return NOTHING
        return self.gettext("{value} days", value=self.number(value, digits))

    def of(self, share: Share) -> str:
        """Return a share's two numbers.

        >>> Words().of(Share(1602, 4128))
        '1,602 of 4,128'
        """
        return self.gettext("{part} of {whole}", part=self.count(share.part), whole=self.count(share.whole))

    def share(self, share: Share) -> str:
        """Return a share in per cent with its two numbers.

        >>> Words().share(Share(1602, 4128))
        '38.8% (1,602 of 4,128)'
        """
        return f"{self.percent(share.value)} ({self.of(share)})"

    def between(self, low: str, high: str) -> str:
        """Return an interval of what is written already."""
        return self.gettext("{low} to {high}", low=low, high=high)

    def interval(self, of: Share | ShareDifference) -> str:
        """Return the interval of a share, or in points that of a difference."""
        low, high = of.limits
        if low is None or high is None:
            return NOTHING
        if isinstance(of, Share):
            return self.between(self.percent(low), self.percent(high))
        return self.between(self.signed(low * 100), self.signed(high * 100))

    def day(self, value: date) -> str:
        """Return a day.

        >>> Words().day(date(2026, 3, 1)), Words("zh").day(date(2026, 3, 1))
        ('1 Mar 2026', '2026年3月1日')
        """
        return str(format_date(value, format="medium", locale=self.locale))

    def month(self, value: date) -> str:
        """Return the month of a day.

        >>> Words().month(date(2026, 3, 1)), Words("zh").month(date(2026, 3, 1))
        ('Mar 2026', '2026年3月')
        """
        return str(format_skeleton("yMMM", value, locale=self.locale))

    def instant(self, value: datetime) -> str:
        """Return day and minute by the clock of the business."""
        local = value.astimezone(ZoneInfo(self.zone))
        return str(
            format_datetime(
                local, "d MMM y, HH:mm" if self.language == "en" else "y年M月d日 HH:mm", locale=self.locale
            )
        )

    def listing(self, several: list[str]) -> str:
        """Return texts after each other, as the language divides them."""
        return ("、" if self.language == "zh" else ", ").join(several)
