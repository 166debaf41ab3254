"""The sink: poll, store, commit, in this order."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from consumers.broker.errors import BrokerAway, GroupChanged
from consumers.broker.records import GroupSource, Record
from consumers.database.database import Database
from consumers.loop import Backoff, Stopped, Waiter, log_wait, persist
from consumers.sink.aside_log import PutAsideLog
from consumers.sink.reading import read_records, read_segments
from consumers.sink.store import OF_SEGMENTS, SinkCounts, write
from streams.contract.warnings import WarningEvent, parse_warning

log = logging.getLogger(__name__)

T = TypeVar("T")

POLL_S = 1.0


class Sink:
    """Stores what a subscription gives until a stop."""

    def __init__(
        self,
        source: GroupSource,
        database: Database,
        stop: Waiter,
        *,
        backoff: Backoff | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        parse: Callable[[bytes], WarningEvent] = parse_warning,
        on_progress: Callable[[SinkCounts, int | None], None] = lambda counts, lag: None,
        silences: Callable[[], int] = lambda: 0,
        segments_topic: str | None = None,
        look_for_segments: Callable[[], None] = lambda: None,
        aside_log: PutAsideLog | None = None,
    ) -> None:
        self.counts = SinkCounts()
        self._source = source
        self._database = database
        self._stop = stop
        self._backoff = backoff or Backoff()
        self._clock = clock
        self._parse = parse
        self._on_progress = on_progress
        self._silences = silences
        self._segments_topic = segments_topic
        self._look_for_segments = look_for_segments
        self._aside_log = aside_log or PutAsideLog()
        self._uncommitted: dict[tuple[str, int], int] = {}

    def run(self, *, follow: bool = True) -> SinkCounts:
        """Store until a stop is asked for, or, without `follow`, until the end of the topics."""
        try:
            while not self._stop.asked:
                # Before the warnings, so that a silence is known to those that came after it.
                if changed := self._persist(self._silences):
                    log.info("%d silences are new or changed", changed)
                self._persist(self._look_for_segments)
                records = self._persist(lambda: self._source.poll(POLL_S))
                if records:
                    self._store(records)
                self._commit()
                self._aside_log.look()
                self._on_progress(self.counts, self._source.lag())
                if not follow and not records and self._source.at_end():
                    break
        except Stopped:
            log.info("stopped while waiting; what was not stored will be read again")
        finally:
            self._aside_log.close()
        return self.counts

    def _store(self, records: Sequence[Record]) -> None:
        of_segments = [record for record in records if record.topic == self._segments_topic]
        of_customers = [record for record in records if record.topic != self._segments_topic]
        note = self._aside_log.note
        if of_customers:
            reading = read_records(of_customers, self._clock(), self._parse)
            self.counts.add(self._persist(lambda: write(self._database, reading, on_aside=note)))
        if of_segments:
            segments = read_segments(of_segments, self._clock())
            self.counts.add(self._persist(lambda: write(self._database, segments, OF_SEGMENTS, note)))
        for record in records:
            self._uncommitted[record.topic, record.partition] = record.offset + 1

    def _commit(self) -> None:
        """Commit what is in the database; where that fails the records come again and change nothing."""
        if not self._uncommitted:
            return
        try:
            self._source.commit(self._uncommitted)
        except BrokerAway as error:
            log.warning("offsets are not committed yet: %s", error)
        except GroupChanged as error:
            log.info("%s", error)
            self._uncommitted.clear()
        else:
            self._uncommitted.clear()

    def _persist(self, work: Callable[[], T]) -> T:
        return persist(work, stop=self._stop, backoff=self._backoff, on_wait=log_wait)
