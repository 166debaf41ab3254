"""What a command's arguments say of the history that rules are judged by, and of the team."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from streams.backtest.load import Team


@dataclass(frozen=True, slots=True)
class Start:
    """From where a topic is read: an offset of every partition, or a time of the records."""

    offset: int = 0
    time_us: int | None = None

    def includes(self, offset: int, timestamp_ms: int) -> bool:
        """Return whether a record at this offset, of this time, is no earlier."""
        if self.time_us is not None:
            return timestamp_ms * 1000 >= self.time_us
        return offset >= self.offset


@dataclass(frozen=True, slots=True)
class BacktestInputs:
    """The event files, or where to begin in the topics; the history's end; who works off the warnings."""

    events: tuple[Path, ...]
    start: Start | None
    until: int | None
    team: Team
    erasures: Path | None = None
    """Who was erased: a file that `lapwing erase --list` made."""
