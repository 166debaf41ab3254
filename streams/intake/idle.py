"""For how long a partition's topics are known to have brought nothing."""

from __future__ import annotations

from collections.abc import Mapping

from streams.intake.poll import ReadProgress, TopicPartition


class IdleTime:
    """A lull by the broker's answers rather than by the clock.

    A worker that was frozen, or whose broker was away, has not heard that nothing came meanwhile; and the
    answer that it finds when it goes on may have been given long before. But what an answer says was so when
    it was asked for, and that was after the answer before it had come. So nothing came until then.
    """

    def __init__(self) -> None:
        self._since_ms: int | None = None
        self._heard: dict[TopicPartition, int] = {}
        """When the newest answer about a place came,"""
        self._known: dict[TopicPartition, int] = {}
        """and the one before it."""

    def ends(self) -> None:
        """Take note that something has come."""
        self._since_ms = None

    def seconds(self, marks: Mapping[TopicPartition, ReadProgress]) -> float:
        """Return how long it is known to have lasted, given where the partition's places stand now."""
        if any(mark.heard_ms < self._heard.get(place, mark.heard_ms) for place, mark in marks.items()):
            self._since_ms = None  # the clock was set back
            self._heard.clear()
            self._known.clear()
        for place, mark in marks.items():
            before = self._heard.get(place, mark.heard_ms)
            if before != mark.heard_ms or place not in self._known:
                self._known[place], self._heard[place] = before, mark.heard_ms
        if self._since_ms is None:
            self._since_ms = max(mark.heard_ms for mark in marks.values())
        return (min(self._known.values()) - self._since_ms) / 1000
