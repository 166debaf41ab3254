"""The life of causes and of one customer's warning, event by event, as DESIGN 5's table says it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from streams.core.events.batch import ActionRecord
from streams.core.steps import StepKind, Tier
from streams.core.warnings.episodes import warning_id
from tests.oracle.attention import Patience, Watch

TRUE: Final = 1
FALSE: Final = 0
MISSING: Final = -1


@dataclass(frozen=True, slots=True)
class Terms:
    """What a rule says about the life of its causes; intervals in microseconds."""

    tier: Tier = Tier.LOW
    for_us: int = 0
    keep_open_for_us: int = 0
    cooldown_us: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """One rule's verdicts at one evaluation."""

    when: int
    clear: int
    turned_by: int | None = None
    """Time of the late event that turned `when` false at this evaluation, if one did."""


@dataclass(frozen=True, slots=True)
class Held:
    """A cause as a step shows it."""

    since: int
    opened_at: int


class State(Enum):
    """Where a cause stands; a closed one is idle with a cooldown."""

    IDLE = auto()
    PENDING = auto()
    OPEN = auto()


class Change(Enum):
    """What an evaluation did to a cause that others can see."""

    NONE = auto()
    OPENED = auto()
    CLOSED = auto()
    WITHDRAWN = auto()


@dataclass(slots=True)
class CauseLife:
    """One customer, one rule."""

    terms: Terms
    state: State = State.IDLE
    since: int = 0
    opened_at: int = 0
    clearing_since: int | None = None
    cooldown_ends: int | None = None

    def judge(self, at: int, verdict: Verdict) -> Change:
        """Take the state on by one evaluation."""
        if self.state is State.OPEN:
            return self._judge_open(at, verdict)
        return self._judge_closed(at, verdict.when)

    def _judge_closed(self, at: int, when: int) -> Change:
        cool = self.cooldown_ends is None or at >= self.cooldown_ends
        if self.state is State.IDLE and when == TRUE and cool:
            self.state, self.since = State.PENDING, at
        if self.state is not State.PENDING:
            return Change.NONE
        if when == FALSE:
            self.state = State.IDLE
        if when == TRUE and at - self.since >= self.terms.for_us:
            self.state, self.opened_at, self.clearing_since = State.OPEN, at, None
            return Change.OPENED
        return Change.NONE

    def _judge_open(self, at: int, verdict: Verdict) -> Change:
        if verdict.turned_by is not None and verdict.turned_by < self.opened_at and verdict.when == FALSE:
            self.state, self.cooldown_ends = State.IDLE, None
            return Change.WITHDRAWN
        if verdict.clear == TRUE:
            if self.clearing_since is None:
                self.clearing_since = at
            if at - self.clearing_since >= self.terms.keep_open_for_us:
                self.state, self.cooldown_ends = State.IDLE, at + self.terms.cooldown_us
                return Change.CLOSED
        elif verdict.clear == FALSE:
            self.clearing_since = None
        return Change.NONE


@dataclass(frozen=True, slots=True)
class LifeStep:
    """One step of a customer's warning."""

    kind: StepKind
    at: int
    warning: int
    """1 for the customer's first warning, 2 for the next."""
    number: int
    tier: Tier
    opened_at: int
    causes: Mapping[str, Held]
    """By rule: those open after the step, or those that went with the last one."""
    changed: frozenset[str]
    """The rules whose cause joined or left at this step."""
    attention: str = "nobody"
    """Who has the warning in hand, as `Watch.told` writes it."""
    id: str = ""


