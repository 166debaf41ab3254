"""Why customers left: what warnings suggested, what the team confirmed, what customers stated.

A customer may have several reasons, so shares may add up to more than 100 %. `unknown` (somebody was reached,
and no reason was found) and `not_reached` are no reasons: they are counted apart.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from consumers.actions import CONTACTS, Action
from consumers.database.outcomes import OutcomeRow
from consumers.database.warnings import WarningStepRow
from consumers.effects.reasons import (
    CLOSED,
    CONFIRMS,
    NO_REASONS,
    UNKNOWN,
    ReasonAgreement,
)
from consumers.reports.agreement import (
    AgreementFacts,
    agreement_of,
    read_agreement,
    reason_codes,
    reasons_of_causes,
)
from consumers.reports.columns import among, parsed, read_columns
from consumers.reports.contacts import (
    NOT_REACHED,
    WRONG_CONTACT,
    read_actions,
    read_actions_of,
)
from consumers.reports.knowledge import Knowledge
from consumers.reports.losses import NEVER, Loss, LossReader, losses_of, read_returns
from consumers.reports.period import Period
from consumers.reports.rate import MIN_CELL, hidden_cells
from streams.contract.instants import EPOCH, MICROSECOND
from streams.share import Share

NOT_RECORDED: Final = "not_recorded"
"""Stands for the result of a contact of which none was given."""
SOURCES: Final = ("suggested", "confirmed", "stated")
"""Who names a reason."""


@dataclass(frozen=True, slots=True)
class ReasonFacts:
    """What the reasons of a period are counted from."""

    losses: tuple[Loss, ...]
    """The last leaving in the period of each customer: a lapse, or a closure without a lapse before."""
    returned: Mapping[str, int]
    """By customer, when they came back after that."""
    suggested: Mapping[str, tuple[tuple[int, frozenset[str]], ...]]
    """By warning that a loss names: the reasons of the causes at each step up to the end, with its time."""
    actions: tuple[Action, ...]
    """Those that stand about these customers."""
    closures: Mapping[str, tuple[tuple[int, str | None], ...]]
    """By customer, when they closed and the reason that they stated."""
    contacts: tuple[Action, ...]
    """Contacts and offers of the period that stand."""
    answered: AgreementFacts


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many customers who left have a reason, by who says so; the same of its sub-reasons."""

    code: str
    suggested: int
    confirmed: int
    stated: int
    parts: tuple[ReasonCount, ...] = ()
    hidden: frozenset[str] = frozenset()
    """The sources whose count is of so few customers that it is not shown."""

    def shown(self, source: str) -> int | None:
        """Return the count of a source; `None` where it is hidden."""
        count: int = getattr(self, source)
        return None if source in self.hidden else count

    def as_dict(self) -> dict[str, Any]:
        """Return the counts as plain JSON values; a hidden one is null and named."""
        counts = {source: self.shown(source) for source in SOURCES}
        parts = [part.as_dict() for part in self.parts]
        return {"code": self.code, **counts, "hidden": sorted(self.hidden), "parts": parts}


