"""What is known of a partition's topics by the broker's answers: until when nothing more had come of them.

A worker that was frozen, or whose broker was away, does not know that nothing came meanwhile; and the answer
that it finds when it goes on may have been given long before. But an answer was true when it was asked for,
and that was after the answer before it had come. So nothing had come until then.
"""

from __future__ import annotations

from collections.abc import Mapping

from streams.intake.poll import ReadProgress, TopicPartition


class AnswerTimes:
    """When the broker's newest answer about each place was asked for, by this machine's clock."""

    def __init__(self) -> None:
        self._answered: dict[TopicPartition, int] = {}
        """When the newest answer about a place came,"""
        self._asked: dict[TopicPartition, int] = {}
        """and the one before it: the newest was asked for no earlier."""

    def observe(self, progress: Mapping[TopicPartition, ReadProgress]) -> bool:
        """Take note of the newest answers; return whether the clock was set back since the call before."""
        set_back = any(
            read.answered_ms < self._answered.get(place, read.answered_ms) for place, read in progress.items()
        )
        if set_back:
            self._answered.clear()
            self._asked.clear()
        for place, read in progress.items():
            before = self._answered.get(place)
            if before is not None and before != read.answered_ms:
                self._asked[place] = before
            self._answered[place] = read.answered_ms
        return set_back

    def asked_ms(self, place: TopicPartition) -> int | None:
        """Return an instant after which the newest answer about a place was asked for; `None`: not known."""
        return self._asked.get(place)

    @property
    def newest_ms(self) -> int:
        """Return when the newest answer came."""
        return max(self._answered.values(), default=0)


class IdleTime:
    """For how long a partition's topics are known to have been idle."""

    def __init__(self) -> None:
        self._since_ms: int | None = None

    def reset(self) -> None:
        """Take note that something has come, or that the clock was set back."""
        self._since_ms = None

    def seconds(self, answers: AnswerTimes, progress: Mapping[TopicPartition, ReadProgress]) -> float:
        """Return how long it is known to have lasted, given how far the partition's places are read."""
        if self._since_ms is None:
            self._since_ms = max(read.answered_ms for read in progress.values())
        asked = [answers.asked_ms(place) for place in progress]
        known = [at for at in asked if at is not None]
        return (min(known) - self._since_ms) / 1000 if len(known) == len(asked) else 0.0
