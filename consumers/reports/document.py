"""A report as people read it, in one language: sections of tables, plots and remarks, before any format.

Texts stand in a document already in its language. Values stand in it as they are, and whoever writes a
format formats them: a page shows a share as per cent with its numbers, a spreadsheet as three columns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum, StrEnum
from typing import Final

from consumers.reports.words import Words
from streams.share import Share, ShareDifference


class Kind(StrEnum):
    """What a column holds, and so how its values are written."""

    TEXT = "text"
    COUNT = "count"
    SHARE = "share"
    """Counted: it has both its numbers."""
    PERCENT = "percent"
    """A part of 1 that is not counted, such as a mean probability: a number, or an `Estimate`."""
    POINTS = "points"
    MONEY = "money"
    NUMBER = "number"
    DAYS = "days"
    DATE = "date"
    MONTH = "month"
    INTERVAL = "interval"


class Absent(Enum):
    """Why a cell has no value."""

    MISSING = "missing"
    HIDDEN = "hidden"
    NOT_ENOUGH = "not_enough"


MISSING: Final = Absent.MISSING
"""Nobody knows it; this is never 0."""
HIDDEN: Final = Absent.HIDDEN
"""So few customers that they could be recognised."""
NOT_ENOUGH: Final = Absent.NOT_ENOUGH
"""So few that nothing can be said."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its interval, in the unit of its column."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Between:
    """From one value to another: shares where the column is an interval."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Under:
    """A text that belongs under the row above, as a sub-reason under its reason."""

    text: str


Value = str | int | float | date | Share | ShareDifference | Estimate | Between | Under | Absent
"""What may stand in a cell. A month is its first day."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table; with `interval` the 95 % interval of its shares is shown too."""

    key: str
    title: str
    kind: Kind = Kind.TEXT
    interval: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of values; the key is the table's name in every format and language."""

    key: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Value]]
    total: Sequence[Value] | None = None
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse a row that is no row of this table."""
        for row in (*self.rows, *((self.total,) if self.total is not None else ())):
            if len(row) != len(self.columns):
                msg = f"{self.key}: a row has {len(row)} cells for {len(self.columns)} columns"
                raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot of what stands in a table, drawn as SVG at a width."""

    kind: str
    """What it is: `lines`, `bars`, `stacked`, `heat_map`, `histogram`, `funnel`, `forest`."""
    table: str
    """The key of the table that has its figures."""
    draw: Callable[[float], str]
    """See `consumers.charts`."""
    wide: bool = True
    """Across the page; else half of it."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure that is read first, what it is, and a note that has its numbers."""

    figure: str
    what: str
    note: str = ""
    section: str = ""
    """On the cover: the key of the section that has more about it."""


@dataclass(frozen=True, slots=True)
class Definition:
    """Of a rate: what is counted, of how many, when, and what is left out, each with its number."""

    name: str
    part: str
    whole: str
    period: str
    exclusions: Sequence[tuple[str, int]] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """One question and what answers it; the key is its anchor."""

    key: str
    title: str
    note: str = ""
    tiles: Sequence[Tile] = ()
    plots: Sequence[Plot] = ()
    tables: Sequence[Table] = ()
    remarks: Sequence[str] = ()
    definitions: Sequence[Definition] = ()

    def __post_init__(self) -> None:
        """Refuse a plot without its table."""
        known = {table.key for table in self.tables}
        for plot in self.plots:
            if plot.table not in known:
                msg = f"{self.key}: a plot has no table {plot.table!r}"
                raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report."""

    title: str
    period: str
    words: Words
    answer: Sequence[str]
    """What a hurried reader needs, in two sentences."""
    basis: Sequence[str]
    """What it was made from, as of when, and what failed."""
    tiles: Sequence[Tile]
    sections: Sequence[Section]
    cautions: Sequence[str] = ()

    @property
    def language(self) -> str:
        """The language that its texts are in."""
        return self.words.language

    def table(self, key: str) -> Table:
        """Return a table by its key."""
        return next(table for section in self.sections for table in section.tables if table.key == key)
