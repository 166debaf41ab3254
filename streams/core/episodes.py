"""The life of causes (one customer, one rule) and of the customer's warning, as steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final
from uuid import UUID, uuid5

import numpy as np
from numpy.typing import NDArray

from streams.core.rules import Rule, RuleSet, Verdicts
from streams.core.steps import Cause, StepKind, Tier

NAMESPACE: Final = UUID("6f1a3c52-5d0b-5c0e-9f0e-1a2b3c4d5e6f")
"""Of the name-based warning ids."""

TRUE, FALSE = 1, 0


class Phase(IntEnum):
    """Where a cause stands; a cause without a life is idle."""

    COOLING = 0
    PENDING = 1
    OPEN = 2
    CLEARING = 3


@dataclass(slots=True)
class Life:
    """A cause that is not idle; instants are microseconds since the epoch."""

    phase: Phase
    since: int
    """When `when` became true; in `COOLING` the cooldown's end."""
    opened_at: int = 0
    clearing_since: int = 0


@dataclass(slots=True)
class OpenWarning:
    """A customer's open warning."""

    id: str
    opened_at: int
    number: int = 0
    """Steps so far."""
    tier: Tier = Tier.LOW
    causes: dict[int, Cause] = field(default_factory=dict)
    """By the rule's position in the set."""
    orphans: tuple[Cause, ...] = ()
    """Causes of rules that the set no longer has, until the set is adopted."""


@dataclass(frozen=True, slots=True)
class Change:
    """One step of a customer's warning, with the row of the evaluation that made it."""

    row: int
    kind: StepKind
    warning_id: str
    number: int
    tier: Tier
    opened_at: int
    causes: tuple[Cause, ...]


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


CauseOf = Callable[[int, int, int, int], Cause]
"""(rule, row, since, opened_at) -> the cause with its values at that row."""


