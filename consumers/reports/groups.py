"""What was lost by class, segment, region, channel, origin and tenure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from sqlalchemy import Connection, func, select

from consumers.database.outcomes import CensusRow
from consumers.reports.census_months import (
    COUNTS,
    Counts,
    Mark,
    cell_fields,
    counts_of,
    read_censuses,
    taken_between,
)
from consumers.reports.group_table import OTHER, GroupCounts, GroupTable, Key, group_table
from consumers.reports.identities import failures
from consumers.reports.knowledge import Knowledge
from consumers.reports.members import (
    ATTRIBUTES,
    NEVER,
    Profile,
    is_known,
    read_profiles,
    tenure_band,
)
from consumers.reports.period import Period, PeriodKind
from consumers.reports.retention import Basis, Why, basis_of

PROFILE: Final = ("customer_class", "segment", "region", "origin")
TENURE: Final = "tenure"
BY: Final = (*PROFILE, "channel", TENURE)
BANDS: Final = ("0-3", "4-6", "7-12", "13-24", "25+")
"""Tenures in months at the beginning of the period, since the month of the first activity."""


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """The customers of a period by each attribute."""

    basis: Basis
    why: Why | None
    marks: tuple[Mark, ...]
    counts: Mapping[str, Mapping[Key, GroupCounts]]
    total: GroupCounts


@dataclass(frozen=True, slots=True)
class Groups:
    """The tables of a period, and the base of its customers by where they came from."""

    period: Period
    basis: Basis
    why: Why | None
    marks: tuple[Mark, ...]
    tables: tuple[GroupTable, ...]

    def table(self, by: str) -> GroupTable:
        """Return the table of an attribute."""
        return next(table for table in self.tables if table.by == by)

    @property
    def base(self) -> GroupTable:
        """All customers by origin: who was there, who stayed, left and came, and who is there now."""
        return self.table("origin")

    @property
    def failed(self) -> tuple[str, ...]:
        """The identities that do not hold."""
        return tuple(text for table in self.tables for text in failures(table.identities, table.by))

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        return {
            "period": self.period.key,
            "basis": self.basis.value,
            "why_not_census": None if self.why is None else self.why.value,
            "marks": [mark.value for mark in self.marks],
            "by": {table.by: table.as_dict() for table in self.tables},
        }


def read_groups(connection: Connection, period: Period, knowledge: Knowledge) -> GroupFacts:
    """Count the customers of a period by each attribute."""
    month = None
    if period.kind is PeriodKind.MONTH:
        month = read_censuses(connection, [period], knowledge).month(period)
    basis, why = basis_of(period, month)
    if (month is None or basis is Basis.OUTCOMES) and not is_known(connection, period, knowledge):
        marks = () if month is None else month.marks
        return GroupFacts(basis, Why.UNKNOWN, marks, {by: {} for by in BY}, GroupCounts())
    if month is None or basis is Basis.OUTCOMES:
        counts, total = _by_outcomes(connection, period, knowledge)
        return GroupFacts(basis, why, () if month is None else month.marks, counts, total)
    counts = _by_census(connection, period, knowledge)
    if not month.has_rate:  # what is missing is not 0
        nothing = {by: {} for by in BY} if Mark.INCOMPLETE in month.marks else _without_original(counts)
        counts = nothing
    total = sum(counts[BY[0]].values(), GroupCounts())
    return GroupFacts(basis, None, month.marks, counts, total)


def group_figures(facts: GroupFacts, period: Period) -> Groups:
    """Return the tables of a period."""
    tables = [
        group_table(by, facts.counts[by], facts.total, period, BANDS if by == TENURE else ()) for by in BY
    ]
    return Groups(period, facts.basis, facts.why, facts.marks, tuple(tables))


def _without_original(
    counts: Mapping[str, Mapping[Key, GroupCounts]],
) -> dict[str, dict[Key, GroupCounts]]:
    return {
        by: {
            key: GroupCounts(acquired=own.acquired, returned=own.returned, active=own.active)
            for key, own in groups.items()
        }
        for by, groups in counts.items()
    }


# -- by the census ---------------------------------------------------------------------------------------


def _by_census(
    connection: Connection, period: Period, knowledge: Knowledge
) -> dict[str, dict[Key, GroupCounts]]:
    found: dict[str, dict[Key, GroupCounts]] = {by: defaultdict(GroupCounts) for by in BY}
    for values, is_other, counts in read_cells(connection, period, knowledge, "profile", PROFILE):
        for by, value in zip(PROFILE, values, strict=True):
            found[by][_key(value, is_other)] += _counts(counts)
    for (value,), is_other, counts in read_cells(connection, period, knowledge, "channel", ("channel",)):
        found["channel"][_key(value, is_other)] += _counts(counts)
    for (cohort,), is_other, counts in read_cells(connection, period, knowledge, "cohort", ("cohort",)):
        name = None if cohort is None else BANDS[tenure_band(_months_since(cohort, period))]
        found[TENURE][_key(name, is_other)] += _counts(counts)
    return found


def read_cells(
    connection: Connection, period: Period, knowledge: Knowledge, family: str, names: Sequence[str]
) -> Iterator[tuple[tuple[str | None, ...], bool, Counts]]:
    """Yield the cells of the censuses at the end of a month, those of all partitions together."""
    after, data = period.after(), CensusRow.data
    query = select(
        *(data[name].as_string().label(name) for name in names),
        data["other"].as_boolean().label("other"),
        *cell_fields(),
    ).where(*taken_between(after.begin_at, after.end_at), CensusRow.by == family)
    cells = knowledge.known(query, CensusRow.stored_at).subquery()
    keys = [cells.c[name] for name in (*names, "other")]
    added = select(*keys, *(func.sum(cells.c[name]) for name in COUNTS)).group_by(*keys)
    for row in connection.execute(added):
        *values, is_other = row[: len(keys)]
        yield tuple(values), bool(is_other), counts_of(row[len(keys) :])


def _key(value: str | None, is_other: bool) -> Key:
    return (OTHER, True) if is_other else (value, False)


def _counts(counts: Counts) -> GroupCounts:
    return GroupCounts(*(getattr(counts, each.name) for each in fields(GroupCounts)))


def _months_since(cohort: str, period: Period) -> int:
    year, month = map(int, cohort.split("-"))
    return max(0, (period.begin.year - year) * 12 + period.begin.month - month)


# -- by the outcomes -------------------------------------------------------------------------------------


def _by_outcomes(
    connection: Connection, period: Period, knowledge: Knowledge
) -> tuple[dict[str, dict[Key, GroupCounts]], GroupCounts]:
    found: dict[str, dict[Key, GroupCounts]] = {by: defaultdict(GroupCounts) for by in BY}
    total = GroupCounts()
    for edge in ("begin", "end"):
        for each in read_profiles(connection, period, knowledge, edge):
            counts = _at_begin(each) if edge == "begin" else _at_end(each)
            total += counts
            for by, value in zip(ATTRIBUTES, each.values, strict=True):
                found[by][value, False] += counts
            band = BANDS[0] if each.tenure_band == NEVER else BANDS[each.tenure_band]
            found[TENURE][band, False] += counts
    return found, total


def _at_begin(each: Profile) -> GroupCounts:
    kept = each.n if each.stays else 0
    return GroupCounts(each.n, kept, each.n - kept)


def _at_end(each: Profile) -> GroupCounts:
    return GroupCounts(
        acquired=each.n if each.acquired else 0,
        returned=0 if each.acquired or each.stays else each.n,
        active=each.n,
    )
