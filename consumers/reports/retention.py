"""What was kept and lost in a period: retention, churn, and how they changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection

from consumers.language import _
from consumers.reports.census_months import FAMILIES, CensusMonth, Counts, Mark, read_censuses
from consumers.reports.group_table import GroupCounts, GroupTable, Key, group_table
from consumers.reports.identities import Identity, failures
from consumers.reports.knowledge import Knowledge
from consumers.reports.members import (
    AGE_DAYS,
    Flows,
    Standing,
    counted,
    is_known,
    read_flows,
    read_standings,
)
from consumers.reports.period import Period, PeriodKind
from consumers.reports.rate import AmountRate, Exclusion, Rate, points
from consumers.scorecard.store import newest_outcome
from streams.share import Share, ShareDifference

ORIGINAL: Final = _("customers who were active at the beginning of the period")
KEPT: Final = _("customers who were still active at the end")
LOST: Final = _("customers who were active no more at the end")
NO_TIER: Final = "none"
TIERS: Final = ("high", "medium", "low", NO_TIER)
"""The groups of a table by tier, and those without a warning."""
VALUE: Final = _("expected value of all who were active at the beginning, where it was known then")
VALUE_LOST: Final = _("expected value of the customers who were active no more at the end")
NEW: Final = _("customers of partitions that were counted for the first time")
UNKNOWN_VALUE: Final = _("customers whose value was not known")


class Basis(StrEnum):
    """What the customers of a period were counted by."""

    CENSUS = "census"
    """The monthly census: exact, whatever the database has seen."""
    OUTCOMES = "outcomes"
    """The outcomes of each customer's life; without customers who were erased since."""


class Why(StrEnum):
    """Why it was not the census."""

    NO_MONTH = "no_month"
    """The period is not one calendar month."""
    NO_CENSUS = "no_census"
    """There is none at the end of the month."""
    GAP = "gap"
    """The one at its end looks back further than the month."""
    NOT_OVER = "not_over"
    """What is known ends before the period does: who is kept so far may still be lost."""
    UNKNOWN = "unknown"
    """Nothing is known of the period."""


@dataclass(frozen=True, slots=True)
class PeriodFacts:
    """What is known of one period."""

    period: Period
    month: CensusMonth | None
    """Where the period is a month."""
    families: tuple[Counts, ...]
    """The counts of each family of the census, where it was read."""
    standings: tuple[Standing, ...] | None
    """By the outcomes; `None` where they were not asked for."""
    flows: Flows | None
    known: bool = True
    """Whether the outcomes say anything of it."""
    is_over: bool = True
    """Whether they reach to its end."""


@dataclass(frozen=True, slots=True)
class RetentionFacts:
    """What is known of a period and of those that it is compared with."""

    own: PeriodFacts
    before: PeriodFacts
    year_before: PeriodFacts


@dataclass(frozen=True, slots=True)
class Lost:
    """Who was kept and who was lost in one period."""

    period: Period
    basis: Basis
    why: Why | None
    marks: tuple[Mark, ...]
    original: int | None
    """`None` where it is not known; this is never 0."""
    kept: int | None
    lost: int | None
    acquired: int | None
    """Active at the end, with the first activity in the period."""
    returned: int | None
    """Active at the end and not at the beginning, with the first activity earlier."""
    active: int | None
    """At the end."""
    relative: AmountRate | None
    """Value lost of value; `None` where the values are not known."""
    exclusions: tuple[Exclusion, ...]

    @property
    def retention(self) -> Rate | None:
        """Kept of original."""
        return self._rate(self.kept, KEPT)

    @property
    def churn(self) -> Rate | None:
        """Lost of original."""
        return self._rate(self.lost, LOST)

    @property
    def is_backlog(self) -> bool:
        """Whether all were counted for the first time: who is acquired then came before, at any time."""
        return Mark.FIRST in self.marks

    def _rate(self, part: int | None, what: str) -> Rate | None:
        if part is None or not self.original:
            return None
        return Rate(Share(part, self.original), what, ORIGINAL, self.period, self.exclusions)

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        names = ("original", "kept", "lost", "acquired", "returned", "active")
        rates = {"retention": self.retention, "absolute_churn": self.churn, "relative_churn": self.relative}
        return {
            "period": self.period.key,
            "basis": self.basis.value,
            "why_not_census": None if self.why is None else self.why.value,
            "marks": [mark.value for mark in self.marks],
            **{name: getattr(self, name) for name in names},
            **{name: None if rate is None else rate.as_dict() for name, rate in rates.items()},
            "backlog": self.acquired if self.is_backlog else None,
            "exclusions": [each.as_dict() for each in self.exclusions],
        }


