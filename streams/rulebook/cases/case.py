"""What a test case says, read and placed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from streams.core.engine_io import EngineSettings
from streams.core.events.topics import Topic
from streams.core.rules.rule_set import RuleSet
from streams.core.segments.rules import SegmentRules
from streams.core.steps import Tier
from streams.rulebook.cases.times import Span

CUSTOMER: Final = "customer"
"""Whom an event or an expectation is about where it names nobody."""


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """One event of a timeline; times are microseconds since its begin."""

    topic: Topic
    at: int
    arrives: int
    """When it becomes known: later than `at` for one that is late."""
    customer: str
    fields: Mapping[str, Any]
    """What the record says beside its ids and its time, as the contract names it."""
    line: int


@dataclass(frozen=True, slots=True)
class Expected:
    """One opening of a rule for a customer or segment, and what must be true of it."""

    rule: str
    subject: str
    of_segment: bool
    line: int
    opens: Span | None
    """`None`: at any time."""
    resolves: Span | None
    withdrawn: Span | None
    stays_open: bool
    """Whether it must be open at the end."""
    tier: Tier | None
    message: str | None
    lines: Mapping[str, int]
    """The line of each of its fields."""


@dataclass(frozen=True, slots=True)
class OpenAt:
    """The rules that must be open at a time, and no others: for the customer without a name, or a segment."""

    at: int
    rules: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Case:
    """A timeline and what it must and must not set off."""

    name: str
    path: str
    line: int
    events: tuple[CaseEvent, ...]
    until: int
    """How far it looks."""
    rules: tuple[str, ...] | None
    """The rules that are judged; `None` for all."""
    expected: tuple[Expected, ...]
    never: Mapping[str, int]
    """Rules that must not open for anyone, with the line."""
    open_at: tuple[OpenAt, ...] = ()
    probability: tuple[tuple[int, float | None], ...] = ()
    """The model's probability from a time on; `None` for none."""
    others: tuple[float, ...] = ()
    """The probabilities of other active customers: lift and rank compare with these too."""
    start: str = "2024-01-01"
    """The local day whose midnight is 0d."""
    settings: EngineSettings = field(default_factory=EngineSettings)
    named: Mapping[str, int] = field(default_factory=dict)
    """Every rule it names, with the line where it first does."""


@dataclass(frozen=True, slots=True)
class CaseRules:
    """The rules that a case judges."""

    customers: RuleSet
    segments: SegmentRules
