"""The partitions that the group assigns to this worker: their tasks come and go with the assignments."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable

from streams.checkpoints.restore import RestoredPartition, StateRestorer
from streams.core.engine import Engine
from streams.errors import BrokerError
from streams.intake.partition import Partition, StepEngine
from streams.intake.poll import ReaderControl, TopicPartition
from streams.intake.standing_refusals import StandingRefusals
from streams.worker.erasure_rollout import ErasureRollout
from streams.worker.input_rollout import InputRollout
from streams.worker.outbox import Outbox
from streams.worker.rule_rollout import RuleRollout
from streams.worker.task import PartitionTask

log = logging.getLogger(__name__)


class AssignedPartitions:
    """A task for each partition of the assignment: new, kept, or restored from its checkpoint."""

    def __init__(
        self,
        control: ReaderControl,
        partitions: Callable[[int, StepEngine, StandingRefusals], Partition],
        engines: Callable[[int], StepEngine],
        outbox: Outbox,
        restorer: StateRestorer | None = None,
        rollout: RuleRollout | None = None,
        erasures: ErasureRollout | None = None,
        inputs: InputRollout | None = None,
    ) -> None:
        self._control = control
        self._partitions = partitions
        self._engines = engines
        self._outbox = outbox
        self._restorer = restorer
        self._rollout = rollout
        self._erasures = erasures
        self._inputs = inputs
        self.tasks: dict[int, PartitionTask] = {}
        self.engine_lock = asyncio.Lock()
        """Taken while engines step or their states are copied."""
        self.closed = False
        self.count = 0
        """How many assignments there have been."""
        self.generation = -1
        """The group's, of the last assignment."""
        self._kept: dict[int, PartitionTask] = {}
        """Tasks of the assignment before, until it is known that no other worker had them meanwhile."""
        self._loading: asyncio.Task[None] | None = None

    def core_engines(self) -> dict[int, Engine]:
        """Return the engines of the partitions by number, in order."""
        found = {n: task.partition.engine for n, task in sorted(self.tasks.items())}
        return {n: engine for n, engine in found.items() if isinstance(engine, Engine)}

    def position(self, place: TopicPartition) -> int | None:
        """Return the position of the state of `place`, which is sought after an assignment.

        A new engine knows nothing, so its partition is read from the earliest record (`None`). A state that
        was loaded from a checkpoint is at that checkpoint's offsets.
        """
        task = self.tasks.get(place.partition)
        return task.partition.position(place.topic) if task is not None else None

    def begin(self, place: TopicPartition, offset: int) -> None:
        """Let a new state begin at the earliest offset of `place`."""
        task = self.tasks.get(place.partition)
        if task is not None:
            task.partition.begin(place.topic, offset)

    def has_begun(self, task: PartitionTask) -> bool:
        """Return whether it is known of each of its topics where it is read from."""
        return len(task.partition.positions()) == len(self._control.topics)

    def assign(self, places: set[TopicPartition], generation: int) -> None:
        """Drop the tasks that were lost and begin those that are new."""
        numbers = {place.partition for place in places}
        torn = {TopicPartition(name, number) for name in self._control.topics for number in numbers} - places
        if torn:
            message = f"the group tore co-partitioned topics apart: {', '.join(map(str, sorted(torn)))}"
            raise BrokerError(message)
        self.count += 1
        log.info(
            "assigned partitions=%(partitions)s",
            {"partitions": ",".join(map(str, sorted(numbers))) or "none: others have all, this one waits"},
        )
        # Without a gap nobody had them meanwhile; with one, another worker may have changed their rules.
        follows = generation <= self.generation + 1
        self.generation = generation
        if self._restorer is None:
            self._assign_new(numbers)
            return
        kept = (self._kept | self.tasks).items()
        self._kept = {n: task for n, task in kept if n in numbers and (follows or not task.committed)}
        self.tasks = {}
        self._control.loading, self._control.progress = frozenset(places), {}
        if self._loading is not None:
            self._loading.cancel()
        self._loading = asyncio.ensure_future(self._load(self._restorer, numbers))

    def read_again(self, places: Iterable[TopicPartition]) -> None:
        """Have places read again from the positions of their states."""
        for place in places:
            self._control.seek(place)

    def give_up(self, number: int) -> None:
        """Drop a task whose partition the group has given to another worker."""
        self.tasks.pop(number, None)

    def check(self) -> None:
        """Raise why the states could not be loaded, if they could not."""
        if self._loading is not None and self._loading.done() and not self._loading.cancelled():
            self._loading.result()

    def close(self) -> None:
        """Give up all partitions: nothing is put out any more."""
        if self._loading is not None:
            self._loading.cancel()
        self.closed = True

    def _assign_new(self, numbers: Collection[int]) -> None:
        """Keep the tasks that are here; the others begin with the earliest records."""
        self.tasks = {number: task for number, task in self.tasks.items() if number in numbers}
        for number in sorted(numbers - self.tasks.keys()):
            self.tasks[number] = self._new(
                PartitionTask(self._partitions(number, self._engines(number), StandingRefusals()))
            )

    async def _load(self, restorer: StateRestorer, numbers: Collection[int]) -> None:
        """Let every partition go on from the group's offsets: as it is here, or as it was saved."""
        assignment = self.count
        committed = await restorer.committed(numbers)
        own = {n: {t: at.offset for t, at in task.committed.items()} for n, task in self._kept.items()}
        tasks = {n: task for n, task in self._kept.items() if own[n] == committed[n]}
        loaded = await restorer.load({n: committed[n] for n in sorted(numbers) if n not in tasks})
        async with self.engine_lock:
            if self.count != assignment:
                return  # assigned anew, and so to be loaded anew
            for number, restored in loaded.items():
                tasks[number] = await self._restored(number, restored)
            self.tasks, self._kept = tasks, {}
            self._control.loading = frozenset()  # last: from now on the transport seeks

    async def _restored(self, number: int, restored: RestoredPartition) -> PartitionTask:
        partition = self._partitions(number, restored.engine, restored.refusals)
        if restored.checkpoint is None:
            return self._new(PartitionTask(partition, sent_steps=restored.sent_steps))
        positions = restored.checkpoint.content.topics
        partition.resume(positions)
        task = PartitionTask(
            partition,
            committed=positions,
            sent_steps=restored.sent_steps,
            active_rules=restored.active_rules,
            holds_erased=restored.has_erased,
        )
        if self._inputs is not None:
            self._inputs.begin(task, restored.checkpoint.content.inputs, restored.input_tables)
        if self._rollout is not None:
            self._rollout.resume(task, restored)
        await self._outbox.ship(task, restored.adopted)
        return task

    def _new(self, task: PartitionTask) -> PartitionTask:
        if self._rollout is not None:
            self._rollout.begin(task)
        if self._inputs is not None:
            self._inputs.begin(task)
        if self._erasures is not None and isinstance(task.partition.engine, Engine):
            task.partition.engine = self._erasures.begin(task.partition.engine)
        return task
