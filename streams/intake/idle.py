"""For how long a partition's topics are known to have been idle."""

from __future__ import annotations

from collections.abc import Mapping

from streams.intake.poll import ReadProgress, TopicPartition


class IdleTime:
    """Idle time by the broker's answers rather than by the clock.

    A worker that was frozen, or whose broker was away, does not know that nothing came meanwhile; and the
    answer that it finds when it goes on may have been given long before. But an answer was true when it was
    asked for, and that was after the answer before it had come. So nothing came until then.
    """

    def __init__(self) -> None:
        self._since_ms: int | None = None
        self._answered: dict[TopicPartition, int] = {}
        """When the newest answer about a place came,"""
        self._known: dict[TopicPartition, int] = {}
        """and the one before it."""

    def reset(self) -> None:
        """Take note that something has come."""
        self._since_ms = None

    def seconds(self, progress: Mapping[TopicPartition, ReadProgress]) -> float:
        """Return how long it is known to have lasted, given how far the partition's places are read."""
        if any(
            read.answered_ms < self._answered.get(place, read.answered_ms) for place, read in progress.items()
        ):
            self._since_ms = None  # the clock was set back
            self._answered.clear()
            self._known.clear()
        for place, read in progress.items():
            before = self._answered.get(place, read.answered_ms)
            if before != read.answered_ms or place not in self._known:
                self._known[place], self._answered[place] = before, read.answered_ms
        if self._since_ms is None:
            self._since_ms = max(read.answered_ms for read in progress.values())
        return (min(self._known.values()) - self._since_ms) / 1000
