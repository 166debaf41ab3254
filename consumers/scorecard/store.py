"""What a scorecard is made from, read from the store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Select, or_, select

from consumers.actions import Action, stored_action
from consumers.database.database import Database
from consumers.database.events import ActionRow
from consumers.database.outcomes import OutcomeRow
from consumers.database.warnings import WarningStepRow
from consumers.scorecard.facts import OUTCOMES, Facts, facts_of

_AT_ONCE: Final = 5_000


def stored_facts(database: Database, horizon: timedelta, as_of: datetime | None = None) -> Facts:
    """Return the facts of a store, or those that it had at an instant of its own clock."""
    with database.reading() as connection:
        return facts_of(
            _outcomes(connection, as_of),
            _actions(connection, as_of),
            _steps(connection, horizon, as_of),
        )


def newest_outcome(connection: Connection, as_of: datetime | None = None) -> datetime | None:
    """Return the event time of the newest outcome, by the index of each type."""
    found: list[datetime] = []
    for kind in OUTCOMES:
        query = select(OutcomeRow.time).where(OutcomeRow.type == kind).order_by(OutcomeRow.time.desc())
        if as_of is not None:
            query = query.where(OutcomeRow.stored_at <= as_of)
        if (newest := connection.scalar(query.limit(1))) is not None:
            found.append(newest)
    return max(found, default=None)


def _outcomes(connection: Connection, as_of: datetime | None) -> Iterator[Mapping[str, Any]]:
    # By type and time: there is an index, and types of a later version are passed over.
    for kind in OUTCOMES:
        query = select(OutcomeRow.id, OutcomeRow.type, OutcomeRow.time, OutcomeRow.data)
        query = query.where(OutcomeRow.type == kind).order_by(OutcomeRow.time, OutcomeRow.seq)
        if as_of is not None:
            query = query.where(OutcomeRow.stored_at <= as_of)
        yield from _streamed(connection, query)


def _actions(connection: Connection, as_of: datetime | None) -> Iterator[Action]:
    # A correction need not name the warning.
    about = or_(ActionRow.warning_id.is_not(None), ActionRow.corrects.is_not(None))
    query = select(*ActionRow.__table__.columns).where(about)
    if as_of is not None:
        query = query.where(ActionRow.stored_at <= as_of)
    for row in _streamed(connection, query):
        yield stored_action(row)


def _steps(connection: Connection, horizon: timedelta, as_of: datetime | None) -> Iterator[Mapping[str, Any]]:
    """Yield the steps that may have opened what has not matured: the newest, by twice the horizon."""
    query = select(WarningStepRow.type, WarningStepRow.time, WarningStepRow.data)
    if as_of is not None:
        query = query.where(WarningStepRow.received_at <= as_of)
    known_to = newest_outcome(connection, as_of)
    if known_to is not None:
        query = query.where(WarningStepRow.time >= known_to - 2 * horizon)
    yield from _streamed(connection, query)


def _streamed(connection: Connection, query: Select[Any]) -> Iterator[Mapping[str, Any]]:
    result = connection.execution_options(yield_per=_AT_ONCE).execute(query)
    for rows in result.mappings().partitions():
        yield from map(dict, rows)
