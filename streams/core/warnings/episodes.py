"""The life of causes (one customer, one rule) and of the customer's warning, as steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import numpy as np

from streams.core.decision.decision import Decision, Verdict
from streams.core.events.calendar import ALWAYS
from streams.core.features.renumbering import Renumbering
from streams.core.name_ids import name_id
from streams.core.observer import CauseObserver
from streams.core.rules.inhibition import standing
from streams.core.rules.rule_set import RuleSet
from streams.core.steps import (
    NO_SCORING,
    Acknowledgement,
    AcknowledgementState,
    Cause,
    Scoring,
    StepKind,
    Tier,
)
from streams.core.warnings.acknowledgement import (
    ACTS,
    AcknowledgementTerms,
    IgnoredAction,
    TakenAction,
    WarningTimers,
)
from streams.core.warnings.causes import (
    FALSE,
    TRUE,
    CauseEvent,
    CausePhase,
    CauseState,
    CauseTable,
    Evaluations,
)

NAMESPACE: Final = UUID("6f1a3c52-5d0b-5c0e-9f0e-1a2b3c4d5e6f")
"""Of the name-based warning ids."""


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
    acknowledgement: Acknowledgement | None = None
    expires_at: int = ALWAYS
    scoring: Scoring = NO_SCORING
    """The score, profile and decision at the last evaluation that made a step."""
    holdout: bool = False
    """Whether it is shown to nobody; fixed at its opening."""
    wakes_at: int = ALWAYS
    """When it is woken next, as far as a timer is set."""
    _verdict_of: Decision | None = field(default=None, repr=False, compare=False)
    _verdict: Verdict | None = field(default=None, repr=False, compare=False)
    """The verdict of that decision: it is asked for often, and computed from many numbers."""

    @property
    def standing(self) -> tuple[Tier, Verdict | None, bool]:
        """Return its tier and verdict as at its newest step, and whether it is held out."""
        decision = self.scoring.decision
        if self._verdict_of is not decision:
            self._verdict_of = decision
            self._verdict = None if decision is None else decision.verdict
        return self.tier, self._verdict, self.holdout

    @property
    def due(self) -> int:
        """Return when time alone makes the next step."""
        acknowledgement = self.acknowledgement
        if acknowledgement is None:
            return self.expires_at
        next_due = acknowledgement.until if acknowledgement.until is not None else acknowledgement.deadline
        return self.expires_at if next_due is None else min(next_due, self.expires_at)


@dataclass(frozen=True, slots=True)
class WarningChange:
    """One step of a customer's warning, and what it looked like after it."""

    customer: int
    at: int
    row: int | None
    """The row of the evaluation, or of the action, that made it; `None` where time alone did."""
    kind: StepKind
    warning: OpenWarning
    number: int
    tier: Tier
    causes: tuple[Cause, ...]
    acknowledgement: Acknowledgement | None
    judged: bool = True
    """Whether an evaluation made it, so that the customer is scored anew; people and time do not."""


@dataclass(frozen=True, slots=True)
class OpenedCause:
    """A cause that an evaluation opened; those of shadow rules too."""

    rule: int
    """The position of its rule in the set."""
    customer: int
    at: int
    row: int
    """The row of the evaluation."""
    warning_id: str | None
    """`None` of a shadow rule."""


CauseOf = Callable[[int, int, int, int], Cause]
"""(rule, row, since, opened_at) -> the cause with its values at that row."""


