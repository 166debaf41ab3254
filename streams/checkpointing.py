"""Checkpointing: the states of partitions are saved now and then, and their offsets committed after that."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from streams.checkpoints import Checkpoint, CheckpointStore, Content
from streams.core.state import Tables
from streams.errors import LapwingError
from streams.intake.merge import Stand
from streams.intake.poll import Place
from streams.recovery import Group, Warned

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A partition's state at one moment between two steps; all that was put out before it has arrived."""

    partition: int
    make_tables: Callable[[], Tables]
    """Makes the tables of what was taken, while the partition goes on."""
    topics: Mapping[str, Stand]
    generation: int
    """Of the group, in which the partition was held."""
    rule_set: str
    warned_since: Mapping[int, int] | None
    """Where the warnings topic must still be read from; `None`: from where it ended before the snapshot."""
    pause_s: float
    """How long the partition's work stood still for it."""


class States(Protocol):
    """The partitions of a worker, as far as their states are concerned."""

    def moved(self) -> list[int]:
        """Return the partitions that have taken in something since they were saved."""

    async def snapshot(self, number: int) -> Snapshot | None:
        """Return the state of a partition; `None` if it is not held any more."""

    def saved(self, snapshot: Snapshot) -> None:
        """Take note that the group committed what `snapshot` stands for."""

    def lost(self, snapshot: Snapshot) -> None:
        """Give up a partition that is not this worker's any more, as the group said of its `snapshot`."""


@dataclass(slots=True)
class CheckpointTally:
    """What came of the checkpoints since the worker started."""

    written: int = 0
    failed: int = 0
    pause_s: float = 0.0
    """The longest time that a partition's work stood still for one."""
    write_s: float = 0.0
    """The longest time that writing one took, beside the work."""


class Checkpointing:
    """Saves states; a checkpoint counts from the moment its offsets are committed."""

    def __init__(
        self,
        store: CheckpointStore,
        states: States,
        group: Group,
        warned: Warned,
        clock: Callable[[], float],
        tally: CheckpointTally,
    ) -> None:
        self._store = store
        self._states = states
        self._group = group
        self._warned = warned
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()
        self.tally = tally

    async def save_moved(self) -> None:
        """Save every partition that has moved; what fails is logged, counted, and tried again next time."""
        async with self._one_at_a_time:
            for number in self._states.moved():
                try:
                    await self._save(number)
                except LapwingError as error:
                    self.tally.failed += 1
                    log.error("no checkpoint partition=%d: %s", number, error)

    async def _save(self, number: int) -> None:
        ends = await self._warned.ends()
        snapshot = await self._states.snapshot(number)
        if snapshot is None:
            return
        self.tally.pause_s = max(self.tally.pause_s, snapshot.pause_s)
        since = ends if snapshot.warned_since is None else snapshot.warned_since
        content = Content(snapshot.topics, since, snapshot.rule_set)
        begun = self._clock()
        checkpoint = await asyncio.to_thread(
            lambda: self._store.save(number, snapshot.make_tables(), content)
        )
        self.tally.write_s = max(self.tally.write_s, self._clock() - begun)
        await self._commit(snapshot, checkpoint)

    async def _commit(self, snapshot: Snapshot, checkpoint: Checkpoint) -> None:
        number = snapshot.partition
        offsets = {Place(topic, number): offset for topic, offset in checkpoint.offsets.items()}
        if await self._group.commit_as(offsets, snapshot.generation):
            self.tally.written += 1
            self._states.saved(snapshot)
            log.info("checkpoint partition=%d %s", number, checkpoint.path)
            await asyncio.to_thread(self._store.prune, number, checkpoint)
        else:
            log.warning("the group refused the commit: partition=%d is not ours any more", number)
            self._states.lost(snapshot)
            await asyncio.to_thread(self._store.discard, checkpoint)
