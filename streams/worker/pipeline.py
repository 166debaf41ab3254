"""What a worker does with its input: take a poll, release in event time, step the engine, ship.

Nothing here knows Faust: polls come in, records and committable offsets go out.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from streams.checkpoints.restore import ConsumerGroup, RefusalsReader, SentStepsReader, StateRestorer
from streams.checkpoints.save import CheckpointSaver, CheckpointTotals
from streams.checkpoints.store import CheckpointStore
from streams.core.engine import Engine
from streams.inputs.formats.reading import SchemasWanted
from streams.intake.originals import OriginalRecords
from streams.intake.partition import Partition, PartitionTotals, PollOutcome, StepEngine
from streams.intake.poll import Poll, ReaderControl, ReadProgress, TopicPartition
from streams.intake.standing_refusals import StandingRefusals
from streams.worker.assignment import AssignedPartitions
from streams.worker.delivery import OutputRouter, RecordDelivery, Send
from streams.worker.erasure_rollout import ErasureRollout
from streams.worker.input_rollout import InputRollout
from streams.worker.model_rollout import ModelRollout
from streams.worker.model_watch import ModelWatch
from streams.worker.outbox import Outbox
from streams.worker.refusal_log import RefusalLog
from streams.worker.rule_rollout import RuleReloader
from streams.worker.schema_wait import SchemaWait
from streams.worker.settings import WorkerSettings
from streams.worker.stall_watch import PartitionProgress, StallDetector
from streams.worker.stats import Stats, WorkerParts
from streams.worker.task_states import TaskStates

log = logging.getLogger(__name__)

LOST_PASSES: Final = 40
"""Passes without progress after which polls on their way must have been lost: more than fit the queue."""
REVOKE_S: Final = 10.0
"""How long a rebalance waits for checkpoints of what may move to another worker."""


@dataclass(frozen=True, slots=True)
class CheckpointServices:
    """What checkpoints are made with."""

    store: CheckpointStore
    group: ConsumerGroup
    sent_steps: SentStepsReader
    refusals: RefusalsReader


class Pipeline:
    """The partitions of this worker and the stages that their records pass."""

    def __init__(
        self,
        settings: WorkerSettings,
        engines: Callable[[int], StepEngine],
        send: Send,
        clock: Callable[[], float] = time.monotonic,
        checkpoints: CheckpointServices | None = None,
        reloader: RuleReloader | None = None,
        wall: Callable[[], float] = time.time,
        originals: OriginalRecords | None = None,
        models: ModelRollout | None = None,
        erasures: ErasureRollout | None = None,
        inputs: InputRollout | None = None,
    ) -> None:
        self._settings = settings
        self._engines = engines
        self._reloader = reloader
        self._models = models
        self._erasures = erasures
        self._inputs = inputs
        self._clock = clock
        self._wall = wall
        self._topics = {name: topic for topic, name in settings.topics.items()}
        self.board = ReaderControl(settings.input_topics, settings.partitions)
        self.totals = PartitionTotals()
        self._checkpoint_totals = CheckpointTotals()
        self.delivery = RecordDelivery(send, wall)
        self._refusals = RefusalLog(clock)
        self._outbox = Outbox(OutputRouter.of(settings), self.delivery, self._refusals, originals)
        rollout = reloader.rollout if reloader is not None else None
        self.assignment = AssignedPartitions(
            self.board,
            self._partition,
            engines,
            self._outbox,
            self._restorer(checkpoints),
            rollout,
            erasures,
            inputs,
        )
        self.states = TaskStates(
            self.assignment, self._outbox, clock, rollout, models, wall, erasures, inputs
        )
        self._saver = self._checkpoint_saver(checkpoints)
        self._stalls = StallDetector(clock)
        self._model_watch = ModelWatch()
        self._schema_wait = SchemaWait(self._schemas_came)
        self._parts = WorkerParts(
            settings,
            self.board,
            self.assignment,
            self.totals,
            self._checkpoint_totals,
            self.delivery,
            self._refusals,
            self._stalls,
            self._schema_wait,
            reloader,
            inputs,
            wall,
        )
        self._unmoved: dict[TopicPartition, tuple[int | None, int]] = {}
        """The position of a place that should have moved on, and for how many turns it has not."""
        self._assignments = 0
        self._full_fields: set[str] = set()
        """Fields of profiles and orders that were logged as having too many words."""

    # -- what the transport reports ---------------------------------------------------------------

    def position(self, place: TopicPartition) -> int | None:
        """Return the position of a place's state; `None`: it is new and wants the earliest record."""
        return self.assignment.position(place)

    def begin(self, place: TopicPartition, offset: int) -> None:
        """Let a new state begin at the earliest offset of a place, before anything is read from there."""
        self.assignment.begin(place, offset)

    def assigned(self, places: set[TopicPartition], generation: int) -> None:
        """Take over the places of a new assignment, before any of them is read."""
        self.assignment.assign(places, generation)

    async def revoked(self) -> None:
        """Save what may go to another worker, if time allows; the rebalance waits for it."""
        try:
            await asyncio.wait_for(self.save(), REVOKE_S)
        except TimeoutError:
            log.warning("no time for all checkpoints before the partitions go")

    # -- the stages -------------------------------------------------------------------------------

    def take(self, poll: Poll) -> None:
        """Decode `poll` into its partition's merge; what is missing before it is read again."""
        task = self.assignment.tasks.get(poll.topic_partition.partition)
        if task is None or self.assignment.closed:
            return  # it was lost in a rebalance, and so is the poll
        if poll.topic_partition in self._schema_wait.places:
            return  # it is read again once the schemas are there
        try:
            taken = task.partition.take(poll, self._clock(), self._outbox.reject)
        except SchemasWanted as wanted:
            self._schema_wait.begin(poll.topic_partition, wanted)
            return
        if taken is PollOutcome.GAP:
            self._read_again(poll.topic_partition)

    async def process(self) -> None:
        """Let every partition give its engine what is due, and ship what comes of it."""
        self.assignment.check()
        async with self.assignment.engine_lock:
            if self.assignment.closed:
                return
            if self._assignments != self.assignment.count:
                self._assignments = self.assignment.count
                self._unmoved.clear()
                self._outbox.forget_offsets()
            progress, now = self.board.progress, self._clock()
            for task in list(self.assignment.tasks.values()):
                await self._outbox.ship(task, task.partition.process(progress, now))
            await self.announce()
            self.board.paused = self._schema_wait.places.union(
                *(t.partition.full() for t in self.assignment.tasks.values())
            )
            self._find_lost()

    async def save(self) -> None:
        """Save the state of every partition that has moved."""
        if self._saver is not None:
            await self._saver.save_moved()

    async def reload(self) -> None:
        """Look at the rule files and the file of inputs; what they say is adopted or refused.

        So are new models and erasures.

        With checkpoints it is adopted at one, made now; without them between two turns.
        """
        if not any((self._reloader, self._models, self._erasures, self._inputs)):
            return
        if self._inputs is not None:
            await self._inputs.look()
        notices = []
        if self._reloader is not None:
            notices = await self._reloader.look(self.assignment.tasks.values())
        if notices:
            async with self.assignment.engine_lock:
                for notice in notices:
                    await self._outbox.ship_notice(notice)
        if self._saver is not None:
            await self._saver.adopt_rules()
        else:
            self._checkpoint_totals.adopted += await self.states.adopt_without_checkpoint()

    async def announce(self) -> None:
        """Publish the changes of rules, models and customers since the last call."""
        for notice in self._erasures.take_notices() if self._erasures is not None else ():
            await self._outbox.ship_notice(notice)
        for notice in self._inputs.take_notices() if self._inputs is not None else ():
            await self._outbox.ship_notice(notice)
        for notice in self._models.take_notices() if self._models is not None else ():
            await self._outbox.ship_notice(notice)
        if self._reloader is not None:
            for adoption in self._reloader.rollout.take_adoptions():
                await self._outbox.ship_adoption(adoption)

    async def finish(self) -> Mapping[TopicPartition, int]:
        """Save what has moved and give up all partitions; return the offsets that may be committed."""
        await self.save()
        await self.announce()
        self.assignment.close()
        self._schema_wait.close()
        return await self.delivery.settle()

    async def close(self) -> None:
        """Close what records are read from beside the input."""
        self._schema_wait.close()
        await self._outbox.close()

    # -- what can be seen from outside ------------------------------------------------------------

    def look(self) -> None:
        """Log what does not move and what was refused; to be called every second or so, beside the work."""
        progress, closed = self.board.progress, self.assignment.closed
        found = {n: _progress(t.partition, progress) for n, t in self.assignment.tasks.items() if not closed}
        for number in {place.partition for place in self.board.loading} - found.keys():
            places = [place for place in self.board.loading if place.partition == number]
            found[number] = PartitionProgress(None, dict.fromkeys(places))
        self._stalls.look(found)
        self._refusals.look()
        self._model_watch.look(self.assignment.core_engines())
        for name in sorted(self.totals.unknown_words.keys() - self._full_fields):
            self._full_fields.add(name)
            log.warning("%s has more words than max_words allows: further ones are unknown", name)

    def stats(self) -> Stats:
        """Return what has been done and how far the partitions are."""
        return self._parts.stats()

    # -- its parts --------------------------------------------------------------------------------

    def _partition(self, number: int, engine: StepEngine, standing: StandingRefusals) -> Partition:
        return Partition(
            number,
            self._topics,
            engine,
            sources=self._settings.sources,
            max_skew_us=self._settings.max_skew_us,
            pace=self._settings.pace,
            totals=self.totals,
            wall_us=lambda: int(self._wall() * 1_000_000),
            standing=standing,
        )

    def _core_engine(self, number: int) -> Engine:
        engine = self._engines(number)
        assert isinstance(engine, Engine)
        return engine

    def _restorer(self, services: CheckpointServices | None) -> StateRestorer | None:
        if services is None:
            return None
        revisions = self._reloader.rollout.revisions if self._reloader is not None else None
        return StateRestorer(
            services.store,
            self._settings.input_topics,
            self._core_engine,
            services.group,
            services.sent_steps,
            services.refusals,
            revisions,
            partitions=self._settings.partitions,
            topic_ids=self._settings.topic_ids,
            from_checkpoints=self._settings.from_checkpoints,
        )

    def _checkpoint_saver(self, services: CheckpointServices | None) -> CheckpointSaver | None:
        if services is None:
            return None
        return CheckpointSaver(
            services.store,
            self.states,
            services.group,
            services.sent_steps,
            services.refusals,
            self._clock,
            self._checkpoint_totals,
            self._settings.partitions,
            self._settings.topic_ids,
        )

    def _find_lost(self) -> None:
        """Read again what the transport handed over and Faust, which drops polls silently, has not."""
        for place, read in self.board.progress.items():
            position = self.position(place)
            if place in self._schema_wait.places or (position is not None and position >= read.position):
                self._unmoved.pop(place, None)
                continue
            before, turns = self._unmoved.get(place, (position, 0))
            turns = turns + 1 if before == position else 0
            self._unmoved[place] = position, turns
            if turns > LOST_PASSES:
                self._read_again(place)

    def _schemas_came(self, place: TopicPartition) -> None:
        """Read on at a place that has waited for schemas, if it is still one of ours."""
        if place.partition in self.assignment.tasks and not self.assignment.closed:
            self.board.seek(place)

    def _read_again(self, place: TopicPartition) -> None:
        self._unmoved.pop(place, None)
        self.totals.reread += 1
        log.warning(
            "reading again topic=%(topic)s partition=%(partition)d from=%(offset)s",
            {"topic": place.topic, "partition": place.partition, "offset": self.position(place)},
        )
        self.board.seek(place)


def _progress(partition: Partition, progress: Mapping[TopicPartition, ReadProgress]) -> PartitionProgress:
    """Return how far a partition is and what it has yet to take."""
    released = partition.released()
    taken = {place: partition.position(place.topic) for place in released}
    lag: dict[TopicPartition, int | None] = {place: n for place, n in partition.lag(progress).items() if n}
    unknown = partition.behind(progress) - lag.keys()
    undecided = partition.undecided(progress)
    return PartitionProgress((released, taken), lag | dict.fromkeys(unknown), undecided)
