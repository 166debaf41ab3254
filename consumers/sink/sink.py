"""The sink: poll, store, commit, in this order."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from consumers.broker_errors import BrokerAway, GroupChanged
from consumers.database.database import Database
from consumers.kafka import Record
from consumers.loop import Backoff, Retryable, Stopped, Waiter, persist
from consumers.sink.reading import read_records, read_segments
from consumers.sink.store import OF_SEGMENTS, Counts, write
from streams.contract.warnings import WarningEvent, parse_warning

log = logging.getLogger(__name__)

T = TypeVar("T")

POLL_S = 1.0
SEGMENTS_POLL_S = 0.1
"""Segments' warnings are few, and customers' are not to wait for them."""


class Source(Protocol):
    """What the sink needs of a subscription."""

    def poll(self, timeout_s: float) -> Sequence[Record]:
        """Return what has come."""

    def commit(self, offsets: Mapping[tuple[str, int], int]) -> None:
        """Commit offsets."""

    def lag(self) -> int | None:
        """Return how many records are yet to be read."""

    def at_end(self) -> bool:
        """Return whether all has been read."""


class Sink:
    """Stores what a subscription gives until it is told to stop."""

    def __init__(
        self,
        source: Source,
        database: Database,
        stop: Waiter,
        *,
        backoff: Backoff | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        parse: Callable[[bytes], WarningEvent] = parse_warning,
        on_progress: Callable[[Counts, int | None], None] = lambda counts, lag: None,
        silences: Callable[[], int] = lambda: 0,
        segments: Callable[[], Source | None] = lambda: None,
    ) -> None:
        self.counts = Counts()
        self._source = source
        self._database = database
        self._stop = stop
        self._backoff = backoff or Backoff()
        self._clock = clock
        self._parse = parse
        self._on_progress = on_progress
        self._silences = silences
        self._segments = segments
        self._uncommitted: dict[tuple[str, int], int] = {}
        self._uncommitted_segments: dict[tuple[str, int], int] = {}

    def run(self, *, follow: bool = True) -> Counts:
        """Store until a stop is asked for, or, without `follow`, until all that is there is stored."""
        try:
            while not self._stop.asked:
                # Before the warnings, so that a silence is known to those that came after it.
                if changed := self._persist(self._silences):
                    log.info("%d silences are new or changed", changed)
                records = self._persist(lambda: self._source.poll(POLL_S))
                if records:
                    self._store(records)
                _commit(self._source, self._uncommitted)
                no_more_of_segments = self._take_segments()
                self._on_progress(self.counts, self._source.lag())
                if not follow and not records and no_more_of_segments and self._source.at_end():
                    break
        except Stopped:
            log.info("stopped while waiting; what was not stored will be read again")
        return self.counts

    def _store(self, records: Sequence[Record]) -> None:
        reading = read_records(records, self._clock(), self._parse)
        self.counts.add(self._persist(lambda: write(self._database, reading)))
        _note(records, self._uncommitted)

    def _take_segments(self) -> bool:
        """Store what has come of segments' warnings; return whether that is all there is."""
        source = self._persist(self._segments)
        if source is None:
            return True
        records = self._persist(lambda: source.poll(SEGMENTS_POLL_S))
        if records:
            reading = read_segments(records, self._clock())
            self.counts.add(self._persist(lambda: write(self._database, reading, OF_SEGMENTS)))
            _note(records, self._uncommitted_segments)
        _commit(source, self._uncommitted_segments)
        return not records and source.at_end()

    def _persist(self, work: Callable[[], T]) -> T:
        return persist(work, stop=self._stop, backoff=self._backoff, on_wait=_say)


def _note(records: Sequence[Record], uncommitted: dict[tuple[str, int], int]) -> None:
    for record in records:
        uncommitted[record.topic, record.partition] = record.offset + 1


def _commit(source: Source, uncommitted: dict[tuple[str, int], int]) -> None:
    """Commit what the database holds; where that fails the records come again and change nothing."""
    if not uncommitted:
        return
    try:
        source.commit(uncommitted)
    except BrokerAway as error:
        log.warning("offsets are not committed yet: %s", error)
    except GroupChanged as error:
        log.info("%s", error)
        uncommitted.clear()
    else:
        uncommitted.clear()


def _say(error: Retryable, delay: float) -> None:
    log.warning("%s; trying again in %.1f s", error, delay)
