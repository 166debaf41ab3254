"""Saves states now and then, and where rules are adopted; their offsets are committed after that."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from streams.checkpoints.restore import ConsumerGroup, RefusalsReader, SentStepsReader
from streams.checkpoints.store import KEPT, Checkpoint, CheckpointManifest, CheckpointStore
from streams.core.state_tables import Tables
from streams.errors import LapwingError
from streams.inputs.watch import InputRevision
from streams.intake.merge import TopicPosition
from streams.intake.poll import TopicPartition
from streams.rulebook.revisions import CheckpointedRules
from streams.telemetry.histogram import Histogram
from streams.telemetry.logs import log_context

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StateSnapshot:
    """A partition's state at one moment between two steps; all that was put out before it has arrived."""

    partition: int
    make_tables: Callable[[], Tables]
    """Makes the tables of what was taken, while the partition goes on."""
    topics: Mapping[str, TopicPosition]
    generation: int
    """Of the group's, in which the partition was assigned."""
    rule_set: str
    sent_since: Mapping[int, int] | None
    """Where the warnings topic must still be read from; `None`: from where it ended before the snapshot."""
    refused_since: Mapping[int, int] | None
    """The same of the rejected topic."""
    pause_s: float
    """How long the partition's work stopped for it."""
    rules: CheckpointedRules | None = None
    """The rules that are in force from this state on."""
    follows_erasure: bool = False
    """Whether customers were erased who are in older checkpoints: none of these may stay."""
    inputs: InputRevision | None = None
    """The file by which records are mapped from this state on."""


class PartitionStates(Protocol):
    """The partitions of a worker, as far as their states are concerned."""

    def moved(self) -> list[int]:
        """Return the partitions that have taken in something since they were saved."""

    async def snapshot(self, number: int) -> StateSnapshot | None:
        """Return the state of a partition; `None` if it is not assigned any more."""

    def saved(self, snapshot: StateSnapshot) -> None:
        """Remember that the group committed the offsets of `snapshot`."""

    def lost(self, snapshot: StateSnapshot) -> None:
        """Give up a partition that is not this worker's any more, as the group refused its `snapshot`."""

    def holding_erased(self) -> list[int]:
        """Return the partitions whose checkpoints may hold customers who were erased."""

    def cleaned(self, snapshot: StateSnapshot) -> None:
        """Remember that no checkpoint is left that is older than `snapshot`."""

    def to_adopt(self) -> list[int]:
        """Return the partitions that other rules, another model or erasures are ready for."""

    def adopting(self, number: int) -> AbstractAsyncContextManager[StateSnapshot | None]:
        """Stop the engines, and give the state from which on other rules or models are in force, if any."""

    async def adopt(self, snapshot: StateSnapshot) -> int:
        """Go over to what a snapshot of `adopting` says, which the group has committed.

        Return how many changes of rules that is.
        """


@dataclass(slots=True)
class CheckpointTotals:
    """What came of the checkpoints since the worker started."""

    written: int = 0
    failed: int = 0
    adopted: int = 0
    """Changes of a partition's rules."""
    pause_s: float = 0.0
    """The longest time that a partition's work stopped for one."""
    write_seconds: Histogram = field(default_factory=Histogram)
    """How long writing one took, beside the work."""
    committed_at: dict[int, float] = field(default_factory=dict)
    """By partition, when its state was last known to be saved, seconds since the epoch."""
    bytes: dict[int, int] = field(default_factory=dict)
    """By partition, how large its newest one is, where that is known."""


@dataclass(frozen=True, slots=True)
class _TopicEnds:
    """Where the worker's own topics ended before a snapshot, by partition of each."""

    warnings: Mapping[int, int]
    rejected: Mapping[int, int]


