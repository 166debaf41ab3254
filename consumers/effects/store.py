"""What effects are measured from, as the database has it, or had it at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, select, true
from sqlalchemy.orm import InstrumentedAttribute

from consumers.actions import Action, stored_action
from consumers.database.database import Database
from consumers.database.events import ActionRow
from consumers.database.outcomes import OutcomeRow
from consumers.database.warnings import WarningStepRow
from consumers.effects.matured import TYPE, matured_frame
from consumers.effects.reasons import (
    CLOSED,
    CONFIRMS,
    StatedReason,
    SuggestedStep,
    stated_reason,
    suggested_step,
)
from consumers.effects.report import EffectsInput
from streams.contract.instants import EPOCH, MICROSECOND, to_us

AT_ONCE: Final = 500
"""Ids in one query, as SQLite takes so many parameters in every version; and rows read at a time."""


def stored_input(database: Database, as_of: int | None = None) -> EffectsInput:
    """Return what a report is made from; `as_of` leaves out what was stored later, microseconds."""
    then = None if as_of is None else EPOCH + as_of * MICROSECOND
    with database.reading() as connection:
        matured = connection.scalars(
            select(OutcomeRow.data)
            .where(OutcomeRow.type == TYPE, _known(OutcomeRow.stored_at, then))
            .order_by(OutcomeRow.seq)
            .execution_options(yield_per=AT_ONCE)
        )
        frame = matured_frame(matured)
        actions, stated = list(_actions(connection, then)), list(_stated(connection, then))
        answered = {a.warning_id for a in actions if a.warning_id is not None and a.kind in CONFIRMS}
        answered.update(each.warning_id for each in stated)
        steps = tuple(_steps(connection, sorted(answered), then))
    return EffectsInput(frame, tuple(actions), tuple(stated), steps)


def _known(stamp: InstrumentedAttribute[datetime], then: datetime | None) -> ColumnElement[bool]:
    return true() if then is None else stamp <= then


def _actions(connection: Connection, then: datetime | None) -> Iterator[Action]:
    query = select(*ActionRow.__table__.columns).where(_known(ActionRow.stored_at, then))
    for row in connection.execute(query).mappings():
        yield stored_action({str(name): value for name, value in row.items()})


def _stated(connection: Connection, then: datetime | None) -> Iterator[StatedReason]:
    query = select(OutcomeRow.time, OutcomeRow.data).where(
        OutcomeRow.type == CLOSED, OutcomeRow.warning_id.is_not(None), _known(OutcomeRow.stored_at, then)
    )
    for time, data in connection.execute(query):
        if (found := stated_reason(to_us(time), data)) is not None:
            yield found


def _steps(
    connection: Connection, warning_ids: Sequence[str], then: datetime | None
) -> Iterator[SuggestedStep]:
    """Yield the steps of warnings, those of each together and in their order."""
    for begin in range(0, len(warning_ids), AT_ONCE):
        query = (
            select(WarningStepRow.time, WarningStepRow.data)
            .where(
                WarningStepRow.warning_id.in_(warning_ids[begin : begin + AT_ONCE]),
                _known(WarningStepRow.received_at, then),
            )
            .order_by(WarningStepRow.warning_id, WarningStepRow.step)
        )
        for time, data in connection.execute(query):
            yield suggested_step(to_us(time), data)
