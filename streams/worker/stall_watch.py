"""Partitions that do not move although they have something to do: found, counted and logged."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from streams.intake.poll import TopicPartition

log = logging.getLogger(__name__)

STALLED_S: Final = 30.0
"""A partition that has not moved for less may be loading its state, or wait for the group."""
LONGEST_S: Final = 3_600.0
"""While it does not move it is logged again after twice the time, but at least this often."""


@dataclass(frozen=True, slots=True)
class PartitionProgress:
    """How far a partition is at one moment."""

    position: Any
    """The same as at the look before where nothing has moved."""
    lag: Mapping[TopicPartition, int | None]
    """Records that each place has and the engine has not, where there are any; `None`: not known how many."""
    undecided: Collection[TopicPartition] = ()
    """Places that wait for the end of a transaction."""


@dataclass(slots=True)
class _Watched:
    position: Any
    since: float
    log_at: float
    lag: Mapping[TopicPartition, int | None] = field(default_factory=dict)


class StallDetector:
    """Follows the partitions of a worker from look to look."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._watched: dict[int, _Watched] = {}

    def look(self, seen: Mapping[int, PartitionProgress]) -> None:
        """Compare with the look before, and log what has stopped moving and what moves again."""
        now = self._clock()
        for number in self._watched.keys() - seen.keys():
            del self._watched[number]  # another worker's now
        for number, found in seen.items():
            watched = self._watched.get(number)
            if watched is None or not found.lag or found.position != watched.position:
                if watched is not None and now - watched.since >= STALLED_S:
                    log.info(
                        "moves again partition=%(partition)d after=%(seconds).0fs",
                        {"partition": number, "seconds": now - watched.since},
                    )
                self._watched[number] = _Watched(found.position, now, now + STALLED_S, found.lag)
                continue
            watched.lag = found.lag
            if now >= watched.log_at:
                seconds = now - watched.since
                watched.log_at = now + min(max(seconds, STALLED_S), LONGEST_S)
                log.warning(
                    "stands still partition=%(partition)d for=%(seconds).0fs lag: %(lag)s",
                    {"partition": number, "seconds": seconds, "lag": _lag_text(found)},
                )

    def stalled(self) -> dict[TopicPartition, float]:
        """Return for how many seconds places that have lag have not moved, with their partition."""
        now = self._clock()
        return {
            place: now - watched.since
            for watched in self._watched.values()
            if watched.lag and now - watched.since >= STALLED_S
            for place in watched.lag
        }


def _lag_text(found: PartitionProgress) -> str:
    lag = ", ".join(f"{place} {'unknown' if n is None else n}" for place, n in sorted(found.lag.items()))
    if not found.undecided:
        return lag
    places = ", ".join(map(str, sorted(found.undecided)))
    return f"{lag}; a producer's open transaction, neither committed nor aborted, blocks {places}"
