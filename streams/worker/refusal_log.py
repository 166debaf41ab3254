"""Records that are refused, in the log: the first of each reason at once, then how many more now and then."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from streams.contract.rejected import RefusalReason
from streams.intake.partition import RejectedRecord

log = logging.getLogger(__name__)

EVERY_S: Final = 60.0
"""How long after a line on a reason the next one follows, if there is something to report."""


@dataclass(slots=True)
class _Unreported:
    """What was refused for a reason since the last line on it."""

    count: int = 0
    first: str = ""
    logged_at: float | None = None


class RefusalLog:
    """Counts refusals by reason and logs them, never more than a line for each reason and minute."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._unreported: dict[RefusalReason, _Unreported] = {}
        self.counts: Counter[str] = Counter()
        """By reason, since the worker started; what is read again counts again."""

    def note(self, record: RejectedRecord) -> None:
        """Take in a record that was refused."""
        self.counts[record.reason.value] += 1
        entry = self._unreported.setdefault(record.reason, _Unreported())
        if not entry.count:
            entry.first = f"{record.place}@{record.offset}: {record.detail}"
        entry.count += 1
        if entry.logged_at is None:
            self._write(record.reason, entry)

    def look(self) -> None:
        """Log what is due; to be called every second or so."""
        now = self._clock()
        for reason, entry in self._unreported.items():
            if entry.count and entry.logged_at is not None and now - entry.logged_at >= EVERY_S:
                self._write(reason, entry)

    def _write(self, reason: RefusalReason, entry: _Unreported) -> None:
        log.warning("refused %d records, reason=%s, first %s", entry.count, reason.value, entry.first)
        entry.count, entry.logged_at = 0, self._clock()
