"""The states of a worker's tasks, as checkpoints are made of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from streams.checkpoints.save import StateSnapshot
from streams.core.state_tables import take
from streams.worker.assignment import AssignedPartitions
from streams.worker.outbox import Outbox
from streams.worker.rule_rollout import PendingAdoption, RuleRollout


class TaskStates:
    """Takes snapshots of the tasks between two steps, and lets tasks adopt rules at one."""

    def __init__(
        self,
        assignment: AssignedPartitions,
        outbox: Outbox,
        clock: Callable[[], float],
        rollout: RuleRollout | None = None,
    ) -> None:
        self._assignment = assignment
        self._outbox = outbox
        self._clock = clock
        self._rollout = rollout
        self._adopting: dict[int, PendingAdoption] = {}
        """Changes of rules whose checkpoint is being made."""

    def moved(self) -> list[int]:
        """Return the partitions that have taken in something since their last committed checkpoint."""
        return [
            number
            for number, task in sorted(self._assignment.tasks.items())
            if self._assignment.has_begun(task) and task.partition.positions() != task.committed
        ]

    async def snapshot(self, number: int) -> StateSnapshot | None:
        """Return the state of a partition; `None` if it is not assigned any more."""
        async with self._assignment.engine_lock:
            snapshot = await self._taken(number)
        await self._outbox.wait()
        return snapshot

    async def _taken(self, number: int) -> StateSnapshot | None:
        await self._outbox.ship_refusals()
        task, begun = self._assignment.tasks.get(number), self._clock()
        if task is None:
            return None
        engine, rules = task.engine, task.active_rules
        generation, positions = self._assignment.generation, task.partition.positions()
        sent_since = task.sent_since
        make_tables = await asyncio.to_thread(take, engine)
        return StateSnapshot(
            partition=number,
            make_tables=make_tables,
            topics=positions,
            generation=generation,
            rule_set=engine.rules.hash,
            sent_since=sent_since,
            refused_since=task.partition.refused_since,
            pause_s=self._clock() - begun,
            rules=rules.kept() if rules is not None else None,
        )

    def to_adopt(self) -> list[int]:
        """Return the partitions that other rules are ready for."""
        return [number for number in sorted(self._assignment.tasks) if self._pending(number) is not None]

    @asynccontextmanager
    async def adopting(self, number: int) -> AsyncIterator[StateSnapshot | None]:
        """Stop the engines, and give the state from which on other rules are to be in force, if any."""
        async with self._assignment.engine_lock:
            change, snapshot = self._pending(number), await self._taken(number)
            if change is None or snapshot is None:
                yield None
                return
            await self._outbox.wait()
            self._adopting[number] = change
            yield replace(snapshot, rule_set=change.then.rules.hash, rules=change.then.kept(change.adoption))

    async def adopt(self, snapshot: StateSnapshot) -> None:
        """Go over to the rules of a snapshot of `adopting` that the group has committed."""
        await self._adopt(self._adopting.pop(snapshot.partition))

    async def adopt_without_checkpoint(self) -> int:
        """Let every partition that other rules are ready for adopt them; return how many did."""
        if not self.to_adopt():
            return 0
        async with self._assignment.engine_lock:
            changes = [change for change in map(self._pending, self.to_adopt()) if change is not None]
            for change in changes:
                await self._adopt(change)
        return len(changes)

    async def _adopt(self, change: PendingAdoption) -> None:
        assert self._rollout is not None
        await self._outbox.ship(change.task, self._rollout.adopt(change))

    def _pending(self, number: int) -> PendingAdoption | None:
        """Return the change of rules that a partition is ready for; it must have begun."""
        task = self._assignment.tasks.get(number)
        if self._rollout is None or task is None or not self._assignment.has_begun(task):
            return None
        return self._rollout.pending(task)

    def saved(self, snapshot: StateSnapshot) -> None:
        """Remember that the group committed what `snapshot` stands for."""
        task = self._assignment.tasks.get(snapshot.partition)
        if task is not None and self._assignment.generation == snapshot.generation:
            task.mark_committed(snapshot.topics)

    def lost(self, snapshot: StateSnapshot) -> None:
        """Give up a partition that is not this worker's any more, as the group refused its `snapshot`."""
        if self._assignment.generation == snapshot.generation:
            self._assignment.give_up(snapshot.partition)
