"""Records that are refused, in the log: the first of each reason at once, then how many more now and then."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable

from streams.contract.rejected import RefusalReason
from streams.intake.partition import RejectedRecord
from streams.summed_log import SummedLog

log = logging.getLogger(__name__)


class RefusalLog:
    """Counts refusals by reason and logs them, never more than a line for each reason and minute."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._summed: SummedLog[RefusalReason] = SummedLog(_write, clock)
        self.counts: Counter[str] = Counter()
        """By reason, since the worker started; what is read again counts again."""
        self.by_topic: Counter[tuple[str, str]] = Counter()
        """The same by topic and reason."""
        self.look = self._summed.look

    def note(self, record: RejectedRecord) -> None:
        """Take in a record that was refused."""
        self.counts[record.reason.value] += 1
        self.by_topic[record.place.topic, record.reason.value] += 1
        self._summed.note(record.reason, lambda: f"{record.place}@{record.offset}: {record.detail}")


def _write(reason: RefusalReason, count: int, first: str) -> None:
    log.warning(
        "refused %(count)d records, reason=%(reason)s, first %(first)s",
        {"count": count, "reason": reason.value, "first": first},
    )
