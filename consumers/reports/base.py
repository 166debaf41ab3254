"""The base: how many customers there are, by where they came from, with each total under its own name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from consumers.language import _
from consumers.reports.census_months import read_censuses
from consumers.reports.group_table import GroupCounts, GroupTable
from consumers.reports.groups import GroupFacts, group_figures, read_groups
from consumers.reports.identities import Identity, failures
from consumers.reports.knowledge import Knowledge
from consumers.reports.period import Period, PeriodKind
from consumers.reports.rate import Rate
from consumers.reports.retention import Basis
from streams.share import Share

ORIGIN: Final = "origin"
OF_ORIGIN: Final = _("customers of the origin who were active at the end of the period")
ALL_ACTIVE: Final = _("all customers who were active at the end of the period")


@dataclass(frozen=True, slots=True)
class BaseFacts:
    """The customers of a period by origin, and all that were ever seen."""

    groups: GroupFacts
    ever_seen: int | None


@dataclass(frozen=True, slots=True)
class Base:
    """Who was there, stayed, left and came, by origin."""

    period: Period
    basis: Basis
    table: GroupTable
    ever_seen: int | None
    """All customers that the partitions knew at the census of the period's end; `None` without one."""

    @property
    def total(self) -> GroupCounts:
        """All origins together."""
        return self.table.total

    @property
    def shares(self) -> tuple[Rate | None, ...]:
        """Which part of the base each origin is, `None` where it is hidden."""
        return tuple(
            None
            if each.hidden
            else Rate(Share(each.counts.active, self.total.active), OF_ORIGIN, ALL_ACTIVE, self.period)
            for each in self.table.groups
        )

    @property
    def identities(self) -> tuple[Identity, ...]:
        """What must be equal."""
        total = self.total
        both = total.kept + total.acquired + total.returned
        return (Identity(_("kept + acquired + returned = active at the end"), both, total.active),)

    @property
    def failed(self) -> tuple[str, ...]:
        """The identities of its table that do not hold."""
        return failures(self.table.identities, ORIGIN)

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        return {
            "period": self.period.key,
            "basis": self.basis.value,
            "customers_ever_seen": self.ever_seen,
            "by_origin": self.table.as_dict(),
            "share_of_base": [None if rate is None else rate.as_dict() for rate in self.shares],
            "identities": [each.as_dict() for each in self.identities],
        }


def read_base(connection: Connection, period: Period, knowledge: Knowledge) -> BaseFacts:
    """Count the customers of a period by origin."""
    ever_seen = None
    if period.kind is PeriodKind.MONTH:
        month = read_censuses(connection, [period], knowledge).month(period)
        ever_seen = month.customers if month.partitions and not month.missing else None
    return BaseFacts(read_groups(connection, period, knowledge), ever_seen)


def base_figures(facts: BaseFacts, period: Period) -> Base:
    """Return the base of a period."""
    found = group_figures(facts.groups, period)
    return Base(period, found.basis, found.base, facts.ever_seen)
