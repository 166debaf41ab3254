"""What a worker does with its input, as a list of stages: take, release, step, ship.

Nothing here knows Faust: polls come in, records and committable offsets go out.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from streams.core.engine_io import Output
from streams.core.events.topics import Topic
from streams.intake.partition import (
    BatchingPolicy,
    Partition,
    PartitionTotals,
    PollOutcome,
    RejectedRecord,
    StepEngine,
)
from streams.intake.poll import Poll, ReadProgress, TopicPartition
from streams.worker.assignment import AssignedPartitions, CheckpointServices, drop_already_sent
from streams.worker.delivery import OutgoingRecord, OutputRouter, RecordDelivery, Send
from streams.worker.rule_rollout import RuleReloader, opened, rule_sets
from streams.worker.stall_watch import PartitionProgress, StallDetector

log = logging.getLogger(__name__)

LOST_TURNS: Final = 40
"""Turns without progress after which polls on their way must have been lost: more than fit the queue."""


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What a worker needs to know beside its engines."""

    broker: str
    """`host:port`, several with commas between them."""
    topics: Mapping[Topic, str]
    """The name on the broker of each topic that is read."""
    app: str = "lapwing"
    warnings_topic: str = "churn-warnings"
    control_topic: str = "lapwing-control"
    audit_topic: str = "lapwing-audit"
    worker: str = "worker"
    """What this one is called where several share the work."""
    group: str = ""
    """The consumer group, where it is not called as the app."""
    security: Mapping[str, str] = field(default_factory=dict)
    """`security_protocol`, `sasl_mechanism`, `sasl_plain_username`, `sasl_plain_password`, `ssl_cafile`."""
    session_timeout_s: float = 45.0
    max_skew_us: int = 3_600_000_000
    fetch_bytes: int = 6_000_000
    """What one fetch may bring of one place."""
    poll_records: int = 200_000
    """What one fetch may bring in all."""
    pace: BatchingPolicy = field(default_factory=BatchingPolicy)
    checkpoints: str = ""
    """A directory or `fsspec` URL; without one a state is rebuilt from the earliest records."""
    checkpoint_every_s: float = 30.0
    record_limit: int = 1_048_588
    """Bytes that the broker takes in one record (Kafka's `message.max.bytes`)."""
    segment_days_topic: str = ""
    """The internal topic of days' sums; empty where there are no segment rules."""
    segment_warnings_topic: str = "segment-warnings"
    segment_partitions: int = 0
    """Of the internal topic, as the worker finds it when it starts."""

    @property
    def rejected_topic(self) -> str:
        """Return the name of the topic of records that cannot be accepted."""
        return f"{self.app}.rejected"


@dataclass(frozen=True, slots=True)
class Stats:
    """What a worker has done since it started, and where it stands."""

    events: int
    steps: int
    refused: int
    late: int
    repeats: int
    ignored_actions: int
    reread: int
    lag: dict[str, int]
    """By `topic/partition`: records that the broker has and the engine has not."""
    behind: list[str]
    """The `topic/partition`s that others wait for."""
    stalled: dict[str, float]
    """By `topic/partition`: seconds that it has not moved although it has lag, from `STALLED_S` on."""
    checkpoints: int
    checkpoints_failed: int
    checkpoint_pause_s: float
    """The longest time that a partition's work stood still for a checkpoint."""
    rule_set: str | None
    """What the worker's rule files say; `None` where it does not look at any."""
    rule_sets: dict[str, str]
    """By partition: what it runs."""
    rules_adopted: int
    """Changes of a partition's rules."""
    rules_refused: int
    """Sets in the files that were refused."""
    opened: dict[str, dict[str, int]]
    """By rule and its status: causes opened in the lives of the partitions held, those in shadow too."""


