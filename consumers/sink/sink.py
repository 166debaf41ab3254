"""The sink: poll, store, commit, in this order."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from sqlalchemy import Connection

from consumers.broker.commits import Commits
from consumers.broker.errors import BrokerAway
from consumers.broker.records import GroupSource, Record, RecordSource
from consumers.collector import collector_paused
from consumers.database.database import Database
from consumers.loop import Backoff, Retryable, Stopped, Waiter, log_wait, persist
from consumers.sink.aside_log import PutAsideLog
from consumers.sink.record_kind import RecordKind
from consumers.sink.store import Erased, SinkCounts, Work, read_poll, write

log = logging.getLogger(__name__)

T = TypeVar("T")

POLL_S: Final = 1.0
ENOUGH: Final = 20_000
"""Records of one transaction where so many wait: each one writes all over the indexes of a large table."""
MOST_HELD: Final = 20_000
"""Records of a topic of others that wait while those of other topics go on; with more of them all wait."""
GATHER_S: Final = 0.5
"""How long records may wait for those that follow."""


class Sink:
    """Stores what a subscription gives until a stop; what each topic's records become is in `kinds`.

    `mapped` has the same for topics of others, of which one may give records of several kinds. Where these
    cannot be mapped yet, as while a registry is away, they wait, and other topics go on.

    `silences` gives the source of the silences topic once it is there. It is no part of the group: every sink
    reads it whole, and before the other topics, so that a silence is known to the warnings after it.
    """

    def __init__(
        self,
        source: GroupSource,
        database: Database,
        stop: Waiter,
        kinds: Mapping[str, RecordKind[Any]],
        *,
        backoff: Backoff | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        mapped: Mapping[str, Sequence[RecordKind[Any]]] | None = None,
        enough: int = ENOUGH,
        silences: Callable[[], RecordSource | None] = lambda: None,
        look_for_topics: Callable[[], None] = lambda: None,
        erased: Callable[[Connection], Erased | None] = lambda connection: None,
        on_progress: Callable[[SinkCounts, Mapping[str, int]], None] = lambda counts, lags: None,
        aside_log: PutAsideLog | None = None,
        on_wait: Callable[[Retryable, float], None] = log_wait,
    ) -> None:
        self.counts = SinkCounts()
        self._source = source
        self._database = database
        self._stop = stop
        self._kinds = kinds
        self._backoff = backoff or Backoff()
        self._clock = clock
        self._enough = enough
        self._silences = silences
        self._look_for_topics = look_for_topics
        self._erased = erased
        self._on_progress = on_progress
        self._aside_log = aside_log or PutAsideLog()
        self._on_wait = on_wait
        self._has_silences = False
        self._mapped = dict(mapped or {})
        self._held: dict[str, list[Record]] = {}
        """By topic, records that cannot be mapped yet."""
        self._tried: dict[str, tuple[int, float]] = {}
        """By topic that waits: how often it was tried, and when it is again."""
        self._commits = Commits(source)

    def run(self, *, follow: bool = True) -> SinkCounts:
        """Store until a stop is asked for, or, without `follow`, until the end of the topics."""
        try:
            while not self._stop.asked:
                self._persist(self._look_for_topics)
                self._store_silences()
                with collector_paused():
                    records = self._gather()
                if records or self._held:
                    self._commits.done(self._store(records))
                self._commits.commit()
                self._aside_log.look()
                self._on_progress(self.counts, self._source.lags())
                if not follow and not (records or self._held) and self._source.at_end():
                    break
        except Stopped:
            log.info("stopped while waiting; what was not stored will be read again")
        finally:
            self._aside_log.close()
        return self.counts

    def _gather(self) -> list[Record]:
        """Return new records, many at a time where many wait: a transaction costs as much as thousands."""
        records = [*self._persist(lambda: self._source.poll(POLL_S))]
        until = time.monotonic() + GATHER_S
        while 0 < len(records) < self._enough and self._is_behind() and not self._stop.asked:
            left = until - time.monotonic()
            if left <= 0:
                break
            try:
                records += self._source.poll(left)
            except BrokerAway:
                break  # first what is here is stored; the next poll waits for the broker
        return records

    def _is_behind(self) -> bool:
        return any(self._source.lags().values())

    def _store_silences(self) -> None:
        """Store the new silences; at first all of their topic."""
        source = self._silences()
        if source is None:
            return
        while True:
            records = self._persist(lambda: source.poll(0.0 if self._has_silences else 0.5))
            if records:
                self._store(records)
            if self._has_silences or (not records and source.at_end()):
                self._has_silences = True
                return

    def _store(self, records: Sequence[Record]) -> list[Record]:
        """Store records, and return those that are done with: what has to wait is held."""
        held, self._held = self._held, {}
        records = [*(each for some in held.values() for each in some), *records]
        own = [record for record in records if record.topic not in self._mapped]
        with collector_paused():
            work = read_poll(self._kinds, own, self._clock())
        for topic in sorted({record.topic for record in records} & self._mapped.keys()):
            some = [record for record in records if record.topic == topic]
            found = self._map(topic, some, wait=len(some) > MOST_HELD)
            if found is None:
                self._held[topic] = some
            else:
                work += found
                own += some
        if not work:
            return own
        counts = self._persist(lambda: self._write(work))
        for _, reading in work:
            for refused in reading.refused:
                self._aside_log.note_refused(refused)
        self.counts.add(counts)
        self.counts.stored_at = self._clock().timestamp()
        return own

    def _map(self, topic: str, records: Sequence[Record], *, wait: bool) -> list[Work] | None:
        """Return what records of others become, or `None` where that has to wait and others should not."""

        def read() -> list[Work]:
            return [(kind, kind.read(records, self._clock())) for kind in self._mapped[topic]]

        if wait:
            return self._persist(read)
        times, again_at = self._tried.get(topic, (0, 0.0))
        if self._clock().timestamp() < again_at:
            return None
        try:
            found = read()
        except Retryable as error:
            delay = self._backoff.delay(times + 1)
            self._tried[topic] = times + 1, self._clock().timestamp() + delay
            self._on_wait(error, delay)
            return None
        self._tried.pop(topic, None)
        return found

    def _write(self, work: Sequence[Work]) -> SinkCounts:
        with collector_paused():
            return write(
                self._database, work, self._clock, erased=self._erased, on_aside=self._aside_log.note
            )

    def _persist(self, work: Callable[[], T]) -> T:
        return persist(work, stop=self._stop, backoff=self._backoff, on_wait=self._on_wait)
