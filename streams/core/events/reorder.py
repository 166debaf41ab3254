"""The order in which events are taken: what may still be reordered waits, what comes later is late."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from streams.core.events.batch import Batch
from streams.core.events.calendar import NEVER
from streams.core.events.refusal import (
    UNSET_US,
    EventRefusalReason,
    RefusedEvent,
    refused_events,
    stragglers,
)
from streams.core.events.topics import Topic


@dataclass(frozen=True, slots=True)
class ReorderedEvents:
    """Events in the order they are to be taken, with the instant at which each is judged."""

    events: Batch
    instant: NDArray[np.int64]
    """(n,) never decreasing; the event time, or for a late event the watermark when it arrived, or for an
    action that is dated after all customers' events, where nothing more comes, the time of their newest."""
    refused: list[RefusedEvent] = field(default_factory=list)
    """What lies years before the events that the partition begins with."""


class ReorderBuffer:
    """Puts events up to `reorder` microseconds apart in order.

    The watermark is the greatest time of a customers' event that has arrived, less `reorder`. An event below
    the watermark at its arrival is late and is judged at the watermark; the others wait until the watermark
    has passed them. So the result depends on the order of arrival only, never on how it was cut into batches.

    What people do about warnings moves no watermark: an action that is dated after all customers' events
    waits until these have come so far, until `reach` says that time has, or until nothing more comes.

    The first `beginning` events of customers are waited for, or until nothing more comes: of these, the few
    that lie years before the others are refused, so that one with an unset time does not begin event time.
    """

    def __init__(self, reorder: int, beginning: int = 0) -> None:
        self.reorder = reorder
        self._beginning = beginning
        self.begun = beginning == 0
        """Whether the first events have come; what waits before is all that has."""
        self.watermark = int(NEVER)
        self.newest = int(NEVER)
        """The greatest time of a customers' event that has arrived."""
        self._waiting = Batch.empty()
        self._instant = np.empty(0, dtype=np.int64)

    def __len__(self) -> int:
        """Return how many events wait."""
        return len(self._waiting)

    @property
    def waiting(self) -> tuple[Batch, NDArray[np.int64]]:
        """The events that wait, and the instant at which each will be judged, (n,)."""
        return self._waiting, self._instant

    def restore(
        self,
        waiting: Batch,
        instant: NDArray[np.int64],
        watermark: int,
        newest: int,
        *,
        begun: bool = True,
    ) -> None:
        """Go on from `waiting`, `watermark` and `newest`."""
        self._waiting, self._instant, self.begun = waiting, instant, begun
        self.watermark, self.newest = watermark, newest

    def put(self, batch: Batch) -> ReorderedEvents:
        """Take in events as they arrived and return those that the watermark has passed."""
        if not len(batch):
            return ReorderedEvents(batch, batch.at)
        newest = np.maximum.accumulate(np.where(batch.topic == Topic.ACTIONS, NEVER, batch.at))
        before = np.concatenate([[self.newest], np.maximum(newest[:-1], self.newest)])
        watermark = np.maximum(_less(before, self.reorder), self.watermark)
        instant = np.maximum(batch.at, watermark)
        self.newest = max(self.newest, int(newest[-1]))
        if self.newest != NEVER:
            self.watermark = max(self.watermark, self.newest - self.reorder)
        waiting = len(self._waiting)
        events = Batch.concat([self._waiting, batch]) if waiting else batch
        instant = np.concatenate([self._instant, instant])
        if self.begun:
            return self._release(events, instant, self.watermark)
        self._waiting, self._instant = events, instant
        moving = np.flatnonzero((events.topic != Topic.PROFILES) & (events.topic != Topic.ACTIONS))
        if len(moving) < self._beginning:
            return ReorderedEvents(batch.take(np.empty(0, dtype=np.int64)), instant[:0])
        refused = self._begin(int(moving[self._beginning - 1]) + 1)
        return replace(self._release(self._waiting, self._instant, self.watermark), refused=refused)

    def flush(self, *, idle: bool = True) -> ReorderedEvents:
        """Return what waits: nothing that precedes it is to come; what comes below it from now on is late.

        With `idle`, nothing at all is to come for a while, and actions dated after the newest customers'
        event are judged at its time, after all events of that instant; else they go on waiting. Event time
        does not begin then with an event before 1972: it waits for others.
        """
        if idle and not self.begun and self.newest < UNSET_US:
            return ReorderedEvents(Batch.empty(), np.empty(0, dtype=np.int64))
        self.watermark = max(self.watermark, self.newest)
        reached = self.reach(self.watermark)
        beyond = self._waiting
        if not idle or self.newest == NEVER or not len(beyond):
            return reached
        self._waiting, self._instant = Batch.empty(), np.empty(0, dtype=np.int64)
        now = np.full(len(beyond), self.watermark, dtype=np.int64)
        return ReorderedEvents(
            Batch.concat([reached.events, beyond.take(beyond.order())]),
            np.concatenate([reached.instant, now]),
            reached.refused,
        )

    def put_last(self, batch: Batch) -> ReorderedEvents:
        """Return what `put` and then `flush` would, actions that are dated later still waiting."""
        first, rest = self.put(batch), self.flush(idle=False)
        if not len(first.events):
            return replace(rest, refused=[*first.refused, *rest.refused])
        return ReorderedEvents(
            Batch.concat([first.events, rest.events]) if len(rest.events) else first.events,
            np.concatenate([first.instant, rest.instant]),
            [*first.refused, *rest.refused],
        )

    def reach(self, until: int) -> ReorderedEvents:
        """Return what waits and is judged up to and including `until`."""
        if self.newest == NEVER:
            return ReorderedEvents(Batch.empty(), np.empty(0, dtype=np.int64))
        refused = [] if self.begun else self._begin(len(self._waiting))
        return replace(self._release(self._waiting, self._instant, until + 1), refused=refused)

    def _begin(self, count: int) -> list[RefusedEvent]:
        """Let event time begin with the first `count` events that came, and return the stragglers of them."""
        self.begun = True
        events = self._waiting
        early = stragglers(events.topic[:count], self._instant[:count])
        if len(early):
            kept = np.ones(len(events), dtype=np.bool_)
            kept[early] = False
            self._waiting, self._instant = events.take(kept), self._instant[kept]
        return refused_events(events, early, EventRefusalReason.PAST_TIME)

    def _release(self, events: Batch, instant: NDArray[np.int64], until: int) -> ReorderedEvents:
        """Return the events judged before `until` and keep the others."""
        now = instant < until
        if bool(now.all()):
            self._waiting, self._instant = Batch.empty(), np.empty(0, dtype=np.int64)
        else:
            later = np.flatnonzero(~now)
            self._waiting, self._instant = events.take(later), instant[later]
            events, instant = events.take(now), instant[now]
        order = events.order(instant)
        return ReorderedEvents(events.take(order), instant[order])


def _less(instants: NDArray[np.int64], interval: int) -> NDArray[np.int64]:
    """Return the instants less an interval; before the first event there is nothing to be less than."""
    return np.where(instants == NEVER, NEVER, instants - np.where(instants == NEVER, 0, interval))


def last_reached(events: Batch) -> int:
    """Return the time of the last customers' event, where a partition's clock comes to stand."""
    return int(events.at.max(where=events.topic != Topic.ACTIONS, initial=NEVER))
