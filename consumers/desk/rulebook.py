"""The rule folder as the desk shows it; whoever starts the desk reads the files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


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


class Rulebook(Protocol):
    """The rule folder, read again when it has changed."""

    def current(self) -> RulebookView:
        """Return what it says now."""