@dataclass(frozen=True, slots=True)
class Retention:
    """What was kept and lost in a period, beside the period before it and that of the year before."""

    own: Lost
    before: Lost
    year_before: Lost
    flows: Flows | None
    """All comings and goings within the period; `None` where nothing is known of it."""
    by_outcomes: tuple[int, int] | None
    """Original and lost as the outcomes have them, whatever the basis."""
    tiers: GroupTable
    """By the tier of the warning that was open at the beginning, and `none`; by the outcomes."""
    ages: tuple[int, ...] | None
    """All who are lost at the end, by how long ago they were: the bands of `AGE_DAYS`, and longer."""
    identities: tuple[Identity, ...]

    @property
    def failed(self) -> tuple[str, ...]:
        """The identities of its tables that do not hold."""
        return failures(self.tiers.identities, self.tiers.by)

    @property
    def since_before(self) -> ShareDifference | None:
        """The churn less that of the period before; times 100 it is points."""
        return _change(self.before, self.own)

    @property
    def since_year_before(self) -> ShareDifference | None:
        """The churn less that of the year before; times 100 it is points."""
        return _change(self.year_before, self.own)

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        changes = {"before": self.since_before, "year_before": self.since_year_before}
        pair = self.by_outcomes
        return {
            **self.own.as_dict(),
            "flows": None if self.flows is None else self.flows.as_dict(),
            "by_outcomes": None if pair is None else {"original": pair[0], "lost": pair[1]},
            "compared_with": {"before": self.before.as_dict(), "year_before": self.year_before.as_dict()},
            "churn_change": {
                name: None if change is None else points(change) for name, change in changes.items()
            },
            "by_tier": self.tiers.as_dict(),
            "lost_longer_ago": None
            if self.ages is None
            else {
                "bounds_days": list(AGE_DAYS),
                "customers": list(self.ages),
                "longer_than_a_year": self.ages[-1],
            },
            "identities": [each.as_dict() for each in self.identities],
        }


def read_retention(connection: Connection, period: Period, knowledge: Knowledge) -> RetentionFacts:
    """Read what a period and those that it is compared with are counted from."""
    return RetentionFacts(
        _read(connection, period, knowledge, whole=True),
        _read(connection, period.before(), knowledge),
        _read(connection, period.year_before(), knowledge),
    )


def _read(
    connection: Connection, period: Period, knowledge: Knowledge, *, whole: bool = False
) -> PeriodFacts:
    month: CensusMonth | None = None
    families: tuple[Counts, ...] = ()
    if period.kind is PeriodKind.MONTH:
        censuses = read_censuses(connection, [period], knowledge, FAMILIES)
        months = [censuses.month(period, family) for family in FAMILIES]
        month, families = months[0], tuple(each.counts for each in months)
    needs = whole or basis_of(period, month)[0] is Basis.OUTCOMES
    known = needs and is_known(connection, period, knowledge)
    newest = newest_outcome(connection, knowledge.as_of) if needs else None
    return PeriodFacts(
        period,
        month,
        families,
        read_standings(connection, period, knowledge) if known else None,
        read_flows(connection, period, knowledge) if whole and known else None,
        known=not needs or known,
        is_over=newest is None or newest >= period.end_at,
    )


def basis_of(period: Period, month: CensusMonth | None) -> tuple[Basis, Why | None]:
    """Return what a period is counted by, and why not by the census."""
    if month is None:
        return Basis.OUTCOMES, Why.NO_MONTH
    if Mark.MISSING in month.marks:
        return Basis.OUTCOMES, Why.NO_CENSUS
    if Mark.GAP in month.marks:
        return Basis.OUTCOMES, Why.GAP
    return Basis.CENSUS, None


def retention_figures(facts: RetentionFacts) -> Retention:
    """Return the figures of a period."""
    own = _lost(facts.own)
    standings = facts.own.standings
    found = standings or ()
    return Retention(
        own,
        _lost(facts.before),
        _lost(facts.year_before),
        facts.own.flows,
        None if standings is None else (counted(found, begin=True), counted(found, begin=True, end=False)),
        tier_table(found, facts.own.period),
        None if standings is None else _ages(standings),
        tuple(_identities(own, facts.own)),
    )


