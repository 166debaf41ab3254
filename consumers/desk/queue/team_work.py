"""What the team did about a customer's warning, as far as its place in the queue depends on it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from consumers.actions import CONTACTS, Action, standing

ATTENTION_KINDS: Final = {"acknowledge": "acknowledged", "snooze": "snoozed"}
"""Kinds that put a warning off for a time, and the state that the engine gives it."""
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