class Episodes:
    """The causes and warnings of one partition under one rule set."""

    def __init__(self, app: str, rules: RuleSet, terms: AcknowledgementTerms | None = None) -> None:
        self.app = app
        self.rules = rules
        self.terms = terms or AcknowledgementTerms()
        self.shadow = frozenset(i for i, rule in enumerate(rules.rules) if rule.status == "shadow")
        """Positions of the rules that warn nobody."""
        self.causes = CauseTable(rules.rules)
        self.open: dict[int, OpenWarning] = {}
        """By customer index."""
        self.newest: dict[int, tuple[int, int]] = {}
        """Customer index -> instant of the newest opening and how many came before it at that instant."""
        self.opened = [0] * len(rules.rules)
        """Causes opened so far, by rule; shadow rules are counted too."""
        self.ignored: Counter[IgnoredAction] = Counter()
        """Actions that had no effect, since they were last counted."""
        self.openings: list[OpenedCause] = []
        """Causes that opened since they were last taken."""
        self.observer: CauseObserver | None = None
        self.timers = WarningTimers()

    def observe(self, observer: CauseObserver | None) -> None:
        """Let somebody see causes open and end."""
        self.observer = observer

    def opened_by_rule(self) -> dict[str, int]:
        """Return how many causes each rule has opened so far."""
        return {rule.id: n for rule, n in zip(self.rules.rules, self.opened, strict=True)}

    def resume(self, newest: dict[int, tuple[int, int]], opened: Mapping[str, int]) -> None:
        """Go on from `newest` and from what `opened_by_rule` returned, of rules that there still are."""
        self.newest = newest
        self.opened = [opened.get(rule.id, 0) for rule in self.rules.rules]

    def renumber(self, to: Renumbering) -> None:
        """Forget the customers who leave, and give the others their new rows."""
        self.open, self.newest = to.by_customer(self.open), to.by_customer(self.newest)
        self.causes.renumber(to)
        self.timers.renumber(to)

    # -- which customers need a look --------------------------------------------------------------

    def changes(self, e: Evaluations, ids: list[str], cause_of: CauseOf) -> Iterator[WarningChange]:
        """Take in evaluations and actions and yield the steps that they and time make, by customer.

        Nearly all evaluations change nothing; those that may are found in columns, and only their
        customers are walked through row by row.
        """
        if not len(e.customers):
            return
        self.causes.make_room(int(e.customers.max()) + 1)
        until = int(e.at.max())
        woken = self.timers.pop(until)
        candidates = self.causes.candidates(e)
        first = np.ones(len(e.customers), dtype=np.bool_)
        touched = candidates.any(axis=0)
        if touched.any() or woken or e.actions:
            first[1:] = e.customers[1:] != e.customers[:-1]
            begins = np.flatnonzero(first)
            group = np.cumsum(first) - 1
            starts = np.append(begins, len(first))
            # What people or time end makes way for any rule of the customer.
            free = {int(group[row]) for row in e.actions}
            free.update(np.flatnonzero(np.isin(e.customers[begins], list(woken))).tolist() if woken else ())
            rules_of: dict[int, set[int]] = {g: set(range(len(candidates))) for g in free}
            rows = np.flatnonzero(touched)
            places, rules = np.nonzero(candidates[:, rows].T)
            for g, rule in zip(group[rows[places]].tolist(), rules.tolist(), strict=True):
                rules_of.setdefault(g, set()).add(rule)
            for g in sorted(rules_of):
                begin, end = int(starts[g]), int(starts[g + 1])
                yield from self._walk(e, begin, end, sorted(rules_of[g]), ids, cause_of)
        for customer in woken:
            yield from self._wake(customer, until)
        yield from self.pass_time(until)

    def pass_time(self, until: int) -> Iterator[WarningChange]:
        """Yield the steps that time alone makes up to and including `until`, by customer."""
        while woken := self.timers.pop(until):
            for customer in woken:
                yield from self._wake(customer, until)

    def keep_open(self, customer: int, warning: OpenWarning) -> None:
        """Let a warning be the customer's open one, and set the timer for when it is due."""
        self.open[customer] = warning
        if (due := warning.due) != warning.wakes_at:
            warning.wakes_at = due
            if due < ALWAYS:
                self.timers.wake(customer, due)
                if len(self.timers) > 2 * len(self.open) + 1024:
                    # Each acknowledgement sets a timer; most are of before, or of warnings that have ended.
                    timed = ((each.wakes_at, row) for row, each in self.open.items())
                    self.timers.set_to(timer for timer in timed if timer[0] < ALWAYS)

    def take_openings(self) -> list[OpenedCause]:
        """Return the causes that opened since this was last asked, by customer and row."""
        openings, self.openings = self.openings, []
        return openings

    def take_ignored(self) -> Counter[IgnoredAction]:
        """Return how many actions had no effect since this was last asked, by the reason."""
        ignored, self.ignored = self.ignored, Counter()
        return ignored

    # -- one customer, row by row -----------------------------------------------------------------

    def _walk(
        self, e: Evaluations, begin: int, end: int, rules: list[int], ids: list[str], cause_of: CauseOf
    ) -> Iterator[WarningChange]:
        customer = int(e.customers[begin])
        when = e.verdicts.when[:, begin:end].tolist()
        clear = e.verdicts.clear[:, begin:end].tolist()
        instants = e.at[begin:end].tolist()
        occurred = instants if e.occurred is None else e.occurred[begin:end].tolist()
        skipped = [False] * (end - begin) if e.before is None else e.before[begin:end].tolist()
        for i, at in enumerate(instants):
            if skipped[i]:
                continue
            yield from self._wake(customer, at)
            ended: set[int] = set()
            if (row := begin + i) in e.actions:
                for change in self._act(e.actions[row], customer, ids[customer], at, row):
                    ended.update(change.warning.causes if change.kind is StepKind.EXPIRED else ())
                    yield change
            joined: dict[int, tuple[int, int]] = {}
            left: dict[int, bool] = {}
            for rule in rules:
                if rule in ended:
                    continue
                w, c = when[rule][i], clear[rule][i]
                turned = w == FALSE and (i == 0 or not skipped[i - 1] or when[rule][i - 1] != FALSE)
                late = occurred[i] < at
                event = self._advance(rule, customer, at, w, c, occurred[i] if late and turned else None)
                if event is CauseEvent.OPENED:
                    cause = self.causes.get(rule, customer)
                    assert cause is not None
                    joined[rule] = (cause.since, cause.opened_at)
                elif event is not None:
                    left[rule] = event is CauseEvent.WITHDRAWN
            if joined or left:
                if self.observer is not None:
                    self.observer.causes_changed(customer, at, joined, left)
                yield from self._step(customer, ids[customer], at, row, joined, left, cause_of)
                if joined:
                    self._note_openings(joined, customer, at, row)

    def _note_openings(self, rules: Iterable[int], customer: int, at: int, row: int) -> None:
        warning = self.open.get(customer)
        for rule in rules:
            of_warning = None if warning is None or rule in self.shadow else warning.id
            self.openings.append(OpenedCause(rule, customer, at, row, of_warning))

    def _advance(
        self, rule: int, customer: int, at: int, w: int, c: int, disproved_at: int | None
    ) -> CauseEvent | None:
        """Move one cause by one evaluation; return what became of it, `None` where it did not open or end."""
        spec = self.rules.rules[rule]
        state = self.causes.get(rule, customer)
        if state is None or state.phase is CausePhase.COOLING:
            if w != TRUE or (state is not None and at < state.since):
                return None
            state = CauseState(CausePhase.PENDING, at)
        if state.phase is CausePhase.PENDING:
            if w == FALSE:
                self.causes.drop(rule, customer)
                return None
            if w == TRUE and at - state.since >= spec.for_us:
                state.phase, state.opened_at = CausePhase.OPEN, at
                self.causes.put(rule, customer, state)
                self.opened[rule] += 1
                return CauseEvent.OPENED
            self.causes.put(rule, customer, state)
            return None
        if disproved_at is not None and disproved_at < state.opened_at:
            self.causes.drop(rule, customer)
            return CauseEvent.WITHDRAWN
        if c == TRUE:
            if state.phase is not CausePhase.CLEARING:
                state.phase, state.clearing_since = CausePhase.CLEARING, at
            if at - state.clearing_since >= spec.keep_open_for_us:
                self.causes.close(rule, customer, at)
                return CauseEvent.CLOSED
            self.causes.put(rule, customer, state)
        elif c == FALSE and state.phase is CausePhase.CLEARING:
            state.phase = CausePhase.OPEN
            self.causes.put(rule, customer, state)
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
    ) -> Iterator[WarningChange]:
        """Turn what happened to a customer's causes in one evaluation into a step of the warning."""
        joined = {r: v for r, v in joined.items() if r not in self.shadow}
        left = {r: v for r, v in left.items() if r not in self.shadow}
        if not joined and not left:
            return
        warning = self.open.get(customer)
        if warning is None:
            warning = self._new_warning(customer, customer_id, at)
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
        causes = standing(warning.causes, self.rules.inhibitors)
        if causes:
            warning.tier = max(c.tier for c in causes)
            if before is None or warning.tier > before:
                kind = StepKind.OPENED if before is None else StepKind.ESCALATED
                warning.acknowledgement = self.terms.begin(warning.tier, warning.number, at)
            elif warning.tier < before:
                warning.acknowledgement = self.terms.lowered(warning.acknowledgement, warning.tier, at)
            self.keep_open(customer, warning)
        else:
            kind = StepKind.WITHDRAWN if all(left.values()) else StepKind.RESOLVED
            causes = tuple(gone)
            del self.open[customer]
        yield self._change(customer, at, row, kind, warning, causes)

    def _new_warning(self, customer: int, customer_id: str, at: int) -> OpenWarning:
        newest = self.newest.get(customer)
        again = newest[1] + 1 if newest is not None and newest[0] == at else 0
        self.newest[customer] = (at, again)
        expires_at = at + self.terms.expire_after if self.terms.expire_after else ALWAYS
        return OpenWarning(warning_id(self.app, customer_id, at, again), at, expires_at=expires_at)

    # -- what people do, and what time does -------------------------------------------------------

    def _act(
        self, taken: TakenAction, customer: int, customer_id: str, at: int, row: int
    ) -> Iterator[WarningChange]:
        """Let an action take effect on the warning it names, or count why it has none; and what it corrects.

        An acknowledgement that takes the place of the one it corrects is one step.
        """
        action, warning = taken.record, self.open.get(customer)
        if action.kind in ACTS:
            if warning is None or warning.id != action.warning_id:
                newest = self.newest.get(customer)
                last = None if newest is None else warning_id(self.app, customer_id, *newest)
                is_last = action.warning_id == last
                self.ignored[IgnoredAction.CLOSED if is_last else IgnoredAction.UNKNOWN] += 1
            else:
                number = warning.number + 1
                acknowledgement = self.terms.acted(warning.acknowledgement, taken, warning.tier, number, at)
                if acknowledgement is not None:
                    kind = ACTS[action.kind]
                    yield self._acknowledge(customer, warning, at, row, kind, acknowledgement)
                    return
                self.ignored[IgnoredAction.OVER] += 1
        if warning is None or warning.acknowledgement is None or action.corrects is None:
            return
        before = warning.acknowledgement
        if before.action == action.corrects and before.by == action.actor:
            corrected = self.terms.corrected(before, warning.tier, warning.number + 1, at)
            yield self._acknowledge(customer, warning, at, row, StepKind.UPDATED, corrected)

    def _wake(self, customer: int, until: int) -> Iterator[WarningChange]:
        """Yield the steps that time alone makes of a customer's warning up to and including `until`."""
        while (warning := self.open.get(customer)) is not None and (at := warning.due) <= until:
            number, acknowledgement = warning.number + 1, warning.acknowledgement
            if at == warning.expires_at or acknowledgement is None:
                level = 0 if acknowledgement is None else acknowledgement.level
                kind, acknowledgement = (
                    StepKind.EXPIRED,
                    Acknowledgement(AcknowledgementState.EXPIRED, number, at, level=level),
                )
            else:
                kind, acknowledgement = self.terms.timed_out(acknowledgement, warning.tier, number)
            yield self._acknowledge(customer, warning, at, None, kind, acknowledgement)

    def _acknowledge(
        self,
        customer: int,
        warning: OpenWarning,
        at: int,
        row: int | None,
        kind: StepKind,
        acknowledgement: Acknowledgement | None,
    ) -> WarningChange:
        """Let a warning have another acknowledgement; one that expires ends, its causes closed."""
        warning.number, warning.acknowledgement = warning.number + 1, acknowledgement
        if kind is StepKind.EXPIRED:
            del self.open[customer]
            for rule in warning.causes:
                self.causes.close(rule, customer, at)
        else:
            self.keep_open(customer, warning)
        causes = standing(warning.causes, self.rules.inhibitors)
        return self._change(customer, at, row, kind, warning, causes, judged=False)

    def _change(
        self,
        customer: int,
        at: int,
        row: int | None,
        kind: StepKind,
        warning: OpenWarning,
        causes: tuple[Cause, ...],
        *,
        judged: bool = True,
    ) -> WarningChange:
        number, tier, acknowledgement = warning.number, warning.tier, warning.acknowledgement
        return WarningChange(customer, at, row, kind, warning, number, tier, causes, acknowledgement, judged)


def warning_id(app: str, customer_id: str, opened_at: int, again: int) -> str:
    """Return the id of the warning of a customer that opened at an instant, the `again`-th there.

    A name-based UUID (version 5, RFC 9562), so that every replay gives the same one.
    """
    return name_id(NAMESPACE, f"{app}\n{customer_id}\n{opened_at}\n{again}")
