"""The follower: poll, map, write, commit, in this order.

Offsets are committed once the broker has acknowledged what came of the records. After a crash some are read
again and written once more: an event has the same id each time, and whoever reads it counts it once.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol, TypeVar

from consumers.broker.commits import Commits
from consumers.broker.records import GroupSource, Record
from consumers.follow.sources import Followed, FollowedRefusal, MappedRecords, MappingWaits
from consumers.loop import Backoff, Retryable, Stopped, Waiter, log_wait, persist
from streams.contract.rejected import RefusalReason, rejected_headers
from streams.summed_log import SummedLog

log = logging.getLogger(__name__)

T = TypeVar("T")

POLL_S: Final = 1.0
RECORD_LIMIT: Final = 1_000_000
"""Bytes of a record on the rejected topic, with its key and headers: less than a broker takes by default."""
OVERHEAD: Final = 200
MOST_HELD: Final = 20_000
"""Records that wait, as for a schema, while those of other topics go on; with more of them all wait."""


class EventSender(Protocol):
    """Writes records with a time and headers of their own."""

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        timestamp_ms: int | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> None:
        """Send a record soon."""

    def flush(self) -> None:
        """Wait until the broker has acknowledged all records."""


@dataclass(slots=True)
class FollowCounts:
    """What a follower has done; what is read again counts again."""

    records: Counter[str] = field(default_factory=Counter)
    """Read, by topic."""
    events: Counter[str] = field(default_factory=Counter)
    """Written, by topic."""
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Records, by topic and reason."""
    passed: Counter[str] = field(default_factory=Counter)
    """Records that no filter took, by topic."""
    waiting: int = 0
    """Records that cannot be mapped yet."""
    written_at: float | None = None
    """When the broker last acknowledged events, seconds since the epoch."""


class Follower:
    """Writes what the records of a subscription become, until a stop."""

    def __init__(
        self,
        source: GroupSource,
        sender: EventSender,
        stop: Waiter,
        followed: Followed,
        rejected_topic: str,
        *,
        backoff: Backoff | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        look_for_topics: Callable[[], None] = lambda: None,
        on_progress: Callable[[FollowCounts, Mapping[str, int]], None] = lambda counts, lags: None,
        on_wait: Callable[[Retryable, float], None] = log_wait,
    ) -> None:
        self.counts = FollowCounts()
        self._source = source
        self._sender = sender
        self._stop = stop
        self._followed = followed
        self._rejected_topic = rejected_topic
        self._backoff = backoff or Backoff()
        self._clock = clock
        self._monotonic = monotonic
        self._look_for_topics = look_for_topics
        self._on_progress = on_progress
        self._on_wait = on_wait
        self._refusals: SummedLog[tuple[str, RefusalReason]] = SummedLog(_write_refusals, monotonic)
        self._commits = Commits(source)
        self._held: dict[str, list[Record]] = {}
        """By topic, records that cannot be mapped yet."""
        self._tried: dict[str, tuple[int, float]] = {}
        """By topic that waits: how often it was tried, and when it is again."""

    def run(self, *, follow: bool = True) -> FollowCounts:
        """Write until a stop is asked for, or, without `follow`, until the end of the topics."""
        try:
            while not self._stop.asked:
                self._persist(self._look_for_topics)
                records = self._persist(lambda: self._source.poll(POLL_S))
                self._take(records)
                self._commits.commit()
                self._refusals.look()
                self._on_progress(self.counts, self._source.lags())
                if not follow and not (records or self._held or self._commits) and self._source.at_end():
                    break
        except Stopped:
            log.info("stopped while waiting; what was not written will be read again")
        finally:
            self._refusals.close()
            if self._held:
                log.info("records that wait are read again: %s", ", ".join(sorted(self._held)))
        return self.counts

    def _take(self, records: Sequence[Record]) -> None:
        """Map records, write what comes of them, and wait until the broker has it."""
        by_topic = self._held
        self._held = {}
        for record in records:
            by_topic.setdefault(record.topic, []).append(record)
        for topic in by_topic.keys() - self._followed.keys():
            del by_topic[
                topic
            ]  # it was taken out of the mapping meanwhile: whoever follows it again reads on
        is_full = sum(map(len, by_topic.values())) > MOST_HELD
        mapped = {}
        for topic, some in by_topic.items():
            found = self._map(topic, some, wait=is_full)
            if found is None:
                self._held[topic] = some
            else:
                mapped[topic] = found
        self.counts.waiting = sum(map(len, self._held.values()))
        if not mapped:
            return
        self._persist(lambda: self._write(mapped))
        for topic, found in mapped.items():
            self._count(topic, len(by_topic[topic]), found)
            self._commits.done(by_topic[topic])

    def _map(self, topic: str, records: Sequence[Record], *, wait: bool) -> MappedRecords | None:
        """Return what records become, or `None` where that has to wait and others should not."""
        if wait:
            found = self._persist(lambda: self._followed[topic](records))
        else:
            times, again_at = self._tried.get(topic, (0, 0.0))
            if self._monotonic() < again_at:
                return None
            try:
                found = self._followed[topic](records)
            except MappingWaits as error:
                delay = self._backoff.delay(times + 1)
                self._tried[topic] = times + 1, self._monotonic() + delay
                self._on_wait(error, delay)
                return None
        self._tried.pop(topic, None)
        for refusal in found.refused:
            place = f"{topic}[{refusal.record.partition}]@{refusal.record.offset}: {refusal.detail}"
            self._refusals.note((topic, refusal.reason), partial(str, place))
        return found

    def _write(self, mapped: Mapping[str, MappedRecords]) -> None:
        for found in mapped.values():
            for event in found.events:
                self._sender.send(event.topic, event.key, event.value, event.timestamp_ms)
            for refusal in found.refused:
                self._reject(refusal)
        self._sender.flush()

    def _reject(self, refusal: FollowedRefusal) -> None:
        """Write a refused record's own bytes, cut only where they would not fit."""
        record = refusal.record
        value, key = record.value, record.key
        cut = False
        while True:
            headers = rejected_headers(
                refusal.reason,
                refusal.detail,
                record.topic,
                record.partition,
                record.offset,
                truncated=cut,
            )
            size = OVERHEAD + sum(len(name) + len(text) + 10 for name, text in headers)
            left = RECORD_LIMIT - size - len(value or b"") - len(key or b"")
            if left >= 0 or cut:
                break
            cut = True
            key = key[: RECORD_LIMIT // 4] if key is not None else None
            value = value[: RECORD_LIMIT - size - 100 - len(key or b"")] if value is not None else None
        self._sender.send(self._rejected_topic, key, value, record.timestamp_ms, headers)

    def _count(self, topic: str, records: int, found: MappedRecords) -> None:
        self.counts.records[topic] += records
        self.counts.passed[topic] += found.passed
        for event in found.events:
            self.counts.events[event.topic] += 1
        for refusal in found.refused:
            self.counts.refused[topic, refusal.reason.value] += 1
        self.counts.written_at = self._clock()

    def _persist(self, work: Callable[[], T]) -> T:
        return persist(work, stop=self._stop, backoff=self._backoff, on_wait=self._on_wait)


def _write_refusals(kind: tuple[str, RefusalReason], count: int, first: str) -> None:
    topic, reason = kind
    log.warning(
        "refused %(count)d records of %(topic)s, reason=%(reason)s, first %(first)s",
        {"count": count, "topic": topic, "reason": reason.value, "first": first},
    )