class CheckpointSaver:
    """Saves states; a checkpoint counts from the moment its offsets are committed.

    `partitions` is the number that the input topics have, and `topic_ids` are their ids.
    """

    def __init__(
        self,
        store: CheckpointStore,
        states: PartitionStates,
        group: ConsumerGroup,
        sent_steps: SentStepsReader,
        refusals: RefusalsReader,
        clock: Callable[[], float],
        totals: CheckpointTotals,
        partitions: int | None = None,
        topic_ids: Mapping[str, str] | None = None,
    ) -> None:
        self._store = store
        self._states = states
        self._group = group
        self._sent_steps = sent_steps
        self._refusals = refusals
        self._clock = clock
        self._partitions = partitions
        self._topic_ids = topic_ids or {}
        self._one_at_a_time = asyncio.Lock()
        self._failed: set[int] = set()
        """Partitions without a checkpoint since the last time all were to be saved."""
        self._totals = totals

    async def save_moved(self) -> None:
        """Save every partition that has moved; what fails is logged, counted, and tried again next time."""
        async with self._one_at_a_time:
            self._failed.clear()
            due = {*self._states.moved(), *self._states.to_adopt()}
            for number in self._totals.committed_at.keys() - due:
                self._totals.committed_at[number] = time.time()  # the newest one has all there is
            for number in sorted(due):
                await self._try(number)

    async def adopt_rules(self) -> None:
        """Let partitions that other rules are ready for go over to them, at a checkpoint each.

        After an erasure the state is saved once more, so that no checkpoint has the customer any longer.
        Where that failed, it is tried again with the next `save_moved`.
        """
        if not {*self._states.to_adopt(), *self._states.holding_erased()} - self._failed:
            return
        async with self._one_at_a_time:
            for number in sorted({*self._states.to_adopt(), *self._states.holding_erased()}):
                if number not in self._failed:
                    await self._try(number)

    async def _try(self, number: int) -> None:
        with log_context(partition=number):
            await self._save_logged(number)

    async def _save_logged(self, number: int) -> None:
        try:
            if number in self._states.to_adopt():
                # Between commit and adoption nothing may be cut off: the checkpoint says what is in force.
                await asyncio.shield(self._save_adopting(number))
                if number in self._states.holding_erased():
                    await self._save(number)
            else:
                await self._save(number)
        except LapwingError as error:
            self._totals.failed += 1
            self._failed.add(number)
            log.error(
                "no checkpoint partition=%(partition)d: %(error)s", {"partition": number, "error": error}
            )

    async def _save(self, number: int) -> None:
        ends = await self._topic_ends()
        snapshot = await self._states.snapshot(number)
        if snapshot is not None:
            await self._commit(snapshot, await self._write(snapshot, ends))

    async def _save_adopting(self, number: int) -> None:
        ends = await self._topic_ends()
        async with self._states.adopting(number) as snapshot:
            if snapshot is None:
                return
            checkpoint = await self._write(snapshot, ends)
            try:
                if not await self._commit(snapshot, checkpoint):
                    return
            except LapwingError:
                # Perhaps it was committed. Nobody may go on from it, for here the old rules stay.
                await asyncio.to_thread(self._store.discard, checkpoint)
                raise
            self._totals.adopted += await self._states.adopt(snapshot)

    async def _topic_ends(self) -> _TopicEnds:
        return _TopicEnds(await self._sent_steps.ends(), await self._refusals.ends())

    async def _write(self, snapshot: StateSnapshot, ends: _TopicEnds) -> Checkpoint:
        number = snapshot.partition
        self._totals.pause_s = max(self._totals.pause_s, snapshot.pause_s)
        content = CheckpointManifest(
            topics=snapshot.topics,
            warnings=ends.warnings if snapshot.sent_since is None else snapshot.sent_since,
            rejected=ends.rejected if snapshot.refused_since is None else snapshot.refused_since,
            rule_set=snapshot.rule_set,
            rules=snapshot.rules,
            partitions=self._partitions,
            topic_ids=self._topic_ids,
            inputs=None if snapshot.inputs is None else snapshot.inputs.kept(),
        )
        begun = self._clock()
        checkpoint = await asyncio.to_thread(lambda: self._store.save(number, _tables(snapshot), content))
        self._totals.write_seconds.observe(self._clock() - begun)
        return checkpoint

    async def _commit(self, snapshot: StateSnapshot, checkpoint: Checkpoint) -> bool:
        """Commit the offsets of a checkpoint; return whether the group took them."""
        number = snapshot.partition
        offsets = {TopicPartition(topic, number): offset for topic, offset in checkpoint.offsets.items()}
        if await self._group.commit_as(offsets, snapshot.generation):
            self._totals.written += 1
            self._totals.committed_at[number] = time.time()
            if checkpoint.size is not None:
                self._totals.bytes[number] = checkpoint.size
            self._states.saved(snapshot)
            log.info(
                "checkpoint partition=%(partition)d %(checkpoint)s",
                {"partition": number, "checkpoint": checkpoint.path, "offsets": checkpoint.offsets},
            )
            await asyncio.to_thread(self._store.mark_committed, checkpoint)
            kept = 1 if snapshot.follows_erasure else KEPT
            if await asyncio.to_thread(self._store.prune, number, checkpoint, kept):
                self._states.cleaned(snapshot)
            return True
        log.warning(
            "the group refused the commit: partition=%(partition)d is not ours any more",
            {"partition": number},
        )
        self._states.lost(snapshot)
        await asyncio.to_thread(self._store.discard, checkpoint)
        return False


def _tables(snapshot: StateSnapshot) -> Tables:
    """Return what a checkpoint holds: the state, and by what amounts are converted from then on."""
    more = {} if snapshot.inputs is None else snapshot.inputs.tables()
    return {**snapshot.make_tables(), **more}