class Episodes:
    """The causes and warnings of one partition under one rule set."""

    def __init__(self, app: str, rules: RuleSet) -> None:
        self.app = app
        self.rules = rules
        self.shadow = frozenset(i for i, rule in enumerate(rules.rules) if rule.status == "shadow")
        """Positions of the rules that warn nobody."""
        self._slots = np.full((len(rules.rules), 1024), -1, dtype=np.int32)
        """(rules, capacity) the position in `_lives` of each cause, -1 for an idle one."""
        self._lives: list[Life | None] = []
        self._free: list[int] = []
        self._phase = np.zeros(1024, dtype=np.int8)
        """(lives,) `Phase`, and what it is due at, for a look at all causes at once."""
        self._due = np.zeros(1024, dtype=np.int64)
        self.open: dict[int, OpenWarning] = {}
        """By customer index."""
        self.newest: dict[int, tuple[int, int]] = {}
        """Customer index -> instant of the newest opening and how many came before it at that instant."""
        self.opened = [0] * len(rules.rules)
        """Causes opened so far, by rule; shadow rules are counted too."""

    # -- which customers need a look --------------------------------------------------------------

    def changes(self, evaluations: Evaluations, ids: list[str], cause_of: CauseOf) -> Iterator[Change]:
        """Take in evaluations and yield the steps they make, by customer.

        Nearly all evaluations change nothing; those that may are found in columns, and only their
        customers are walked through row by row.
        """
        self._grow(int(evaluations.customers.max()) + 1 if len(evaluations.customers) else 0)
        candidates = self._candidates(evaluations)
        if not candidates.any():
            return
        customers = evaluations.customers
        first = np.ones(len(customers), dtype=np.bool_)
        first[1:] = customers[1:] != customers[:-1]
        group = np.cumsum(first) - 1
        starts = np.append(np.flatnonzero(first), len(customers))
        touched = candidates.any(axis=0)
        for g in np.unique(group[touched]).tolist():
            begin, end = int(starts[g]), int(starts[g + 1])
            rules = np.flatnonzero(candidates[:, begin:end].any(axis=1)).tolist()
            yield from self._walk(evaluations, begin, end, rules, ids, cause_of)

    def _candidates(self, e: Evaluations) -> NDArray[np.bool_]:
        """Return (rules, n): evaluations that would change a cause as it stands at the batch's begin."""
        when, clear = e.verdicts.when, e.verdicts.clear
        result = np.zeros(when.shape, dtype=np.bool_)
        for rule in range(len(when)):
            slots = self._slots[rule, e.customers]
            true = when[rule] == TRUE
            may = (slots < 0) & true
            held = np.flatnonzero(slots >= 0)
            if len(held):
                slot = slots[held]
                phase, due = self._phase[slot], self._due[slot]
                at, w, c = e.at[held], when[rule, held], clear[rule, held]
                passed = at >= due
                may[held] = (
                    ((phase == Phase.COOLING) & (w == TRUE) & passed)
                    | ((phase == Phase.PENDING) & ((w == FALSE) | ((w == TRUE) & passed)))
                    | ((phase == Phase.OPEN) & (c == TRUE))
                    | ((phase == Phase.CLEARING) & ((c == FALSE) | ((c == TRUE) & passed)))
                )
                if e.occurred is not None:
                    late = e.occurred[held] < at
                    may[held] |= (phase >= Phase.OPEN) & late & (w == FALSE)
            result[rule] = may
        if e.before is not None:
            result[:, e.before] = False
        return result

    # -- one customer, row by row -----------------------------------------------------------------

    def _walk(
        self, e: Evaluations, begin: int, end: int, rules: list[int], ids: list[str], cause_of: CauseOf
    ) -> Iterator[Change]:
        customer = int(e.customers[begin])
        when = e.verdicts.when[:, begin:end].tolist()
        clear = e.verdicts.clear[:, begin:end].tolist()
        instants = e.at[begin:end].tolist()
        occurred = instants if e.occurred is None else e.occurred[begin:end].tolist()
        skipped = [False] * (end - begin) if e.before is None else e.before[begin:end].tolist()
        for i, at in enumerate(instants):
            if skipped[i]:
                continue
            joined: dict[int, tuple[int, int]] = {}
            left: dict[int, bool] = {}
            for rule in rules:
                w, c = when[rule][i], clear[rule][i]
                turned = w == FALSE and (i == 0 or not skipped[i - 1] or when[rule][i - 1] != FALSE)
                late = occurred[i] < at
                event = self._advance(rule, customer, at, w, c, occurred[i] if late and turned else None)
                if event is _OPENED:
                    life = self._life(rule, customer)
                    assert life is not None
                    joined[rule] = (life.since, life.opened_at)
                elif event is not None:
                    left[rule] = event is _WITHDRAWN
            if joined or left:
                yield from self._step(customer, ids[customer], at, begin + i, joined, left, cause_of)

    def _advance(
        self, rule: int, customer: int, at: int, w: int, c: int, disproved_at: int | None
    ) -> object | None:
        """Move one cause by one evaluation; return `_OPENED`, `_CLOSED`, `_WITHDRAWN` or `None`."""
        spec = self.rules.rules[rule]
        life = self._life(rule, customer)
        if life is None or life.phase is Phase.COOLING:
            if w != TRUE or (life is not None and at < life.since):
                return None
            life = Life(Phase.PENDING, at)
        if life.phase is Phase.PENDING:
            if w == FALSE:
                self.drop(rule, customer)
                return None
            if w == TRUE and at - life.since >= spec.for_us:
                life.phase, life.opened_at = Phase.OPEN, at
                self.put(rule, customer, life)
                self.opened[rule] += 1
                return _OPENED
            self.put(rule, customer, life)
            return None
        if disproved_at is not None and disproved_at < life.opened_at:
            self.drop(rule, customer)
            return _WITHDRAWN
        if c == TRUE:
            if life.phase is not Phase.CLEARING:
                life.phase, life.clearing_since = Phase.CLEARING, at
            if at - life.clearing_since >= spec.keep_open_for_us:
                if spec.cooldown_us:
                    self.put(rule, customer, Life(Phase.COOLING, at + spec.cooldown_us))
                else:
                    self.drop(rule, customer)
                return _CLOSED
            self.put(rule, customer, life)
        elif c == FALSE and life.phase is Phase.CLEARING:
            life.phase = Phase.OPEN
            self.put(rule, customer, life)
        return None

    def _step(
        self,
        customer: int,
        customer_id: str,
        at: int,
        row: int,
        joined: dict[int, tuple[int, int]],
        left: dict[int, bool],
        cause_of: CauseOf,
    ) -> Iterator[Change]:
        """Turn what happened to a customer's causes in one evaluation into a step of the warning."""
        joined = {r: v for r, v in joined.items() if r not in self.shadow}
        left = {r: v for r, v in left.items() if r not in self.shadow}
        if not joined and not left:
            return
        warning = self.open.get(customer)
        if warning is None:
            warning = self.open[customer] = self._new_warning(customer, customer_id, at)
            kind, before = StepKind.OPENED, None
        else:
            kind, before = StepKind.UPDATED, warning.tier
        gone = []
        for rule in sorted(left):
            cause = warning.causes.pop(rule)
            # A cause that ends shows the values that ended it.
            gone.append(cause_of(rule, row, cause.since, cause.opened_at))
        for rule, (since, opened_at) in joined.items():
            warning.causes[rule] = cause_of(rule, row, since, opened_at)
        warning.number += 1
        causes = tuple(warning.causes[r] for r in sorted(warning.causes))
        if causes:
            warning.tier = max(c.tier for c in causes)
            if before is not None and warning.tier > before:
                kind = StepKind.ESCALATED
        else:
            kind = StepKind.WITHDRAWN if all(left.values()) else StepKind.RESOLVED
            causes = tuple(gone)
            del self.open[customer]
        yield Change(row, kind, warning.id, warning.number, warning.tier, warning.opened_at, causes)

    def _new_warning(self, customer: int, customer_id: str, at: int) -> OpenWarning:
        newest = self.newest.get(customer)
        again = newest[1] + 1 if newest is not None and newest[0] == at else 0
        self.newest[customer] = (at, again)
        return OpenWarning(warning_id(self.app, customer_id, at, again), at)

    # -- the table of lives -----------------------------------------------------------------------

    def _life(self, rule: int, customer: int) -> Life | None:
        slot = int(self._slots[rule, customer])
        return self._lives[slot] if slot >= 0 else None

    def lives(self) -> Iterator[tuple[int, int, Life]]:
        """Yield rule, customer and life of every cause that is not idle."""
        rules, customers = np.nonzero(self._slots >= 0)
        slots = self._slots[rules, customers]
        for rule, customer, slot in zip(rules.tolist(), customers.tolist(), slots.tolist(), strict=True):
            life = self._lives[slot]
            if life is not None:
                yield rule, customer, life

    def put(self, rule: int, customer: int, life: Life) -> None:
        """Hold a cause's life."""
        self._grow(customer + 1)
        slot = int(self._slots[rule, customer])
        if slot < 0:
            if self._free:
                slot = self._free.pop()
            else:
                slot = len(self._lives)
                self._lives.append(None)
                if slot >= len(self._phase):
                    self._phase = np.concatenate([self._phase, np.zeros_like(self._phase)])
                    self._due = np.concatenate([self._due, np.zeros_like(self._due)])
            self._slots[rule, customer] = slot
        self._lives[slot] = life
        self._phase[slot] = life.phase
        self._due[slot] = _due(life, self.rules.rules[rule])

    def drop(self, rule: int, customer: int) -> None:
        """Let a cause be idle."""
        slot = int(self._slots[rule, customer])
        if slot >= 0:
            self._lives[slot] = None
            self._free.append(slot)
            self._slots[rule, customer] = -1

    def _grow(self, customers: int) -> None:
        capacity = self._slots.shape[1]
        if customers > capacity:
            larger = np.full((len(self._slots), max(customers, capacity * 2)), -1, dtype=np.int32)
            larger[:, :capacity] = self._slots
            self._slots = larger


_OPENED, _CLOSED, _WITHDRAWN = object(), object(), object()


def _due(life: Life, rule: Rule) -> int:
    """Return the instant from which an evaluation that agrees with the phase moves the cause on."""
    if life.phase is Phase.COOLING:
        return life.since
    if life.phase is Phase.PENDING:
        return life.since + rule.for_us
    return life.clearing_since + rule.keep_open_for_us


def warning_id(app: str, customer_id: str, opened_at: int, again: int) -> str:
    """Return the id of the warning of a customer that opened at an instant, the `again`-th there.

    A name-based UUID (version 5, RFC 9562), so that every replay gives the same one.
    """
    return str(uuid5(NAMESPACE, f"{app}\n{customer_id}\n{opened_at}\n{again}"))
