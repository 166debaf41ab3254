"""What the team did about customers, as the store has it and without what it took back."""

from __future__ import annotations

from collections.abc import Container, Iterable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, or_, select

from consumers.actions import CONTACTS, Action, standing
from consumers.database.events import ActionRow
from consumers.reports.columns import among, parsed, read_columns
from consumers.reports.knowledge import Knowledge
from streams.contract.instants import to_us

NOT_REACHED: Final = "not_reached"
WRONG_CONTACT: Final = "wrong_contact"
AGREED: Final = frozenset({"accepted", "will_return", "returned"})
"""Results by which the customer takes what is offered, means to come back, or is back."""

ACTION_COLUMNS: Final = (  # in the order of `Action`
    ActionRow.event_id,
    ActionRow.customer_id,
    ActionRow.time,
    ActionRow.kind,
    ActionRow.warning_id,
    ActionRow.play,
    ActionRow.result,
    ActionRow.actor,
    ActionRow.reasons,
    ActionRow.cost,
    ActionRow.corrects,
)


_CONTACT_COLUMNS: Final[tuple[Any, ...]] = (
    ActionRow.event_id,
    ActionRow.customer_id,
    ActionRow.time,
    ActionRow.kind,
    ActionRow.result,
    ActionRow.actor,
    ActionRow.corrects,
)
_ABOUT_CONTACTS: Final = or_(ActionRow.kind.in_(CONTACTS), ActionRow.corrects.is_not(None))


def is_contact(action: Action) -> bool:
    """Return whether an action was a contact or an offer to the customer, reached or not."""
    return action.kind in CONTACTS and action.result != WRONG_CONTACT


def is_reached(action: Action) -> bool:
    """Return whether it is on record that the customer was reached by a contact."""
    return is_contact(action) and action.result not in (None, NOT_REACHED)


def read_actions(
    connection: Connection, knowledge: Knowledge, begin: datetime, end: datetime | None = None
) -> list[Action]:
    """Return the standing actions of [begin, end), in order; what took one back later is known."""
    query = select(*ACTION_COLUMNS).where(ActionRow.time >= begin, knowledge.by_then(ActionRow.stored_at))
    if end is None:
        return standing(stored_actions(connection, query))
    query = query.where(or_(ActionRow.time < end, ActionRow.corrects.is_not(None)))
    limit = to_us(end)
    return [each for each in standing(stored_actions(connection, query)) if each.at < limit]


def read_actions_of(
    connection: Connection, knowledge: Knowledge, customers: Iterable[str], begin: datetime
) -> list[Action]:
    """Return the standing actions about these customers from `begin` on, in order."""
    query = select(*ACTION_COLUMNS).where(ActionRow.time >= begin, knowledge.by_then(ActionRow.stored_at))
    found: list[Action] = []
    for about in among(connection, ActionRow.customer_id, customers):
        found += stored_actions(connection, query.where(about))
    return standing(found)


def read_contacts(
    connection: Connection,
    knowledge: Knowledge,
    begin: datetime,
    end: datetime,
    customers: Container[str],
) -> list[Action]:
    """Return the standing contacts of [begin, end) with customers, in order; without reasons and costs."""
    query = _contacts_since(knowledge, begin).where(
        or_(ActionRow.time < end, ActionRow.corrects.is_not(None))
    )
    limit = to_us(end)
    return [each for each in _standing_contacts(connection, [query], customers) if each.at < limit]


def read_contacts_of(
    connection: Connection, knowledge: Knowledge, customers: Iterable[str], begin: datetime
) -> list[Action]:
    """Return the standing contacts of these customers from `begin` on, in order, the same of each."""
    query = _contacts_since(knowledge, begin)
    wanted = set(customers)
    queries = (query.where(about) for about in among(connection, ActionRow.customer_id, wanted))
    return _standing_contacts(connection, queries, wanted)


def _contacts_since(knowledge: Knowledge, begin: datetime) -> Select[Any]:
    return select(*_CONTACT_COLUMNS).where(
        ActionRow.time >= begin, _ABOUT_CONTACTS, knowledge.by_then(ActionRow.stored_at)
    )


def _standing_contacts(
    connection: Connection, queries: Iterable[Select[Any]], customers: Container[str]
) -> list[Action]:
    found = [
        Action(event, customer, at, kind, result=result, actor=actor, corrects=corrects)
        for query in queries
        for event, customer, at, kind, result, actor, corrects in zip(
            *read_columns(connection, query), strict=True
        )
        if customer in customers
    ]
    return [each for each in standing(found) if is_contact(each)]


def stored_actions(
    connection: Connection, query: Select[Any], warnings: Container[str] | None = None
) -> list[Action]:
    """Return the actions of a query of `ACTION_COLUMNS`; of warnings those about them, and corrections."""
    *plain, reasons, costs, corrections = read_columns(connection, query)
    found = map(Action, *plain, parsed(reasons, tuple), parsed(costs), corrections)
    if warnings is None:
        return list(found)
    return [each for each in found if each.warning_id in warnings or each.corrects is not None]
