"""The log of what is put aside: the first record of each reason at once, then how many more each minute."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from consumers.broker.records import Record
from consumers.sink.reading import Row
from streams.summed_log import SummedLog

log = logging.getLogger(__name__)


class PutAsideLog:
    """Counts records that are put aside by topic and reason; logs a line a minute for each at most."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._summed: SummedLog[tuple[str, str]] = SummedLog(_write, clock)
        self.look, self.close = self._summed.look, self._summed.close

    def note(self, record: Record, row: Row) -> None:
        """Take in a record and its row in `unreadable`."""
        # Not the detail, which may name a customer: the table has it.
        place = f"{record.topic}[{record.partition}]@{record.offset}"
        self._summed.note((record.topic, row["reason"]), lambda: place)


def _write(kind: tuple[str, str], count: int, first: str) -> None:
    records = "1 record is" if count == 1 else f"{count} records are"
    log.warning("%s put aside in `unreadable`, reason=%s, first %s", records, kind[1], first)
