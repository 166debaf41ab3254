"""Who has a warning in hand: what people's actions and the passing of time change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from heapq import heapify, heappop, heappush
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streams.core.events.action_words import WARNING_KINDS
from streams.core.events.batch import ActionRecord, Batch
from streams.core.events.calendar import DAY
from streams.core.events.topics import Topic
from streams.core.features.renumbering import Renumbering
from streams.core.steps import Acknowledgement, AcknowledgementState, StepKind, Tier

ACTS: Final[Mapping[str, StepKind]] = MappingProxyType(
    dict(zip(WARNING_KINDS, (StepKind.ACKNOWLEDGED, StepKind.SNOOZED, StepKind.EXPIRED), strict=True))
)
"""The kinds of action that change a warning's life, and the step each makes; others are records only."""


class IgnoredAction(StrEnum):
    """Why such an action had no effect."""

    UNKNOWN = "unknown"
    """The customer's open warning has another id, or none is open and the last one had another."""
    CLOSED = "closed"
    """It names the customer's last warning, which has ended."""
    OVER = "over"
    """Its `until` had passed when it took effect."""
    UNCORRECTED = "uncorrected"
    """It corrects an action that the customer's state does not know, or that is another actor's."""


@dataclass(frozen=True, slots=True)
class TakenAction:
    """An action and the id of its event."""

    event_id: str
    record: ActionRecord


@dataclass(frozen=True, slots=True)
class AcknowledgementTerms:
    """How long actions hold, and how long people may do nothing; intervals in microseconds."""

    acknowledge_for: Mapping[Tier, int] = field(
        default_factory=lambda: MappingProxyType(dict.fromkeys(Tier, 7 * DAY))
    )
    """After so long an acknowledgement lapses."""
    snooze_for: int = DAY
    """How long a snooze holds that does not say until when."""
    acknowledge_within: Mapping[Tier, int] = field(default_factory=lambda: MappingProxyType({}))
    """In which time somebody has to have a warning in hand; a tier that is not named has no deadline."""
    expire_after: int = 0
    """A warning that has been open so long ends; 0 for never."""

    def begin(self, tier: Tier, step: int, at: int) -> Acknowledgement | None:
        """Return the state of a warning that begins to wait for somebody: `None` without a deadline."""
        within = self.acknowledge_within.get(tier)
        if within is None:
            return None
        return Acknowledgement(AcknowledgementState.WAITING, step, at, deadline=at + within)

    def lowered(self, acknowledgement: Acknowledgement | None, tier: Tier, at: int) -> Acknowledgement | None:
        """Return the state after the tier fell: a running deadline begins anew, as long as the new tier's."""
        if acknowledgement is None or acknowledgement.deadline is None:
            return acknowledgement
        within = self.acknowledge_within.get(tier)
        return replace(acknowledgement, deadline=None if within is None else at + within)

    def acted(
        self, acknowledgement: Acknowledgement | None, taken: TakenAction, tier: Tier, step: int, at: int
    ) -> Acknowledgement | None:
        """Return the state after an action at `at`, or `None` where its `until` has passed."""
        action, level = taken.record, 0 if acknowledgement is None else acknowledgement.level
        if action.kind == "expire":
            return Acknowledgement(AcknowledgementState.EXPIRED, step, at, action.actor, level=level)
        acknowledged = action.kind == "acknowledge"
        until = action.until
        if until is None:
            until = at + (self.acknowledge_for[tier] if acknowledged else self.snooze_for)
        if until <= at:
            return None
        state = AcknowledgementState.ACKNOWLEDGED if acknowledged else AcknowledgementState.SNOOZED
        return Acknowledgement(state, step, at, action.actor, until, level=level, action=taken.event_id)

    def corrected(
        self, acknowledgement: Acknowledgement, tier: Tier, step: int, at: int
    ) -> Acknowledgement | None:
        """Return the state after the action behind an acknowledgement was corrected."""
        waiting = self.begin(tier, step, at)
        return None if waiting is None else replace(waiting, level=acknowledgement.level)

    def timed_out(
        self, acknowledgement: Acknowledgement, tier: Tier, step: int
    ) -> tuple[StepKind, Acknowledgement]:
        """Return the step that comes when `until` or the deadline is reached, and the state after it."""
        if acknowledgement.until is not None:
            within, at = self.acknowledge_within.get(tier), acknowledgement.until
            lapsed = Acknowledgement(
                AcknowledgementState.LAPSED, step, at, acknowledgement.by, level=acknowledgement.level
            )
            return StepKind.UPDATED, replace(lapsed, deadline=None if within is None else at + within)
        assert acknowledgement.deadline is not None
        overdue = Acknowledgement(
            AcknowledgementState.OVERDUE, step, acknowledgement.deadline, acknowledgement.by
        )
        return StepKind.ESCALATED, replace(overdue, level=acknowledgement.level + 1)


def acts(events: Batch, rank: NDArray[np.int64], before: NDArray[np.bool_] | None) -> dict[int, TakenAction]:
    """Return the actions that may change a warning's life, by their place in the order of `rank`."""
    if not np.any(events.topic == Topic.ACTIONS):
        return {}
    mask = events.topic[rank] == Topic.ACTIONS
    if before is not None:
        mask &= ~before
    rows = np.flatnonzero(mask)
    events_of = (events.event_id[rank[rows]].tolist(), events.record[rank[rows]].tolist())
    return {
        row: TakenAction(event_id, action)
        for row, event_id, action in zip(rows.tolist(), *events_of, strict=True)
        if isinstance(action, ActionRecord) and (action.kind in ACTS or action.corrects is not None)
    }


class WarningTimers:
    """When each customer's warning is due next: a heap, so that to ask while nothing is due costs nothing.

    A timer that was set is never taken back: whether a warning is still due is seen when it is woken.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[int, int]] = []

    def __len__(self) -> int:
        """Return how many timers are set, those included that were set anew since."""
        return len(self._heap)

    def set_to(self, timers: Iterable[tuple[int, int]]) -> None:
        """Have no timers but these: when each is due, and its customer."""
        self._heap = list(timers)
        heapify(self._heap)

    def wake(self, customer: int, due: int) -> None:
        """Let `customer` be woken at `due`."""
        heappush(self._heap, (due, customer))

    def renumber(self, to: Renumbering) -> None:
        """Forget the customers who leave, and give the others their new rows."""
        self._heap = [(due, int(to.place[c])) for due, c in self._heap if to.stays[c]]
        heapify(self._heap)

    def pop(self, until: int) -> set[int]:
        """Return the customers to be woken up to and including `until`."""
        found = set()
        while self._heap and self._heap[0][0] <= until:
            found.add(heappop(self._heap)[1])
        return found
