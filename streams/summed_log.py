"""Log lines that would come by the thousand: the first of a kind at once, then how many more each minute."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

EVERY_S: Final = 60.0
"""How long after a line on a kind the next one follows, if there is something to report."""


Kind = TypeVar("Kind")


@dataclass(slots=True)
class _Unreported:
    """What came since the last line on it."""

    count: int = 0
    first: str = ""
    logged_at: float | None = None


class SummedLog(Generic[Kind]):
    """Counts what comes by its kind, and lets a line be written for each kind and minute at most."""

    def __init__(
        self, write: Callable[[Kind, int, str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._write = write
        """Logs a kind, how many of it came since the last line, and the text of the first of these."""
        self._clock = clock
        self._unreported: dict[Kind, _Unreported] = {}

    def note(self, kind: Kind, text: Callable[[], str]) -> None:
        """Count one more; `text` is asked for the first since the last line alone."""
        entry = self._unreported.setdefault(kind, _Unreported())
        if not entry.count:
            entry.first = text()
        entry.count += 1
        if entry.logged_at is None:
            self._report(kind, entry)

    def look(self) -> None:
        """Log what is due; to be called every second or so."""
        now = self._clock()
        for kind, entry in self._unreported.items():
            if entry.count and entry.logged_at is not None and now - entry.logged_at >= EVERY_S:
                self._report(kind, entry)

    def close(self) -> None:
        """Log what is not logged yet."""
        for kind, entry in self._unreported.items():
            if entry.count:
                self._report(kind, entry)

    def _report(self, kind: Kind, entry: _Unreported) -> None:
        self._write(kind, entry.count, entry.first)
        entry.count, entry.logged_at = 0, self._clock()
