"""Partitions that do not move although they have something to do: noticed, counted and told."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from streams.intake.poll import TopicPartition

log = logging.getLogger(__name__)

STALLED_S: Final = 30.0
"""A partition that stood still for less may be loading its state, or wait for the group."""
LONGEST_S: Final = 3_600.0
"""While it stands still it is told again after twice the time, but at least this often."""


@dataclass(frozen=True, slots=True)
class PartitionProgress:
    """What is seen of a partition at one moment."""

    stand: Any
    """Equal to that of the sight before where nothing has moved."""
    lag: Mapping[TopicPartition, int | None]
    """Records that each place has and the engine has not, where there are any; `None`: not known how many."""


@dataclass(slots=True)
class _Watched:
    stand: Any
    since: float
    tell_at: float
    lag: Mapping[TopicPartition, int | None] = field(default_factory=dict)


class StallDetector:
    """Follows the partitions of a worker from look to look."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._watched: dict[int, _Watched] = {}

    def look(self, sights: Mapping[int, PartitionProgress]) -> None:
        """Compare with the look before, and log what has come to a standstill and what moves again."""
        now = self._clock()
        for number in self._watched.keys() - sights.keys():
            del self._watched[number]  # another worker's now
        for number, sight in sights.items():
            watched = self._watched.get(number)
            if watched is None or not sight.lag or sight.stand != watched.stand:
                if watched is not None and now - watched.since >= STALLED_S:
                    log.info("moves again partition=%d after=%.0fs", number, now - watched.since)
                self._watched[number] = _Watched(sight.stand, now, now + STALLED_S, sight.lag)
                continue
            watched.lag = sight.lag
            if now >= watched.tell_at:
                stood = now - watched.since
                watched.tell_at = now + min(max(stood, STALLED_S), LONGEST_S)
                log.warning("stands still partition=%d for=%.0fs lag: %s", number, stood, _told(sight.lag))

    def stalled(self) -> dict[TopicPartition, float]:
        """Return for how many seconds places that have lag have stood still with their partition."""
        now = self._clock()
        return {
            place: now - watched.since
            for watched in self._watched.values()
            if watched.lag and now - watched.since >= STALLED_S
            for place in watched.lag
        }


def _told(lag: Mapping[TopicPartition, int | None]) -> str:
    return ", ".join(f"{place} {'unknown' if n is None else n}" for place, n in sorted(lag.items()))
