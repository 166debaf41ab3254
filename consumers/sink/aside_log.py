"""The log of what is put aside: the first record of each reason at once, then how many more each minute."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from consumers.broker.records import Record
from consumers.sink.reading import Row

log = logging.getLogger(__name__)

EVERY_S: Final = 60.0
"""How long after a line on a topic and reason the next one follows, if there is something to report."""


@dataclass(slots=True)
class _Unreported:
    """What was put aside since the last line on it."""

    count: int = 0
    first: str = ""
    logged_at: float | None = None


class PutAsideLog:
    """Counts records that are put aside by topic and reason; logs a line a minute for each at most."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._unreported: dict[tuple[str, str], _Unreported] = {}

    def note(self, record: Record, row: Row) -> None:
        """Take in a record and its row in `unreadable`."""
        reason: str = row["reason"]
        entry = self._unreported.setdefault((record.topic, reason), _Unreported())
        if not entry.count:
            # Not the detail, which may name a customer: the table has it.
            entry.first = f"{record.topic}[{record.partition}]@{record.offset}"
        entry.count += 1
        if entry.logged_at is None:
            self._write(reason, entry)

    def look(self) -> None:
        """Log what is due; to be called every second or so."""
        now = self._clock()
        for (_, reason), entry in self._unreported.items():
            if entry.count and entry.logged_at is not None and now - entry.logged_at >= EVERY_S:
                self._write(reason, entry)

    def close(self) -> None:
        """Log what is not logged yet."""
        for (_, reason), entry in self._unreported.items():
            if entry.count:
                self._write(reason, entry)

    def _write(self, reason: str, entry: _Unreported) -> None:
        records = "1 record is" if entry.count == 1 else f"{entry.count} records are"
        log.warning("%s put aside in `unreadable`, reason=%s, first %s", records, reason, entry.first)
        entry.count, entry.logged_at = 0, self._clock()
