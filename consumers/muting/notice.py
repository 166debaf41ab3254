"""What muting needs to know of a step, of what was told before, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

RANKS: Final = {"low": 1, "medium": 2, "high": 3}
"""A larger number is more urgent."""
OPENED: Final = "opened"
ESCALATED: Final = "escalated"
UPDATED: Final = "updated"
IN_HAND: Final = ("acknowledged", "snoozed")
"""States of attention in which nobody need be told."""
LAPSED: Final = "lapsed"
"""An update by which an acknowledgement or a snooze ended: the warning speaks again."""
TOLD_OF: Final = (OPENED, ESCALATED, LAPSED)
"""The kinds of steps that the team is told of."""


class Why(StrEnum):
    """Why the team was not told, or is told otherwise."""

    SILENCE = "silence"
    """A silence of a span of time."""
    QUIET_HOURS = "quiet_hours"
    """A recurring silence: quiet hours or a holiday."""
    INHIBITED = "inhibited"
    """Only causes joined that a worse one hides."""
    FLAPPING = "flapping"
    """It opened again and again; told once, in a notice that says so."""
    FATIGUE = "fatigue"
    """The customer had as many notices as are allowed in a period."""


class NoticeVerdict(StrEnum):
    """What becomes of a notice."""

    TOLD = "told"
    HELD = "held"
    """Muted for now; looked at again when the reason has passed or the warning takes another step."""
    MUTED = "muted"
    """Not told, for good: the warning ended meanwhile, or a later notice told of it."""


@dataclass(frozen=True, slots=True)
class NoticeCause:
    """One cause as muting sees it."""

    rule: str
    reason: str
    tier: str
    opened_at: str
    inhibited_by: str | None


@dataclass(frozen=True, slots=True)
class Notice:
    """A step that the team may have to be told of."""

    step_id: str
    warning_id: str
    number: int
    kind: str
    time: datetime
    """Event time of the step."""
    customer_id: str
    customer_class: str | None
    segment: str | None
    region: str | None
    tier: str
    causes: tuple[NoticeCause, ...]
    in_hand: bool = False
    """Whether somebody has acknowledged or snoozed the warning."""

    @property
    def news(self) -> tuple[NoticeCause, ...]:
        """Return the causes that the step is about, those that a worse one hides left out.

        An escalation is about those of the tier it rose to: they all are new.
        """
        seen = tuple(cause for cause in self.causes if cause.inhibited_by is None)
        if self.kind == ESCALATED:
            return tuple(cause for cause in seen if cause.tier == self.tier) or seen
        return seen

    @property
    def rules(self) -> frozenset[str]:
        """Return the rules of the causes that the step is about."""
        return frozenset(cause.rule for cause in self.news)


def read_notice(step_id: str, kind: str, time: datetime, data: Mapping[str, Any]) -> Notice:
    """Return what muting needs of a stored step: `kind` is its CloudEvent's type, `data` that one's data."""
    attention = data.get("attention") or {}
    kind = kind.rpartition(".")[2]
    if kind == UPDATED and attention.get("state") == LAPSED and attention["step"] == data["step"]:
        kind = LAPSED
    return Notice(
        step_id=step_id,
        warning_id=data["warning_id"],
        number=data["step"],
        kind=kind,
        time=time,
        customer_id=data["customer_id"],
        # A worker of before these fields did not write them.
        customer_class=data.get("customer_class"),
        segment=data.get("segment"),
        region=data.get("region"),
        tier=data["tier"],
        causes=tuple(
            NoticeCause(c["rule"], c["reason"], c["tier"], c["opened_at"], c.get("inhibited_by"))
            for c in data["causes"]
        ),
        in_hand=attention.get("state") in IN_HAND,
    )


@dataclass(frozen=True, slots=True)
class Past:
    """A notice of the same customer that was judged before."""

    step_id: str
    warning_id: str
    kind: str
    at: datetime
    """Its event time; where it was held back, the event time at which it was told."""
    tier: str
    rules: frozenset[str]
    verdict: NoticeVerdict
    why: Why | None


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the team is told of one customer; 0 is no limit."""

    at_most: int = 0
    """Notices of a customer in a period."""
    period: timedelta = timedelta(days=7)
    flapping_after: int = 0
    """Openings by the same rule in a period that are told one by one."""
    flapping_period: timedelta = timedelta(days=30)

    @property
    def reach(self) -> timedelta:
        """Return how far back what was told before matters."""
        return max(self.period, self.flapping_period)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What becomes of a notice, and why it is not simply told."""

    verdict: NoticeVerdict
    why: Why | None = None
    silence_id: str | None = None
    look_again_at: datetime | None = None
    """When a held notice is due."""
    by_wall_clock: bool = False
    """Whether that is an instant of people's clocks rather than of event time."""
    note: str | None = None
    """What the message says beside the warning itself."""
