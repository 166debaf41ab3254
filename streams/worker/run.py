"""Runs a worker until it is stopped, and raises in one line why it could not go on."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import signal
import sys
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from aiokafka.errors import KafkaError  # type: ignore[import-untyped]  # aiokafka ships no types
from faust.exceptions import ProducerSendError

from streams.checkpoints.restore import check_all_partitions
from streams.checkpoints.store import CheckpointStore
from streams.core.engine import Engine
from streams.core.events.topics import REQUIRED
from streams.core.model.logistic import Model
from streams.core.segments.engine import SegmentEngine
from streams.errors import BrokerError
from streams.inputs.watch import InputWatch
from streams.intake.broker import check_topics, partition_counts
from streams.intake.erasure_topic import read_erasures
from streams.intake.model_topic import read_models
from streams.intake.partition import StepEngine
from streams.intake.topic_ids import topic_ids
from streams.intake.topic_tail import TopicTail
from streams.kafka.errors import broker_error
from streams.rulebook.revisions import RuleRevisions
from streams.rulebook.watch import RuleWatch
from streams.telemetry.snapshots import as_json
from streams.worker.app import WorkerApp, build_app
from streams.worker.dry_run import DryRun
from streams.worker.erasure_rollout import ErasureRollout
from streams.worker.rebuild import Rebuilt, rebuild
from streams.worker.rule_rollout import RuleRollout
from streams.worker.segment_judge import SegmentJudge, SegmentJudgeSettings
from streams.worker.settings import OPTIONAL_OUTPUTS, WorkerSettings
from streams.worker.stats import Stats

__all__ = ["Stats", "WorkerSettings", "run_worker", "serve", "stats_to"]

log = logging.getLogger(__name__)

SWITCH_INTERVAL_S: Final = 0.0005
"""The consumer's thread waits this long for the interpreter lock at each read from its socket."""
COLLECT_AFTER: Final = (200_000, 50, 1000)
"""When Python looks for garbage in circles. A poll is tens of thousands of objects that live for a moment and
are in none; by default they would set off a walk through a million customers' ids at every other poll."""
FAUSTS_LOGGERS: Final = ("faust", "mode", "streams.worker.app", "streams.intake.transport")
"""Those it logs to; the last two because it names a service's after the file of its class."""
STATS_S: Final = 1.0
WATCH_S: Final = 0.1
NEW_TOPICS_S: Final = 3.0
"""How long topics that are missing are looked for again."""
FINISH_S: Final = 5.0
"""How long a worker that is to stop waits for the broker."""
SAVE_S: Final = 20.0
"""The same where it saves its states first."""

Report = Callable[[Stats], None]
MakeJudge = Callable[[int], SegmentEngine]
"""Makes an engine of segments for so many partitions of the input."""


def run_worker(
    settings: WorkerSettings,
    engines: Callable[[int], StepEngine],
    report: Report | None = None,
    rules: RuleWatch | None = None,
    dry: DryRun | None = None,
    judge: MakeJudge | None = None,
    inputs: InputWatch | None = None,
) -> None:
    """Read events and warn until SIGTERM or SIGINT; `report` gets the statistics every second.

    Rules are taken from the files that `rules` looks at as it goes, and mappings from that of `inputs`. A
    `dry` run notes what it would send.
    """
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.set_threshold(*COLLECT_AFTER)
    for noisy in FAUSTS_LOGGERS:
        logging.getLogger(noisy).setLevel(logging.CRITICAL)  # why it crashed is reported once, at the end

    async def main() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        if dry is not None:
            dry.stop = stop
        await serve(settings, engines, stop, report, rules, dry, judge, inputs)

    asyncio.run(main())


async def serve(
    settings: WorkerSettings,
    engines: Callable[[int], StepEngine],
    stop: asyncio.Event,
    report: Report | None = None,
    rules: RuleWatch | None = None,
    dry: DryRun | None = None,
    judge: MakeJudge | None = None,
    inputs: InputWatch | None = None,
) -> None:
    """Run a worker until `stop` is set; raise what made it crash.

    With a topic of days' sums, segments are judged beside it by what `judge` makes.
    """
    settings, partitions = await _checked(
        settings, lambda given: () if dry is not None else outputs_of(given, rules)
    )
    if settings.checkpoints and dry is None:
        store = CheckpointStore(settings.checkpoints, settings.app)
        await asyncio.to_thread(check_all_partitions, store, partitions, settings.topic_ids)
    app = build_app(
        settings,
        _with_read_outputs(engines, settings),
        rules,
        dry.note if dry is not None else None,
        await _erasures(settings),
        inputs,
    )
    log.info("starting app=%s broker=%s topics=%s", settings.app, settings.broker, _names(settings))
    judging = None
    if settings.segment_days_topic and judge is not None:
        rollout = app.reloader.rollout if app.reloader is not None else None
        judging = asyncio.create_task(_judging(settings, partial(judge, partitions), rollout).run(stop))
    try:
        await _run(settings, app, stop, report or (lambda stats: None), judging)
    finally:
        if judging is not None:
            with suppress(asyncio.CancelledError, Exception):
                # It ends by itself where `stop` is set, which a crash does not do.
                await asyncio.wait_for(judging, FINISH_S if stop.is_set() else 0)
        await _stop(app)
    log.info("stopped")


