"""The states of a worker's tasks, as checkpoints are made of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from streams.checkpoints.save import StateSnapshot
from streams.core.erasures import Erasure
from streams.core.model.logistic import Model
from streams.core.state_tables import take
from streams.inputs.watch import InputRevision
from streams.worker.assignment import AssignedPartitions
from streams.worker.erasure_rollout import ErasureRollout
from streams.worker.input_rollout import InputRollout
from streams.worker.model_rollout import ModelRollout
from streams.worker.outbox import Outbox
from streams.worker.rule_rollout import PendingAdoption, RuleRollout
from streams.worker.task import PartitionTask


@dataclass(frozen=True, slots=True)
class _Pending:
    """What a partition is ready to go over to: other rules, another model, fewer customers, other inputs."""

    task: PartitionTask
    rules: PendingAdoption | None
    model: Model | None
    erasures: list[Erasure]
    inputs: InputRevision | None

    @property
    def version_before(self) -> str | None:
        model = self.task.engine.scorer.model
        return model.version if model is not None else None


class TaskStates:
    """Takes snapshots of the tasks between two steps, and lets tasks adopt rules and models at one."""

    def __init__(
        self,
        assignment: AssignedPartitions,
        outbox: Outbox,
        clock: Callable[[], float],
        rollout: RuleRollout | None = None,
        models: ModelRollout | None = None,
        wall: Callable[[], float] = time.time,
        erasures: ErasureRollout | None = None,
        inputs: InputRollout | None = None,
    ) -> None:
        self._inputs = inputs
        self._assignment = assignment
        self._outbox = outbox
        self._clock = clock
        self._rollout = rollout
        self._models = models
        self._wall = wall
        self._erasures = erasures
        self._adopting: dict[int, tuple[_Pending, str | None]] = {}
        """Changes whose checkpoint is being made, with the version of the model before."""

    def moved(self) -> list[int]:
        """Return the partitions that have taken in something since their last committed checkpoint."""
        return [
            number
            for number, task in sorted(self._assignment.tasks.items())
            if self._assignment.has_begun(task)
            and (task.holds_erased or task.partition.positions() != task.committed)
        ]

    def holding_erased(self) -> list[int]:
        """Return the partitions whose checkpoints may hold customers who were erased."""
        return [
            number
            for number, task in sorted(self._assignment.tasks.items())
            if task.holds_erased and self._assignment.has_begun(task)
        ]

    def cleaned(self, snapshot: StateSnapshot) -> None:
        """Remember that no checkpoint is left that is older than `snapshot`."""
        task = self._assignment.tasks.get(snapshot.partition)
        if task is not None and snapshot.follows_erasure:
            task.holds_erased = False

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
            follows_erasure=task.holds_erased and not task.engine.erased.pending,
            inputs=task.inputs,
        )

    def to_adopt(self) -> list[int]:
        """Return the partitions that other rules, another model, erasures or inputs are ready for."""
        return [number for number in sorted(self._assignment.tasks) if self._pending(number) is not None]

    @asynccontextmanager
    async def adopting(self, number: int) -> AsyncIterator[StateSnapshot | None]:
        """Stop the engines, and give the state from which on other rules or models are in force, if any.

        The engine has the model already, and the erasures are pending, as its state has them; it goes back to
        what was before unless `adopt` is called.
        """
        async with self._assignment.engine_lock:
            change = self._pending(number)
            if change is None:
                yield None
                return
            engine, before = change.task.engine, change.version_before
            state, erased = engine.scorer.state(), engine.erased.state()
            if change.model is not None:
                engine.scorer.adopt(change.model)
            engine.erased.adopt(change.erasures)
            self._adopting[number] = change, before
            try:
                snapshot = await self._taken(number)
                await self._outbox.wait()
                if snapshot is not None and change.rules is not None:
                    then = change.rules.then
                    kept = then.kept(change.rules.adoption)
                    snapshot = replace(snapshot, rule_set=then.rules.hash, rules=kept)
                if snapshot is not None and change.inputs is not None:
                    snapshot = replace(snapshot, inputs=change.inputs)
                yield snapshot
            finally:
                if self._adopting.pop(number, None) is not None:
                    engine.erased.restore(erased[0], dict(erased[1]))
                    if change.model is not None:
                        engine.scorer.restore(state)

    async def adopt(self, snapshot: StateSnapshot) -> int:
        """Go over to what a snapshot of `adopting` says, which the group has committed.

        Return how many changes of rules that is.
        """
        return await self._adopted(*self._adopting.pop(snapshot.partition))

    async def adopt_without_checkpoint(self) -> int:
        """Let every partition adopt what is ready for it; return how many changes of rules that is."""
        if not self.to_adopt():
            return 0
        count = 0
        async with self._assignment.engine_lock:
            for change in [each for each in map(self._pending, self.to_adopt()) if each is not None]:
                before = change.version_before
                if change.model is not None:
                    change.task.engine.scorer.adopt(change.model)
                change.task.engine.erased.adopt(change.erasures)
                count += await self._adopted(change, before)
        return count

    async def _adopted(self, change: _Pending, version_before: str | None) -> int:
        if change.model is not None and self._models is not None:
            self._models.adopted(change.task, version_before, int(self._wall() * 1_000_000))
        if change.inputs is not None:
            assert self._inputs is not None
            self._assignment.read_again(self._inputs.adopt(change.task, change.inputs))
        if change.rules is not None:
            assert self._rollout is not None
            await self._outbox.ship(change.task, self._rollout.adopt(change.rules))
        if change.erasures:
            await self._erase(change.task, len(change.erasures))
        return 0 if change.rules is None else 1

    async def _erase(self, task: PartitionTask, erasures: int) -> None:
        """Carry out what is pending; what was withdrawn is sent before the state is saved without it."""
        assert self._erasures is not None
        before = task.engine.customers.known
        await self._outbox.ship(task, await asyncio.to_thread(task.erase))
        customers = before - task.engine.customers.known
        self._erasures.carried_out(task, erasures, customers, int(self._wall() * 1_000_000))

    def _pending(self, number: int) -> _Pending | None:
        """Return what a partition is ready for; it must have begun."""
        task = self._assignment.tasks.get(number)
        if task is None or not self._assignment.has_begun(task):
            return None
        rules = self._rollout.pending(task) if self._rollout is not None else None
        model = self._models.pending(task) if self._models is not None else None
        erasures = self._erasures.pending(task) if self._erasures is not None else []
        inputs = self._inputs.pending(task) if self._inputs is not None else None
        if rules is None and model is None and not erasures and inputs is None:
            return None
        return _Pending(task, rules, model, erasures, inputs)

    def saved(self, snapshot: StateSnapshot) -> None:
        """Remember that the group committed what `snapshot` stands for."""
        task = self._assignment.tasks.get(snapshot.partition)
        if task is not None and self._assignment.generation == snapshot.generation:
            task.mark_committed(snapshot.topics)
            task.saved_inputs = snapshot.inputs.hash if snapshot.inputs is not None else None

    def lost(self, snapshot: StateSnapshot) -> None:
        """Give up a partition that is not this worker's any more, as the group refused its `snapshot`."""
        if self._assignment.generation == snapshot.generation:
            self._assignment.give_up(snapshot.partition)
