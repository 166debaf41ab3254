"""The partitions that a worker holds: they and their states come and go with the group's assignments."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final, Protocol

from streams.checkpoints.restore import ConsumerGroup, RestoredPartition, SentStepsReader, StateRestorer
from streams.checkpoints.save import CheckpointSaver, CheckpointTotals, StateSnapshot
from streams.checkpoints.store import CheckpointStore
from streams.core import engine as core
from streams.core.engine_io import Output
from streams.core.events.topics import Topic
from streams.core.state_tables import take
from streams.errors import BrokerError
from streams.intake.partition import Partition, StepEngine
from streams.intake.poll import ReaderControl, TopicPartition
from streams.worker.rule_rollout import PendingAdoption, RuleRollout, engine_of

log = logging.getLogger(__name__)

REVOKE_S: Final = 10.0
"""How long a rebalance waits for checkpoints of what may move to another worker."""


class OutputSender(Protocol):
    """The way out of what partitions put out."""

    async def ship(self, partition: Partition, output: Output) -> None:
        """Send what the partition's engine put out."""

    async def ship_refusals(self) -> None:
        """Send what was refused; when this returns, all that was taken so far is sent or in an engine."""

    async def wait(self) -> None:
        """Wait until the broker has everything that was sent before this call."""


@dataclass(frozen=True, slots=True)
class CheckpointServices:
    """What states are kept with."""

    store: CheckpointStore
    group: ConsumerGroup
    warned: SentStepsReader


