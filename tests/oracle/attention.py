"""What people and the passing of time make of one open warning, told case by case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from streams.core.events.batch import ActionRecord
from streams.core.steps import Acknowledgement, StepKind, Tier
from tests.oracle.days import DAY

WEEK: Final = dict.fromkeys(Tier, 7 * DAY)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long things hold and may take; intervals in microseconds, a tier that is not named has none."""

    acknowledge_for: Mapping[Tier, int] = field(default_factory=lambda: WEEK)
    snooze_for: int = DAY
    acknowledge_within: Mapping[Tier, int] = field(default_factory=dict)
    expire_after: int | None = None


@dataclass(slots=True)
class Care:
    """Who has a warning in hand: everything that the steps tell of it."""

    state: str
    step: int
    since: int
    by: str | None = None
    until: int | None = None
    deadline: int | None = None
    level: int = 0
    action: str | None = None
    """The event id of the action behind it."""

    def told(self) -> str:
        """Return it as one line."""
        when = f"since {self.since} until {self.until} deadline {self.deadline}"
        return f"{self.state} by {self.by} at step {self.step} {when} level {self.level}"


def told(attention: Acknowledgement | None) -> str:
    """Return the engine's attention as the twin writes it."""
    if attention is None:
        return "nobody"
    a = attention
    return Care(a.state.value, a.step, a.since, a.by, a.until, a.deadline, a.level).told()


@dataclass(slots=True)
class Watch:
    """One open warning, from its opening to its end."""

    patience: Patience
    opened_at: int
    tier: Tier
    step: int = 1
    care: Care | None = None

    def __post_init__(self) -> None:
        self.begin(self.opened_at)

    def told(self) -> str:
        """Return who has it in hand as one line."""
        return "nobody" if self.care is None else self.care.told()

    def deadline_from(self, at: int) -> int | None:
        """Return when somebody must have it in hand, counted from `at`."""
        within = self.patience.acknowledge_within
        return at + within[self.tier] if self.tier in within else None

    def begin(self, at: int) -> None:
        """Let it wait for somebody from `at` on, where there is a deadline."""
        deadline = self.deadline_from(at)
        self.care = None if deadline is None else Care("waiting", self.step, at, deadline=deadline)

    def move_to(self, tier: Tier, at: int) -> None:
        """Take note of another tier: a rise begins anew, a fall only counts a running deadline anew."""
        rose, fell = tier > self.tier, tier < self.tier
        self.tier = tier
        if rose:
            self.begin(at)
        if fell and self.care is not None and self.care.deadline is not None:
            self.care.deadline = self.deadline_from(at)

    def expires_at(self) -> int | None:
        """Return when it is too old."""
        after = self.patience.expire_after
        return None if after is None else self.opened_at + after

    def due(self) -> int | None:
        """Return when time alone changes it next."""
        times = [self.expires_at()]
        if self.care is not None:
            times += [self.care.until, self.care.deadline]
        return min((at for at in times if at is not None), default=None)

    def wake(self) -> StepKind:
        """Let what is due next happen."""
        at = self.due()
        assert at is not None
        self.step += 1
        level = self.care.level if self.care else 0
        if at == self.expires_at():
            self.care = Care("expired", self.step, at, level=level)
            return StepKind.EXPIRED
        assert self.care is not None
        by = self.care.by
        if at == self.care.until:
            self.care = Care("lapsed", self.step, at, by, deadline=self.deadline_from(at), level=level)
            return StepKind.UPDATED
        self.care = Care("overdue", self.step, at, by, level=level + 1)
        return StepKind.ESCALATED

    def correct(self, action: ActionRecord, at: int) -> StepKind | None:
        """Take back what an action corrects, if that is why somebody has it in hand."""
        care = self.care
        if care is None or care.action is None or (care.action, care.by) != (action.corrects, action.actor):
            return None
        self.step += 1
        self.begin(at)
        if self.care is not None:
            self.care.level = care.level
        return StepKind.UPDATED

    def act(self, action: ActionRecord, at: int, event_id: str) -> StepKind | None:
        """Do what an action says, or nothing where its time is over."""
        until = action.until
        if action.kind == "acknowledge" and until is None:
            until = at + self.patience.acknowledge_for[self.tier]
        if action.kind == "snooze" and until is None:
            until = at + self.patience.snooze_for
        level = self.care.level if self.care else 0
        if action.kind == "expire":
            self.step += 1
            self.care = Care("expired", self.step, at, action.actor, level=level)
            return StepKind.EXPIRED
        assert until is not None
        if until <= at:
            return None
        self.step += 1
        state, kind = {
            "acknowledge": ("acknowledged", StepKind.ACKNOWLEDGED),
            "snooze": ("snoozed", StepKind.SNOOZED),
        }[action.kind]
        self.care = Care(state, self.step, at, action.actor, until, level=level, action=event_id)
        return kind
