"""How good alarms were, by rule and tier, and of which customers were missed.

The figures are those of the scorecard (`consumers.scorecard`), of the warnings that opened and the customers
who left in the period. A warning is judged a horizon after it opened, so of a recent period little is known:
beside it stands the same of the period one horizon earlier. Only what these two need is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import polars as pl
from sqlalchemy import ColumnElement, Connection, Select, Text, cast, func, null, or_, select, true

from consumers.actions import Action, standing
from consumers.database.events import ActionRow
from consumers.database.outcomes import OutcomeRow
from consumers.database.warnings import WarningStepRow
from consumers.reports.columns import Query, among, frame, instants, read_columns
from consumers.reports.contacts import ACTION_COLUMNS, stored_actions
from consumers.reports.knowledge import Knowledge
from consumers.reports.losses import LossReader
from consumers.reports.period import Period
from consumers.reports.rate import hidden_cells
from consumers.scorecard.facts import (
    CAUSE,
    CAUSE_SCHEMA,
    LAPSED,
    LOSS_SCHEMA,
    OPENED_SCHEMA,
    WARNING,
    WARNING_SCHEMA,
    Facts,
)
from consumers.scorecard.missed import Missed, MissedGroup
from consumers.scorecard.scorecard import Scorecard, scorecard
from consumers.scorecard.store import newest_outcome
from consumers.scorecard.verdicts import CONFIRM, FALSE_ALARM, LEAVING
from streams.contract.instants import MICROSECOND, to_us

_VERDICTS: Final = or_(
    ActionRow.kind == CONFIRM,
    ActionRow.result.in_(sorted({FALSE_ALARM, *LEAVING})),
    ActionRow.corrects.is_not(None),
)
"""Actions that say something of a warning, or may take back one that does."""
MOST_STEPS: Final = 50_000
"""Steps of a period whose causes are taken apart."""
_OF_CAUSE: Final = ("rule", "tier", "opened_at")


@dataclass(frozen=True, slots=True)
class AlarmFacts:
    """What alarm quality is counted from; microseconds."""

    horizon: int
    begin: int
    end: int
    now: Facts
    """Of what opened in the period, and who left in it."""
    before: Facts
    """The same of the period one horizon earlier."""


@dataclass(frozen=True, slots=True)
class Alarms:
    """The scorecard of a period, and that of the period one horizon earlier, all of which has matured."""

    period: Period
    now: Scorecard
    before: Scorecard

    @property
    def missed(self) -> Missed:
        """Who left in the period without a warning; only its counts are shown, never customers."""
        return self.now.missed

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values; they name no customer."""
        return {"opened_in_period": _as_dict(self.now), "one_horizon_earlier": _as_dict(self.before)}


def _as_dict(card: Scorecard) -> dict[str, Any]:
    found = card.as_dict(0)
    missed = card.missed
    groups = {name: [_group(*each) for each in shown_groups(own)] for name, own in missed.groups.items()}
    found["missed"] = {"all": missed.all.as_dict(), "by": groups}
    return {name: value for name, value in found.items() if name not in ("as_of", "cautions")}


def _group(group: MissedGroup, is_shown: bool) -> dict[str, Any]:
    return group.as_dict() if is_shown else {"value": group.value, "hidden": True}


def shown_groups(groups: tuple[MissedGroup, ...]) -> list[tuple[MissedGroup, bool]]:
    """Return each group of missed customers, and whether it is large enough to be shown."""
    hidden = hidden_cells([group.lost for group in groups])
    return [(group, place not in hidden) for place, group in enumerate(groups)]


def read_alarms(
    connection: Connection, period: Period, knowledge: Knowledge, losses: LossReader | None = None
) -> AlarmFacts:
    """Return what the alarms of a period are judged by."""
    horizon = knowledge.horizon
    begin, end = period.begin_at, period.end_at
    known_to = _known_to(connection, knowledge)
    losses = losses or LossReader(knowledge)
    now, before = (
        _facts(
            connection,
            begin - back,
            end - back,
            knowledge,
            known_to,
            losses.between(connection, begin - back, end - back),
        )
        for back in (0 * horizon, horizon)
    )
    older = _opened_earlier(now, begin, end) | _opened_earlier(before, begin - horizon, end - horizon)
    actions = tuple(standing(_verdicts(connection, begin - horizon, older, knowledge)))
    return AlarmFacts(
        horizon // MICROSECOND,
        period.begin_us,
        period.end_us,
        replace(now, actions=actions),
        replace(before, actions=actions),
    )


