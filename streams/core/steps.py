"""What the engine puts out: the steps of warnings' lives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final

from streams.core.decision.decision import Decision


class Tier(IntEnum):
    """How urgent a warning is; a larger number is more urgent."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3

    @property
    def label(self) -> str:
        """Return the word used in rule files and on the wire."""
        return self.name.lower()


class StepKind(StrEnum):
    """What happened to a warning."""

    OPENED = "opened"
    ESCALATED = "escalated"
    UPDATED = "updated"
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    EXPIRED = "expired"


class AcknowledgementState(StrEnum):
    """Who has an open warning in hand, once somebody acted or a deadline runs."""

    WAITING = "waiting"
    """Nobody has it in hand, and a deadline runs."""
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    LAPSED = "lapsed"
    """An acknowledgement or a snooze has ended by its time: the warning waits again."""
    OVERDUE = "overdue"
    """The deadline passed, and nobody had it in hand."""
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Who has a warning in hand, and what happens next if nobody does anything; instants in microseconds."""

    state: AcknowledgementState
    step: int
    """The number of the step that brought it about."""
    since: int
    by: str | None = None
    """Who acted last."""
    until: int | None = None
    """When an acknowledgement lapses or a snooze ends."""
    deadline: int | None = None
    """By when somebody has to have it in hand."""
    level: int = 0
    """Deadlines that have passed."""
    action: str | None = None
    """The event id of the acknowledgement or snooze, which a correction names."""


Value = int | float | str | None
"""A feature's value in a warning; `None` where it was missing."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One rule that keeps a warning open, or kept it until this step."""

    rule: str
    version: str
    title: str
    tier: Tier
    reason: str
    owner: str | None
    play: str | None
    since: int
    """When `when` became true, microseconds since the epoch."""
    opened_at: int
    """When it had been true for the rule's `for`, microseconds since the epoch."""
    message: str
    values: dict[str, Value]
    """The features the rule reads, as they were at the evaluation that put the cause in its present state."""
    inhibited_by: str | None = None
    """The rule that hides this one while both are open."""


TRAITS: Final = ("customer_class", "segment", "region", "account_owner")


@dataclass(frozen=True, slots=True)
class Traits:
    """The groups in the customer's profile; `None` where it is unknown."""

    customer_class: str | None = None
    segment: str | None = None
    region: str | None = None
    account_owner: str | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """What a group of model inputs, or one of them, adds to a churn probability."""

    feature: str
    """The input; of a group that which adds most."""
    contribution: float
    """Share of the logit, less the mean of the population; all shares and the model's base add up to it."""
    value: Value
    group: str = ""
    text: str = ""
    """The value of the feature in words."""


@dataclass(frozen=True, slots=True)
class Scoring:
    """What an evaluation adds about a customer: the model's score, once ready, profile and decision."""

    probability: float | None = None
    model_version: str | None = None
    reasons: tuple[Reason, ...] = ()
    traits: Traits = Traits()
    decision: Decision | None = None


NO_SCORING: Final = Scoring()


def decisive(causes: Iterable[Cause]) -> Cause | None:
    """Return the cause that decides: of the highest tier the first to open, of these by rule id."""
    return min(causes, key=lambda cause: (-cause.tier, cause.opened_at, cause.rule), default=None)


@dataclass(frozen=True, slots=True)
class Step:
    """One step in the life of one customer's warning."""

    kind: StepKind
    customer_id: str
    at: int
    """Event time of the step, microseconds since the epoch."""
    warning_id: str
    number: int
    """1 for the step that opened the warning."""
    tier: Tier
    opened_at: int
    causes: tuple[Cause, ...]
    """Those open after the step; in `resolved`, `withdrawn` and `expired` those that went with it."""
    churn_probability: float | None
    horizon_days: int
    model_version: str | None
    reasons: tuple[Reason, ...]
    rule_set: str
    acknowledgement: Acknowledgement | None = None
    """`None` while nobody has acted on the warning and no deadline runs."""
    traits: Traits = Traits()
    decision: Decision | None = None
    """`None` in a step of a state that was saved before there were decisions."""
    holdout: bool = False
    """Whether the warning is shown to nobody, to measure what plays do."""

    @property
    def id(self) -> str:
        """Return what names this step wherever it goes: the warning's id and the step's number."""
        return f"{self.warning_id}/{self.number}"

    @property
    def decisive(self) -> Cause | None:
        """The cause that decides what is done."""
        return decisive(self.causes)

    @property
    def play(self) -> str | None:
        """The play that was chosen, or that the decisive cause's rule names."""
        if self.decision is not None:
            return self.decision.play
        return None if self.decisive is None else self.decisive.play


@dataclass(frozen=True, slots=True)
class OperationsNotice:
    """Something operations should know that concerns no single customer."""

    kind: str
    at: int
    partition: int | None
    detail: dict[str, str | int | float | None]
