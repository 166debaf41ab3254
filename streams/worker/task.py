"""A task: one partition at work in this worker, with what the worker knows of its state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from streams.core.engine import Engine
from streams.core.engine_io import Output
from streams.core.removal import erase
from streams.inputs.watch import InputRevision
from streams.intake.lane import InputSource
from streams.intake.merge import TopicPosition
from streams.intake.partition import Partition
from streams.intake.poll import TopicPartition
from streams.intake.sent_steps import SentSteps
from streams.rulebook.revisions import ActiveRules


class PartitionTask:
    """A partition's input and engine, the rules it runs, and what group and warnings topic hold of it."""

    def __init__(
        self,
        partition: Partition,
        *,
        committed: Mapping[str, TopicPosition] | None = None,
        sent_steps: SentSteps | None = None,
        active_rules: ActiveRules | None = None,
        holds_erased: bool = False,
    ) -> None:
        self.partition = partition
        self._committed: Mapping[str, TopicPosition] = committed or {}
        self._sent_steps = sent_steps if sent_steps is not None and sent_steps.ids else None
        self._active_rules = active_rules
        self.holds_erased = holds_erased
        """Whether checkpoints may still hold customers who are not in the state any more."""
        self.inputs: InputRevision | None = None
        """The file by which its records are mapped; `None` where the worker has none."""
        self.saved_inputs: str | None = None
        """The hash of the file that its newest checkpoint names."""

    @property
    def number(self) -> int:
        """Return the partition's number."""
        return self.partition.number

    @property
    def engine(self) -> Engine:
        """Return the engine, which must be a real one where its rules or its state are read."""
        assert isinstance(self.partition.engine, Engine)
        return self.partition.engine

    # -- what the group has committed -------------------------------------------------------------

    @property
    def committed(self) -> Mapping[str, TopicPosition]:
        """Return, by topic, the positions of the newest checkpoint that the group has committed."""
        return self._committed

    def mark_committed(self, positions: Mapping[str, TopicPosition]) -> None:
        """Remember that the group has committed a checkpoint of these positions."""
        self._committed = positions

    # -- the rules it runs ------------------------------------------------------------------------

    @property
    def active_rules(self) -> ActiveRules | None:
        """Return the rules it runs; `None` where the worker has no rule files."""
        return self._active_rules

    def adopt(self, rules: ActiveRules) -> Output:
        """Go over to other rules, and return what comes of it."""
        self._active_rules = rules
        return self.engine.replace_rules(rules.rules)

    # -- how its records are mapped ---------------------------------------------------------------

    def adopt_inputs(
        self, revision: InputRevision, sources: Mapping[str, InputSource]
    ) -> set[TopicPartition]:
        """Map by another file, which the newest checkpoint names; return the places to be read again."""
        self.inputs, self.saved_inputs = revision, revision.hash
        return self.partition.replace_sources(sources)

    # -- who was erased ---------------------------------------------------------------------------

    def erase(self) -> Output:
        """Carry out the erasures that are pending, and return what comes of it."""
        self.partition.engine, output = erase(self.engine)
        self.holds_erased = True
        return output

    # -- what the warnings topic holds ------------------------------------------------------------

    @property
    def sent_since(self) -> Mapping[int, int] | None:
        """Return the offsets of the warnings topic that sent steps were read from, while they are needed."""
        return self._sent_steps.since if self._sent_steps is not None else None

    @property
    def repeats_sent_steps(self) -> bool:
        """Whether the engine still computes steps that were sent before a crash.

        The topic may hold later ones of other partitions: where all input was taken none is left to repeat.
        """
        sent = self._sent_steps
        if sent is None or self.partition.has_taken_all:
            return False
        engine, (midnight, next_sweep, _) = self.engine, self.engine.place
        # A sweep is made when the first event after it is released; the watermark may have passed it before.
        is_due = midnight is not None and min(midnight, next_sweep) <= sent.until
        return is_due or engine.reorder.watermark <= sent.until

    def drop_sent(self, output: Output) -> Output:
        """Return `output` without the steps that the warnings topic holds."""
        sent = self._sent_steps
        if sent is None:
            return output
        if not self.repeats_sent_steps:
            self._sent_steps = None  # from the next output on: this one may have come to that instant
        return replace(output, steps=[step for step in output.steps if step.id not in sent.ids])
