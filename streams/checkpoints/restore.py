"""What the state of a partition goes on from: its checkpoint is found, checked and loaded."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

import polars as pl

from streams.checkpoints.store import Checkpoint, CheckpointStore
from streams.core.engine import Engine
from streams.core.engine_io import Output
from streams.core.removal import erase
from streams.core.state_tables import StateMismatch, restore
from streams.errors import REBUILD, StateError
from streams.inputs.watch import RATES_TABLE
from streams.intake.poll import TopicPartition
from streams.intake.sent_steps import SentSteps
from streams.intake.standing_refusals import StandingRefusals
from streams.rulebook.revisions import ActiveRules, RuleRevisions
from streams.telemetry.logs import log_context

log = logging.getLogger(__name__)

_Read = TypeVar("_Read")


class ConsumerGroup(Protocol):
    """The consumer group, as far as a state depends on it."""

    async def committed(self, places: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the committed offsets of `places`, where there are any."""

    async def earliest(self, places: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the offset of the first record that each of `places` still has."""

    async def commit_as(self, offsets: Mapping[TopicPartition, int], generation: int) -> bool:
        """Commit in one request as a member of `generation`; return whether the group took it."""


class SentStepsReader(Protocol):
    """The warnings topic, as far as a state depends on it."""

    async def ends(self) -> dict[int, int]:
        """Return, by partition, the offset that the next record will get."""

    async def since(self, offsets: Mapping[int, int]) -> SentSteps:
        """Return the steps from `offsets` on."""


class RefusalsReader(Protocol):
    """The rejected topic, as far as a state depends on it."""

    async def ends(self) -> dict[int, int]:
        """Return, by partition, the offset that the next record will get."""

    async def since(self, offsets: Mapping[int, int]) -> StandingRefusals:
        """Return the refusals from `offsets` on that hold when their records are read again."""


@dataclass(frozen=True, slots=True)
class RestoredPartition:
    """A partition's engine as it goes on."""

    engine: Engine
    checkpoint: Checkpoint | None
    """What it was restored from; `None` for a new one, which begins with the earliest records."""
    adopted: Output = field(default_factory=Output)
    """What came of adopting the rules in force, and of erasures that the state had yet to carry out."""
    sent_steps: SentSteps = field(default_factory=SentSteps)
    refusals: StandingRefusals = field(default_factory=StandingRefusals)
    active_rules: ActiveRules | None = None
    """The rules it goes on under, where the worker knows of rule files."""
    adoption: Mapping[str, object] | None = None
    """What is to be published about adopting them, if that is news."""
    has_erased: bool = False
    """Whether customers were erased whom the checkpoint still has."""
    input_tables: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    """What the checkpoint holds of the inputs beside their text."""


class StateRestorer:
    """Finds and loads the states of partitions.

    `partitions` is the number that the input topics have, and `topic_ids` are their ids. With
    `from_checkpoints`, a partition of which the group has no offsets goes on from its newest committed
    checkpoint.
    """

    def __init__(
        self,
        store: CheckpointStore,
        topics: Collection[str],
        engines: Callable[[int], Engine],
        group: ConsumerGroup,
        sent_steps: SentStepsReader,
        refusals: RefusalsReader,
        revisions: RuleRevisions | None = None,
        *,
        partitions: int | None = None,
        topic_ids: Mapping[str, str] | None = None,
        from_checkpoints: bool = False,
    ) -> None:
        self._revisions = revisions
        self._store = store
        self._topics = tuple(topics)
        self._engines = engines
        self._group = group
        self._sent_steps = sent_steps
        self._refusals = refusals
        self._partitions = partitions
        self._topic_ids = topic_ids or {}
        self._from_checkpoints = from_checkpoints

    async def committed(self, numbers: Collection[int]) -> dict[int, dict[str, int]]:
        """Return, by partition, the committed offsets of its topics, where there are any."""
        offsets = await self._group.committed(self._places(numbers))
        return {
            number: {place.topic: at for place, at in offsets.items() if place.partition == number}
            for number in numbers
        }

    async def load(self, committed: Mapping[int, Mapping[str, int]]) -> dict[int, RestoredPartition]:
        """Return the state of every partition in `committed`, as the group's offsets there demand it.

        Raises `StateError` where the state cannot be had and would not come out the same if it were rebuilt.
        """
        earliest = await self._group.earliest(self._places(committed))
        found = {}
        for number, offsets in committed.items():
            begins = {place.topic: at for place, at in earliest.items() if place.partition == number}
            with log_context(partition=number):
                found[number] = await asyncio.to_thread(self._load, number, offsets, begins)
        content = {n: r.checkpoint.content for n, r in found.items() if r.checkpoint is not None}
        sent_steps = await _read_each(
            self._sent_steps.since, {n: content[n].warnings if n in content else {} for n in found}
        )
        refusals = await _read_each(
            self._refusals.since, {n: content[n].rejected if n in content else {} for n in found}
        )
        return {
            n: replace(restored, sent_steps=sent_steps[n], refusals=refusals[n])
            for n, restored in found.items()
        }

    def _load(
        self, number: int, committed: Mapping[str, int], begins: Mapping[str, int]
    ) -> RestoredPartition:
        engine = self._engines(number)
        newest = next((c for c in reversed(self._store.whole(number)) if c.is_committed), None)
        if newest is not None:
            check_partitions(newest, self._partitions)
            check_topic_ids(newest, self._topic_ids)
            if not committed and self._from_checkpoints:
                committed = {
                    topic: newest.offsets[topic] for topic in self._topics if topic in newest.offsets
                }
                log.warning(
                    "partition=%(partition)d goes on from %(checkpoint)s, as asked",
                    {"partition": number, "checkpoint": newest.path},
                )
            check_group(number, newest, self._topics, committed)
        if not committed:
            log.info("new state partition=%(partition)d", {"partition": number})
            return RestoredPartition(engine, None)
        loaded = self._store.load(number, dict.fromkeys(self._topics, 0) | dict(committed))
        if loaded is None:
            self._check_whole(number, committed, begins)
            log.warning(
                "no checkpoint although offsets are committed: rebuilding partition=%(partition)d",
                {"partition": number},
            )
            return RestoredPartition(engine, None)
        checkpoint, tables = loaded
        check_partitions(checkpoint, self._partitions)
        check_topic_ids(checkpoint, self._topic_ids)
        _check_followed(checkpoint, begins)
        active = self._active_rules(checkpoint)
        if active is not None:
            engine.replace_rules(active.rules)
        try:
            restore(engine, tables)
        except StateMismatch as error:
            message = (
                f"{checkpoint.path}: {error}: set it back, or name an empty place for `checkpoints`, and the "
                "state is rebuilt from the topics"
            )
            raise StateError(message) from error
        log.info(
            "restored partition=%(partition)d checkpoint=%(checkpoint)s",
            {"partition": number, "checkpoint": checkpoint.path, "offsets": checkpoint.offsets},
        )
        kept = checkpoint.content.rules
        adoption = kept.adoption if kept is not None else None
        adopted, has_erased = engine.adopt(), bool(engine.erased.pending)
        engine, withdrawn = erase(engine)
        adopted.steps += withdrawn.steps
        return RestoredPartition(
            engine,
            checkpoint,
            adopted,
            active_rules=active,
            adoption=adoption,
            has_erased=has_erased,
            input_tables={name: tables[name] for name in (RATES_TABLE,) if name in tables},
        )

    def _active_rules(self, checkpoint: Checkpoint) -> ActiveRules | None:
        """Return the rules that a checkpoint says are in force, or else, those of the files."""
        if self._revisions is None:
            return None
        content = checkpoint.content
        if content.rules is not None:
            active = self._revisions.restored(content.rule_set, content.rules)
            if active is not None:
                return active
            log.warning(
                "%(checkpoint)s: its rules cannot be read any more: those of the files are used",
                {"checkpoint": checkpoint.path},
            )
        return self._revisions.begin()

    def _check_whole(self, number: int, committed: Mapping[str, int], begins: Mapping[str, int]) -> None:
        """Raise unless everything that was committed can be read again."""
        gone = [f"{topic}/{number} begins at {begins[topic]}" for topic in committed if begins.get(topic, 0)]
        if gone:
            message = (
                f"{self._store.place} has no checkpoint of partition {number} for the committed offsets, and "
                f"the records before them are gone from the topics ({', '.join(gone)}): name the place "
                "where the checkpoints are, or delete the consumer group to begin with what the topics "
                "still have"
            )
            raise StateError(message)

    def _places(self, numbers: Collection[int]) -> Sequence[TopicPartition]:
        return [TopicPartition(topic, number) for number in sorted(numbers) for topic in self._topics]


def check_group(
    number: int, newest: Checkpoint, topics: Collection[str], committed: Mapping[str, int]
) -> None:
    """Raise unless the group knows what it committed with the newest checkpoint."""
    if not committed:
        message = (
            f"the group has no offsets of partition {number}, which it committed with {newest.path}: "
            "they expired or were deleted. If the topics are still the same, go on from the checkpoints "
            f"with `lapwing worker --from-checkpoints`; if they are not, {REBUILD}"
        )
        raise StateError(message)
    unknown = [t for t in topics if newest.offsets.get(t, 0) and t not in committed]
    if unknown:
        place = ", ".join(f"{topic}/{number}" for topic in unknown)
        message = (
            f"the group has no offset of {place}, which it committed with {newest.path}: the topic was "
            f"made anew, or its offsets were deleted; {REBUILD}"
        )
        raise StateError(message)
    behind = [t for t in topics if committed.get(t, 0) < newest.offsets.get(t, 0)]
    if behind:
        place = ", ".join(
            f"{topic}/{number} from {newest.offsets[topic]} to {committed.get(topic, 0)}" for topic in behind
        )
        message = (
            f"the group's offsets were set back after {newest.path} was committed ({place}), and no "
            f"state fits them; {REBUILD}"
        )
        raise StateError(message)


async def _read_each(
    read: Callable[[Mapping[int, int]], Awaitable[_Read]], offsets: Mapping[int, Mapping[int, int]]
) -> dict[int, _Read]:
    """Return, by partition, what one of the worker's own topics holds from its offsets on.

    Without offsets that is all of it, which is read once for all such partitions.
    """
    found: dict[int, _Read] = {}
    whole: _Read | None = None
    for number, since in offsets.items():
        if since:
            found[number] = await read(since)
        else:
            found[number] = whole = whole if whole is not None else await read({})
    return found


def check_partitions(checkpoint: Checkpoint, partitions: int | None) -> None:
    """Raise if the input topics have another number of partitions than a checkpoint was made with."""
    before = checkpoint.content.partitions
    if before is None or partitions is None or before == partitions:
        return
    message = (
        f"{checkpoint.path} was made when the input topics had {before} partitions, and they have "
        f"{partitions}: customers have moved to other partitions, and their states have not; {REBUILD}"
    )
    raise StateError(message)


def check_topic_ids(checkpoint: Checkpoint, ids: Mapping[str, str]) -> None:
    """Raise if a topic is another one than that which a checkpoint was made of, though it has its name."""
    before = checkpoint.content.topic_ids
    anew = sorted(topic for topic, known in ids.items() if before.get(topic, known) != known)
    if anew:
        message = (
            f"{', '.join(anew)}: deleted and made anew since {checkpoint.path} was written, so its state "
            f"knows other records than the topic has; {REBUILD}"
        )
        raise StateError(message)


def check_all_partitions(store: CheckpointStore, partitions: int, ids: Mapping[str, str]) -> None:
    """Raise if any state was made of other input topics: of as many partitions, or of that name only."""
    for number in store.partitions():
        whole = store.whole(number)
        committed = [checkpoint for checkpoint in whole if checkpoint.is_committed]
        for checkpoint in (committed or whole)[-1:]:
            check_partitions(checkpoint, partitions)
            check_topic_ids(checkpoint, ids)


def _check_followed(checkpoint: Checkpoint, begins: Mapping[str, int]) -> None:
    """Raise if records that the checkpoint goes on with are gone."""
    gone = [
        f"{topic} goes on at {offset} and begins at {begins[topic]}"
        for topic, offset in checkpoint.offsets.items()
        if offset < begins.get(topic, 0)
    ]
    if gone:
        message = (
            f"{checkpoint.path}: the broker no longer has the records that follow this checkpoint "
            f"({', '.join(gone)}): they were deleted before they were read; {REBUILD}"
        )
        raise StateError(message)
