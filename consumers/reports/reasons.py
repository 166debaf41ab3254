"""Why customers left: what warnings suggested, what the team confirmed, what customers stated.

A customer may have several reasons, so shares may add up to more than 100 %. `unknown` (somebody was reached,
and no reason was found) and `not_reached` are no reasons: they are counted apart.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, cast, func, or_, select
from sqlalchemy.dialects.postgresql import JSONB, JSONPATH

from consumers.actions import CONTACTS, Action, standing
from consumers.database.events import ActionRow
from consumers.database.outcomes import OutcomeRow
from consumers.database.warnings import WarningRow, WarningStepRow
from consumers.effects.reasons import (
    CLOSED,
    CONFIRMS,
    NO_REASONS,
    UNKNOWN,
    ReasonAgreement,
    StatedReason,
    SuggestedStep,
    agreement,
    stated_reason,
)
from consumers.reports.columns import among, parsed, read_columns
from consumers.reports.contacts import (
    ACTION_COLUMNS,
    NOT_REACHED,
    WRONG_CONTACT,
    read_actions,
    read_actions_of,
    stored_actions,
)
from consumers.reports.knowledge import Knowledge
from consumers.reports.losses import NEVER, Loss, losses_of, read_losses, read_returns
from consumers.reports.period import Period
from consumers.reports.rate import MIN_CELL, hidden_cells
from streams.contract.instants import EPOCH, MICROSECOND, to_us
from streams.share import Share

AGREEMENT_MONTHS: Final = 12
DRAWN: Final = 8_000
"""Actions about warnings from which on the agreement looks at a draw of about so many."""
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
    """By warning that a loss names: the reasons of the causes at each of its steps, with its time."""
    actions: tuple[Action, ...]
    """Those that stand about these customers."""
    closures: Mapping[str, tuple[tuple[int, str | None], ...]]
    """By customer, when they closed and the reason that they stated."""
    contacts: tuple[Action, ...]
    """Contacts and offers of the period that stand."""
    answered: AgreementFacts


@dataclass(frozen=True, slots=True)
class AgreementFacts:
    """What the agreement of reasons is counted from: warnings that opened in the months."""

    months: tuple[Period, ...]
    opened: Mapping[str, int]
    """By warning with an answer, its opening."""
    steps: tuple[SuggestedStep, ...]
    actions: tuple[Action, ...]
    stated: tuple[StatedReason, ...]
    draw: Share | None = None
    """The part of the warnings that is looked at, where there are too many to look at all."""


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
    """Of the lost, those whom the team reached without finding a reason, or who closed without one."""
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


def read_reasons(connection: Connection, period: Period, knowledge: Knowledge) -> ReasonFacts:
    """Return what the reasons of a period are counted from."""
    begin, end = period.begin_at, period.end_at
    left = losses_of(read_losses(connection, begin, end, knowledge).filter("is_first"))
    losses = tuple({each.customer_id: each for each in left}.values())
    since = {each.customer_id: each.at for each in losses}
    warned = {each.warned_id for each in losses if each.warned_id is not None}
    earliest = min([period.begin_us, *(each.warned_at for each in losses if each.warned_at is not None)])
    contacts = read_actions(connection, knowledge, begin, end)
    return ReasonFacts(
        losses=losses,
        returned=read_returns(connection, since, begin, knowledge),
        suggested=_suggested(connection, warned, knowledge),
        actions=tuple(read_actions_of(connection, knowledge, since, EPOCH + earliest * MICROSECOND)),
        closures=_closures(connection, since, begin, knowledge),
        contacts=tuple(each for each in contacts if each.kind in CONTACTS),
        answered=_answered(connection, period, knowledge),
    )


def _suggested(
    connection: Connection, warnings: Iterable[str], knowledge: Knowledge
) -> dict[str, tuple[tuple[int, frozenset[str]], ...]]:
    found: defaultdict[str, list[tuple[int, frozenset[str]]]] = defaultdict(list)
    for some in among(connection, WarningStepRow.warning_id, warnings):
        query = select(WarningStepRow.warning_id, WarningStepRow.time, _causes(connection)).where(
            some, knowledge.by_then(WarningStepRow.received_at)
        )
        ids, times, causes = read_columns(connection, query)
        codes = parsed(causes, lambda own: frozenset(_reason_codes(own)))
        for warning, at, own in zip(ids, times, codes, strict=True):
            found[warning].append((at, own))
    return {warning: tuple(steps) for warning, steps in found.items()}


def _causes(connection: Connection) -> ColumnElement[Any]:
    """Return what of a step's causes is read: on PostgreSQL their reasons alone, which is far less."""
    if connection.dialect.name == "postgresql":
        return func.jsonb_path_query_array(
            WarningStepRow.data, cast("$.causes[*].reason", JSONPATH), type_=JSONB
        )
    return WarningStepRow.data["causes"]


def _model_groups(connection: Connection) -> ColumnElement[Any]:
    """Return what of the model's reasons is read: on PostgreSQL the groups that raise the probability."""
    if connection.dialect.name == "postgresql":
        raising = "$.reasons[*] ? (@.contribution > 0).group"
        return func.jsonb_path_query_array(WarningStepRow.data, cast(raising, JSONPATH), type_=JSONB)
    return WarningStepRow.data["reasons"]


