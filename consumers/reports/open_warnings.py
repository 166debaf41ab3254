"""The warnings that were open at an instant, each as its newest step of then left it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, func, or_, select
from sqlalchemy.orm import aliased

from consumers.database.warnings import WarningRow, WarningStepRow
from consumers.reports.knowledge import Knowledge

OPEN: Final = "open"
_ROWS: Final = 5_000


@dataclass(frozen=True, slots=True)
class OpenWarning:
    """A warning that was open, those held out too."""

    warning_id: str
    customer_id: str
    tier: str
    probability: float | None
    value: float | None
    value_at_risk: float | None


def read_open_warnings(connection: Connection, at: datetime, knowledge: Knowledge) -> Iterator[OpenWarning]:
    """Yield the warnings open just before an instant, in no order.

    What the rules did at the sweep of that instant comes after the lapses and the census of the same sweep,
    and so after what is counted by it.
    """
    other, data = aliased(WarningStepRow), WarningStepRow.data
    newest = (
        knowledge.known(
            select(other.seq).where(other.warning_id == WarningRow.id, other.time < at), other.received_at
        )
        .order_by(other.step.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(
            WarningStepRow.warning_id,
            WarningStepRow.customer_id,
            WarningStepRow.tier,
            data["churn_probability"].as_float(),
            data["decision", "value"].as_float(),
            data["value_at_risk"].as_float(),
        )
        .select_from(WarningRow)
        .join(WarningStepRow, WarningStepRow.seq == newest)
        .where(
            WarningRow.opened_at < at, _may_be_open(connection, at, knowledge), WarningStepRow.state == OPEN
        )
    )
    for row in connection.execution_options(yield_per=_ROWS).execute(query):
        yield OpenWarning(*row)


def _may_be_open(connection: Connection, at: datetime, knowledge: Knowledge) -> ColumnElement[bool]:
    """Return the condition of warnings that were not closed before the instant, as far as was known."""
    is_open = or_(WarningRow.closed_at.is_(None), WarningRow.closed_at >= at)
    if knowledge.as_of is None:
        return is_open
    # The row of a warning is as its newest step left it, also where that was stored later.
    since = first_stored_after(connection, WarningStepRow.seq, WarningStepRow.received_at, knowledge.as_of)
    if since is None:
        return is_open
    later = select(WarningStepRow.warning_id).where(WarningStepRow.seq >= since, WarningStepRow.time < at)
    return or_(is_open, WarningRow.id.in_(later))


def first_stored_after(connection: Connection, seq: Any, stored_at: Any, instant: datetime) -> int | None:
    """Return the number of the first row that was stored after an instant, `None` where none was.

    Rows are numbered in the order of storage, so that halving finds it by the primary key alone.
    """
    low, high = connection.execute(select(func.min(seq), func.max(seq))).one()
    if high is None:
        return None
    newest: datetime = connection.execute(select(stored_at).where(seq == high)).scalar_one()
    if newest <= instant:
        return None
    while low < high:
        middle = (low + high) // 2
        # Numbers may be missing: the next row that there is stands for those before it.
        query = select(seq, stored_at).where(seq >= middle).order_by(seq).limit(1)
        found, stored = connection.execute(query).one()
        if stored > instant:
            high = middle
        else:
            low = found + 1
    return int(connection.scalar(select(seq).where(seq >= low).order_by(seq).limit(1)) or low)