def run_rebuild(
    settings: WorkerSettings,
    engines: Callable[[int], Engine],
    rules: RuleWatch,
    inputs: InputWatch | None = None,
) -> Rebuilt:
    """Rebuild the states of all partitions from the topics, under the rules that the files say.

    What `settings.sources` read is mapped as the file says that `inputs` watches.
    """

    async def main() -> Rebuilt:
        checked, _ = await _checked(settings, lambda given: outputs_of(given, rules))
        model = await _model_in_force(checked) if checked.models_topic else None
        erasures = await _erasures(checked)

        def engine(number: int) -> Engine:
            made = engines(number)
            _leave_out_unread(made, checked)
            if model is not None and made.scorer.knows_inputs(model):
                made.scorer.adopt(model)
            return erasures.begin(made)

        in_force = RuleRevisions(rules.current).begin().kept()
        kept = inputs.current if inputs is not None else None
        return await rebuild(checked, engine, in_force, erasures=erasures, inputs=kept)

    return asyncio.run(main())


def _with_read_outputs(
    engines: Callable[[int], StepEngine], settings: WorkerSettings
) -> Callable[[int], StepEngine]:
    """Return what makes engines that put out only what has a topic."""

    def made(number: int) -> StepEngine:
        engine = engines(number)
        if isinstance(engine, Engine):
            _leave_out_unread(engine, settings)
        return engine

    return made


def _leave_out_unread(engine: Engine, settings: WorkerSettings) -> None:
    engine.leave_out(
        outcomes=not (settings.outcomes_topic or settings.census_topic),
        customer_days=not settings.customer_days_topic,
        scores=not settings.scores_topic,
    )


async def _erasures(settings: WorkerSettings) -> ErasureRollout:
    """Return what the topic of erasures holds, before any event is read; raise where it needs another key."""
    requests = []
    if settings.erasures_topic:
        requests = await read_erasures(TopicTail(settings.broker, settings.security, settings.erasures_topic))
    return ErasureRollout(settings.erasure_key, requests, settings.worker)


async def _model_in_force(settings: WorkerSettings) -> Model | None:
    """Return the shared learner's model of now, by which a rebuild judges the whole history."""
    tail = TopicTail(settings.broker, settings.security, settings.models_topic)
    published = (await read_models(tail, settings.app)).model()
    return published.model() if published is not None else None


def outputs_of(settings: WorkerSettings, rules: RuleWatch | None) -> tuple[str, ...]:
    """Return the topics that a worker needs beside its input."""
    audit = (settings.audit_topic,) if rules is not None and settings.audit_topic else ()
    days = settings.segment_days_topic
    segments = (days, settings.segment_warnings_topic) if days else ()
    optional = (getattr(settings, name) for name in OPTIONAL_OUTPUTS)
    needed = (settings.warnings_topic, settings.control_topic, settings.rejected_topic)
    learner = filter(None, (settings.samples_topic, settings.models_topic))
    erasures = (settings.erasures_topic,) if settings.erasures_topic else ()
    return (*needed, *audit, *segments, *learner, *erasures, *(name for name in optional if name))


def _judging(
    settings: WorkerSettings, engine: Callable[[], SegmentEngine], rollout: RuleRollout | None
) -> SegmentJudge:
    return SegmentJudge(
        SegmentJudgeSettings(
            broker=settings.broker,
            app=settings.app,
            days_topic=settings.segment_days_topic,
            warnings_topic=settings.segment_warnings_topic,
            inputs=settings.input_topics,
            security=settings.security,
            session_timeout_s=settings.session_timeout_s,
        ),
        engine,
        rollout,
    )


async def _checked(
    settings: WorkerSettings, outputs: Callable[[WorkerSettings], Collection[str]]
) -> tuple[WorkerSettings, int]:
    """Return `settings` as the broker's topics are, and the number of partitions of the input.

    Optional topics that the broker does not have are left out. Those that were created a moment ago take a
    while until every broker knows them.
    """
    deadline = asyncio.get_running_loop().time() + NEW_TOPICS_S
    while True:
        counts = await partition_counts(settings.broker, settings.security)
        mapped = {topic for source in settings.sources.values() for topic in source.topics}
        found = {
            topic: name
            for topic, name in settings.topics.items()
            if name in counts or (topic in REQUIRED and topic not in mapped)
        }
        inputs = (*found.values(), *settings.sources)
        late = asyncio.get_running_loop().time() > deadline
        present = _without_absent(settings, counts) if late else settings
        try:
            check_topics(counts, inputs, outputs(present), settings.sources)
        except BrokerError:
            if late:
                raise
            await asyncio.sleep(WATCH_S)
        else:
            _log_absent(settings, present)
            partitions = counts.get(present.segment_days_topic, 0)
            number = counts[inputs[0]]
            present = replace(
                present,
                topics=found,
                segment_partitions=partitions,
                partitions=number,
                # A dry run writes to no topic and so does not wait for any, but it reads this one.
                erasures_topic=present.erasures_topic if present.erasures_topic in counts else "",
                topic_ids=await topic_ids(settings.broker, settings.security, inputs),
            )
            return present, number


