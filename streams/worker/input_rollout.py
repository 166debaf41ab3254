"""Mappings in a running worker: the file is watched, and each partition adopts what it says at a checkpoint.

What is read again after a crash is thereby mapped as it was before: a checkpoint names the file that its
offsets go on with, and holds it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Final

import polars as pl

from streams.core.steps import OperationsNotice
from streams.inputs.source import Source
from streams.inputs.watch import CheckpointedInputs, InputRevision, InputWatch, RefusedInputs
from streams.intake.poll import TopicPartition
from streams.worker.rule_notices import MISTAKES_SHOWN
from streams.worker.task import PartitionTask

log = logging.getLogger(__name__)

ADOPTED: Final = "inputs.adopted"
"""A partition maps its records by another file from now on."""
REFUSED: Final = "inputs.refused"
"""The file of inputs was refused; the one in force stays."""
ACCEPTED: Final = "inputs.accepted"
"""The file that was refused is right again."""
RESTART: Final = "inputs.restart_needed"
"""The file names other topics than the worker reads, or a source brings events of other topics."""


class InputRollout:
    """Decides by what file a partition's records are mapped, and gathers what is to be published of it."""

    def __init__(
        self, watch: InputWatch, worker: str = "worker", wall: Callable[[], float] = time.time
    ) -> None:
        self._watch = watch
        self._worker = worker
        self._wall = wall
        self._first = watch.current
        self.current = watch.current
        """What the file says, or said before it was refused."""
        self.adopted = 0
        """Changes of a partition's mapping."""
        self.refused = 0
        """Contents of the file that were refused."""
        self.mistakes: tuple[str, ...] = ()
        """Of the file as it is now, where it is refused."""
        self.waiting: tuple[str, ...] = ()
        """Topics whose source changes with a restart only."""
        self._notices: list[OperationsNotice] = []

    async def look(self) -> None:
        """Look at the file."""
        found = await asyncio.to_thread(self._watch.look)
        if isinstance(found, RefusedInputs):
            self.refused += 1
            self.mistakes = found.mistakes
            log.error("inputs refused, inputs=%s stays: %s", self.current.hash, "; ".join(found.mistakes))
            shown = [*found.mistakes[:MISTAKES_SHOWN]]
            if len(found.mistakes) > len(shown):
                shown.append(f"and {len(found.mistakes) - len(shown)} more")
            detail: dict[str, str | int] = {"mistakes": len(found.mistakes), "errors": "\n".join(shown)}
            self._note(REFUSED, None, detail | {"inputs": self.current.hash})
        elif found is not None:
            self._take(found)

    def take_notices(self) -> list[OperationsNotice]:
        """Return what is to be published since the last call."""
        notices, self._notices = self._notices, []
        return notices

    def begin(
        self,
        task: PartitionTask,
        kept: CheckpointedInputs | None = None,
        tables: Mapping[str, pl.DataFrame] | None = None,
    ) -> None:
        """Let a partition map by the file, or as its checkpoint has `kept` it while it repeats what was sent.

        What was sent before a crash was computed of records that the file of then had mapped.
        """
        revision = self.current
        if not self._first.sources:
            return  # whatever it says is not read from here
        if kept is not None and kept.hash != revision.hash and task.repeats_sent_steps:
            found = self._watch.read(kept, tables)
            if found is None:
                log.warning(
                    "the inputs that a checkpoint names cannot be read any more: those of the file are used, "
                    "partition=%(partition)d",
                    {"partition": task.number},
                )
            revision = found or revision
        task.partition.replace_sources(self._sources(revision))
        task.inputs = revision
        # A new partition has no checkpoint that would have to name the file.
        task.saved_inputs = revision.hash if not task.committed else kept.hash if kept is not None else None

    def pending(self, task: PartitionTask) -> InputRevision | None:
        """Return what a partition is to adopt at a checkpoint, if anything."""
        if task.inputs is None or task.repeats_sent_steps:
            return None
        same = task.inputs.hash == self.current.hash == task.saved_inputs
        return None if same else self.current

    def adopt(self, task: PartitionTask, revision: InputRevision) -> set[TopicPartition]:
        """Let a partition map by a file from where its checkpoint goes on; return what must be read again."""
        before = task.inputs
        again = task.adopt_inputs(revision, self._sources(revision))
        if before is None or before.hash == revision.hash:
            return again  # it ran already, and only the checkpoint did not know
        self.adopted += 1
        fields = {"partition": task.number, "before": before.hash, "inputs": revision.hash}
        log.info("inputs adopted partition=%(partition)d from=%(before)s to=%(inputs)s", fields)
        offsets = ",".join(f"{name}={at.offset}" for name, at in sorted(task.partition.positions().items()))
        detail = {"inputs_before": before.hash, "inputs": revision.hash, "offsets": offsets}
        topics = ",".join(sorted(place.topic for place in again))
        self._note(ADOPTED, task.number, {**detail, "read_again": topics})
        return again

    def _take(self, found: InputRevision) -> None:
        before, self.current = self.current, found
        log.info("inputs read inputs=%s before=%s", found.hash, before.hash)
        if self.mistakes:
            self.mistakes = ()
            log.info("inputs are accepted again inputs=%s", found.hash)
            self._note(ACCEPTED, None, {"inputs": found.hash})
        self.waiting = tuple(sorted(self._restart(found)))
        if self.waiting:
            log.warning(
                "the file of inputs names other topics than this worker reads, or other events of them: "
                "restart it for %s",
                ", ".join(self.waiting),
            )
            self._note(RESTART, None, {"inputs": found.hash, "topics": ",".join(self.waiting)})

    def _restart(self, found: InputRevision) -> set[str]:
        """Return the topics for which a worker must be started anew."""
        first = self._first.sources
        kept = first.keys() & found.sources.keys()
        other = {name for name in kept if not _alike(first[name], found.sources[name])}
        return (first.keys() ^ found.sources.keys()) | other

    def _sources(self, revision: InputRevision) -> dict[str, Source]:
        """Return what maps the topics that the worker reads; one that needs a restart stays as it is."""
        first = self._first.sources
        found = {}
        for name, source in first.items():
            now = revision.sources.get(name, source)
            now = now if _alike(source, now) else source
            found[name] = now
        return found

    def _note(self, kind: str, partition: int | None, detail: Mapping[str, str | int]) -> None:
        at = int(self._wall() * 1_000_000)
        self._notices.append(OperationsNotice(kind, at, partition, {**detail, "worker": self._worker}))


def _alike(one: Source, other: Source) -> bool:
    """Return whether two sources bring events of the same topics of the contract."""
    return set(one.topics) == set(other.topics)
