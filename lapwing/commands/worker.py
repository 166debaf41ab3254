"""`lapwing worker`: read events from Kafka and warn."""

from __future__ import annotations

import logging
import os
import socket
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import click

from consumers.loop import Stop
from lapwing.dry_run import run_dry
from lapwing.mapped_topics import contract_topics, input_watch
from lapwing.monitoring import endpoint
from lapwing.settings.monitoring import OFF
from lapwing.settings.settings import Settings
from lapwing.settings.values import NO_CHECKPOINTS
from lapwing.supervision.merged_metrics import probes
from lapwing.supervision.supervisor import Supervisor
from lapwing.supervision.worker_process import WorkerProcess, end_with
from lapwing.wiring import engine, erasure_key, segment_engine
from streams.core.engine import Engine
from streams.core.segments.engine import SegmentEngine
from streams.duration import UNITS
from streams.errors import SettingsError
from streams.intake.partition import BatchingPolicy
from streams.rulebook.watch import RuleWatch
from streams.telemetry.endpoint import Endpoint
from streams.telemetry.logs import configure
from streams.worker.metrics import worker_snapshots
from streams.worker.run import Report, Stats, WorkerSettings, run_rebuild, run_worker, stats_to

log = logging.getLogger(__name__)


def run(
    settings: Settings,
    stats: Path | None,
    idle_us: int | None,
    from_checkpoints: bool,
    rebuild: bool,
    processes: int,
    worker_number: int | None,
    worker_of: int | None,
    address_to: int | None,
    dry_run: bool,
    out: Path | None,
    follow: bool,
    as_json: bool,
) -> None:
    """Read events from Kafka, judge every customer by the rules and the model, and send warnings."""
    if not dry_run and (out is not None or as_json or not follow):
        message = "--out, --json and --no-follow belong to --dry-run"
        raise click.UsageError(message)
    if rebuild and (dry_run or from_checkpoints):
        message = "--rebuild goes with neither --dry-run nor --from-checkpoints"
        raise click.UsageError(message)
    if worker_number is not None and worker_of is not None:
        end_with(worker_of)
        configure("worker", settings.log_format, settings.log_level, runs_on=True, worker=worker_number)
        stats = None if stats is None else stats.with_name(f"{stats.stem}-{worker_number}{stats.suffix}")
    elif processes > 1:
        if rebuild or dry_run:
            message = "--processes goes with neither --rebuild nor --dry-run"
            raise click.UsageError(message)
        _supervise(settings, processes)
        return
    watch, inputs = RuleWatch(settings.rules), input_watch(settings)
    segments = watch.current.segment_rules
    counts = bool(segments) and not dry_run
    # A dry run learns for itself: what it shows follows from what the topics hold and nothing else.
    shared = settings.shares_learner and not dry_run

    def engine_of(partition: int) -> Engine:
        return engine(
            settings,
            watch.current.rules,
            partition,
            segments=counts,
            outcomes=not dry_run,
            desk=not dry_run,
            shared=shared,
            samples=not dry_run,
        )

    def judge(partitions: int) -> SegmentEngine:
        return segment_engine(settings, segments, partitions)

    try:
        report = stats_to(stats) if stats is not None else None
    except OSError as error:
        message = f"--stats {stats}: {error.strerror}"
        raise SettingsError(message) from error
    idle_us = settings.reorder if idle_us is None else idle_us
    ours = worker_settings(settings, idle_us, segments=counts, shared=shared)
    sources = inputs.current.sources if inputs is not None else {}
    topics = contract_topics(settings, sources)
    ours = replace(ours, from_checkpoints=from_checkpoints, topics=topics, sources=sources)
    if rebuild:
        rebuilt = run_rebuild(ours, engine_of, watch, inputs)
        click.echo(
            f"rebuilt {rebuilt.partitions} partitions from {rebuilt.events:,} events, "
            f"{rebuilt.refused:,} refused: "
            f"{rebuilt.open_warnings:,} warnings are open, {rebuilt.kept:,} of them only by the warnings "
            f"topic; {rebuilt.sent:,} steps were lacking and sent, "
            f"{rebuilt.withdrawn:,} warnings were withdrawn; workers can be started"
        )
    elif dry_run:
        run_dry(ours, engine_of, watch, report, out, inputs, follow=follow, as_json=as_json)
    else:
        snapshots = worker_snapshots()
        with endpoint(settings, snapshots) as served:
            if address_to is not None and served is not None:
                with os.fdopen(address_to, "w") as supervisor:
                    supervisor.write(served.url)
            run_worker(ours, engine_of, _both(snapshots.take, report), watch, judge=judge, inputs=inputs)


def _supervise(settings: Settings, processes: int) -> None:
    """Run so many workers, called as this command is."""
    has_endpoint = settings.metrics_listen != OFF
    command = [sys.executable, "-m", "lapwing", *sys.argv[1:]]
    workers = [WorkerProcess(number, command, has_endpoint=has_endpoint) for number in range(processes)]
    with ExitStack() as stack:
        supervisor = Supervisor(workers, stack.enter_context(Stop()))
        if has_endpoint:
            served = stack.enter_context(Endpoint(probes(supervisor), settings.metrics_listen, "worker"))
            served.announce()
        supervisor.run()


def _both(first: Report, second: Report | None) -> Report:
    """Return what reports to one or two."""

    def report(stats: Stats) -> None:
        first(stats)
        if second is not None:
            second(stats)

    return report


def worker_settings(
    settings: Settings, idle_us: int, *, segments: bool = False, shared: bool = False
) -> WorkerSettings:
    """Return what a worker needs of the settings, with the idle time after which engines are flushed."""
    return WorkerSettings(
        broker=settings.broker,
        topics=settings.topics,
        app=settings.app,
        warnings_topic=settings.warnings_topic,
        control_topic=settings.control_topic,
        audit_topic=settings.audit_topic,
        worker=f"{socket.gethostname()}-{os.getpid()}",
        security=settings.kafka_security,
        session_timeout_s=settings.session_timeout / UNITS["s"],
        max_skew_us=settings.max_skew,
        pace=BatchingPolicy(idle_s=idle_us / UNITS["s"], reorder_us=settings.reorder),
        checkpoints="" if settings.checkpoints == NO_CHECKPOINTS else settings.checkpoints,
        checkpoint_every_s=settings.checkpoint_every / UNITS["s"],
        segment_days_topic=f"{settings.app}.segment-days" if segments else "",
        segment_warnings_topic=settings.segment_warnings_topic,
        outcomes_topic=settings.outcomes_topic,
        census_topic=settings.census_topic,
        customer_days_topic=f"{settings.app}.customer-days",
        scores_topic="" if settings.score_step is None else settings.scores_topic,
        samples_topic=settings.samples_topic if settings.model_enabled else "",
        models_topic=settings.models_topic if shared else "",
        erasures_topic=settings.erasures_topic,
        erasure_key=erasure_key(settings),
    )
