"""The quiet-source guard: a topic that has gone quiet as a whole is a broken source, not lost customers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from streams.core.apply import Taken
from streams.core.instants import NEVER
from streams.core.steps import Notice
from streams.core.topics import Topic


class QuietSources:
    """Newest event time of each guarded topic in the partition, and whether it is quiet.

    A topic is quiet at `t` when its newest event time lies more than `after[topic]` microseconds before
    `t`. One that has had no event yet is not quiet: nothing tells when it should have had one.
    """

    def __init__(self, after: Mapping[Topic, int], partition: int) -> None:
        self.after = after
        self.partition = partition
        self.newest = {topic: int(NEVER) for topic in after}
        self.told = dict.fromkeys(after, False)

    def during(self, taken: Taken, notices: list[Notice]) -> dict[Topic, NDArray[np.bool_]]:
        """Return for each guarded topic whether it is quiet at each of the (n,) events, in their order."""
        result: dict[Topic, NDArray[np.bool_]] = {}
        for topic, after in self.after.items():
            times = np.where(taken.events.topic == topic, taken.events.at, NEVER)
            newest = np.maximum(np.maximum.accumulate(times), self.newest[topic])
            quiet = (newest != NEVER) & (newest < taken.instant - after)
            self.newest[topic] = int(newest[-1])
            result[topic] = quiet
            state = np.concatenate([[self.told[topic]], quiet])
            for row in np.flatnonzero(state[1:] != state[:-1]).tolist():
                self._tell(topic, bool(quiet[row]), int(taken.instant[row]), int(newest[row]), notices)
        return result

    def at(self, at: int, notices: list[Notice]) -> dict[Topic, bool]:
        """Return for each guarded topic whether it is quiet at a sweep."""
        result: dict[Topic, bool] = {}
        for topic in self.after:
            quiet = result[topic] = self.is_quiet(topic, at)
            if quiet != self.told[topic]:
                self._tell(topic, quiet, at, self.newest[topic], notices)
        return result

    def is_quiet(self, topic: Topic, at: int) -> bool:
        """Say whether a topic is quiet at an instant that all events so far precede."""
        newest = self.newest.get(topic, NEVER)
        return newest != NEVER and newest < at - self.after[topic]

    def _tell(self, topic: Topic, quiet: bool, at: int, newest: int, notices: list[Notice]) -> None:
        self.told[topic] = quiet
        kind = "source.quiet" if quiet else "source.back"
        notices.append(Notice(kind, at, self.partition, {"topic": topic.label, "newest": newest}))
