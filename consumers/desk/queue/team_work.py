"""What the team did about a customer's warning, as far as its place in the queue depends on it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from consumers.actions import CONTACTS, Action, standing

ATTENTION_KINDS: Final = {"acknowledge": "acknowledged", "snooze": "snoozed"}
"""Kinds that put a warning off for a time, and the state that the engine gives it."""
MOST_INSTANTS: Final = 64
"""Begins of local days that are kept, one for each time zone and day."""
ATTENDING_KINDS: Final = frozenset({*ATTENTION_KINDS, *CONTACTS})


@dataclass(frozen=True, slots=True)
class Spending:
    """What a contact or an offer by a play cost; the time in microseconds."""

    at: int
    play: str
    amount: float


@dataclass(frozen=True, slots=True)
class FirstAttended:
    """Who attended to a warning first; the time in microseconds."""

    at: int
    actor: str | None


@dataclass(frozen=True, slots=True)
class TeamWork:
    """What the team did about a warning."""

    contacted: bool = False
    """By a contact or an offer since it opened."""
    put_off: tuple[Action, ...] = ()
    """Acknowledgements and snoozes that stand, the oldest first."""
    closing: bool = False
    """Somebody has asked for its end."""
    assignee: str | None = None
    first: FirstAttended | None = None


@dataclass(frozen=True, slots=True)
class CustomerWork:
    """What the team did about a customer."""

    actions: tuple[Action, ...] = ()
    """Those that stand, in the order of time."""

    @classmethod
    def of(cls, actions: Iterable[Action]) -> CustomerWork:
        """Return what stands of a customer's actions."""
        return cls(tuple(standing(actions)))

    def on_warning(self, warning_id: str, opened_at: int) -> TeamWork:
        """Return what was done about the customer's open warning.

        A contact or an offer counts whatever warning it names; the rest counts for the warning that it names.
        """
        contacted, closing, assignee = False, False, None
        put_off: list[Action] = []
        first: FirstAttended | None = None
        for each in self.actions:
            own = each.warning_id == warning_id
            contact = each.kind in CONTACTS and each.at >= opened_at
            contacted |= contact
            if own and each.kind in ATTENTION_KINDS:
                put_off.append(each)
            if own and each.kind == "expire":
                closing = True
            if own and each.kind in ("assign", "unassign"):
                assignee = (each.assignee or each.actor) if each.kind == "assign" else None
            if first is None and (contact or (own and each.kind in ATTENTION_KINDS)):
                first = FirstAttended(each.at, each.actor)
        return TeamWork(contacted, tuple(put_off), closing, assignee, first)

    def first_by_warning(self) -> dict[str, FirstAttended]:
        """Return who attended first to each warning that actions name."""
        found: dict[str, FirstAttended] = {}
        for each in self.actions:
            if each.kind in ATTENDING_KINDS and each.warning_id is not None:
                found.setdefault(each.warning_id, FirstAttended(each.at, each.actor))
        return found

    def spendings(self) -> tuple[Spending, ...]:
        """Return what contacts and offers by a play cost, where that is on record."""
        return tuple(
            Spending(each.at, each.play, math.fsum(each.cost.values()))
            for each in self.actions
            if each.kind in CONTACTS and each.play is not None and each.cost
        )


class AttendedSince:
    """Whom people attended to first since an instant, kept for the instants that are asked for."""

    def __init__(self) -> None:
        self._firsts: dict[str, tuple[FirstAttended, ...]] = {}
        """By customer, who attended first to each of their warnings."""
        self._since: dict[int, dict[str | None, set[str]]] = {}

    def note(self, customer: str, firsts: tuple[FirstAttended, ...]) -> None:
        """Take in who attended first to a customer's warnings, in place of what was known."""
        before = self._firsts.pop(customer, ())
        if firsts:
            self._firsts[customer] = firsts
        if firsts == before:
            return
        for begin, by_actor in self._since.items():
            _remove(by_actor, begin, customer, before)
            _add(by_actor, begin, customer, firsts)

    def since(self, begin: int) -> Mapping[str | None, set[str]]:
        """Return the customers by who attended to them first, since an instant in microseconds."""
        found = self._since.get(begin)
        if found is None:
            found = defaultdict(set)
            for customer, firsts in self._firsts.items():
                _add(found, begin, customer, firsts)
            while len(self._since) >= MOST_INSTANTS:
                self._since.pop(next(iter(self._since)))
            self._since[begin] = found
        return found


def _add(
    by_actor: dict[str | None, set[str]], begin: int, customer: str, firsts: Iterable[FirstAttended]
) -> None:
    for each in firsts:
        if each.at >= begin:
            by_actor[each.actor].add(customer)


def _remove(
    by_actor: dict[str | None, set[str]], begin: int, customer: str, firsts: Iterable[FirstAttended]
) -> None:
    for each in firsts:
        if each.at >= begin:
            by_actor[each.actor].discard(customer)