def _groups_in(reasons: Sequence[Any]) -> Iterator[str]:
    for reason in reasons:
        if isinstance(reason, str):
            group = reason
        else:
            group = reason.get("group", "") if reason["contribution"] > 0 else ""
        if group:
            yield group


def _reason_codes(causes: Sequence[Any]) -> list[str]:
    return [cause if isinstance(cause, str) else cause["reason"] for cause in causes]


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


def _answered(connection: Connection, period: Period, knowledge: Knowledge) -> AgreementFacts:
    months = period.trailing_months(AGREEMENT_MONTHS)
    begin = min(months[0].begin_at, period.begin_at)
    end = max(months[-1].end_at, period.end_at)
    count = connection.scalar(
        select(func.count()).where(ActionRow.time >= begin, ActionRow.warning_id.is_not(None))
    )
    prefixes = drawn_prefixes(count or 0, DRAWN)
    within = (WarningRow.opened_at >= begin, WarningRow.opened_at < end, *_drawn(prefixes))
    about = (
        select(*ACTION_COLUMNS)
        .join(WarningRow, WarningRow.id == ActionRow.warning_id)
        .where(*within, ActionRow.time >= begin, knowledge.by_then(ActionRow.stored_at))
    )
    done = stored_actions(connection, about)
    # A correction need not name the warning.
    back = select(*ACTION_COLUMNS).where(
        ActionRow.time >= begin, ActionRow.corrects.is_not(None), knowledge.by_then(ActionRow.stored_at)
    )
    for theirs in among(connection, ActionRow.customer_id, {each.customer_id for each in done}):
        done += stored_actions(connection, back.where(theirs))
    actions = standing(done)
    closed = (
        select(OutcomeRow.time, OutcomeRow.data)
        .join(WarningRow, WarningRow.id == OutcomeRow.warning_id)
        .where(
            *within,
            OutcomeRow.type == CLOSED,
            OutcomeRow.time >= begin,
            knowledge.by_then(OutcomeRow.stored_at),
        )
    )
    stated = [
        found
        for time, data in connection.execute(closed)
        if (found := stated_reason(to_us(time), data)) is not None
    ]
    answered = {each.warning_id for each in actions if each.kind in CONFIRMS and each.warning_id is not None}
    answered.update(each.warning_id for each in stated)
    if prefixes:  # corrections are those of all warnings
        answered = {warning for warning in answered if warning.startswith(prefixes)}
    steps: list[SuggestedStep] = []
    opened: dict[str, int] = {}
    for some in among(connection, WarningStepRow.warning_id, answered):
        taken = select(
            WarningStepRow.warning_id,
            WarningStepRow.step,
            WarningStepRow.time,
            _causes(connection),
            _model_groups(connection),
        ).where(some, knowledge.by_then(WarningStepRow.received_at))
        *plain, reasons_of, raising_of = read_columns(connection, taken)
        codes = parsed(reasons_of, lambda own: tuple(dict.fromkeys(_reason_codes(own))))
        groups = parsed(raising_of, lambda own: tuple(dict.fromkeys(_groups_in(own))))
        for warning, _, at, own, raising in sorted(zip(*plain, codes, groups, strict=True)):
            opened[warning] = min(at, opened.get(warning, at))
            steps.append(SuggestedStep(warning, at, own, raising))
    draw = Share(len(prefixes), 16 ** len(prefixes[0])) if prefixes else None
    return AgreementFacts(months, opened, tuple(steps), tuple(actions), tuple(stated), draw)


def drawn_prefixes(count: int, wanted: int) -> tuple[str, ...]:
    """Return how the ids of a draw begin, that of so many warnings takes about as many as wanted; none: all.

    Ids of warnings are hashes, so those that begin alike are a fair draw, and always the same.

    >>> drawn_prefixes(500, 1_000), drawn_prefixes(1_000, 250), len(drawn_prefixes(1_000_000, 9_000))
    ((), ('0', '1', '2', '3'), 2)
    """
    if count <= wanted:
        return ()
    digits = 1
    while (chosen := wanted * 16**digits // count) < 2:
        digits += 1
    return tuple(f"{number:0{digits}x}" for number in range(chosen))


def _drawn(prefixes: Sequence[str]) -> tuple[ColumnElement[bool], ...]:
    return (or_(*(WarningRow.id.startswith(each, autoescape=True) for each in prefixes)),) if prefixes else ()


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
        agreement=_agreement(facts.answered, period, group_of),
        months=tuple((month, _agreement(facts.answered, month, group_of)) for month in facts.answered.months),
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


def _agreement(facts: AgreementFacts, period: Period, group_of: Mapping[str, str]) -> ReasonAgreement:
    """Return the agreement of the warnings that opened in a period."""
    begin, end = period.begin_us, period.end_us
    own = {warning for warning, at in facts.opened.items() if begin <= at < end}
    return agreement(
        [each for each in facts.steps if each.warning_id in own],
        [each for each in facts.actions if each.warning_id in own],
        [each for each in facts.stated if each.warning_id in own],
        group_of,
    )
