"""What muting needs to know of a step and of earlier notices, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from consumers.decision import must_not_be_contacted
from consumers.muting.notes import Note

RANKS: Final = {"low": 1, "medium": 2, "high": 3}
"""A larger number is more urgent."""
OPENED: Final = "opened"
ESCALATED: Final = "escalated"
UPDATED: Final = "updated"
ATTENDED: Final = ("acknowledged", "snoozed")
"""States of an acknowledgement in which no notice is needed."""
LAPSED: Final = "lapsed"
"""An update by which an acknowledgement or a snooze ended: the warning needs somebody again."""
OVERDUE: Final = "overdue"
"""An escalation by a deadline: nobody acknowledged the warning in time."""
NOTIFIED: Final = (OPENED, ESCALATED, LAPSED, OVERDUE)
"""The kinds of steps that send a notice."""


class MuteReason(StrEnum):
    """Why a notice was not sent, or says more than usual."""

    SILENCE = "silence"
    """A silence of a span of time."""
    QUIET_HOURS = "quiet_hours"
    """A recurring silence: quiet hours or a holiday."""
    INHIBITED = "inhibited"
    """Only causes joined that a worse one hides."""
    FLAPPING = "flapping"
    """It opened again and again; one notice says so."""
    INVALID = "invalid"
    """The step is not what the contract asks for."""
    FATIGUE = "fatigue"
    """The customer had as many warnings as are allowed in a period."""
    HOLDOUT = "holdout"
    """The warning is held out: nobody is to know of it, so that what plays do can be measured."""
    DO_NOT_CONTACT = "do_not_contact"
    """The customer must not be contacted."""


class NoticeVerdict(StrEnum):
    """What becomes of a notice."""

    SENT = "told"
    DEFERRED = "held"
    """Muted for now; judged again when the reason has passed or the warning takes another step."""
    MUTED = "muted"
    """Never sent: the warning ended meanwhile, or a later notice stands for it."""


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
    """A step that may send a notice."""

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
    account_owner: str | None
    tier: str
    causes: tuple[NoticeCause, ...]
    attended: bool = False
    """Whether somebody has acknowledged or snoozed the warning."""
    holdout: bool = False
    do_not_contact: bool = False
    owed: str | None = None
    """The kind of the warning's deferred notice, for which this one stands as well."""

    @property
    def weightiest(self) -> str:
        """Return its own kind, or the deferred one's where that is more urgent: a deadline, then a rise."""
        kinds = (self.kind, self.owed)
        return next((kind for kind in (OVERDUE, ESCALATED) if kind in kinds), self.kind)

    @property
    def news(self) -> tuple[NoticeCause, ...]:
        """Return the causes that the step is about, without those that a worse one hides.

        An escalation is about the causes of the tier it rose to.
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
    acknowledgement = data.get("attention") or {}
    kind = kind.rpartition(".")[2]
    if acknowledgement.get("step") == data["step"]:
        # What brought the step about; a deadline need not raise the tier.
        kind = LAPSED if kind == UPDATED and acknowledgement.get("state") == LAPSED else kind
        kind = OVERDUE if kind == ESCALATED and acknowledgement.get("state") == OVERDUE else kind
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
        account_owner=data.get("account_owner"),
        tier=data["tier"],
        causes=tuple(
            NoticeCause(c["rule"], c["reason"], c["tier"], c["opened_at"], c.get("inhibited_by"))
            for c in data["causes"]
        ),
        attended=acknowledgement.get("state") in ATTENDED,
        holdout=data.get("holdout") is True,
        do_not_contact=must_not_be_contacted(data),
    )


@dataclass(frozen=True, slots=True)
class PastNotice:
    """A notice of the same customer that was judged before."""

    step_id: str
    warning_id: str
    kind: str
    at: datetime
    """Its event time; of a notice that was deferred, the event time at which it was sent."""
    tier: str
    rules: frozenset[str]
    verdict: NoticeVerdict
    reason: MuteReason | None


@dataclass(frozen=True, slots=True)
class Limits:
    """How many notices of one customer are sent; 0 is no limit."""

    at_most: int = 0
    """Warnings of a customer in a period that send notices."""
    period: timedelta = timedelta(days=7)
    flapping_after: int = 0
    """Warnings by the same rule in a period that are sent one by one."""
    flapping_period: timedelta = timedelta(days=30)

    @property
    def reach(self) -> timedelta:
        """Return how far back earlier notices matter."""
        return max(self.period, self.flapping_period)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What becomes of a notice, and why it is not simply sent."""

    verdict: NoticeVerdict
    reason: MuteReason | None = None
    silence_id: str | None = None
    look_again_at: datetime | None = None
    """When a deferred notice is judged again."""
    by_wall_clock: bool = False
    """Whether that is an instant of people's clocks rather than of event time."""
    note: Note | None = None
    """What the message says beside the warning itself."""