@dataclass(frozen=True, slots=True)
class ResultCount:
    """Contacts with one result, and the reasons that were found in them."""

    result: str
    n: int
    reasons: tuple[tuple[str, int], ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the counts as plain JSON values."""
        return {"result": self.result, "n": self.n, "reasons": dict(self.reasons)}


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why those left who left in a period."""

    period: Period
    lost: int
    suggested: int
    """Of the lost, those with a warning before, whose causes suggest reasons."""
    confirmed: int
    """Of the lost, those of whom the team found a reason."""
    stated: int
    """Of the lost, those who stated a reason on closing."""
    unknown: int
    """Of the lost, those whom the team reached without finding a reason, or who said `unknown` on closing."""
    not_reached: int
    """Of the lost, those whom the team tried to reach and did not."""
    not_asked: int
    """Of the lost, those whom nobody asked."""
    groups: tuple[ReasonCount, ...]
    """By group of reasons.yaml, each with its reasons; those that most have come first."""
    results: tuple[ResultCount, ...]
    """Of the contacts of the period."""
    agreement: ReasonAgreement
    """Of warnings that opened in the period."""
    months: tuple[tuple[Period, ReasonAgreement], ...]
    """Of warnings that opened in each of the last months."""
    draw: Share | None = None
    """The part of the warnings whose agreement is looked at, drawn by their ids; `None`: all."""

    @property
    def contacts(self) -> int:
        """How many contacts the period has."""
        return sum(each.n for each in self.results)

    @property
    def failed(self) -> tuple[str, ...]:
        """The identities that do not hold."""
        apart = self.not_reached + self.not_asked + self.unknown
        return () if self.known + apart == self.lost else ("reasons: not every customer is counted once",)

    @property
    def known(self) -> int:
        """Of the lost, those of whom a reason is known: found by the team or stated."""
        return self.lost - self.unknown - self.not_reached - self.not_asked

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        names = ("lost", "suggested", "confirmed", "stated", "known", "unknown", "not_reached", "not_asked")
        return {
            **{name: getattr(self, name) for name in names},
            "groups": [group.as_dict() for group in self.groups],
            "contacts": self.contacts,
            "results": [each.as_dict() for each in self.results],
            "agreement_draw": None if self.draw is None else self.draw.as_dict(),
            "agreement": self.agreement.as_dict(),
            "agreement_by_month": {month.key: _short(each) for month, each in self.months},
        }


def _short(of: ReasonAgreement) -> dict[str, Any]:
    return {
        "answered": of.answered,
        "found": of.found,
        "unknown": of.unknown,
        "not_reached": of.not_reached,
        "agree": of.agree.as_dict(),
        "agree_by_group": of.agree_by_group.as_dict(),
    }


# -- from the store -----------------------------------------------------------------------------------


def read_reasons(
    connection: Connection, period: Period, knowledge: Knowledge, losses: LossReader | None = None
) -> ReasonFacts:
    """Return what the reasons of a period are counted from."""
    begin, end = period.begin_at, period.end_at
    found = (losses or LossReader(knowledge)).between(connection, begin, end)
    left = tuple({each.customer_id: each for each in losses_of(found.filter("is_first"))}.values())
    since = {each.customer_id: each.at for each in left}
    warned = {each.warned_id for each in left if each.warned_id is not None}
    earliest = min([period.begin_us, *(each.warned_at for each in left if each.warned_at is not None)])
    contacts = read_actions(connection, knowledge, begin, end)
    return ReasonFacts(
        losses=left,
        returned=read_returns(connection, since, begin, knowledge),
        suggested=_suggested(connection, warned, end, knowledge),
        actions=tuple(read_actions_of(connection, knowledge, since, EPOCH + earliest * MICROSECOND)),
        closures=_closures(connection, since, begin, knowledge),
        contacts=tuple(each for each in contacts if each.kind in CONTACTS),
        answered=read_agreement(connection, period, knowledge),
    )


def _suggested(
    connection: Connection, warnings: Iterable[str], end: datetime, knowledge: Knowledge
) -> dict[str, tuple[tuple[int, frozenset[str]], ...]]:
    """Return the reasons at each step up to the end of the period, beyond which there is no loss of it."""
    found: defaultdict[str, list[tuple[int, frozenset[str]]]] = defaultdict(list)
    for some in among(connection, WarningStepRow.warning_id, warnings):
        query = select(WarningStepRow.warning_id, WarningStepRow.time, reasons_of_causes(connection)).where(
            some, WarningStepRow.time <= end, knowledge.by_then(WarningStepRow.received_at)
        )
        ids, times, causes = read_columns(connection, query)
        codes = parsed(causes, lambda own: frozenset(reason_codes(own)))
        for warning, at, own in zip(ids, times, codes, strict=True):
            found[warning].append((at, own))
    return {warning: tuple(steps) for warning, steps in found.items()}


def _closures(
    connection: Connection, customers: Iterable[str], begin: datetime, knowledge: Knowledge
) -> dict[str, tuple[tuple[int, str | None], ...]]:
    found: defaultdict[str, list[tuple[int, str | None]]] = defaultdict(list)
    for theirs in among(connection, OutcomeRow.customer_id, customers):
        query = select(OutcomeRow.customer_id, OutcomeRow.time, OutcomeRow.data["reason"].as_string()).where(
            theirs,
            OutcomeRow.type == CLOSED,
            OutcomeRow.time >= begin,
            knowledge.by_then(OutcomeRow.stored_at),
        )
        for customer, at, reason in zip(*read_columns(connection, query), strict=True):
            found[customer].append((at, reason))
    return {customer: tuple(own) for customer, own in found.items()}


# -- figures ------------------------------------------------------------------------------------------


def reasons(facts: ReasonFacts, period: Period, group_of: Mapping[str, str]) -> Reasons:
    """Return why those left who left in the period.

    `group_of` has the groups of reasons.yaml; a code that is not in it is a group of its own.
    """
    by_customer: defaultdict[str, list[Action]] = defaultdict(list)
    for action in facts.actions:
        if action.kind in CONFIRMS and action.result != WRONG_CONTACT:
            by_customer[action.customer_id].append(action)
    named = {name: Counter[frozenset[str]]() for name in SOURCES}
    apart: Counter[str] = Counter()
    for loss in facts.losses:
        until = facts.returned.get(loss.customer_id, NEVER)
        steps = facts.suggested.get(loss.warned_id or "", ())
        since = loss.at if loss.warned_at is None else loss.warned_at
        own = [each for each in by_customer.get(loss.customer_id, ()) if since <= each.at <= until]
        closures = [
            reason for at, reason in facts.closures.get(loss.customer_id, ()) if loss.at <= at <= until
        ]
        confirmed = frozenset(code for each in own for code in each.reasons) - NO_REASONS
        stated = frozenset(reason for reason in closures if reason is not None) - NO_REASONS
        named["suggested"][frozenset().union(*(codes for at, codes in steps if at <= loss.at))] += 1
        named["confirmed"][confirmed] += 1
        named["stated"][stated] += 1
        if not confirmed and not stated:
            reached = any(map(_has_answer, own)) or UNKNOWN in closures
            apart[UNKNOWN if reached else NOT_REACHED if own else "not_asked"] += 1
    counts = {name: Counter[str]() for name in SOURCES}
    of_groups = {name: Counter[str]() for name in SOURCES}
    for name, sets in named.items():
        for codes, n in sets.items():
            for code in codes:
                counts[name][code] += n
            for group in {group_of.get(code, code) for code in codes}:
                of_groups[name][group] += n
    given = {name: sum(n for codes, n in sets.items() if codes) for name, sets in named.items()}
    return Reasons(
        period=period,
        lost=len(facts.losses),
        suggested=given["suggested"],
        confirmed=given["confirmed"],
        stated=given["stated"],
        unknown=apart[UNKNOWN],
        not_reached=apart[NOT_REACHED],
        not_asked=apart["not_asked"],
        groups=_groups(counts, of_groups, group_of),
        results=_results(facts.contacts),
        agreement=agreement_of(facts.answered, period, group_of),
        months=tuple(
            (month, agreement_of(facts.answered, month, group_of)) for month in facts.answered.months
        ),
        draw=facts.answered.draw,
    )


def _has_answer(action: Action) -> bool:
    """Return whether somebody was reached, as `consumers.effects.reasons` takes it."""
    silent = action.result == NOT_REACHED or (NOT_REACHED in action.reasons and UNKNOWN not in action.reasons)
    return not silent


def _groups(
    counts: Mapping[str, Counter[str]],
    of_groups: Mapping[str, Counter[str]],
    group_of: Mapping[str, str],
) -> tuple[ReasonCount, ...]:
    parts: defaultdict[str, list[ReasonCount]] = defaultdict(list)
    for code in {code for counter in counts.values() for code in counter}:
        parts[group_of.get(code, code)].append(_count(code, counts))
    made = []
    for group, own in parts.items():
        whole = _count(group, of_groups)
        few = frozenset(source for source in SOURCES if 0 < getattr(whole, source) < MIN_CELL)
        inside = () if [part.code for part in own] == [group] else _with_hidden(own, few)
        made.append(replace(whole, parts=inside, hidden=few))
    return tuple(sorted(made, key=_order))


def _count(code: str, counts: Mapping[str, Counter[str]]) -> ReasonCount:
    return ReasonCount(code, counts["suggested"][code], counts["confirmed"][code], counts["stated"][code])


def _with_hidden(parts: Sequence[ReasonCount], few: frozenset[str]) -> tuple[ReasonCount, ...]:
    """Return the parts of a group in order, without counts of so few or that would give these away.

    Of a source whose count of the group is hidden no part is shown.
    """
    ordered = sorted(parts, key=_order)
    hidden: dict[int, set[str]] = defaultdict(set)
    for source in SOURCES:
        sizes = [getattr(part, source) for part in ordered]
        for place in range(len(sizes)) if source in few else hidden_cells(sizes):
            hidden[place].add(source)
    return tuple(replace(part, hidden=frozenset(hidden[place])) for place, part in enumerate(ordered))


def _order(of: ReasonCount) -> tuple[int, int, str]:
    return -(of.confirmed + of.stated), -of.suggested, of.code


def _results(contacts: Sequence[Action]) -> tuple[ResultCount, ...]:
    counts = Counter(each.result or NOT_RECORDED for each in contacts)
    inside: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for each in contacts:
        inside[each.result or NOT_RECORDED].update(set(each.reasons))
    made = [
        ResultCount(result, n, tuple(sorted(inside[result].items(), key=_by_count)))
        for result, n in counts.items()
    ]
    return tuple(sorted(made, key=lambda each: (-each.n, each.result)))


def _by_count(of: tuple[str, int]) -> tuple[int, str]:
    return -of[1], of[0]