class Pipeline:
    """The partitions of this worker and the stages that their records pass."""

    def __init__(
        self,
        settings: WorkerSettings,
        engines: Callable[[int], StepEngine],
        send: Send,
        clock: Callable[[], float] = time.monotonic,
        keeping: CheckpointServices | None = None,
        reloading: RuleReloader | None = None,
    ) -> None:
        self._settings = settings
        self._reloading = reloading
        self._clock = clock
        self._topics = {name: topic for topic, name in settings.topics.items()}
        self._outlet = OutputRouter(
            settings.app,
            settings.warnings_topic,
            settings.control_topic,
            settings.rejected_topic,
            settings.record_limit,
            settings.audit_topic,
            settings.segment_days_topic,
            settings.segment_partitions,
        )
        self.delivery = RecordDelivery(send)
        self.tally = PartitionTotals()
        rulings = reloading.rollout if reloading is not None else None
        self.holding = AssignedPartitions(
            self._topics, self._partition, engines, self, clock, keeping, rulings
        )
        self.board = self.holding.control
        self._refusals: list[OutgoingRecord] = []
        self._shipped: dict[int, dict[TopicPartition, int]] = {}
        """By partition, the offsets last given to the delivery."""
        self._still: dict[TopicPartition, tuple[int | None, int]] = {}
        """Where a place stands that should have moved on, and for how many turns it has."""
        self._assignments = 0
        self._standstills = StallDetector(clock)

    def take(self, poll: Poll) -> None:
        """Decode `poll` into its partition's merge; what is missing before it is read again."""
        partition = self.holding.partitions.get(poll.topic_partition.partition)
        if partition is None or self.holding.closed:
            return  # it was lost in a rebalance, and so is the poll
        taken = partition.take(poll, self._clock(), self._reject)
        if taken is PollOutcome.GAP:
            self._read_again(poll.topic_partition)

    async def turn(self) -> None:
        """Let every partition give its engine what is due, and ship what comes of it."""
        self.holding.check()
        async with self.holding.engine_lock:
            if self.holding.closed:
                return
            if self._assignments != self.holding.assignments:
                self._assignments = self.holding.assignments
                self._still.clear()
                self._shipped.clear()
            marks, now = self.board.progress, self._clock()
            for partition in list(self.holding.partitions.values()):
                await self.ship(partition, partition.turn(marks, now))
            await self.announce()
            self.board.paused = frozenset().union(*(p.full() for p in self.holding.partitions.values()))
            self._find_lost()

    async def reload(self) -> None:
        """Look at the rule files; what they say is adopted or refused."""
        if self._reloading is None:
            return
        refused = await self._reloading.look()
        if refused is not None:
            async with self.holding.engine_lock:
                await self.delivery.ship(self._outlet.of_output(Output(control=[refused])), {})
        await self.holding.adopt_rules()

    async def announce(self) -> None:
        """Tell of the rules that partitions have gone over to."""
        if self._reloading is not None and (told := self._reloading.rollout.adoptions):
            self._reloading.rollout.adoptions = []
            await self.delivery.ship(
                [record for said in told for record in self._outlet.of_adoption(said)], {}
            )

    async def ship(self, partition: Partition, output: Output | None) -> None:
        """Send what was refused and what the partition put out, with the offsets that these stand for."""
        offsets = partition.released()
        records, self._refusals = self._refusals, []
        if output is not None:
            records += self._outlet.of_output(drop_already_sent(partition, output))
        if records or offsets != self._shipped.get(partition.number):
            self._shipped[partition.number] = offsets
            await self.delivery.ship(records, offsets)

    async def ship_refusals(self) -> None:
        """Send what was refused; when this returns, all that was taken so far is sent or in an engine."""
        while self._refusals:  # more may come while these are on their way
            refusals, self._refusals = self._refusals, []
            await self.delivery.ship(refusals, {})

    async def wait(self) -> None:
        """Wait until the broker has everything that was sent before this call."""
        await self.delivery.wait()

    def look(self) -> None:
        """See which partitions have moved; to be called every second or so, beside the work."""
        marks, closed = self.board.progress, self.holding.closed
        sights = {n: _sight(p, marks) for n, p in self.holding.partitions.items() if not closed}
        for number in {place.partition for place in self.board.loading} - sights.keys():
            places = [place for place in self.board.loading if place.partition == number]
            sights[number] = PartitionProgress(None, dict.fromkeys(places))
        self._standstills.look(sights)

    def stats(self) -> Stats:
        """Return what has been done and where the partitions stand."""
        tally, marks = self.tally, self.board.progress
        partitions, kept = self.holding.partitions.values(), self.holding.tally
        lags = [item for partition in partitions for item in partition.lag(marks).items()]
        behind = [place for partition in partitions for place in partition.behind(marks)]
        return Stats(
            events=tally.events,
            steps=tally.steps,
            refused=tally.refused,
            late=tally.late,
            repeats=tally.repeats,
            ignored_actions=tally.ignored,
            reread=tally.reread,
            lag={str(place): lag for place, lag in sorted(lags)},
            behind=[str(place) for place in sorted(behind)],
            stalled={str(place): round(s, 1) for place, s in sorted(self._standstills.stalled().items())},
            checkpoints=kept.written,
            checkpoints_failed=kept.failed,
            checkpoint_pause_s=round(kept.pause_s, 4),
            rule_set=self._reloading.rule_set if self._reloading is not None else None,
            rule_sets=rule_sets(partitions),
            rules_adopted=kept.adopted,
            rules_refused=self._reloading.refused if self._reloading is not None else 0,
            opened=opened(partitions),
        )

    def _reject(self, bad: RejectedRecord) -> None:
        self._refusals.append(self._outlet.of_rejected(bad))

    def _partition(self, number: int, engine: StepEngine) -> Partition:
        return Partition(
            number,
            self._topics,
            engine,
            max_skew_us=self._settings.max_skew_us,
            pace=self._settings.pace,
            tally=self.tally,
        )

    def _find_lost(self) -> None:
        """Read again what the transport handed over and Faust, which drops polls silently, has not."""
        for place, mark in self.board.progress.items():
            position = self.holding.position(place)
            if position is not None and position >= mark.position:
                self._still.pop(place, None)
                continue
            was, turns = self._still.get(place, (position, 0))
            turns = turns + 1 if was == position else 0
            self._still[place] = position, turns
            if turns > LOST_TURNS:
                self._read_again(place)

    def _read_again(self, place: TopicPartition) -> None:
        self._still.pop(place, None)
        self.tally.reread += 1
        log.warning("reading again place=%s from=%s", place, self.holding.position(place))
        self.board.seek(place)


def _sight(partition: Partition, marks: Mapping[TopicPartition, ReadProgress]) -> PartitionProgress:
    """Return where a partition stands and what it has yet to take."""
    released = partition.released()
    taken = {place: partition.position(place.topic) for place in released}
    lag: dict[TopicPartition, int | None] = {place: n for place, n in partition.lag(marks).items() if n}
    unknown = partition.behind(marks) - lag.keys()
    return PartitionProgress((released, taken), lag | dict.fromkeys(unknown))
