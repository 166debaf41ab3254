"""The worker's statistics: the lines of its file, read as they come."""

from __future__ import annotations

import json
from pathlib import Path


class WorkerStats:
    """The newest line of the file, and what follows from the one before."""

    def __init__(self, path: Path) -> None:
        self.events = 0
        self.refused = 0
        self.late = 0
        self.lag: dict[str, int] = {}
        self.rate = 0.0
        """Events a second between the last two lines, by the worker's clock: they may be read long after."""
        self.readings = 0
        """Lines read so far."""
        self.moved_at = 0
        """The reading at which anything was last seen to have changed."""
        self._path = path
        self._position = 0
        self._written_at: float | None = None

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

    def _take(self, reading: dict[str, object]) -> None:
        events, lag = reading["events"], reading["lag"]
        refused, late, now = reading["refused"], reading["late"], reading["written_at"]
        assert isinstance(events, int)
        assert isinstance(refused, int)
        assert isinstance(late, int)
        assert isinstance(lag, dict)
        assert isinstance(now, float)
        if self._written_at is not None and now > self._written_at:
            self.rate = (events - self.events) / (now - self._written_at)
        self.readings += 1
        if (events, refused, lag) != (self.events, self.refused, self.lag):
            self.moved_at = self.readings
        self.events, self.refused, self.late, self.lag, self._written_at = events, refused, late, lag, now

    @property
    def behind(self) -> int:
        """Return how many records the worker has yet to take."""
        return sum(self.lag.values())

    def settled(self, since: int) -> bool:
        """Return whether the worker has taken all and stood still for two readings after reading `since`."""
        return self.behind == 0 and self.readings >= max(since, self.moved_at) + 2
