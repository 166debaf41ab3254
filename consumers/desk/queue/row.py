"""A row of the queue, and the page of rows that somebody looks at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from consumers.desk.queue.open_warnings import AttentionHead
from consumers.desk.queue.order import Section


class CauseText(msgspec.Struct, frozen=True):
    """A cause in words."""

    rule: str
    title: str = ""
    tier: str = ""
    reason: str = ""
    message: str = ""
    inhibited_by: str | None = None
    since: datetime | None = None
    opened_at: datetime | None = None


class ReasonText(msgspec.Struct, frozen=True):
    """A reason of the model in words."""

    feature: str
    contribution: float = 0.0
    group: str = ""
    text: str = ""


class FullDecision(msgspec.Struct, frozen=True):
    """A decision with its arithmetic."""

    verdict: str = "unknown"
    why: str = "missing"
    play: str | None = None
    value: float | None = None
    probability: float | None = None
    success: float | None = None
    success_source: str | None = None
    gain: float | None = None
    cost: dict[str, float | None] = {}  # msgspec copies it
    net: float | None = None
    break_even: float | None = None
    missing: tuple[str, ...] = ()

    @property
    def total_cost(self) -> float | None:
        """The sum of the items; `None` where one is not known."""
        amounts = [each for each in self.cost.values() if each is not None]
        return sum(amounts) if amounts and len(amounts) == len(self.cost) else None


class StepText(msgspec.Struct, frozen=True):
    """Of the data of a step what a row shows."""

    warning_id: str
    customer_id: str
    tier: str
    opened_at: datetime
    causes: tuple[CauseText, ...] = ()
    reasons: tuple[ReasonText, ...] = ()
    attention: AttentionHead | None = None
    decision: FullDecision | str | None = None
    do_not_contact: bool = False


class DaysText(msgspec.Struct, frozen=True):
    """Of a customer's days what a row shows."""

    decision: FullDecision | None = None


@dataclass(frozen=True, slots=True)
class Attended:
    """Who takes care of a warning; `state` is a word of the contract, or `contacted` or `closing`."""

    state: str
    by: str | None
    until: datetime | None = None
    deadline: datetime | None = None
    on_its_way: bool = False
    """Whether the engine has not taken it up yet."""


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A warning as the queue shows it."""

    warning_id: str
    customer_id: str
    section: Section
    over_budget: bool
    tier: str
    decision: FullDecision
    probability: float | None
    value_at_risk: float | None
    opened_at: datetime
    updated_at: datetime
    decided_at: datetime
    causes: tuple[CauseText, ...]
    reasons: tuple[ReasonText, ...]
    segment: str | None
    region: str | None
    customer_class: str | None
    account_owner: str | None
    assignee: str | None
    attended: Attended | None
    deadline: datetime | None
    holdout: bool
    do_not_contact: bool
    version: int

    @property
    def on_its_way(self) -> bool:
        """Whether an action about it has not been taken up yet."""
        return self.attended is not None and self.attended.on_its_way


@dataclass(frozen=True, slots=True)
class Totals:
    """How many warnings a part of the queue has, and their net."""

    count: int = 0
    net: float = 0.0


@dataclass(frozen=True, slots=True)
class QueuePage:
    """A page of rows, and what the queue has in all."""

    rows: Sequence[QueueRow]
    matched: int
    """Rows that the filter finds."""
    offset: int
    limit: int
    sections: Mapping[Section, Totals]
    """Of the filter's rows."""
    version: int
    """Of the board: what comes later is new."""
    capacity: int | None = None
    """Customers whom the team can still attend to today."""
    attended_today: int = 0
    spent: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Of each play with a budget what was spent this month, and the budget."""
    words: Mapping[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    """What there is to filter by, and how many open warnings have it."""

    @property
    def more(self) -> bool:
        """Whether there are rows after these."""
        return self.offset + len(self.rows) < self.matched
