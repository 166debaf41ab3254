"""The rule folder as the desk shows it; whoever starts the desk reads the files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class PlayView:
    """A play of plays.yaml."""

    id: str
    title: str
    reasons: tuple[str, ...] = ()
    """The reasons of rules that it is for; none named is all."""
    classes: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    """What it costs something for: `gift`, `communication`, `labour`, `discount`."""
    budget_month: float | None = None
    """What may be spent on it in a local month."""
    success: float | None = None
    success_source: str | None = None


@dataclass(frozen=True, slots=True)
class ReasonView:
    """A reason why customers leave, of reasons.yaml."""

    id: str
    title: str
    group: str
    """The id of its group, or its own where it is one."""
    group_title: str


@dataclass(frozen=True, slots=True)
class RuleView:
    """A rule in force, in shadow or a draft."""

    id: str
    version: str
    title: str
    status: str
    tier: str
    reason: str
    owner: str | None
    when: str
    clear: str | None
    play: str | None
    by: str | None
    """The dimension of a rule of segments; `None` for one of customers."""
    place: str
    """File and line."""


@dataclass(frozen=True, slots=True)
class RulebookView:
    """What the rule folder says."""

    rules: tuple[RuleView, ...] = ()
    plays: tuple[PlayView, ...] = ()
    reasons: tuple[ReasonView, ...] = ()
    error: str | None = None
    """Why the files cannot be read; the rest is as they were read last."""

    def play(self, play_id: str | None) -> PlayView | None:
        """Return the play of this id."""
        return next((each for each in self.plays if each.id == play_id), None)

    def rule(self, rule_id: str) -> RuleView | None:
        """Return the rule of this id."""
        return next((each for each in self.rules if each.id == rule_id), None)


@dataclass(frozen=True, slots=True)
class ConditionView:
    """A condition, or a part of one, with its verdict for a customer."""

    text: str
    verdict: str
    """`true`, `false` or `missing`."""
    join: str = ""
    """How its parts belong together: `all of`, `any of`, or nothing where it has none."""
    parts: tuple[ConditionView, ...] = ()
    value: object = None
    """What the measured side is."""
    compares: bool = False
    """Whether it compares something, and so has a value, if only a missing one."""


@dataclass(frozen=True, slots=True)
class ChangeView:
    """A feature that would have to become another number."""

    feature: str
    value: float
    op: str
    """`<`, `<=`, `=`, `>=` or `>`, before `bound`."""
    bound: float


@dataclass(frozen=True, slots=True)
class CauseView:
    """A rule with the values that it read of a customer."""

    when: ConditionView
    clear: ConditionView
    changes: tuple[ChangeView, ...] | None
    """The smallest change that would clear it; `None` where no number's change does."""
    keep_open_for_us: int


class Rulebook(Protocol):
    """The rule folder, read again when it has changed."""

    def current(self) -> RulebookView:
        """Return what it says now."""

    def explain(self, rule_id: str, version: str, values: Mapping[str, Any]) -> CauseView | None:
        """Return a rule with the values that it read; `None` where it has changed since, or is gone."""
