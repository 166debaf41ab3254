"""What a worker does with its input: take a poll, release in event time, step the engine, ship.

Nothing here knows Faust: polls come in, records and committable offsets go out.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from streams.checkpoints.restore import ConsumerGroup, RefusalsReader, SentStepsReader, StateRestorer
from streams.checkpoints.save import CheckpointSaver, CheckpointTotals
from streams.checkpoints.store import CheckpointStore
from streams.core.engine import Engine
from streams.core.events.calendar import NEVER, SECOND
from streams.core.events.topics import Topic
from streams.core.model.prequential import QUALITY_MEASURES
from streams.core.steps import Tier
from streams.inputs.formats.reading import SchemasWanted
from streams.intake.originals import OriginalRecords
from streams.intake.partition import Partition, PartitionTotals, PollOutcome, StepEngine
from streams.intake.poll import Poll, ReaderControl, ReadProgress, TopicPartition
from streams.intake.standing_refusals import StandingRefusals
from streams.telemetry.histogram import HistogramFigures
from streams.worker.assignment import AssignedPartitions
from streams.worker.delivery import OutputRouter, RecordDelivery, Send
from streams.worker.erasure_rollout import ErasureRollout
from streams.worker.input_rollout import InputRollout
from streams.worker.model_rollout import ModelRollout
from streams.worker.model_watch import ModelWatch, missing
from streams.worker.outbox import Outbox
from streams.worker.refusal_log import RefusalLog
from streams.worker.rule_rollout import RuleReloader, opened, rule_sets
from streams.worker.schema_wait import SchemaWait
from streams.worker.settings import WorkerSettings
from streams.worker.stall_watch import PartitionProgress, StallDetector
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


@dataclass(frozen=True, slots=True)
class Stats:
    """What a worker has done since it started, and how far it is."""

    events: int
    steps: int
    refused: int
    refused_by_reason: dict[str, int]
    late: int
    repeats: int
    erased: int
    """Events of erased customers that are dated before the erasure."""
    ignored_actions: int
    forgotten: int
    """Customers who left the state (`forget_after`)."""
    unknown_words: dict[str, int]
    """By field of profiles and orders, events whose word was beyond the field's bound (`max_words`)."""
    reread: int
    lag: dict[str, int]
    """By `topic/partition`: records that the broker has and the engine has not."""
    behind: list[str]
    """The `topic/partition`s that others wait for."""
    open_transactions: list[str]
    """The `topic/partition`s that are read up to a transaction that is neither committed nor aborted."""
    schema_wait: list[str]
    """The `topic/partition`s whose records wait for schemas that are being fetched from the registry."""
    stalled: dict[str, float]
    """By `topic/partition`: seconds that it has not moved although it has lag, from `STALLED_S` on."""
    checkpoints: int
    checkpoints_failed: int
    checkpoint_pause_s: float
    """The longest time that a partition's work stopped for a checkpoint."""
    rule_set: str | None
    """What the worker's rule files say; `None` where it does not look at any."""
    rule_sets: dict[str, str]
    """By partition: what it runs."""
    rules_adopted: int
    """Changes of a partition's rules."""
    rules_refused: int
    """Sets in the files that were refused."""
    rules_differ: dict[str, str]
    """Partitions that run other rules than the files say, with the set they run; `segments/N` of segments."""
    rule_mistakes: tuple[str, ...]
    """Of the rule files as they are now, where they are refused."""
    inputs: str | None
    """What the file of inputs says; `None` where there is none."""
    inputs_by_partition: dict[str, str]
    """By partition: the inputs by which its records are mapped."""
    inputs_adopted: int
    """Changes of a partition's mapping."""
    inputs_refused: int
    """Contents of the file of inputs that were refused."""
    input_mistakes: tuple[str, ...]
    """Of that file as it is now, where it is refused."""
    inputs_restart: tuple[str, ...]
    """Topics for whose change in the file of inputs the worker must be started again."""
    passed_by_topic: dict[str, int]
    """By topic of a source, records that none of its events took."""
    models: dict[str, str]
    """By partition: the version of the model that scores, ready or not."""
    models_ready: dict[str, bool]
    """By partition: whether it has learned enough to score."""
    models_missing: dict[str, str]
    """By partition whose own model is not ready: what is missing, and how long that takes."""
    opened: dict[str, dict[str, int]]
    """By rule and its status: causes opened since the assigned partitions began, shadow rules' too."""
    events_by_topic: dict[str, int]
    late_by_topic: dict[str, int]
    repeats_by_topic: dict[str, int]
    refused_by_topic: dict[str, dict[str, int]]
    """By topic and reason."""
    openings: list[tuple[str, str, str, int]]
    """Rule, tier, status, and the causes opened since the worker started."""
    customers: int
    """Who are known in the assigned partitions."""
    open_warnings: dict[str, int]
    """By tier."""
    sweeps: int
    sweep_seconds: HistogramFigures
    """How long a call of the engine lasted that passed sweeps, by sweep; its events are in it."""
    produce_to_warning_seconds: HistogramFigures
    """From Kafka's timestamp of the record that made a step until the broker had the step."""
    outgoing: int
    """Records on their way to the broker."""
    outgoing_since: float | None
    """When the oldest of them was sent, seconds since the epoch."""
    checkpoint_seconds: HistogramFigures
    """How long writing a checkpoint took, beside the work."""
    checkpoint_at: dict[str, float]
    """By partition: when its state was last known to be saved, seconds since the epoch."""
    checkpoint_bytes: dict[str, int]
    """By partition: the size of its newest checkpoint, once this worker has written one."""
    event_time: dict[str, float]
    """By partition: how far event time has come, seconds since the epoch."""
    event_time_by_topic: dict[str, float]
    """The same by `topic/partition`, of the topics whose newest event the engine knows."""
    quiet: dict[str, bool]
    """By `topic/partition`, of topics with `quiet_after`: whether it is quiet."""
    model_quality: dict[str, dict[str, float]]
    """By partition with a model of its own: how good the probabilities given before the outcome were."""
    assigned: list[int] | None
    """The partitions that the group has given this worker; `None` before it has decided."""
    loading: list[str]
    """The `topic/partition`s whose state is being loaded."""
    broker_silent_s: float | None
    """How long the broker has answered no fetch; `None` where nothing is fetched now."""


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
        self._topic_names = settings.topic_names
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
        self._model_watch.look(self._core_engines())
        for name in sorted(self.totals.unknown_words.keys() - self._full_fields):
            self._full_fields.add(name)
            log.warning("%s has more words than max_words allows: further ones are unknown", name)

    def stats(self) -> Stats:
        """Return what has been done and how far the partitions are."""
        totals, saved, progress = self.totals, self._checkpoint_totals, self.board.progress
        assigned = {place.partition for place in self.board.loading} | self.assignment.tasks.keys()
        partitions = [task.partition for task in self.assignment.tasks.values()]
        lags = [item for partition in partitions for item in partition.lag(progress).items()]
        engines = self._core_engines()
        models = {n: each.model for n, each in sorted(engines.items()) if each.model is not None}
        behind = [place for partition in partitions for place in partition.behind(progress)]
        return Stats(
            events=totals.events,
            steps=totals.steps,
            refused=totals.refused,
            refused_by_reason=dict(sorted(self._refusals.counts.items())),
            late=totals.late,
            repeats=totals.repeats,
            erased=totals.erased,
            ignored_actions=totals.ignored,
            forgotten=totals.forgotten,
            unknown_words=dict(sorted(totals.unknown_words.items())),
            reread=totals.reread,
            lag={str(place): lag for place, lag in sorted(lags)},
            behind=[str(place) for place in sorted(behind)],
            schema_wait=sorted(map(str, self._schema_wait.places)),
            open_transactions=sorted(
                str(p) for partition in partitions for p in partition.undecided(progress)
            ),
            stalled={str(place): round(s, 1) for place, s in sorted(self._stalls.stalled().items())},
            checkpoints=saved.written,
            checkpoints_failed=saved.failed,
            checkpoint_pause_s=round(saved.pause_s, 4),
            rule_set=self._reloader.rule_set if self._reloader is not None else None,
            rule_sets=rule_sets(partitions),
            rules_adopted=saved.adopted,
            rules_refused=self._reloader.refused if self._reloader is not None else 0,
            rules_differ=self._reloader.rollout.differing() if self._reloader is not None else {},
            rule_mistakes=self._reloader.mistakes if self._reloader is not None else (),
            inputs=self._inputs.current.hash if self._inputs is not None else None,
            inputs_by_partition={
                str(n): task.inputs.hash
                for n, task in sorted(self.assignment.tasks.items())
                if task.inputs is not None
            },
            inputs_adopted=self._inputs.adopted if self._inputs is not None else 0,
            inputs_refused=self._inputs.refused if self._inputs is not None else 0,
            input_mistakes=self._inputs.mistakes if self._inputs is not None else (),
            inputs_restart=self._inputs.waiting if self._inputs is not None else (),
            passed_by_topic={name: totals.passed[name] for name in sorted(self._settings.sources)},
            models={str(n): model.version for n, model in models.items()},
            models_ready={str(n): model.ready for n, model in models.items()},
            models_missing=missing(engines),
            opened=opened(partitions),
            events_by_topic=self._by_topic("events"),
            late_by_topic=self._by_topic("late"),
            repeats_by_topic=self._by_topic("repeats"),
            refused_by_topic=_nested(self._refusals.by_topic),
            openings=[(*what, count) for what, count in sorted(totals.opened.items())],
            customers=sum(engine.customers.known for engine in engines.values()),
            open_warnings=_by_tier(engines.values()),
            sweeps=totals.sweeps,
            sweep_seconds=totals.sweep_seconds.figures(),
            produce_to_warning_seconds=self.delivery.latency.figures(),
            outgoing=self.delivery.waiting,
            outgoing_since=self.delivery.oldest,
            checkpoint_seconds=saved.write_seconds.figures(),
            checkpoint_at={str(n): at for n, at in sorted(saved.committed_at.items()) if n in assigned},
            checkpoint_bytes={str(n): size for n, size in sorted(saved.bytes.items()) if n in assigned},
            event_time={
                str(n): engine.reorder.newest / SECOND
                for n, engine in engines.items()
                if engine.reorder.newest != NEVER
            },
            event_time_by_topic={
                str(self._place(topic, n)): newest / SECOND
                for n, engine in engines.items()
                for topic, newest in engine.source_guard.newest.items()
                if newest != NEVER and topic in self._topic_names
            },
            quiet={
                str(self._place(topic, n)): engine.source_guard.announced[topic]
                for n, engine in engines.items()
                for topic in engine.source_guard.after
                if topic in self._topic_names
            },
            model_quality={str(n): found for n, engine in engines.items() if (found := _quality(engine))},
            assigned=sorted(assigned) if self.assignment.count else None,
            loading=sorted(map(str, self.board.loading)),
            broker_silent_s=self._broker_silent_s(),
        )

    def _by_topic(self, what: str) -> dict[str, int]:
        counts = self.totals.by_topic.get(what, Counter())
        return {name: counts.get(topic, 0) for topic, name in sorted(self._topic_names.items())}

    def _place(self, topic: Topic, number: int) -> TopicPartition:
        return TopicPartition(self._topic_names[topic], number)

    def _broker_silent_s(self) -> float | None:
        progress = self.board.progress
        if not progress.keys() - self.board.paused - self.board.loading:
            return None
        answered_ms = max(read.answered_ms for read in progress.values())
        return round(max(0.0, self._wall() - answered_ms / 1_000), 3)

    def _core_engines(self) -> dict[int, Engine]:
        found = {n: task.partition.engine for n, task in sorted(self.assignment.tasks.items())}
        return {n: engine for n, engine in found.items() if isinstance(engine, Engine)}

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


def _nested(counts: Mapping[tuple[str, str], int]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (outer, inner), count in sorted(counts.items()):
        found.setdefault(outer, {})[inner] = count
    return found


def _by_tier(engines: Iterable[Engine]) -> dict[str, int]:
    counts = Counter(warning.tier for engine in engines for warning in engine.episodes.open.values())
    return {tier.label: counts[tier] for tier in Tier}


def _quality(engine: Engine) -> dict[str, float]:
    """Return the measures of a partition's own model that there are samples for."""
    if engine.learner is None or engine.settings.shared_learner:
        return {}
    found = engine.learner.metrics().get("prequential", {})
    return {name: found[name] for name in QUALITY_MEASURES if found.get(name) is not None}


def _progress(partition: Partition, progress: Mapping[TopicPartition, ReadProgress]) -> PartitionProgress:
    """Return how far a partition is and what it has yet to take."""
    released = partition.released()
    taken = {place: partition.position(place.topic) for place in released}
    lag: dict[TopicPartition, int | None] = {place: n for place, n in partition.lag(progress).items() if n}
    unknown = partition.behind(progress) - lag.keys()
    undecided = partition.undecided(progress)
    return PartitionProgress((released, taken), lag | dict.fromkeys(unknown), undecided)
