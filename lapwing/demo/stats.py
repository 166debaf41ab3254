"""What the worker tells of itself: the lines of its statistics file, read as they come."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path


class WorkerStats:
    """The newest line of the file, and what follows from the one before."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self.events = 0
        self.refused = 0
        self.late = 0
        self.lag: dict[str, int] = {}
        self.rate = 0.0
        """Events a second, between the last two readings."""
        self.readings = 0
        """Lines read so far."""
        self.moved_at = 0
        """The reading at which anything was last seen to have changed."""
        self._path = path
        self._clock = clock
        self._position = 0
        self._read_at: float | None = None

    def read(self) -> None:
        """Take the lines that were written since."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._position)
            whole, newline, _ = file.read().rpartition(b"\n")
        if newline:
            self._position += len(whole) + 1
            for line in whole.splitlines():
                self._take(json.loads(line))

    def _take(self, said: dict[str, object]) -> None:
        now, events, lag = self._clock(), said["events"], said["lag"]
        refused, late = said["refused"], said["late"]
        assert isinstance(events, int)
        assert isinstance(refused, int)
        assert isinstance(late, int)
        assert isinstance(lag, dict)
        if self._read_at is not None and now > self._read_at:
            self.rate = (events - self.events) / (now - self._read_at)
        self.readings += 1
        if (events, refused, lag) != (self.events, self.refused, self.lag):
            self.moved_at = self.readings
        self.events, self.refused, self.late, self.lag, self._read_at = events, refused, late, lag, now

    @property
    def behind(self) -> int:
        """Return how many records the worker has yet to take."""
        return sum(self.lag.values())

    def settled(self, since: int) -> bool:
        """Return whether the worker has taken all and stood still for two readings after reading `since`."""
        return self.behind == 0 and self.readings >= max(since, self.moved_at) + 2