def _opened_earlier(facts: Facts, begin: datetime, end: datetime) -> set[str]:
    """Return the warnings, opened before [begin, end), that causes joined in it."""
    joined = facts.causes.filter(pl.col("opened_at") >= to_us(begin), pl.col("opened_at") < to_us(end))
    assert facts.opened_warnings is not None
    return set(joined["warning_id"].drop_nulls()) - set(facts.opened_warnings["warning_id"])


def _verdicts(
    connection: Connection, begin: datetime, older: set[str], knowledge: Knowledge
) -> Iterator[Action]:
    """Yield what the team found out since an instant, and before it about these warnings."""
    query = select(*ACTION_COLUMNS).where(_VERDICTS, knowledge.by_then(ActionRow.stored_at))
    yield from stored_actions(connection, query.where(ActionRow.time >= begin))
    before = query.where(ActionRow.time < begin)
    found = [
        action
        for about in among(connection, ActionRow.warning_id, older)
        for action in stored_actions(connection, before.where(about))
    ]
    yield from found
    # What takes one of these back need not name the warning.
    back = before.where(ActionRow.corrects.is_not(None))
    for theirs in among(connection, ActionRow.customer_id, {each.customer_id for each in found}):
        yield from stored_actions(connection, back.where(theirs))


def alarms(facts: AlarmFacts, period: Period) -> Alarms:
    """Return how good the alarms of the period were."""
    begin, end, horizon = facts.begin, facts.end, facts.horizon
    return Alarms(
        period,
        scorecard(facts.now, horizon, since=begin, until=end),
        scorecard(facts.before, horizon, since=begin - horizon, until=end - horizon),
    )


def _known_to(connection: Connection, knowledge: Knowledge) -> datetime | None:
    """Return the newest event time of outcomes and steps."""
    steps = knowledge.known(select(WarningStepRow.time), WarningStepRow.received_at)
    newest = (
        newest_outcome(connection, knowledge.as_of),
        connection.scalar(steps.order_by(WarningStepRow.time.desc()).limit(1)),
    )
    return max((at for at in newest if at is not None), default=None)


def _facts(
    connection: Connection,
    begin: datetime,
    end: datetime,
    knowledge: Knowledge,
    known_to: datetime | None,
    losses: pl.DataFrame,
) -> Facts:
    """Return the facts of a scorecard of [begin, end) without actions, each found by an index."""
    queries = [_matured_causes(begin, end, knowledge)]
    settled = None if known_to is None else to_us(known_to - knowledge.horizon)
    if settled is not None and len(losses.filter(pl.col("at") < settled)):
        queries += _earlier_causes_of_lost(connection, begin, losses, knowledge)
    causes = pl.concat([_read(connection, query, _NUMBERED | CAUSE_SCHEMA) for query in queries])
    warnings = _read(connection, _matured_warnings(begin, end, knowledge), _NUMBERED | WARNING_SCHEMA)
    return Facts(
        causes=causes.unique("seq").sort("opened_at", "seq").drop("seq"),
        warnings=warnings.sort("seq").drop("seq"),
        losses=_losses(losses),
        actions=(),
        opened_causes=_opened_causes(connection, begin, end, knowledge),
        opened_warnings=_opened_warnings(connection, begin, end, knowledge),
        known_to=None if known_to is None else to_us(known_to),
    )


_NUMBERED: Final[dict[str, pl.DataType]] = {"seq": pl.Int64()}


