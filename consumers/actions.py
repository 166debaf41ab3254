"""What the team did, without what it took back."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Any, Final, NamedTuple

from streams.contract.instants import to_us

CONTACTS: Final = ("contact", "offer")
ASSIGNING_KINDS: Final = ("assign", "unassign")


class Action(NamedTuple):
    """An action about a customer; the time in microseconds.

    A tuple, as a report makes hundreds of thousands: a frozen dataclass takes six times as long to make.
    """

    event_id: str
    customer_id: str
    at: int
    kind: str
    warning_id: str | None = None
    play: str | None = None
    result: str | None = None
    actor: str | None = None
    reasons: tuple[str, ...] = ()
    cost: Mapping[str, float] | None = None
    corrects: str | None = None
    assignee: str | None = None
    until: int | None = None


def stored_action(row: Mapping[str, Any]) -> Action:
    """Return the action of a row of the store, an `ActionRow` by its columns."""
    return Action(
        event_id=row["event_id"],
        customer_id=row["customer_id"],
        at=to_us(row["time"]),
        kind=row["kind"],
        warning_id=row["warning_id"],
        play=row["play"],
        result=row["result"],
        actor=row["actor"],
        reasons=tuple(row["reasons"]),
        cost=row["cost"],
        corrects=row["corrects"],
        assignee=row.get("assignee"),
        until=None if row.get("until") is None else to_us(row["until"]),
    )


_IN_ORDER: Final = attrgetter("at", "event_id")


def standing(actions: Iterable[Action]) -> list[Action]:
    """Return the actions that nobody took back, in the order of their time, each id of a customer once.

    A correction takes back the earlier action of its customer and actor with the id that it names; what it
    took back stays so when the correction is corrected in turn.
    """
    kept: dict[tuple[str, str], Action] = {}
    seen: set[tuple[str, str]] = set()
    for each in sorted(actions, key=_IN_ORDER):
        key = (each.customer_id, each.event_id)
        if key in seen:
            continue
        seen.add(key)
        if each.corrects is not None:
            named = (each.customer_id, each.corrects)
            if named in kept and kept[named].actor == each.actor:
                del kept[named]
        kept[key] = each
    return list(kept.values())


def assignees(actions: Iterable[Action]) -> dict[str, str]:
    """Return who has each warning, by its id, where somebody has it.

    >>> taken = Action("e1", "c1", 1, "assign", "w", actor="ann")
    >>> assignees([taken]), assignees([taken, Action("e2", "c1", 2, "unassign", "w", actor="bob")])
    ({'w': 'ann'}, {})
    """
    found: dict[str, str] = {}
    for each in standing(actions):
        if each.warning_id is None or each.kind not in ASSIGNING_KINDS:
            continue
        found.pop(each.warning_id, None)
        to = (each.assignee or each.actor) if each.kind == "assign" else None
        if to is not None:
            found[each.warning_id] = to
    return found


def cost_by_warning(actions: Iterable[Action]) -> dict[str, float]:
    """Return what was spent on each warning for which a cost is on record."""
    amounts: dict[str, list[float]] = {}
    for each in actions:
        if each.warning_id is not None and each.cost:
            # A file's events are read to millionths, so a database's are too.
            rounded = (round(amount, 6) for amount in each.cost.values())
            amounts.setdefault(each.warning_id, []).extend(rounded)
    return {warning_id: math.fsum(own) for warning_id, own in amounts.items()}
