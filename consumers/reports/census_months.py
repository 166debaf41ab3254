"""The months of the census: what the partitions counted at the end of each, and what is missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, func, select

from consumers.database.outcomes import CensusRow
from consumers.reports.knowledge import SUMMARY, TAKEN, Knowledge
from consumers.reports.period import Period, PeriodKind, local_day
from streams.contract.instants import read_instant

FAMILIES: Final = ("profile", "cohort", "channel")
SMALLEST: Final = "channel"
"""The family of the fewest cells; the totals of all are the same."""


class Mark(StrEnum):
    """What is the matter with a month; each month may have several."""

    MISSING = "missing"
    """No partition has a census at its end."""
    INCOMPLETE = "incomplete"
    """A partition's census, or cells of it, are missing."""
    GAP = "gap"
    """A partition's census before is not that of the month before."""
    FIRST = "first"
    """All partitions were counted for the first time: a backlog of acquired customers, and no original."""
    PARTLY_FIRST = "partly_first"
    """Some partitions were."""
    QUIET = "quiet"
    """A topic of activity was quiet at its end: customers look silent who may not be."""
    QUIET_BEFORE = "quiet_before"
    """The same at its beginning."""


WITHOUT_RATE: Final = frozenset({Mark.MISSING, Mark.INCOMPLETE, Mark.GAP, Mark.FIRST})
"""A month so marked has no rate."""
NOT_COUNTED: Final = frozenset({Mark.MISSING, Mark.INCOMPLETE, Mark.QUIET})
"""Of a month so marked it is not known who was active at its end."""


@dataclass(frozen=True, slots=True)
class Counts:
    """The sums of some cells; those of `original` count by the cell at the census before."""

    original: int = 0
    kept: int = 0
    lost: int = 0
    acquired: int = 0
    returned: int = 0
    active: int = 0
    value_original: float = 0.0
    value_original_n: int = 0
    value_lost: float = 0.0
    value_lost_n: int = 0

    def __add__(self, other: Counts) -> Counts:
        """Return the sums of both."""
        return Counts(*(getattr(self, name) + getattr(other, name) for name in COUNTS))

    def as_dict(self) -> dict[str, Any]:
        """Return them as plain JSON values."""
        return {name: getattr(self, name) for name in COUNTS}


COUNTS: Final = tuple(field.name for field in fields(Counts))
_AMOUNTS: Final = ("value_original", "value_lost")


@dataclass(frozen=True, slots=True)
class Summary:
    """A partition's census."""

    partition: int
    at: datetime
    since: datetime | None
    quiet: bool
    customers: int
    active: int
    cells: int


@dataclass(frozen=True, slots=True)
class CensusMonth:
    """A month, by the censuses at its end."""

    month: Period
    marks: tuple[Mark, ...]
    counts: Counts
    """Of the partitions that were counted; of one that was counted for the first time only the new."""
    customers: int
    """All that the partitions ever saw."""
    new: int
    """The active of partitions that were counted for the first time."""
    partitions: tuple[int, ...]
    """Those counted."""
    missing: tuple[int, ...]
    """Those expected and not, or not wholly, counted."""
    quiet: tuple[int, ...]
    first: tuple[int, ...]
    at: tuple[datetime, ...]
    """The instants of the censuses; one where all partitions sweep at the same."""

    @property
    def has_rate(self) -> bool:
        """Whether its original customers are known."""
        return not WITHOUT_RATE.intersection(self.marks)

    @property
    def is_counted(self) -> bool:
        """Whether it is known who was active at its end."""
        return NOT_COUNTED.isdisjoint(self.marks)

    @property
    def is_whole(self) -> bool:
        """Whether nothing at all is the matter with its rate."""
        return not set(self.marks) - {Mark.PARTLY_FIRST}

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "month": self.month.key,
            "marks": [mark.value for mark in self.marks],
            **{name: list(getattr(self, name)) for name in ("partitions", "missing", "quiet", "first")},
            "customers": self.customers,
        }


