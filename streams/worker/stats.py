"""What a worker has done since it started, and how far it is: what its metrics and log lines are made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from streams.checkpoints.save import CheckpointTotals
from streams.core.engine import Engine
from streams.core.events.calendar import NEVER, SECOND
from streams.core.events.topics import Topic
from streams.core.model.prequential import QUALITY_MEASURES
from streams.core.steps import Tier
from streams.intake.partition import PartitionTotals
from streams.intake.poll import ReaderControl, TopicPartition
from streams.telemetry.histogram import HistogramFigures
from streams.worker.assignment import AssignedPartitions
from streams.worker.delivery import RecordDelivery
from streams.worker.input_rollout import InputRollout
from streams.worker.model_watch import missing
from streams.worker.refusal_log import RefusalLog
from streams.worker.rule_rollout import RuleReloader, opened, rule_sets
from streams.worker.schema_wait import SchemaWait
from streams.worker.settings import WorkerSettings
from streams.worker.stall_watch import StallDetector


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


@dataclass(frozen=True, slots=True)
class WorkerParts:
    """The parts of a worker that have something to say about it."""

    settings: WorkerSettings
    board: ReaderControl
    assignment: AssignedPartitions
    totals: PartitionTotals
    checkpoints: CheckpointTotals
    delivery: RecordDelivery
    refusals: RefusalLog
    stalls: StallDetector
    schema_wait: SchemaWait
    reloader: RuleReloader | None
    inputs: InputRollout | None
    wall: Callable[[], float]
    """Seconds since the epoch."""

    def stats(self) -> Stats:
        """Return what has been done since the start and how far the partitions are now."""
        totals, saved, progress = self.totals, self.checkpoints, self.board.progress
        assigned = {place.partition for place in self.board.loading} | self.assignment.tasks.keys()
        partitions = [task.partition for task in self.assignment.tasks.values()]
        lags = [item for partition in partitions for item in partition.lag(progress).items()]
        engines = self.assignment.core_engines()
        models = {n: model for n, each in engines.items() if (model := each.scorer.model) is not None}
        behind = [place for partition in partitions for place in partition.behind(progress)]
        return Stats(
            events=totals.events,
            steps=totals.steps,
            refused=totals.refused,
            refused_by_reason=dict(sorted(self.refusals.counts.items())),
            late=totals.late,
            repeats=totals.repeats,
            erased=totals.erased,
            ignored_actions=totals.ignored,
            forgotten=totals.forgotten,
            unknown_words=dict(sorted(totals.unknown_words.items())),
            reread=totals.reread,
            lag={str(place): lag for place, lag in sorted(lags)},
            behind=[str(place) for place in sorted(behind)],
            schema_wait=sorted(map(str, self.schema_wait.places)),
            open_transactions=sorted(
                str(p) for partition in partitions for p in partition.undecided(progress)
            ),
            stalled={str(place): round(s, 1) for place, s in sorted(self.stalls.stalled().items())},
            checkpoints=saved.written,
            checkpoints_failed=saved.failed,
            checkpoint_pause_s=round(saved.pause_s, 4),
            rule_set=self.reloader.rule_set if self.reloader is not None else None,
            rule_sets=rule_sets(partitions),
            rules_adopted=saved.adopted,
            rules_refused=self.reloader.refused if self.reloader is not None else 0,
            rules_differ=self.reloader.rollout.differing() if self.reloader is not None else {},
            rule_mistakes=self.reloader.mistakes if self.reloader is not None else (),
            inputs=self.inputs.current.hash if self.inputs is not None else None,
            inputs_by_partition={
                str(n): task.inputs.hash
                for n, task in sorted(self.assignment.tasks.items())
                if task.inputs is not None
            },
            inputs_adopted=self.inputs.adopted if self.inputs is not None else 0,
            inputs_refused=self.inputs.refused if self.inputs is not None else 0,
            input_mistakes=self.inputs.mistakes if self.inputs is not None else (),
            inputs_restart=self.inputs.waiting if self.inputs is not None else (),
            passed_by_topic={name: totals.passed[name] for name in sorted(self.settings.sources)},
            models={str(n): model.version for n, model in models.items()},
            models_ready={str(n): model.ready for n, model in models.items()},
            models_missing=missing(engines),
            opened=opened(partitions),
            events_by_topic=self._by_topic("events"),
            late_by_topic=self._by_topic("late"),
            repeats_by_topic=self._by_topic("repeats"),
            refused_by_topic=_nested(self.refusals.by_topic),
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
                if newest != NEVER and topic in self.settings.topic_names
            },
            quiet={
                str(self._place(topic, n)): engine.source_guard.announced[topic]
                for n, engine in engines.items()
                for topic in engine.source_guard.after
                if topic in self.settings.topic_names
            },
            model_quality={str(n): found for n, engine in engines.items() if (found := _quality(engine))},
            assigned=sorted(assigned) if self.assignment.count else None,
            loading=sorted(map(str, self.board.loading)),
            broker_silent_s=self._broker_silent_s(),
        )

    def _by_topic(self, what: str) -> dict[str, int]:
        counts = self.totals.by_topic.get(what, Counter())
        return {name: counts.get(topic, 0) for topic, name in sorted(self.settings.topic_names.items())}

    def _place(self, topic: Topic, number: int) -> TopicPartition:
        return TopicPartition(self.settings.topic_names[topic], number)

    def _broker_silent_s(self) -> float | None:
        progress = self.board.progress
        if not progress.keys() - self.board.paused - self.board.loading:
            return None
        answered_ms = max(read.answered_ms for read in progress.values())
        return round(max(0.0, self.wall() - answered_ms / 1_000), 3)


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
    if engine.scorer.learner is None or engine.settings.shared_learner:
        return {}
    found = engine.scorer.learner.metrics().get("prequential", {})
    return {name: found[name] for name in QUALITY_MEASURES if found.get(name) is not None}
