"""`lapwing sink`: store warnings in a database."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict

import click

from consumers.broker.client import Admin, Cluster, Subscription
from consumers.database.database import Database, StoreBusy
from consumers.loop import Backoff, Stop, Stopped, log_wait, persist
from consumers.sink.aside_log import PutAsideLog
from consumers.sink.optional_topic import OptionalTopic
from consumers.sink.silences import SilenceReader
from consumers.sink.sink import Sink
from consumers.sink.store import SinkCounts, is_empty
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
    group = f"{settings.app}-sink"
    if is_empty(store):
        _report_stored_elsewhere(cluster, settings, group, store.place)
    subscription = Subscription(
        cluster,
        settings.warnings_topic,
        group=group,
        session_timeout_ms=settings.session_timeout // 1000,
    )
    stack.callback(subscription.close)

    def on_progress(counts: SinkCounts, lag: int | None) -> None:
        status.show(_line(counts) + ("" if lag is None else f", {lag} to come"))

    aside_log = PutAsideLog()
    segments = settings.segment_warnings_topic
    missing = f"no segments' warnings are read: Kafka at {settings.broker} has no topic {segments!r}"
    return Sink(
        subscription,
        store,
        stop,
        on_progress=on_progress,
        silences=_silences(cluster, settings, store, stack, aside_log),
        segments_topic=segments,
        look_for_segments=OptionalTopic(lambda: subscription.take_up(segments), missing),
        aside_log=aside_log,
    )


def _report_stored_elsewhere(cluster: Cluster, settings: Settings, group: str, place: str) -> None:
    """Warn where an empty database stands beside offsets of a group that has stored warnings before."""
    admin = Admin(cluster)
    try:
        committed = admin.committed(group)
    except BrokerError as error:
        # Who may read as this group need not be allowed to ask about it.
        log.info("not known whether group %s has stored warnings before: %s", group, error)
        return
    finally:
        admin.close()
    topics = {settings.warnings_topic, settings.segment_warnings_topic}
    if read := sum(offset for (topic, _), offset in committed.items() if topic in topics):
        log.warning(
            "%s holds no warnings, but group %s has committed offsets of %d records: what was stored before "
            "is missing here, and is not read again. To read it again, stop the sinks and run Kafka's "
            "`kafka-consumer-groups.sh --bootstrap-server %s --group %s --delete`, then start a sink",
            place,
            group,
            read,
            settings.broker,
            group,
        )


def _silences(
    cluster: Cluster, settings: Settings, store: Database, stack: ExitStack, aside_log: PutAsideLog
) -> Callable[[], int]:
    """Return what stores the silences that have come; without their topic there are none."""
    try:
        subscription = Subscription(cluster, settings.silences_topic, group=None)
    except BrokerError as error:
        log.warning("no silences are read: %s", error)
        return lambda: 0
    stack.callback(subscription.close)
    return SilenceReader(subscription, store, on_aside=aside_log.note).take


def _line(counts: SinkCounts) -> str:
    return f"{counts.steps} steps stored, {counts.repeats} repeats, {counts.unreadable} unreadable"
