"""One partition of the input: its polls are checked, decoded, merged and given to its engine."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, Protocol

import numpy as np

from streams.contract.decode import FUTURE_DETAIL, Decoded, RefusedRecord
from streams.contract.rejected import RefusalReason, name_event
from streams.core.engine_io import Output
from streams.core.events.batch import Batch
from streams.core.events.topics import Topic
from streams.intake.idle import AnswerTimes, IdleTime
from streams.intake.lane import InputSource, Lane, decode_lane, lanes_of, split_offset
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
    passed: Counter[str] = field(default_factory=Counter)
    """By the topic of a source, records that none of its events took."""
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
    epoch: what is dated too far after it is refused, and what is `standing` is refused again. Beside `topics`
    of the contract, by their names on the broker, those of `sources` are read and mapped.
    """

    def __init__(
        self,
        number: int,
        topics: Mapping[str, Topic],
        engine: StepEngine,
        *,
        sources: Mapping[str, InputSource] | None = None,
        max_skew_us: int,
        pace: BatchingPolicy,
        totals: PartitionTotals,
        wall_us: Callable[[], int] | None = None,
        standing: StandingRefusals | None = None,
    ) -> None:
        self.number = number
        self.engine = engine
        self._sources = dict(sources or {})
        self._lanes = lanes_of(topics, self._sources)
        self._max_skew_us = max_skew_us
        self._wall_us = wall_us
        self._standing = standing or StandingRefusals()
        self._pace = pace
        self._totals = totals
        lanes = tuple(self._lanes.values())
        actions = [lane for lane in lanes if lane.brings_only_actions]
        self._merge = PartitionMerge[Lane](lanes, pace.waiting_limit, pace.settling, actions)
        self._answers = AnswerTimes()
        self._idle = IdleTime()
        self._gathering_since: float | None = None
        self._flushed = True
        self.produce_times = ProduceTimes(pace.reorder_us)
        self.has_taken_all = False
        """Whether the engine has been given, once, all that there was to be read, and has released it."""

    def position(self, topic: str) -> int | None:
        """Return the position of `topic`'s state; `None` for a new one, which wants the earliest record."""
        return self._merge.position(self._lanes[topic])

    def resume(self, positions: Mapping[str, TopicPosition]) -> None:
        """Let an engine that was restored go on from the positions that it was saved with."""
        for name, lane in self._lanes.items():
            if name in positions:
                self._merge.resume(lane, positions[name])
        self._flushed = False  # it may have been saved while events waited in it

    def replace_sources(self, sources: Mapping[str, InputSource]) -> set[TopicPartition]:
        """Map the topics of sources by these from now on; return the places that must be read again.

        What came of one whose source is another now, and the engine was not given, is mapped anew.
        """
        changed = [name for name in self._sources if name in sources and sources[name] != self._sources[name]]
        for name in changed:
            self._sources[name] = sources[name]
            self._merge.drop_waiting(self._lanes[name])
        return {TopicPartition(name, self.number) for name in changed}

    def positions(self) -> dict[str, TopicPosition]:
        """Return, by topic, how far the engine has been given it."""
        found = {name: self._merge.released_position(lane) for name, lane in self._lanes.items()}
        return {name: position for name, position in found.items() if position is not None}

    @property
    def refused_since(self) -> Mapping[int, int] | None:
        """Return the offsets that standing refusals were read from in the rejected topic, while needed."""
        positions = {name: at.offset for name, at in self.positions().items()}
        return self._standing.since if self._standing.are_ahead(self.number, positions) else None

    def begin(self, topic: str, offset: int) -> None:
        """Let a new state begin at `offset`, the earliest there is: from there on it takes what continues."""
        self._merge.begin(self._lanes[topic], offset)

    def take(self, poll: Poll, now: float, reject: Callable[[RejectedRecord], None]) -> PollOutcome:
        """Take in what is new in `poll`, and hand what cannot be accepted to `reject`."""
        lane = self._lanes[poll.topic_partition.topic]
        position, taken = self._merge.position(lane), PollOutcome.WHOLE
        if position is None or poll.start > position:
            return PollOutcome.GAP
        if poll.start < position:
            if poll.end <= position:
                return PollOutcome.AGAIN
            poll, taken = poll.since(position), PollOutcome.PARTLY
        source = self._sources.get(lane.name)
        decoded = decode_lane(
            lane,
            source,
            poll,
            max_skew_us=self._max_skew_us,
            now_us=self._wall_us() if self._wall_us is not None else None,
        )
        if again := self._standing.of(poll):
            decoded = decoded.refuse(again, RefusalReason.FUTURE_TIME, FUTURE_DETAIL)
        offsets = poll.offsets[decoded.index]
        batch = replace(decoded.batch, offset=lane.marked(offsets))
        self._merge.add(lane, batch, offsets, poll.end, poll.came_ms)
        if source is None:
            self.produce_times.take(lane, poll.offsets, poll.timestamps_ms)
        else:  # those that give no event would be remembered for ever
            giving = np.unique(decoded.index)
            refused = np.array([bad.index for bad in decoded.refused], dtype=np.int64)
            self._totals.passed[lane.name] += len(poll) - len(np.union1d(giving, refused))
            self.produce_times.take(lane, poll.offsets[giving], poll.timestamps_ms[giving])
        for bad in _by_record(decoded):
            i = bad.index
            where = int(poll.offsets[i])
            reject(
                RejectedRecord(
                    poll.topic_partition, where, poll.keys[i], poll.values[i], bad.reason, bad.detail
                )
            )
            self._totals.refused += 1
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
        found = {name: self._merge.released(lane) for name, lane in self._lanes.items()}
        return {
            TopicPartition(name, self.number): offset for name, offset in found.items() if offset is not None
        }

    def full(self) -> set[TopicPartition]:
        """Return the places that should not be read for now."""
        return {
            TopicPartition(name, self.number) for name, lane in self._lanes.items() if self._merge.full(lane)
        }

    def behind(self, progress: Mapping[TopicPartition, ReadProgress]) -> set[TopicPartition]:
        """Return the places that have more to be read, or may have: the others wait for them."""
        readiness = self._merge.readiness(self._highwaters(progress))
        return {
            TopicPartition(name, self.number)
            for name, lane in self._lanes.items()
            if readiness[lane] is not TopicReadiness.CAUGHT_UP
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
        return [TopicPartition(name, self.number) for name in self._lanes]

    def _gathers(self, now: float) -> bool:
        waiting = sum(self._merge.waiting(lane) for lane in self._lanes.values())
        since = self._gathering_since
        return since is not None and waiting < self._pace.step_events and now - since < self._pace.step_wait_s

    def _asked(self) -> dict[Lane, int | None]:
        return {
            lane: self._answers.asked_ms(TopicPartition(name, self.number))
            for name, lane in self._lanes.items()
        }

    def _highwaters(self, progress: Mapping[TopicPartition, ReadProgress]) -> dict[Lane, int | None]:
        places = {lane: progress.get(TopicPartition(name, self.number)) for name, lane in self._lanes.items()}
        return {lane: read.highwater if read is not None else None for lane, read in places.items()}

    def refused(self, output: Output) -> list[RejectedRecord]:
        """Return what the engine refused as records; their own bytes are not at hand any more."""
        native = {lane.topics[0]: lane.name for lane in self._lanes.values() if not lane.mark}
        marked = {lane.mark: lane.name for lane in self._lanes.values() if lane.mark}
        found = []
        for event in output.refused:
            mark, offset = split_offset(event.offset)
            name = marked.get(mark) if mark else native.get(event.topic)
            if name is None:  # it waited in a checkpoint, and its topic on the broker is read no more
                name, offset = event.topic.label, -1
            found.append(
                RejectedRecord(
                    TopicPartition(name, self.number),
                    offset,
                    event.customer_id.encode(),
                    name_event(event),
                    RefusalReason(event.reason),
                    event.detail,
                    named=True,
                )
            )
        return found

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


def _by_record(decoded: Decoded) -> Iterable[RefusedRecord]:
    """Return one refusal of each record: a source's may give several events, and it goes away once.

    That of its time, else the first: whoever reads the record again learns of it by the rejected topic.
    """
    first = {bad.index: bad for bad in reversed(decoded.refused)}
    first |= {bad.index: bad for bad in decoded.refused if bad.reason is RefusalReason.FUTURE_TIME}
    return [first[i] for i in sorted(first)]
