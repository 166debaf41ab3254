"""The states of causes (one customer, one rule) as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streams.core.features.renumbering import Renumbering
from streams.core.rules.rule import Rule
from streams.core.rules.rule_set import Verdicts
from streams.core.warnings.acknowledgement import TakenAction

TRUE, FALSE, MISSING = 1, 0, -1
"""A verdict."""


class CausePhase(IntEnum):
    """Where a cause stands; a cause without a state is idle."""

    COOLING = 0
    PENDING = 1
    OPEN = 2
    CLEARING = 3


_COOLING, _PENDING, _OPEN, _CLEARING = (int(phase) for phase in CausePhase)
_IDLE: Final = -1

_AT_ONCE: Final = 32_768
"""Evaluations looked at at once."""


class CauseEvent(Enum):
    """How an evaluation began or ended a cause."""

    OPENED = "opened"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


@dataclass(slots=True)
class CauseState:
    """A cause that is not idle; instants are microseconds since the epoch."""

    phase: CausePhase
    since: int
    """When `when` became true; in `COOLING` the cooldown's end."""
    opened_at: int = 0
    clearing_since: int = 0


@dataclass(frozen=True, slots=True)
class Evaluations:
    """(n,) evaluations, sorted by customer and, within one, by instant."""

    customers: NDArray[np.int32]
    at: NDArray[np.int64]
    verdicts: Verdicts
    occurred: NDArray[np.int64] | None = None
    """(n,) event times where there are late events: one dated before a cause opened may withdraw it."""
    before: NDArray[np.bool_] | None = None
    """(n,) rows that are no evaluation: the verdicts at the next row's instant without its late event."""
    actions: Mapping[int, TakenAction] = field(default_factory=lambda: MappingProxyType({}))
    """By row, what somebody did about a warning; it takes effect before the evaluation."""


