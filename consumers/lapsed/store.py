"""What the win-back list is made from, read from the store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, Final

from sqlalchemy import Connection, Executable, Select, and_, select

from consumers.actions import stored_action
from consumers.database.database import Database
from consumers.database.events import ActionRow
from consumers.database.outcomes import OutcomeRow
from consumers.database.warnings import WarningRow, WarningStepRow
from consumers.lapsed.facts import LapsedFacts, facts_of
from consumers.scorecard.facts import CLOSED, LAPSED, LIVES, WARNING
from consumers.scorecard.store import newest_outcome
from streams.contract.instants import to_us

_AT_ONCE: Final = 5_000
_ASKED: Final = 500
"""Customers that are asked about in one query."""
Row = Mapping[str, Any]

_OUTCOMES: Final = select(OutcomeRow.id, OutcomeRow.type, OutcomeRow.time, OutcomeRow.data)
_STEPS: Final = select(WarningStepRow.type, WarningStepRow.time, WarningStepRow.data)
_NEWEST_STEPS: Final = _STEPS.join(
    WarningRow,
    and_(WarningRow.id == WarningStepRow.warning_id, WarningRow.last_step == WarningStepRow.step),
)


def stored_facts(database: Database, as_of: datetime | None = None) -> LapsedFacts:
    """Return the facts of a store about the customers who are gone, as it stood at `as_of`, else now."""
    outcomes, steps, actions = _OUTCOMES, _NEWEST_STEPS, select(*ActionRow.__table__.columns)
    if as_of is not None:
        outcomes = outcomes.where(OutcomeRow.stored_at <= as_of)
        actions = actions.where(ActionRow.stored_at <= as_of)
        # All steps that there were then: what a warning's newest is today is another.
        steps = _STEPS.where(WarningStepRow.received_at <= as_of)
    with database.reading() as connection:
        gone = sorted(_gone(connection, as_of))
        lives = _of(connection, outcomes.where(OutcomeRow.type.in_(LIVES)), OutcomeRow.customer_id, gone)
        matured = _of(connection, outcomes.where(OutcomeRow.type == WARNING), OutcomeRow.customer_id, gone)
        found = _of(connection, steps, WarningStepRow.customer_id, gone)
        done = _of(connection, actions, ActionRow.customer_id, gone)
        newest = newest_outcome(connection, as_of)
        known_to = None if newest is None else to_us(newest)
        return facts_of(chain(lives, matured), map(stored_action, done), found, known_to)


def _gone(connection: Connection, as_of: datetime | None) -> set[str]:
    """Return who has left and not come back, by the kinds and times alone: of most the rest is not needed."""
    newest: dict[str, tuple[datetime, int]] = {}
    for rank, kind in enumerate(LIVES):
        query = select(OutcomeRow.customer_id, OutcomeRow.time).where(OutcomeRow.type == kind)
        if as_of is not None:
            query = query.where(OutcomeRow.stored_at <= as_of)
        for row in _streamed(connection, query):
            here = (row["time"], rank)
            newest[row["customer_id"]] = max(here, newest.get(row["customer_id"], here))
    return {customer for customer, (_, rank) in newest.items() if LIVES[rank] in (LAPSED, CLOSED)}


def _of(connection: Connection, query: Select[Any], column: Any, customers: Sequence[str]) -> Iterator[Row]:
    """Yield the rows of these customers, for each of whom an index leads to them."""
    for begin in range(0, len(customers), _ASKED):
        yield from _streamed(connection, query.where(column.in_(customers[begin : begin + _ASKED])))


def _streamed(connection: Connection, query: Executable) -> Iterator[Row]:
    result = connection.execution_options(yield_per=_AT_ONCE).execute(query)
    for rows in result.mappings().partitions():
        yield from map(dict, rows)
