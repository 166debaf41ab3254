"""What stands in a cell of a table that people read: a line, and smaller ones under it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from consumers.reports.document import (
    Absent,
    Between,
    Column,
    Estimate,
    Kind,
    Table,
    Under,
    Value,
)
from consumers.reports.rate import TOO_FEW
from consumers.reports.words import NOTHING, Words
from streams.share import Share, ShareDifference


@dataclass(frozen=True, slots=True)
class Shown:
    """A value in words."""

    main: str
    small: tuple[str, ...] = ()
    why_absent: str = ""
    """Why there is no value."""
    is_under: bool = False
    """Whether it belongs under the row above."""

    @property
    def line(self) -> str:
        """All in one line."""
        return f"{self.main} ({'; '.join(self.small)})" if self.small else self.main


def shown(value: Value, column: Column, words: Words) -> Shown:
    """Return a value of a column in words."""
    match value:
        case Absent():
            main, why = absent(value, words)
            return Shown(main, why_absent=why)
        case Under(text):
            return Shown(text, is_under=True)
        case Share():
            if not value.whole:
                return Shown(NOTHING, (words.of(value),))
            if value.whole < TOO_FEW:  # no per cent: its numbers are all that it says
                return Shown(words.of(value), why_absent=absent(Absent.NOT_ENOUGH, words)[1])
            intervals = (words.interval(value),) if column.interval else ()
            return Shown(words.percent(value.value), (words.of(value), *intervals))
        case ShareDifference():
            if value.value is None:
                return Shown(NOTHING, why_absent=absent(Absent.MISSING, words)[1])
            known = value.low is not None and value.high is not None
            return Shown(words.points(value.value), (words.interval(value),) if known else ())
        case Estimate(middle, low, high):
            write = writer(column.kind, words)
            return Shown(write(middle), (words.between(write(low), write(high)),))
        case Between(low, high):
            write = writer(column.kind, words)
            return Shown(words.between(write(low), write(high)))
        case date():
            return Shown(words.month(value) if column.kind is Kind.MONTH else words.day(value))
        case str():
            return Shown(value)
        case int() | float():
            return Shown(writer(column.kind, words)(value))


def absent(why: Absent, words: Words) -> tuple[str, str]:
    """Return what stands in place of a value, and why."""
    _ = words.gettext
    match why:
        case Absent.MISSING:
            return NOTHING, _("not known")
        case Absent.HIDDEN:
            # Not "<5": a larger group is hidden too, where a small one could be found by subtracting it.
            return _("hidden"), _("so few that customers could be recognised, or another group could")
        case Absent.NOT_ENOUGH:
            return _("too few"), _("not enough to say anything")


def writer(kind: Kind, words: Words) -> Callable[[float], str]:
    """Return what writes the numbers of a kind of column."""
    match kind:
        case Kind.COUNT:
            return words.count
        case Kind.SHARE | Kind.PERCENT | Kind.INTERVAL:
            return words.percent
        case Kind.POINTS:
            return words.points
        case Kind.MONEY:
            return words.money
        case Kind.DAYS:
            return lambda value: words.days(value, 0 if value == round(value) or value >= 10 else 1)
        case Kind.NUMBER | Kind.TEXT | Kind.DATE | Kind.MONTH:
            return lambda value: words.number(value, 0 if value == round(value) else 2)


def is_number(kind: Kind) -> bool:
    """Return whether a column stands on the right, as numbers do."""
    return kind not in (Kind.TEXT, Kind.DATE, Kind.MONTH)


def instead_of(table: Table, words: Words) -> str:
    """Return the sentence that people read in place of a table with figures of 0 or unknown alone."""
    _ = words.gettext
    cells = [value for row in (*table.rows, table.total or ()) for value in row[1:]]
    if not cells or not all(_is_nothing(value) for value in cells):
        return ""
    absent_ones = sum(value is Absent.MISSING for value in cells)
    if not absent_ones:
        return _("{table}: every figure is 0.", table=table.title)
    if absent_ones == len(cells):
        return _("{table}: nothing is known.", table=table.title)
    return _("{table}: every figure is 0 or not known.", table=table.title)


def _is_nothing(value: Value) -> bool:
    """Return whether a value says nothing. None of sixty does say something, and so does what is hidden."""
    if isinstance(value, Share):
        return not value.whole
    return value is Absent.MISSING or (isinstance(value, int | float) and not value)
