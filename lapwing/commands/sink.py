"""`lapwing sink`: store warnings in a database."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict

import click

from consumers.broker.client import Cluster, Subscription
from consumers.database.database import Database, StoreBusy
from consumers.loop import Backoff, Stop, Stopped, log_wait, persist
from consumers.sink.optional_topic import OptionalTopic
from consumers.sink.silences import SilenceReader
from consumers.sink.sink import Sink
from consumers.sink.store import SinkCounts
from lapwing.settings.settings import Settings
from lapwing.terminal.status import StatusLine, log
from streams.errors import BrokerError


def run(
    settings: Settings,
    follow: bool,
    as_json: bool,
) -> None:
    """Store warnings, and silences, in a database, each step once, whatever is repeated or interrupted."""
    counts = SinkCounts()
    with ExitStack() as stack:
        store = Database(settings.database)
        stack.callback(store.close)
        stop = stack.enter_context(Stop())
        status = stack.enter_context(StatusLine(f"sink into {store.place}"))
        try:
            persist(store.prepare, stop=stop, backoff=Backoff(), on_wait=log_wait, only=StoreBusy)
        except Stopped:
            log.info("stopped while waiting for the database")
        else:
            counts = _sink(settings, store, stop, status, stack).run(follow=follow)
    click.echo(json.dumps(asdict(counts)) if as_json else _line(counts))


def _sink(settings: Settings, store: Database, stop: Stop, status: StatusLine, stack: ExitStack) -> Sink:
    """Return the sink of the topics; what it reads from is closed by `stack`."""
    cluster = Cluster(settings.broker, settings.kafka_security)
    subscription = Subscription(
        cluster,
        settings.warnings_topic,
        group=f"{settings.app}-sink",
        session_timeout_ms=settings.session_timeout // 1000,
    )
    stack.callback(subscription.close)

    def on_progress(counts: SinkCounts, lag: int | None) -> None:
        status.show(_line(counts) + ("" if lag is None else f", {lag} to come"))

    segments = settings.segment_warnings_topic
    missing = f"no segments' warnings are read: Kafka at {settings.broker} has no topic {segments!r}"
    return Sink(
        subscription,
        store,
        stop,
        on_progress=on_progress,
        silences=_silences(cluster, settings, store, stack),
        segments_topic=segments,
        look_for_segments=OptionalTopic(lambda: subscription.take_up(segments), missing),
    )


def _silences(cluster: Cluster, settings: Settings, store: Database, stack: ExitStack) -> Callable[[], int]:
    """Return what stores the silences that have come; without their topic there are none."""
    try:
        subscription = Subscription(cluster, settings.silences_topic, group=None)
    except BrokerError as error:
        log.warning("no silences are read: %s", error)
        return lambda: 0
    stack.callback(subscription.close)
    return SilenceReader(subscription, store).take


def _line(counts: SinkCounts) -> str:
    return f"{counts.steps} steps stored, {counts.repeats} repeats, {counts.unreadable} unreadable"