def _read(connection: Connection, query: Query, schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    return frame(read_columns(connection, query), schema)


_CAUSE: Final = select(
    OutcomeRow.seq,
    OutcomeRow.customer_id,
    OutcomeRow.rule,
    OutcomeRow.tier,
    OutcomeRow.data["status"].as_string(),
    OutcomeRow.warning_id,
    OutcomeRow.opened_at,
    OutcomeRow.data["already_lost"].as_boolean(),
    OutcomeRow.churned,
).where(OutcomeRow.type == CAUSE)


def _matured_causes(begin: datetime, end: datetime, knowledge: Knowledge) -> Select[Any]:
    """Select the matured causes that opened in [begin, end)."""
    return _CAUSE.where(*_opened_within(begin, end, knowledge))


def _opened_within(begin: datetime, end: datetime, knowledge: Knowledge) -> tuple[Any, ...]:
    return (
        OutcomeRow.opened_at >= begin,
        OutcomeRow.opened_at < end,
        knowledge.by_then(OutcomeRow.stored_at),
    )


def _earlier_causes_of_lost(
    connection: Connection, begin: datetime, losses: pl.DataFrame, knowledge: Knowledge
) -> list[Select[Any]]:
    """Select the matured causes that opened before `begin` and may have seen a loss from then on.

    They opened in the horizon before the loss, and so matured after `begin`, or were of the warning that was
    open at it. A cause of a warning opens with it or later, so that only of warnings older than a horizon
    there may be some that the first do not have.
    """
    earlier = _CAUSE.where(OutcomeRow.opened_at < begin, knowledge.by_then(OutcomeRow.stored_at))
    recent = earlier.where(OutcomeRow.time > begin)
    old = losses.filter(pl.col("warned_at") <= to_us(begin - knowledge.horizon))
    gone, warned = set(losses["customer_id"]), set(old["warned_id"])
    return [
        *(recent.where(theirs) for theirs in among(connection, OutcomeRow.customer_id, gone)),
        *(earlier.where(own) for own in among(connection, OutcomeRow.warning_id, warned)),
    ]


def _matured_warnings(begin: datetime, end: datetime, knowledge: Knowledge) -> Select[Any]:
    return select(
        OutcomeRow.seq,
        OutcomeRow.warning_id,
        OutcomeRow.customer_id,
        OutcomeRow.opened_at,
        OutcomeRow.tier,
        OutcomeRow.churned,
        OutcomeRow.data["treated"].as_boolean(),
        OutcomeRow.holdout,
    ).where(OutcomeRow.type == WARNING, *_opened_within(begin, end, knowledge))


def _losses(losses: pl.DataFrame) -> pl.DataFrame:
    """Return losses as a scorecard has them."""
    # A lapse belongs to the day that its sweep ends, so that it is in the same period as in the other parts.
    at = pl.col("at") - (pl.col("type") == LAPSED).cast(pl.Int64)
    found = losses.sort("customer_id", "at").with_columns(at).rename({"is_first": "first_loss"})
    return found.select(*LOSS_SCHEMA)


def _opened_warnings(
    connection: Connection, begin: datetime, end: datetime, knowledge: Knowledge
) -> pl.DataFrame:
    query = select(
        WarningStepRow.customer_id,
        WarningStepRow.warning_id,
        cast(null(), Text),
        WarningStepRow.tier,
        WarningStepRow.time,
    ).where(WarningStepRow.step == 1, *_within(begin, end, knowledge))
    return _read(connection, query, OPENED_SCHEMA)


def _within(begin: datetime, end: datetime, knowledge: Knowledge) -> tuple[Any, ...]:
    return (
        WarningStepRow.time >= begin,
        WarningStepRow.time < end,
        knowledge.by_then(WarningStepRow.received_at),
    )


def _opened_causes(
    connection: Connection, begin: datetime, end: datetime, knowledge: Knowledge
) -> pl.DataFrame | None:
    """Return each cause of the steps of [begin, end) once; whatever opened then is among them.

    The database takes the causes apart, as each step repeats all that are open. Of very many steps it is not
    done: then nobody knows how many causes have not matured.
    """
    steps = connection.scalar(select(func.count()).where(*_within(begin, end, knowledge)))
    if (steps or 0) > MOST_STEPS:
        return None
    causes = WarningStepRow.data["causes"]
    if connection.dialect.name == "postgresql":
        each = func.jsonb_array_elements(causes).table_valued("value")
        fields: list[ColumnElement[Any]] = [each.c.value.op("->>")(name) for name in _OF_CAUSE]
    else:
        each = func.json_each(WarningStepRow.data, "$.causes").table_valued("value")
        fields = [func.json_extract(each.c.value, f"$.{name}") for name in _OF_CAUSE]
    query = (
        select(WarningStepRow.customer_id, WarningStepRow.warning_id, *fields)
        .join(each, true())
        .where(*_within(begin, end, knowledge))
        .distinct()
    )
    *plain, opened = read_columns(connection, query)
    return frame((*plain, instants(opened)), OPENED_SCHEMA)