@dataclass(slots=True)
class CustomerLife:
    """All causes of one customer, and the warning they make."""

    terms: Mapping[str, Terms]
    name: str = ""
    patience: Patience = field(default_factory=Patience)
    causes: dict[str, CauseLife] = field(init=False)
    openings: list[int] = field(default_factory=list)
    watch: Watch | None = None
    """On the open warning."""
    before: int = 0
    """Warnings that the customer had before an erasure."""

    def __post_init__(self) -> None:
        self.causes = {rule: CauseLife(terms) for rule, terms in self.terms.items()}

    def open_rules(self) -> list[str]:
        """Return the rules whose cause is open."""
        return [rule for rule, cause in self.causes.items() if cause.state is State.OPEN]

    def judge(self, at: int, verdicts: Mapping[str, Verdict], but: Collection[str] = ()) -> LifeStep | None:
        """Take the customer on by one evaluation, `but` for some rules; return its step if it makes one."""
        before = self.open_rules()
        judged = {rule: verdict for rule, verdict in verdicts.items() if rule not in but}
        changes = {rule: self.causes[rule].judge(at, verdict) for rule, verdict in judged.items()}
        changed = frozenset(rule for rule, change in changes.items() if change is not Change.NONE)
        if not changed:
            return None
        after = self.open_rules()
        kind = self._kind(before, after, [changes[rule] for rule in changed])
        shown = after or sorted(changed)
        if not before:
            self.openings.append(at)
            self.watch = Watch(self.patience, at, self._tier(shown))
        else:
            assert self.watch is not None
            self.watch.step += 1
            if after:
                self.watch.move_to(self._tier(after), at)
        return self._step(kind, at, shown, changed)

    def pass_time(self, until: int) -> list[LifeStep]:
        """Return the steps that time alone makes up to and including `until`."""
        steps = []
        while self.watch is not None and (at := self.watch.due()) is not None and at <= until:
            rules = self.open_rules()
            kind = self.watch.wake()
            if kind is StepKind.EXPIRED:
                self._close(rules, at)
            steps.append(self._step(kind, at, rules, frozenset()))
        return steps

    def act(self, at: int, action: ActionRecord, event_id: str) -> tuple[LifeStep | None, str | None]:
        """Let somebody act on a warning, and return the step and why the action itself makes none."""
        reason = None
        if action.kind in ("acknowledge", "snooze", "expire"):
            if self.watch is None or action.warning_id != self.id():
                reason = "closed" if self.openings and action.warning_id == self.id() else "unknown"
            else:
                rules = self.open_rules()
                kind = self.watch.act(action, at, event_id)
                if kind is StepKind.EXPIRED:
                    self._close(rules, at)
                if kind is not None:
                    return self._step(kind, at, rules, frozenset()), None
                reason = "over"
        if action.corrects is not None and self.watch is not None:
            kind = self.watch.correct(action, at)
            if kind is not None:
                return self._step(kind, at, self.open_rules(), frozenset()), reason
        return None, reason

    def erase(self, at: int) -> LifeStep | None:
        """Return the step that withdraws an open warning because its customer is erased."""
        if self.watch is None:
            return None
        self.watch.step += 1
        return self._step(StepKind.WITHDRAWN, at, self.open_rules(), frozenset())

    def id(self) -> str:
        """Return the id of the newest warning."""
        return warning_id(
            "lapwing", self.name, self.openings[-1], self.openings[:-1].count(self.openings[-1])
        )

    def _close(self, rules: Sequence[str], at: int) -> None:
        for rule in rules:
            self.causes[rule].state = State.IDLE
            self.causes[rule].cooldown_ends = at + self.terms[rule].cooldown_us

    def _step(self, kind: StepKind, at: int, shown: Sequence[str], changed: frozenset[str]) -> LifeStep:
        assert self.watch is not None
        step = LifeStep(
            kind=kind,
            at=at,
            warning=self.before + len(self.openings),
            number=self.watch.step,
            tier=self._tier(shown),
            opened_at=self.watch.opened_at,
            causes={rule: Held(self.causes[rule].since, self.causes[rule].opened_at) for rule in shown},
            changed=changed,
            attention=self.watch.told(),
            id=self.id(),
        )
        if kind in (StepKind.RESOLVED, StepKind.WITHDRAWN, StepKind.EXPIRED):
            self.watch = None
        return step

    def _tier(self, rules: Sequence[str]) -> Tier:
        return max(self.terms[rule].tier for rule in rules)

    def _kind(self, before: list[str], after: list[str], changes: list[Change]) -> StepKind:
        if not before:
            return StepKind.OPENED
        if not after:
            only_withdrawn = all(change is Change.WITHDRAWN for change in changes)
            return StepKind.WITHDRAWN if only_withdrawn else StepKind.RESOLVED
        return StepKind.ESCALATED if self._tier(after) > self._tier(before) else StepKind.UPDATED


Evaluation = tuple[int, Mapping[str, Verdict]]


def live(terms: Mapping[str, Terms], evaluations: Iterable[Evaluation]) -> list[LifeStep]:
    """Return the steps of one customer's warnings over a list of evaluations in their order."""
    customer = CustomerLife(terms)
    steps = (customer.judge(at, verdicts) for at, verdicts in evaluations)
    return [step for step in steps if step is not None]
