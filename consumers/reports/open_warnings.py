"""The warnings that were open just before an instant, each as its newest step of then left it.

What the rules did at the sweep of that instant comes after the lapses and the census of the same sweep, and
so after what is counted by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Numeric,
    Select,
    Text,
    and_,
    case,
    cast,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.orm import aliased

from consumers.database.warnings import WarningRow, WarningStepRow
from consumers.reports.knowledge import Knowledge

OPEN: Final = "open"


@dataclass(frozen=True, slots=True)
class OpenWarnings:
    """The open warnings of a tier, those held out too."""

    tier: str
    n: int
    at_risk: float
    """The value of each customer times the churn probability, summed."""
    known: int
    """Those of whom it is known."""


def read_open_warnings(
    connection: Connection, at: datetime, knowledge: Knowledge
) -> tuple[OpenWarnings, ...]:
    """Return the warnings open just before an instant by their tier of then, in alphabetical order."""
    query, step = open_steps(connection, at, knowledge)
    # Else PostgreSQL looks for each value twice: for the sum, and for the count.
    each = (
        query.add_columns(step.c.tier, _at_risk(connection, step).label("at_risk"))
        .cte("open_warnings")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    tier, at_risk = each.c
    counted = select(tier, func.count(), func.sum(at_risk), func.count(at_risk))
    found = [
        OpenWarnings(tier, n, round(risk or 0, 6), known)
        for tier, n, risk, known in connection.execute(counted.group_by(tier))
    ]
    return tuple(sorted(found, key=lambda each: each.tier))  # in the database it would sort all steps


def open_steps(connection: Connection, at: datetime, knowledge: Knowledge) -> tuple[Select[Any], FromClause]:
    """Return the query, without columns, of the warnings open just before an instant, and their newest steps.

    These are that of each warning before the instant, with their `step`, `state` and `tier`.
    """
    before = aliased(WarningStepRow)
    newest = (
        knowledge.known(
            select(before.step, before.state, before.tier).where(
                before.warning_id == WarningRow.id, before.time < at
            ),
            before.received_at,
        )
        .order_by(before.step.desc())
        .limit(1)
        .correlate(WarningRow)
    )
    may_be_open = _may_be_open(connection, at, knowledge)
    warnings = select().select_from(WarningRow).where(WarningRow.opened_at < at, may_be_open)
    if connection.dialect.name == "postgresql":
        # Its index of a warning's steps has all that is asked for: no step is looked at.
        step: FromClause = newest.lateral()
        return warnings.join(step, true()).where(step.c.state == OPEN), step
    step = WarningStepRow.__table__
    seq = newest.with_only_columns(before.seq).scalar_subquery()
    return warnings.join(step, step.c.seq == seq).where(step.c.state == OPEN), step


def _at_risk(connection: Connection, step: FromClause) -> ColumnElement[float | None]:
    """Return a step's value at risk as an exact decimal: a sum does not depend on an order."""
    if connection.dialect.name != "postgresql":
        at_risk: ColumnElement[float | None] = step.c.data["value_at_risk"].as_numeric(38, 9, asdecimal=False)
        return at_risk
    row = aliased(WarningStepRow)
    own = (
        select(row.data["value_at_risk"].as_numeric(38, 9, asdecimal=False))
        .where(row.warning_id == WarningRow.id, row.step == step.c.step)
        .correlate(WarningRow, step)
        .scalar_subquery()
    )
    # The row of a warning is as its last step left it: of most warnings no step need be looked at.
    last = cast(cast(WarningRow.value_at_risk, Text), Numeric(38, 9, asdecimal=False))
    return case((WarningRow.last_step == step.c.step, last), else_=own)


def _may_be_open(connection: Connection, at: datetime, knowledge: Knowledge) -> ColumnElement[bool]:
    """Return the condition of warnings that were not closed before the instant, as far as was known."""
    # What closed it was its last step: by state and by that step's time there are indexes.
    is_open = or_(WarningRow.state == OPEN, and_(WarningRow.updated_at >= at, WarningRow.closed_at >= at))
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