def _ages(standings: Iterable[Standing]) -> tuple[int, ...]:
    bands = range(len(AGE_DAYS) + 1)
    return tuple(sum(each.n for each in standings if each.lost_band == band) for band in bands)


def tier_table(standings: Iterable[Standing], period: Period) -> GroupTable:
    """Return the customers of a period by the tier of the warning that was open at its beginning."""
    counts: dict[Key, GroupCounts] = defaultdict(GroupCounts)
    for each in standings:
        if each.active_begin:
            kept = each.n if each.active_end else 0
            counts[each.tier or NO_TIER, False] += GroupCounts(each.n, kept, each.n - kept)
    return group_table("tier", counts, sum(counts.values(), GroupCounts()), period, TIERS)


def _lost(facts: PeriodFacts) -> Lost:
    basis, why = basis_of(facts.period, facts.month)
    if basis is Basis.OUTCOMES:
        return _by_outcomes(facts, why)
    assert facts.month is not None
    month, counts = facts.month, facts.month.counts
    known = month.has_rate
    new = _new_of(month)
    exclusions = (Exclusion(NEW, new),) if new else ()
    unknown = counts.original - counts.value_original_n
    relative = None
    if known and counts.value_original_n:
        relative = AmountRate(
            counts.value_lost,
            counts.value_original,
            counts.value_lost_n,
            counts.value_original_n,
            VALUE_LOST,
            VALUE,
            facts.period,
            (*exclusions, *((Exclusion(UNKNOWN_VALUE, unknown),) if unknown else ())),
        )
    is_whole = Mark.INCOMPLETE not in month.marks
    return Lost(
        period=facts.period,
        basis=basis,
        why=None,
        marks=month.marks,
        original=counts.original if known else None,
        kept=counts.kept if known else None,
        lost=counts.lost if known else None,
        acquired=counts.acquired if is_whole else None,
        returned=counts.returned if is_whole else None,
        active=counts.active if is_whole else None,
        relative=relative,
        exclusions=exclusions,
    )


def _new_of(month: CensusMonth) -> int:
    """Return how many active customers belong to partitions without a census before."""
    return month.new if Mark.PARTLY_FIRST in month.marks else 0


def _by_outcomes(facts: PeriodFacts, why: Why | None) -> Lost:
    found = facts.standings or ()
    fresh = sum(each.n for each in found if each.active_end and each.acquired)
    came = counted(found, begin=False, end=True)
    known = facts.known
    if not known:
        why = Why.UNKNOWN
    elif not facts.is_over:
        why = Why.NOT_OVER
    return Lost(
        period=facts.period,
        basis=Basis.OUTCOMES,
        why=why,
        marks=() if facts.month is None else facts.month.marks,
        original=counted(found, begin=True) if known else None,
        kept=counted(found, begin=True, end=True) if known else None,
        lost=counted(found, begin=True, end=False) if known else None,
        acquired=fresh if known else None,
        returned=came - fresh if known else None,
        active=counted(found, end=True) if known else None,
        relative=None,
        exclusions=(),
    )


def _change(before: Lost, now: Lost) -> ShareDifference | None:
    then, own = before.churn, now.churn
    return None if then is None or own is None else own.points_since(then)


def _identities(own: Lost, facts: PeriodFacts) -> Sequence[Identity]:
    found = []
    if own.original is not None and own.kept is not None and own.lost is not None:
        found.append(Identity(_("kept + lost = original"), own.kept + own.lost, own.original))
    if own.retention is not None and own.churn is not None:
        both = (own.retention.value or 0) + (own.churn.value or 0)
        found.append(Identity(_("retention + churn = 1"), both, 1))
    if own.active is not None and own.kept is not None:
        sums = own.kept + (own.acquired or 0) + (own.returned or 0)
        found.append(Identity(_("kept + acquired + returned = active at the end"), sums, own.active))
    if own.basis is Basis.CENSUS:
        first = facts.families[0]
        for other in facts.families[1:]:
            for name in ("original", "lost", "active", "value_lost"):
                what = _("the census counts the same by profile, by cohort and by channel")
                found.append(Identity(what, getattr(first, name), getattr(other, name)))
    return found