class CauseTable:
    """Every cause that is not idle, found by rule and customer."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        self._slots = np.full((len(rules), 1024), -1, dtype=np.int32)
        """(rules, capacity) the position in `_states` of each cause, -1 for an idle one."""
        self._states: list[CauseState | None] = []
        self._free: list[int] = []
        self._phase = np.full(1024, _IDLE, dtype=np.int8)
        """(causes,) `CausePhase`, and what it is due at, for all causes at once."""
        self._due = np.zeros(1024, dtype=np.int64)
        self._rule = np.zeros(1024, dtype=np.int32)
        self._customer = np.zeros(1024, dtype=np.int32)
        """(causes,) whose each is."""

    @property
    def room(self) -> int:
        """Return for how many causes there is room."""
        return len(self._states)

    def get(self, rule: int, customer: int) -> CauseState | None:
        """Return a cause's state, `None` for an idle one."""
        slot = int(self._slots[rule, customer])
        return self._states[slot] if slot >= 0 else None

    def __iter__(self) -> Iterator[tuple[int, int, CauseState]]:
        """Yield rule, customer and state of every cause that is not idle."""
        rules, customers = np.nonzero(self._slots >= 0)
        slots = self._slots[rules, customers]
        for rule, customer, slot in zip(rules.tolist(), customers.tolist(), slots.tolist(), strict=True):
            state = self._states[slot]
            if state is not None:
                yield rule, customer, state

    def put(self, rule: int, customer: int, state: CauseState) -> None:
        """Keep a cause's state."""
        self.make_room(customer + 1)
        slot = int(self._slots[rule, customer])
        if slot < 0:
            if self._free:
                slot = self._free.pop()
            else:
                slot = len(self._states)
                self._states.append(None)
                if slot >= len(self._phase):
                    self._grow()
            self._slots[rule, customer] = slot
            self._rule[slot], self._customer[slot] = rule, customer
        self._states[slot] = state
        self._phase[slot] = state.phase
        self._due[slot] = _due(state, self._rules[rule])

    def _grow(self) -> None:
        self._phase = np.concatenate([self._phase, np.full_like(self._phase, _IDLE)])
        for name in ("_due", "_rule", "_customer"):
            column = getattr(self, name)
            setattr(self, name, np.concatenate([column, np.zeros_like(column)]))

    def drop(self, rule: int, customer: int) -> None:
        """Let a cause be idle."""
        slot = int(self._slots[rule, customer])
        if slot >= 0:
            self._states[slot] = None
            self._free.append(slot)
            self._phase[slot] = _IDLE
            self._slots[rule, customer] = -1

    def close(self, rule: int, customer: int, at: int) -> None:
        """Let a cause be closed at `at`: idle, or cooling where its rule has a cooldown."""
        cooldown = self._rules[rule].cooldown_us
        if cooldown:
            self.put(rule, customer, CauseState(CausePhase.COOLING, at + cooldown))
        else:
            self.drop(rule, customer)

    def make_room(self, customers: int) -> None:
        """Let there be room for so many customers."""
        capacity = self._slots.shape[1]
        if customers > capacity:
            larger = np.full((len(self._slots), max(customers, capacity * 2)), -1, dtype=np.int32)
            larger[:, :capacity] = self._slots
            self._slots = larger

    def renumber(self, to: Renumbering) -> None:
        """Let the causes of customers who leave be idle, and give the others their new rows."""
        slots = self._slots[:, : len(to.stays)]
        stays = to.stays[: slots.shape[1]]
        for slot in slots[:, ~stays][slots[:, ~stays] >= 0].tolist():
            self._states[slot] = None
            self._free.append(slot)
            self._phase[slot] = _IDLE
        left = slots[:, stays]
        size = left.shape[1]
        self._slots = np.full((len(left), max(1024, size + size // 4)), -1, dtype=np.int32)
        self._slots[:, :size] = left
        rules, customers = np.nonzero(left >= 0)
        self._customer[left[rules, customers]] = customers

    def candidates(self, e: Evaluations) -> NDArray[np.bool_]:
        """Return (rules, n): evaluations that would change a cause as it stands at the batch's begin."""
        when = e.verdicts.when
        if _is_everybody(e.customers):
            slot = np.flatnonzero(self._phase >= 0)
            slot = slot[self._customer[slot] < len(e.customers)]
            result: NDArray[np.bool_] = when == TRUE
            self._judge(e, slot, self._rule[slot], self._customer[slot], result)
        else:
            result = np.empty(when.shape, dtype=np.bool_)
            for start in range(0, when.shape[1], _AT_ONCE):
                part = slice(start, start + _AT_ONCE)
                slots = self._slots[:, e.customers[part]]
                idle = slots < 0
                np.logical_and(idle, when[:, part] == TRUE, out=result[:, part])
                rules, places = np.nonzero(~idle)
                self._judge(e, slots[rules, places], rules, places + start, result)
        if e.before is not None:
            result[:, e.before] = False
        return result

    def _judge(
        self,
        e: Evaluations,
        slot: NDArray[Any],
        rules: NDArray[Any],
        rows: NDArray[Any],
        result: NDArray[np.bool_],
    ) -> None:
        """Set in `result` whether evaluations, (k,) `rows`, would change (k,) causes that are not idle."""
        if not len(slot):
            return
        when, clear = e.verdicts.when[rules, rows], e.verdicts.clear[rules, rows]
        phase, at = self._phase[slot], e.at[rows]
        passed = at >= self._due[slot]
        may = (
            ((phase == _COOLING) & (when == TRUE) & passed)
            | ((phase == _PENDING) & ((when == FALSE) | ((when == TRUE) & passed)))
            | ((phase == _OPEN) & (clear == TRUE))
            | ((phase == _CLEARING) & ((clear == FALSE) | ((clear == TRUE) & passed)))
        )
        if e.occurred is not None:
            may |= (phase >= _OPEN) & (e.occurred[rows] < at) & (when == FALSE)
        result[rules, rows] = may


def _is_everybody(customers: NDArray[np.int32]) -> bool:
    """Return whether (n,) customers are all from 0 to n - 1, as at a sweep."""
    n = len(customers)
    return bool(n and customers[0] == 0 and customers[-1] == n - 1 and (np.diff(customers) == 1).all())


def _due(state: CauseState, rule: Rule) -> int:
    """Return the instant from which an evaluation that agrees with the phase moves the cause on."""
    if state.phase is CausePhase.COOLING:
        return state.since
    if state.phase is CausePhase.PENDING:
        return state.since + rule.for_us
    return state.clearing_since + rule.keep_open_for_us
