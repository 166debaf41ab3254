"""The quiet-source guard: a topic that has gone quiet as a whole is a broken source, not lost customers.

It also knows when the newest event of a topic was, of anyone in the partition, which rules may ask for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streams.core.events.calendar import NEVER
from streams.core.events.topics import REQUIRED, Topic
from streams.core.features.apply import NewestSeen, OrderedEvents
from streams.core.features.customers import Customers
from streams.core.features.view import Sweep
from streams.core.steps import OperationsNotice


class SourceGuard:
    """Newest event time of the required and the guarded topics in the partition, and which are quiet.

    A topic is quiet at `t` when its newest event time lies more than `after[topic]` microseconds before
    `t`. One that has had no event yet is not quiet: nobody knows when it should have had one.
    """

    def __init__(self, after: Mapping[Topic, int], partition: int) -> None:
        self.after = after
        self.partition = partition
        self.newest = {topic: int(NEVER) for topic in sorted({*REQUIRED, *after})}
        self.announced = dict.fromkeys(self.newest, False)

    def state(self) -> dict[str, list[int | bool]]:
        """Return the newest event time of each topic, and whether it was announced as quiet."""
        return {topic.name: [newest, self.announced[topic]] for topic, newest in self.newest.items()}

    def restore(self, state: Mapping[str, Sequence[Any]]) -> None:
        """Go on from `state`; topics that are not watched any more are left out."""
        for topic in self.newest:
            if topic.name in state:
                self.newest[topic], self.announced[topic] = state[topic.name]

    def during(self, taken: OrderedEvents, notices: list[OperationsNotice]) -> dict[Topic, NDArray[np.bool_]]:
        """Return for each guarded topic whether it is quiet at each of the (n,) events, in their order."""
        result: dict[Topic, NDArray[np.bool_]] = {}
        seen = self.observe(taken)
        for topic in self.newest.keys() - self.after.keys():
            times = taken.reached[taken.events.topic == topic]
            self.newest[topic] = max(self.newest[topic], int(times.max(initial=NEVER)))
        for topic, after in self.after.items():
            newest = seen(topic)[1:]
            quiet = (newest != NEVER) & (newest < taken.instant - after)
            self.newest[topic] = int(newest[-1])
            result[topic] = quiet
            state = np.concatenate([[self.announced[topic]], quiet])
            for row in np.flatnonzero(state[1:] != state[:-1]).tolist():
                self._announce(topic, bool(quiet[row]), int(taken.instant[row]), int(newest[row]), notices)
        return result

    def observe(self, taken: OrderedEvents) -> NewestSeen:
        """Return a function for a required or guarded topic's newest event time before and at each event.

        To be asked for before `during`, which goes on to the end of the events.
        """
        known = dict(self.newest)

        def newest(topic: Topic) -> NDArray[np.int64]:
            times = np.where(taken.events.topic == topic, taken.reached, NEVER)
            return np.maximum.accumulate(np.concatenate([[known[topic]], times]))

        return newest

    def view_at(self, customers: Customers, at: int) -> Sweep:
        """Return all customers at an instant that all events so far precede."""
        quiet = {topic: self.is_quiet(topic, at) for topic in self.after}
        return Sweep(customers, at, quiet, self.newest.__getitem__)

    def announce(self, at: int, notices: list[OperationsNotice]) -> None:
        """Note each guarded topic that has gone quiet, or come back, by the sweep at an instant."""
        for topic in self.after:
            quiet = self.is_quiet(topic, at)
            if quiet != self.announced[topic]:
                self._announce(topic, quiet, at, self.newest[topic], notices)

    def is_quiet(self, topic: Topic, at: int) -> bool:
        """Say whether a topic is quiet at an instant that all events so far precede."""
        newest = self.newest.get(topic, NEVER)
        return topic in self.after and newest != NEVER and newest < at - self.after[topic]

    def topics_at(self, at: int) -> list[Topic]:
        """Return the topics that are quiet at an instant that all events so far precede."""
        return [topic for topic in self.after if self.is_quiet(topic, at)]

    def _announce(
        self, topic: Topic, quiet: bool, at: int, newest: int, notices: list[OperationsNotice]
    ) -> None:
        self.announced[topic] = quiet
        kind = "source.quiet" if quiet else "source.back"
        notices.append(OperationsNotice(kind, at, self.partition, {"topic": topic.label, "newest": newest}))