def _without_absent(settings: WorkerSettings, counts: Mapping[str, int]) -> WorkerSettings:
    """Return `settings` without the outputs that warnings do not need and the broker does not have.

    They came with later versions, and a worker that is upgraded is to go on warning.
    """
    if settings.audit_topic not in counts:
        settings = replace(settings, audit_topic="")
    if not {settings.segment_days_topic, settings.segment_warnings_topic} <= counts.keys():
        settings = replace(settings, segment_days_topic="")
    if not set(filter(None, (settings.samples_topic, settings.models_topic))) <= counts.keys():
        settings = replace(settings, samples_topic="", models_topic="")
    if settings.erasures_topic not in counts:
        settings = replace(settings, erasures_topic="")
    absent = {name: "" for name in OPTIONAL_OUTPUTS if getattr(settings, name) not in counts}
    return replace(settings, **absent)  # type: ignore[arg-type]  # all of them are names


def _log_absent(wanted: WorkerSettings, given: WorkerSettings) -> None:
    """Warn of what a worker goes without."""
    if wanted.audit_topic != given.audit_topic:
        log.warning(
            "changes of rules are not recorded: no topic %s; see `lapwing topics`", wanted.audit_topic
        )
    for name in OPTIONAL_OUTPUTS:
        if getattr(wanted, name) != getattr(given, name):
            topic = getattr(wanted, name)
            log.warning("what is for the topic %s is not sent: there is none; see `lapwing topics`", topic)
    if wanted.erasures_topic != given.erasures_topic:
        topic = wanted.erasures_topic
        log.warning("no customer can be erased: there is no topic %s; see `lapwing topics`", topic)
    if wanted.samples_topic != given.samples_topic and not wanted.models_topic:
        log.warning(
            "what the models learn from is not sent: no topic %s; see `lapwing topics`", wanted.samples_topic
        )
    if wanted.models_topic != given.models_topic:
        topics = f"{wanted.samples_topic} and {wanted.models_topic}"
        log.warning("no model is learned: a shared learner needs the topics %s; see `lapwing topics`", topics)
    if wanted.segment_days_topic != given.segment_days_topic:
        topics = f"{wanted.segment_days_topic} and {wanted.segment_warnings_topic}"
        log.warning("segments are not judged: they need the topics %s; see `lapwing topics`", topics)


async def _run(
    settings: WorkerSettings,
    app: WorkerApp,
    stop: asyncio.Event,
    report: Report,
    judging: asyncio.Task[None] | None,
) -> None:
    """Start the app and watch over it until it is to stop or has crashed."""
    starting = asyncio.create_task(app.start())
    reported = 0.0
    try:
        while not stop.is_set():
            if app.crashed:
                raise _named(app.crash_reason, settings.broker)
            if starting.done():
                starting.result()
            if judging is not None and judging.done():
                judging.result()
            now = asyncio.get_running_loop().time()
            if now - reported >= STATS_S:
                reported = now
                app.pipeline.look()
                report(app.pipeline.stats())
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), WATCH_S)
        if starting.done():
            await _finish(app)
            report(app.pipeline.stats())
    finally:
        starting.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await starting


async def _finish(app: WorkerApp) -> None:
    """Let what is on its way arrive, if the broker lets it."""
    try:
        await asyncio.wait_for(app.finish(), SAVE_S if app.keeps_checkpoints else FINISH_S)
    except (TimeoutError, KafkaError, BrokerError) as error:
        log.warning("stopping although the broker has not taken everything, error=%r", error)


async def _stop(app: WorkerApp) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(app.stop(), FINISH_S)
    with suppress(TimeoutError, KafkaError):
        await asyncio.wait_for(app.pipeline.close(), FINISH_S)


def _named(reason: BaseException | None, broker: str) -> BaseException:
    """Return `reason` as one of Lapwing's errors if it came from the broker."""
    if isinstance(reason, ProducerSendError):
        reason = reason.__cause__ or reason
    if isinstance(reason, KafkaError | ProducerSendError):
        return broker_error(reason, broker)
    return reason or BrokerError("the worker crashed and gave no reason")


def stats_to(path: Path) -> Report:
    """Return a report that appends each snapshot to `path` as a line of JSON with `written_at`, seconds.

    A path that cannot be written is an error before the worker starts; a full disk later stops nothing.
    """
    path.touch()
    failing = False

    def report(stats: Stats) -> None:
        nonlocal failing
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(as_json(stats)) + "\n")
        except OSError as error:
            if not failing:
                log.warning("the statistics cannot be written: %s: %s", path, error.strerror)
            failing = True
        else:
            failing = False

    return report


def _names(settings: WorkerSettings) -> str:
    return ",".join(settings.input_topics)
