"""Whether the reasons that warnings suggested are those that were found, month by month."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, cast, func, or_, select
from sqlalchemy.dialects.postgresql import JSONB, JSONPATH

from consumers.actions import Action, standing
from consumers.database.events import ActionRow
from consumers.database.outcomes import OutcomeRow
from consumers.database.warnings import WarningRow, WarningStepRow
from consumers.effects.reasons import (
    CLOSED,
    CONFIRMS,
    ReasonAgreement,
    StatedReason,
    SuggestedStep,
    agreement,
    stated_reason,
)
from consumers.reports.columns import among, parsed, read_columns
from consumers.reports.contacts import ACTION_COLUMNS, stored_actions
from consumers.reports.knowledge import Knowledge
from consumers.reports.period import Period
from streams.contract.instants import to_us
from streams.share import Share

AGREEMENT_MONTHS: Final = 12
DRAWN: Final = 8_000
"""Actions about warnings from which on the agreement looks at a draw of about so many."""


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


def read_agreement(connection: Connection, period: Period, knowledge: Knowledge) -> AgreementFacts:
    """Return what the agreement of a period and of the months up to it is counted from."""
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
            reasons_of_causes(connection),
            _model_groups(connection),
        ).where(some, knowledge.by_then(WarningStepRow.received_at))
        *plain, reasons_of, raising_of = read_columns(connection, taken)
        codes = parsed(reasons_of, lambda own: tuple(dict.fromkeys(reason_codes(own))))
        groups = parsed(raising_of, lambda own: tuple(dict.fromkeys(_groups_in(own))))
        for warning, _, at, own, raising in sorted(zip(*plain, codes, groups, strict=True)):
            opened[warning] = min(at, opened.get(warning, at))
            steps.append(SuggestedStep(warning, at, own, raising))
    draw = Share(len(prefixes), 16 ** len(prefixes[0])) if prefixes else None
    return AgreementFacts(months, opened, tuple(steps), tuple(actions), tuple(stated), draw)


def drawn_prefixes(count: int, wanted: int) -> tuple[str, ...]:
    """Return how the ids of a draw begin, that of so many warnings takes about as many as wanted; none: all.

    Ids of warnings are hashes, so those that begin alike are a random sample, and always the same.

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


def agreement_of(facts: AgreementFacts, period: Period, group_of: Mapping[str, str]) -> ReasonAgreement:
    """Return the agreement of the warnings that opened in a period."""
    begin, end = period.begin_us, period.end_us
    own = {warning for warning, at in facts.opened.items() if begin <= at < end}
    return agreement(
        [each for each in facts.steps if each.warning_id in own],
        [each for each in facts.actions if each.warning_id in own],
        [each for each in facts.stated if each.warning_id in own],
        group_of,
    )


def reasons_of_causes(connection: Connection) -> ColumnElement[Any]:
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


def reason_codes(causes: Sequence[Any]) -> list[str]:
    """Return the reasons of causes, as `reasons_of_causes` reads them."""
    return [cause if isinstance(cause, str) else cause["reason"] for cause in causes]
