"""Playing events at a chosen number of simulated days a second."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from streams.simulate.records import Records

DAY_US: Final = 86_400_000_000
TICK_S: Final = 0.05
"""How long the events of one slice take at most, so that they come evenly."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Rows `begin` to before `end` of some records, due together."""

    records: Records
    begin: int
    end: int
    at: int
    """The simulated instant reached with this slice, microseconds since the epoch."""


@dataclass(slots=True)
class SimulatedPace:
    """A clock of simulated time: the first event is now, and `speed` days go by each second.

    `clock` returns seconds and `sleep` waits some; a tick that comes late makes the next slice larger, so
    the whole takes as long as it should.
    """

    speed: float
    clock: Callable[[], float]
    sleep: Callable[[float], object]
    _begun: tuple[float, int] | None = field(default=None, init=False)

    def play(self, parts: Iterable[Records]) -> Iterator[Slice]:
        """Yield all rows in slices, each when its time has come."""
        for records in parts:
            if not len(records):
                continue
            if self._begun is None:
                self._begun = self.clock(), int(records.at[0])
            begin = 0
            while begin < len(records):
                self._wait_for(int(records.at[begin]))
                now = self._now()
                end = max(begin + 1, int(np.searchsorted(records.at, now, side="right")))
                yield Slice(records, begin, end, int(records.at[end - 1]))
                begin = end

    def _now(self) -> int:
        """Return the simulated instant that has come."""
        assert self._begun is not None
        real, simulated = self._begun
        return simulated + int((self.clock() - real) * self.speed * DAY_US)

    def _wait_for(self, at: int) -> None:
        """Wait until a simulated instant has come, or is less than a tick away and then a whole tick."""
        ahead = (at - self._now()) / DAY_US / self.speed
        while ahead > 0:
            self.sleep(max(TICK_S, min(ahead, 1.0)))
            ahead = (at - self._now()) / DAY_US / self.speed
