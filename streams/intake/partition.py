"""One partition of the input: its polls are checked, decoded, merged and given to its engine."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, Protocol

from streams.contract.decode import FUTURE_DETAIL, decode_poll
from streams.contract.rejected import RefusalReason, name_event
from streams.core.engine_io import Output
from streams.core.events.batch import Batch
from streams.core.events.topics import Topic
from streams.intake.idle import AnswerTimes, IdleTime
from streams.intake.merge import PartitionMerge, Settling, TopicPosition, TopicReadiness
from streams.intake.poll import Poll, ReadProgress, TopicPartition
from streams.intake.produce_times import ProduceTimes
from streams.intake.standing_refusals import StandingRefusals
from streams.telemetry.histogram import Histogram

LONGEST_SETTLING_MS: Final = 200
"""What a producer wrote at one moment is in all its topics after so long."""


class StepEngine(Protocol):
    """The part of `streams.core.engine.Engine` that a worker uses."""

    def step(self, batch: Batch) -> Output:
        """Take in events as they arrived."""

    def flush(self) -> Output:
        """Take in what waits to be put in order."""


class PollOutcome(StrEnum):
    """What became of a poll."""

    WHOLE = "whole"
    """It continues the state."""
    PARTLY = "partly"
    """Some of its records had been taken before."""
    AGAIN = "again"
    """All of its records had been taken before."""
    GAP = "gap"
    """Records before it are missing: it was not taken."""


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    """A record that cannot be accepted, where it was and as it was."""

    place: TopicPartition
    offset: int
    key: bytes | None
    value: bytes | None
    reason: RefusalReason
    detail: str
    named: bool = False
    """Whether `value` only names the event, as where an engine refused it."""


@dataclass(slots=True)
class PartitionTotals:
    """What a worker's partitions have seen since it started; what is read again counts again."""

    events: int = 0
    late: int = 0
    repeats: int = 0
    erased: int = 0
    """Events of erased customers that are dated before the erasure."""
    refused: int = 0
    steps: int = 0
    ignored: int = 0
    """Actions on warnings that had no effect."""
    forgotten: int = 0
    """Customers who left the state."""
    unknown_words: Counter[str] = field(default_factory=Counter)
    """By field of profiles and orders, events whose word was beyond the field's bound."""
    reread: int = 0
    """Times that polls were missing and had to be read again."""
    by_topic: dict[str, Counter[Topic]] = field(default_factory=dict)
    """`events`, `late`, `repeats` and `erased` again, by topic."""
    opened: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Causes that opened, by rule, tier and status."""
    sweeps: int = 0
    sweep_seconds: Histogram = field(default_factory=Histogram)
    """How long a call of the engine lasted that passed sweeps, divided by their number."""


@dataclass(frozen=True, slots=True)
class BatchingPolicy:
    """When a partition gives its engine what has come: a step has fixed costs that events may share."""

    step_events: int = 60_000
    """With more to be read, so many events are gathered for a step,"""
    step_wait_s: float = 0.25
    """but no longer than this."""
    idle_s: float = 0.25
    """With nothing more to be read for so long, the engine releases what it holds back."""
    waiting_limit: int = 200_000
    """Events of one topic that may wait for another topic before it is paused."""
    reorder_us: int = 0
    """How far apart the engine puts events in order. With 0, what has come does not settle."""

    @property
    def settling(self) -> Settling | None:
        """Return how long what has come waits for topics that have been read to their end.

        It is a little less than the engine waits anyway, so that it delays nobody.
        """
        if not self.reorder_us:
            return None
        return Settling(min(LONGEST_SETTLING_MS, self.reorder_us * 4 // 5_000), self.reorder_us)


class Partition:
    """The state of one partition of the co-partitioned input topics.

    It takes a poll only where it continues what was taken, whatever was lost or came twice on the way, so the
    engine sees every record once and in order. `wall_us` is this machine's clock, microseconds since the
    epoch: what is dated too far after it is refused, and what is `standing` is refused again.
    """

    def __init__(
        self,
        number: int,
        topics: Mapping[str, Topic],
        engine: StepEngine,
        *,
        max_skew_us: int,
        pace: BatchingPolicy,
        totals: PartitionTotals,
        wall_us: Callable[[], int] | None = None,
        standing: StandingRefusals | None = None,
    ) -> None:
        self.number = number
        self.engine = engine
        self._topics = topics
        self._max_skew_us = max_skew_us
        self._wall_us = wall_us
        self._standing = standing or StandingRefusals()
        self._pace = pace
        self._totals = totals
        self._merge = PartitionMerge[Topic](tuple(topics.values()), pace.waiting_limit, pace.settling)
        self._answers = AnswerTimes()
        self._idle = IdleTime()
        self._gathering_since: float | None = None
        self._flushed = True
        self.produce_times = ProduceTimes(pace.reorder_us)
        self.has_taken_all = False
        """Whether the engine has been given, once, all that there was to be read, and has released it."""

    def position(self, topic: str) -> int | None:
        """Return the position of `topic`'s state; `None` for a new one, which wants the earliest record."""
        return self._merge.position(self._topics[topic])

    def resume(self, positions: Mapping[str, TopicPosition]) -> None:
        """Let an engine that was restored go on from the positions that it was saved with."""
        for name, topic in self._topics.items():
            if name in positions:
                self._merge.resume(topic, positions[name])
        self._flushed = False  # it may have been saved while events waited in it

    def positions(self) -> dict[str, TopicPosition]:
        """Return, by topic, how far the engine has been given it."""
        found = {name: self._merge.released_position(topic) for name, topic in self._topics.items()}
        return {name: position for name, position in found.items() if position is not None}

    @property
    def refused_since(self) -> Mapping[int, int] | None:
        """Return the offsets that standing refusals were read from in the rejected topic, while needed."""
        positions = {name: at.offset for name, at in self.positions().items()}
        return self._standing.since if self._standing.are_ahead(self.number, positions) else None

    def begin(self, topic: str, offset: int) -> None:
        """Let a new state begin at `offset`, the earliest there is: from there on it takes what continues."""
        self._merge.begin(self._topics[topic], offset)

    def take(self, poll: Poll, now: float, reject: Callable[[RejectedRecord], None]) -> PollOutcome:
        """Take in what is new in `poll`, and hand what cannot be accepted to `reject`."""
        topic = self._topics[poll.topic_partition.topic]
        position, taken = self._merge.position(topic), PollOutcome.WHOLE
        if position is None or poll.start > position:
            return PollOutcome.GAP
        if poll.start < position:
            if poll.end <= position:
                return PollOutcome.AGAIN
            poll, taken = poll.since(position), PollOutcome.PARTLY
        decoded = decode_poll(
            topic,
            poll.values,
            poll.keys,
            poll.timestamps_ms,
            max_skew_us=self._max_skew_us,
            now_us=self._wall_us() if self._wall_us is not None else None,
        )
        if again := self._standing.of(poll):
            decoded = decoded.refuse(again, RefusalReason.FUTURE_TIME, FUTURE_DETAIL)
        offsets = poll.offsets[decoded.index]
        self._merge.add(topic, replace(decoded.batch, offset=offsets), offsets, poll.end, poll.came_ms)
        self.produce_times.take(topic, poll.offsets, poll.timestamps_ms)
        for bad in decoded.refused:
            i = bad.index
            where = int(poll.offsets[i])
            reject(
                RejectedRecord(
                    poll.topic_partition, where, poll.keys[i], poll.values[i], bad.reason, bad.detail
                )
            )
        self._totals.refused += len(decoded.refused)
        if len(poll):
            self._idle.reset()
            self._gathering_since = now if self._gathering_since is None else self._gathering_since
        return taken

    def process(self, progress: Mapping[TopicPartition, ReadProgress], now: float) -> Output | None:
        """Give the engine what is due, and return what it put out; `None` if nothing was due."""
        own = {place: progress[place] for place in self._topic_partitions() if place in progress}
        if self._answers.observe(own):
            self._idle.reset()
            self._merge.set_clock_back(self._answers.newest_ms)
        behind = self.behind(progress)
        idle_s = 0.0 if behind else self._idle.seconds(self._answers, own)
        if behind and self._gathers(now):
            return None
        self._gathering_since = None
        batch = self._merge.release(self._highwaters(progress), self._asked())
        if len(batch):
            self._flushed = False
            self.produce_times.release(batch)
            return self._counted(lambda: self.engine.step(batch))
        if behind or idle_s < self._pace.idle_s or self._merge.holds_back:
            return None
        self.has_taken_all = True
        if self._flushed:
            return None
        self._flushed = True
        return self._counted(self.engine.flush)

    def released(self) -> dict[TopicPartition, int]:
        """Return, by place, the offset up to which every record has been given to the engine."""
        found = {name: self._merge.released(topic) for name, topic in self._topics.items()}
        return {
            TopicPartition(name, self.number): offset for name, offset in found.items() if offset is not None
        }

    def full(self) -> set[TopicPartition]:
        """Return the places that should not be read for now."""
        return {
            TopicPartition(name, self.number)
            for name, topic in self._topics.items()
            if self._merge.full(topic)
        }

    def behind(self, progress: Mapping[TopicPartition, ReadProgress]) -> set[TopicPartition]:
        """Return the places that have more to be read, or may have: the others wait for them."""
        readiness = self._merge.readiness(self._highwaters(progress))
        return {
            TopicPartition(name, self.number)
            for name, topic in self._topics.items()
            if readiness[topic] is not TopicReadiness.CAUGHT_UP
        }

    def undecided(self, progress: Mapping[TopicPartition, ReadProgress]) -> set[TopicPartition]:
        """Return the places that cannot be read on before an open transaction is committed or aborted."""
        read = {place: progress[place] for place in self._topic_partitions() if place in progress}
        return {
            place
            for place, at in read.items()
            if at.stable is not None
            and at.highwater is not None
            and at.position >= at.stable
            and at.stable < at.highwater
        }

    def lag(self, progress: Mapping[TopicPartition, ReadProgress]) -> dict[TopicPartition, int]:
        """Return, by place, how many records the broker has that the engine has not."""
        behind: dict[TopicPartition, int] = {}
        for place, offset in self.released().items():
            read = progress.get(place)
            if read is not None and read.highwater is not None:
                behind[place] = max(0, read.highwater - offset)
        return behind

    def _topic_partitions(self) -> list[TopicPartition]:
        return [TopicPartition(name, self.number) for name in self._topics]

    def _gathers(self, now: float) -> bool:
        waiting = sum(self._merge.waiting(topic) for topic in self._topics.values())
        since = self._gathering_since
        return since is not None and waiting < self._pace.step_events and now - since < self._pace.step_wait_s

    def _asked(self) -> dict[Topic, int | None]:
        return {
            topic: self._answers.asked_ms(TopicPartition(name, self.number))
            for name, topic in self._topics.items()
        }

    def _highwaters(self, progress: Mapping[TopicPartition, ReadProgress]) -> dict[Topic, int | None]:
        places = {
            topic: progress.get(TopicPartition(name, self.number)) for name, topic in self._topics.items()
        }
        return {topic: read.highwater if read is not None else None for topic, read in places.items()}

    def refused(self, output: Output) -> list[RejectedRecord]:
        """Return what the engine refused as records; their own bytes are not at hand any more."""
        names = {topic: name for name, topic in self._topics.items()}
        return [
            RejectedRecord(
                TopicPartition(names[event.topic], self.number),
                event.offset,
                event.customer_id.encode(),
                name_event(event),
                RefusalReason(event.reason),
                event.detail,
                named=True,
            )
            for event in output.refused
        ]

    def _counted(self, work: Callable[[], Output]) -> Output:
        begun = time.perf_counter()
        output = work()
        if sweeps := output.counts.sweeps:
            seconds = (time.perf_counter() - begun) / sweeps
            self._totals.sweep_seconds.observe(seconds, sweeps)
        self._totals.sweeps += sweeps
        self._totals.opened.update(output.counts.opened)
        for what, topics in output.counts.by_topic.items():
            self._totals.by_topic.setdefault(what, Counter()).update(topics)
        self._totals.events += output.counts.events
        self._totals.late += output.counts.late
        self._totals.repeats += output.counts.repeats
        self._totals.erased += output.counts.erased
        self._totals.refused += len(output.refused)
        self._totals.ignored += output.counts.ignored.total()
        self._totals.forgotten += output.counts.forgotten
        self._totals.unknown_words += output.counts.unknown_words
        self._totals.steps += len(output.steps)
        return output