@dataclass(frozen=True, slots=True)
class Censuses:
    """All summaries that are known, and the sums of each census's families that were read."""

    zone: str
    summaries: tuple[Summary, ...]
    totals: Mapping[tuple[int, datetime, str], Counts]
    """By partition, instant and family."""
    cells: Mapping[tuple[int, datetime], int]
    """How many there are, by partition and instant."""

    def month(self, month: Period, family: str = SMALLEST) -> CensusMonth:
        """Return what is known of a month."""
        own: dict[int, list[Summary]] = defaultdict(list)
        for each in self.summaries:
            own[each.partition].append(each)
        ends = month.after()
        counted: dict[int, Summary] = {}
        expected: set[int] = set()
        quiet_before = False
        for partition, known in own.items():
            days = {local_day(each.at, self.zone): each for each in known}
            here = [each for day, each in days.items() if ends.begin <= day < ends.end]
            if here:
                counted[partition] = here[0]
            earlier = [day for day in days if day < ends.begin]
            later = min((day for day in days if day >= ends.end), default=None)
            if here or earlier or (later is not None and days[later].since is not None):
                expected.add(partition)
            quiet_before = quiet_before or any(days[day].quiet for day in earlier if day >= month.begin)
        return self._judged(month, family, counted, expected, quiet_before)

    def _judged(
        self,
        month: Period,
        family: str,
        counted: Mapping[int, Summary],
        expected: set[int],
        quiet_before: bool,
    ) -> CensusMonth:
        counts = Counts()
        missing = expected - set(counted)
        first, quiet, gap = set(), set(), False
        for partition, summary in counted.items():
            if self.cells.get((partition, summary.at), 0) != summary.cells:
                missing.add(partition)
            if summary.quiet:
                quiet.add(partition)
            if summary.since is None:
                first.add(partition)
            elif not month.begin <= local_day(summary.since, self.zone) < month.end:
                gap = True
            found = self.totals.get((partition, summary.at, family))
            if found is not None:
                counts += found
        marks = {
            Mark.MISSING: not counted,
            Mark.INCOMPLETE: bool(counted and missing),
            Mark.GAP: gap,
            Mark.FIRST: bool(counted) and len(first) == len(counted),
            Mark.PARTLY_FIRST: 0 < len(first) < len(counted),
            Mark.QUIET: bool(quiet),
            Mark.QUIET_BEFORE: quiet_before,
        }
        return CensusMonth(
            month,
            tuple(mark for mark, there in marks.items() if there),
            counts,
            customers=sum(each.customers for each in counted.values()),
            new=sum(counted[each].active for each in first),
            partitions=tuple(sorted(counted)),
            missing=tuple(sorted(missing)),
            quiet=tuple(sorted(quiet)),
            first=tuple(sorted(first)),
            at=tuple(sorted({each.at for each in counted.values()})),
        )

    def months(self, last: Period | None) -> tuple[Period, ...]:
        """Return the months from the first with a census at its end to another one, or to the newest."""
        month, last = self.first_month(), last or self.newest_month()
        found = []
        while month is not None and last is not None and month <= last:
            found.append(month)
            month = month.after()
        return tuple(found)

    def newest_month(self) -> Period | None:
        """Return the last month that has a census at its end."""
        if not self.summaries:
            return None
        newest = max(local_day(each.at, self.zone) for each in self.summaries)
        return Period.containing(newest, PeriodKind.MONTH, self.zone).before()

    def first_month(self) -> Period | None:
        """Return the first month that has a census at its end."""
        if not self.summaries:
            return None
        oldest = min(local_day(each.at, self.zone) for each in self.summaries)
        return Period.containing(oldest, PeriodKind.MONTH, self.zone).before()


def read_censuses(
    connection: Connection,
    months: Iterable[Period],
    knowledge: Knowledge,
    families: Sequence[str] = (SMALLEST,),
) -> Censuses:
    """Read all summaries, and the sums of the censuses at the end of months."""
    data = CensusRow.data
    query = (
        select(
            CensusRow.partition,
            CensusRow.time,
            data["since"].as_string(),
            data["quiet"].as_boolean(),
            *(data[name].as_integer() for name in ("customers", "active", "cells")),
        )
        .where(CensusRow.type == SUMMARY)
        .order_by(CensusRow.time, CensusRow.partition, CensusRow.seq)
    )
    summaries = [
        Summary(partition, at, None if since is None else read_instant(since), *rest)
        for partition, at, since, *rest in connection.execute(knowledge.known(query, CensusRow.stored_at))
    ]
    totals: dict[tuple[int, datetime, str], Counts] = {}
    cells: dict[tuple[int, datetime], int] = {}
    where = (CensusRow.partition, CensusRow.time)
    for begin, end in spans(month.after() for month in months):
        taken = taken_between(begin, end)
        number = select(*where, func.count()).where(*taken).group_by(*where)
        for partition, at, count in connection.execute(knowledge.known(number, CensusRow.stored_at)):
            cells[partition, at] = count
        own = (*taken, CensusRow.by.in_(families))
        added = (
            select(*where, CensusRow.by, *map(func.sum, cell_fields()))
            .where(*own)
            .group_by(*where, CensusRow.by)
        )
        for partition, at, by, *found in connection.execute(knowledge.known(added, CensusRow.stored_at)):
            totals[partition, at, by] = counts_of(found)
    return Censuses(knowledge.zone, tuple(summaries), totals, cells)


def spans(months: Iterable[Period]) -> list[tuple[datetime, datetime]]:
    """Return the instants between which months lie, those that follow each other together."""
    found: list[tuple[datetime, datetime]] = []
    for month in sorted(set(months)):
        if found and found[-1][1] == month.begin_at:
            found[-1] = (found[-1][0], month.end_at)
        else:
            found.append((month.begin_at, month.end_at))
    return found


def taken_between(begin: datetime, end: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of the cells of censuses in [begin, end)."""
    return CensusRow.type == TAKEN, CensusRow.time >= begin, CensusRow.time < end


def cell_fields() -> list[ColumnElement[Any]]:
    """Return `COUNTS` of a cell; amounts as exact decimals, whose sum does not depend on an order."""
    data = CensusRow.data
    return [
        (
            data[name].as_numeric(38, 9, asdecimal=False) if name in _AMOUNTS else data[name].as_integer()
        ).label(name)
        for name in COUNTS
    ]


def counts_of(found: Sequence[Any]) -> Counts:
    """Return sums in the order of `COUNTS`, nothing where there is nothing."""
    return Counts(
        *(
            round(value or 0, 6) if name in _AMOUNTS else value or 0
            for name, value in zip(COUNTS, found, strict=True)
        )
    )
