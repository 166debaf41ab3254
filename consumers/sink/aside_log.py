"""The log of what is not stored: the first record of each reason at once, then how many more each minute."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial

from consumers.sink.reading import PutAside
from streams.summed_log import SummedLog

log = logging.getLogger(__name__)


class PutAsideLog:
    """Counts records by topic and reason; logs a line a minute for each at most."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._aside: SummedLog[tuple[str, str]] = SummedLog(
            partial(_write, "put aside in `unreadable`", "put aside in `unreadable`"), clock
        )
        self._refused: SummedLog[tuple[str, str]] = SummedLog(
            partial(_write, "refused, as the worker refuses it", "refused, as the worker refuses them"), clock
        )

    def note(self, aside: PutAside) -> None:
        """Take in a record that is put aside."""
        self._aside.note((aside.record.topic, str(aside.reason)), lambda: _place(aside))

    def note_refused(self, refused: PutAside) -> None:
        """Take in an event that the worker refuses too."""
        self._refused.note((refused.record.topic, str(refused.reason)), lambda: _place(refused))

    def look(self) -> None:
        """Log what has been counted for a minute."""
        self._aside.look()
        self._refused.look()

    def close(self) -> None:
        """Log the rest."""
        self._aside.close()
        self._refused.close()


def _place(aside: PutAside) -> str:
    # Not the detail, which may name a customer: the table has it.
    return f"{aside.record.topic}[{aside.record.partition}]@{aside.record.offset}"


def _write(one: str, many: str, kind: tuple[str, str], count: int, first: str) -> None:
    records = f"1 record is {one}" if count == 1 else f"{count} records are {many}"
    log.warning("%s, reason=%s, first %s", records, kind[1], first)