class AssignedPartitions:
    """Holds a partition for each number of the assignment, new, kept, or restored from its checkpoint."""

    def __init__(
        self,
        topics: Mapping[str, Topic],
        make: Callable[[int, StepEngine], Partition],
        engines: Callable[[int], StepEngine],
        outbox: OutputSender,
        clock: Callable[[], float],
        keeping: CheckpointServices | None = None,
        rulings: RuleRollout | None = None,
    ) -> None:
        self._topics = topics
        self._make = make
        self._engines = engines
        self._outbox = outbox
        self._clock = clock
        self._rulings = rulings
        self.control = ReaderControl(
            topics, position=self.position, begin=self._begin, assigned=self._assign, revoked=self._revoked
        )
        self.partitions: dict[int, Partition] = {}
        self.engine_lock = asyncio.Lock()
        """Held while engines step or their states are taken."""
        self.closed = False
        self._changes: dict[int, PendingAdoption] = {}
        """Changes of rules whose checkpoint is being made."""
        self.assignments = 0
        """How many there have been."""
        self.tally = CheckpointTotals()
        self._generation = -1
        """Of the last assignment."""
        self._kept: dict[int, Partition] = {}
        """Partitions of the former assignment, until it is known that nobody else had them meanwhile."""
        self._loading: asyncio.Task[None] | None = None
        self._recovery: StateRestorer | None = None
        self._checkpointing: CheckpointSaver | None = None
        if keeping is not None:
            store, group, warned = keeping.store, keeping.group, keeping.warned
            editions = rulings.revisions if rulings is not None else None
            self._recovery = StateRestorer(store, topics, self._core_engine, group, warned, editions)
            self._checkpointing = CheckpointSaver(store, self, group, warned, clock, self.tally)

    def position(self, place: TopicPartition) -> int | None:
        """Return where the state of `place` stands, which is sought after an assignment.

        A new engine knows nothing, so its partition is read from the earliest record (`None`). A state that
        was loaded from a checkpoint stands at that checkpoint's offsets.
        """
        partition = self.partitions.get(place.partition)
        return partition.position(place.topic) if partition is not None else None

    def check(self) -> None:
        """Raise why the states could not be loaded, if they could not."""
        if self._loading is not None and self._loading.done() and not self._loading.cancelled():
            self._loading.result()

    async def save(self) -> None:
        """Save the state of every partition that has moved."""
        if self._checkpointing is not None:
            await self._checkpointing.save_moved()

    async def adopt_rules(self) -> None:
        """Let every partition that other rules are ready for go over to them.

        With checkpoints that is at one, made now; without them it is between two turns.
        """
        if self._checkpointing is not None:
            await self._checkpointing.adopt_rules()
        elif self.to_adopt():
            async with self.engine_lock:
                for change in map(self._change, self.to_adopt()):
                    assert self._rulings is not None
                    assert change is not None
                    await self._outbox.ship(change.partition, self._rulings.adopt(change))
                    self.tally.adopted += 1

    def close(self) -> None:
        """Give up all partitions: nothing is put out any more."""
        if self._loading is not None:
            self._loading.cancel()
        self.closed = True

    # -- places come and go -----------------------------------------------------------------------

    def _begin(self, place: TopicPartition, offset: int) -> None:
        partition = self.partitions.get(place.partition)
        if partition is not None:
            partition.begin(place.topic, offset)

    def _assign(self, places: set[TopicPartition]) -> None:
        """Drop the partitions that were lost and begin those that are new."""
        numbers = {place.partition for place in places}
        torn = {TopicPartition(name, number) for name in self._topics for number in numbers} - places
        if torn:
            message = f"the group tore co-partitioned topics apart: {', '.join(map(str, sorted(torn)))}"
            raise BrokerError(message)
        self.assignments += 1
        log.info("assigned partitions=%s", ",".join(map(str, sorted(numbers))) or "none")
        if self._recovery is not None:
            kept = (self._kept | self.partitions).items()
            # Without a gap nobody had them meanwhile; with one, another may have changed their rules.
            follows = self.control.generation <= self._generation + 1
            self._kept = {n: p for n, p in kept if n in numbers and (follows or not p.saved)}
            self._generation = self.control.generation
            self.partitions = {}
            self.control.loading, self.control.progress = frozenset(places), {}
            if self._loading is not None:
                self._loading.cancel()
            self._loading = asyncio.ensure_future(self._load(self._recovery, numbers))
            return
        for number in self.partitions.keys() - numbers:
            del self.partitions[number]
        for number in sorted(numbers - self.partitions.keys()):
            self.partitions[number] = self._begun(number, self._engines(number))

    async def _revoked(self) -> None:
        """Save what may go to another worker, if time allows."""
        try:
            await asyncio.wait_for(self.save(), REVOKE_S)
        except TimeoutError:
            log.warning("no time for all checkpoints before the partitions go")

    # -- states are loaded ------------------------------------------------------------------------

    async def _load(self, recovery: StateRestorer, numbers: Collection[int]) -> None:
        """Let every partition go on from where the group stands: as it is here, or as it was saved."""
        assignment = self.assignments
        committed = await recovery.committed(numbers)
        own = {n: {t: s.offset for t, s in p.saved.items()} for n, p in self._kept.items()}
        held = {n: p for n, p in self._kept.items() if own[n] == committed[n]}
        loaded = await recovery.load({n: committed[n] for n in sorted(numbers) if n not in held})
        async with self.engine_lock:
            if self.assignments != assignment:
                return  # assigned anew, and so to be loaded anew
            for number, recovered in loaded.items():
                held[number] = await self._resumed(number, recovered)
            self.partitions, self._kept = held, {}
            self.control.loading = frozenset()  # last: from now on the transport seeks

    async def _resumed(self, number: int, recovered: RestoredPartition) -> Partition:
        told = recovered.sent_steps if recovered.sent_steps.ids else None
        if recovered.checkpoint is None:
            partition = self._begun(number, recovered.engine)
            partition.sent_steps = told
        else:
            partition = self._make(number, recovered.engine)
            partition.saved = recovered.checkpoint.content.topics
            partition.resume(partition.saved)
            partition.sent_steps = told
            if self._rulings is not None:
                self._rulings.resume(partition, recovered)
            await self._outbox.ship(partition, recovered.adopted)
        return partition

    def _begun(self, number: int, engine: StepEngine) -> Partition:
        partition = self._make(number, engine)
        if self._rulings is not None:
            self._rulings.begin(partition)
        return partition

    def _core_engine(self, number: int) -> core.Engine:
        engine = self._engines(number)
        assert isinstance(engine, core.Engine)
        return engine

    # -- states are saved -------------------------------------------------------------------------

    def moved(self) -> list[int]:
        """Return the partitions that have taken in something since they were saved."""
        stands = {number: partition.positions() for number, partition in self.partitions.items()}
        return [
            number
            for number, found in sorted(stands.items())
            if len(found) == len(self._topics) and found != self.partitions[number].saved
        ]

    async def snapshot(self, number: int) -> StateSnapshot | None:
        """Return the state of a partition; `None` if it is not held any more."""
        async with self.engine_lock:
            snapshot = await self._taken(number)
        await self._outbox.wait()
        return snapshot

    async def _taken(self, number: int) -> StateSnapshot | None:
        await self._outbox.ship_refusals()
        partition, begun = self.partitions.get(number), self._clock()
        if partition is None:
            return None
        engine, now = engine_of(partition), partition.active_rules
        generation, topics, told = self.control.generation, partition.positions(), partition.sent_steps
        state = await asyncio.to_thread(take, engine)
        since = told.since if told is not None else None
        rules = now.kept() if now is not None else None
        pause = self._clock() - begun
        return StateSnapshot(number, state, topics, generation, engine.rules.hash, since, pause, rules)

    def to_adopt(self) -> list[int]:
        """Return the partitions that other rules are ready for."""
        return [number for number in sorted(self.partitions) if self._change(number) is not None]

    @asynccontextmanager
    async def adopting(self, number: int) -> AsyncIterator[StateSnapshot | None]:
        """Let work stand still, and give the state from which on other rules are to be in force, if any."""
        async with self.engine_lock:
            change, snapshot = self._change(number), await self._taken(number)
            if change is None or snapshot is None:
                yield None
                return
            await self._outbox.wait()
            rules = change.then.kept(change.said)
            self._changes[number] = change
            yield replace(snapshot, rule_set=change.then.rules.hash, rules=rules)

    async def adopt(self, snapshot: StateSnapshot) -> None:
        """Go over to the rules of a snapshot of `adopting` that the group has committed."""
        assert self._rulings is not None
        change = self._changes.pop(snapshot.partition)
        await self._outbox.ship(change.partition, self._rulings.adopt(change))

    def _change(self, number: int) -> PendingAdoption | None:
        """Return the change of rules that a partition is ready for; it must have begun."""
        partition = self.partitions.get(number)
        if self._rulings is None or partition is None or len(partition.positions()) < len(self._topics):
            return None
        return self._rulings.pending(partition)

    def saved(self, snapshot: StateSnapshot) -> None:
        """Take note that the group committed what `snapshot` stands for."""
        partition = self.partitions.get(snapshot.partition)
        if partition is not None and self.control.generation == snapshot.generation:
            partition.saved = snapshot.topics

    def lost(self, snapshot: StateSnapshot) -> None:
        """Give up a partition that is not this worker's any more, as the group said of its `snapshot`."""
        if self.control.generation == snapshot.generation:
            self.partitions.pop(snapshot.partition, None)


def drop_already_sent(partition: Partition, output: Output) -> Output:
    """Return `output` without the steps that the warnings topic holds already."""
    told = partition.sent_steps
    if told is None:
        return output
    assert isinstance(partition.engine, core.Engine)
    if partition.engine.reorder.watermark > told.until:
        partition.sent_steps = None  # from the next output on: this one may have come to that instant
    return replace(output, steps=[step for step in output.steps if step.id not in told.ids])
