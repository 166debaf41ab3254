"""What stands in a digest, in a message of gathered notices, and in one about a segment."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, func, select

from consumers.database.notices import MessageStepRow
from consumers.database.outcomes import CustomerDaysRow
from consumers.database.warnings import SegmentWarningRow, SegmentWarningStepRow, WarningRow, WarningStepRow
from consumers.decision import must_not_be_contacted
from consumers.notify.message import Bundle, StepContent
from consumers.notify.notices import OPEN

NOTICE: Final = "notice"
SEGMENT: Final = "segment"
DIGEST: Final = "digest"
GATHERED: Final = "gathered"
REPORT: Final = "report"
"""The kinds of messages."""
WAITING: Final = "waiting"
ENTERED: Final = "entered"
DROPPED: Final = "dropped"
"""Their states."""
MOST_STEPS: Final = 50
"""Steps in one message; a longer digest has several parts."""


def contents_of(connection: Connection, message: Row[Any]) -> StepContent | Bundle:
    """Return what a message holds: a segment's step, or the steps of a bundle.

    Customers who must not be contacted by now are left out, and so is who is held out.
    """
    if message.kind == SEGMENT:
        query = select(SegmentWarningStepRow).where(SegmentWarningStepRow.id == message.segment_step_id)
        return _step(connection.execute(query).one())
    query_of = select(MessageStepRow.__table__).where(MessageStepRow.message_seq == message.seq)
    found = connection.execute(query_of.order_by(MessageStepRow.seq)).all()
    customers = _by_id(connection, WarningStepRow, [row.step_id for row in found if row.step_id])
    segments = _by_id(
        connection, SegmentWarningStepRow, [row.segment_step_id for row in found if row.segment_step_id]
    )
    barred = withheld(connection, {row.warning_id for row in found if row.customer_id is not None})
    steps = [
        customers[row.step_id] if row.step_id else segments[row.segment_step_id]
        for row in found
        if row.warning_id not in barred
    ]
    return Bundle(
        *(message.key, message.kind, message.created_at, steps),
        *(message.day, message.part, message.parts, message.total),
    )


def is_open(connection: Connection, table: type[SegmentWarningRow | WarningRow], warning_id: str) -> bool:
    """Return whether a warning of a customer or of a segment is open."""
    return connection.scalar(select(table.state).where(table.id == warning_id)) == OPEN


def _by_id(
    connection: Connection, table: type[WarningStepRow | SegmentWarningStepRow], ids: Collection[str]
) -> Mapping[str, StepContent]:
    rows = connection.execute(select(table).where(table.id.in_(ids))) if ids else ()
    return {row.id: _step(row) for row in rows}


def _step(row: Row[Any]) -> StepContent:
    return StepContent(row.id, row.type, row.time, row.data)


def withheld(connection: Connection, warning_ids: Collection[str]) -> set[str]:
    """Return the warnings of whose customers nobody may hear by now: held out, or not to be contacted.

    A profile may say so after the newest step: then the newest customer day has it.
    """
    if not warning_ids:
        return set()
    newest = (
        select(WarningRow.id, WarningRow.holdout, WarningStepRow.data)
        .join(
            WarningStepRow,
            and_(
                WarningStepRow.warning_id == WarningRow.id,
                WarningStepRow.step == WarningRow.last_step,
            ),
        )
        .where(WarningRow.id.in_(warning_ids))
    )
    barred = {row.id for row in connection.execute(newest) if row.holdout or must_not_be_contacted(row.data)}
    last = (
        select(CustomerDaysRow.warning_id, func.max(CustomerDaysRow.time).label("time"))
        .where(CustomerDaysRow.warning_id.in_(warning_ids))
        .group_by(CustomerDaysRow.warning_id)
        .subquery()
    )
    days = select(CustomerDaysRow.warning_id, CustomerDaysRow.data).join(
        last, and_(CustomerDaysRow.warning_id == last.c.warning_id, CustomerDaysRow.time == last.c.time)
    )
    return barred | {row.warning_id for row in connection.execute(days) if must_not_be_contacted(row.data)}
