"""`lapwing sink`: store what Lapwing's topics say in a database."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack, closing
from dataclasses import asdict
from typing import Any

import click

from consumers.broker.client import Admin, Cluster, Subscription
from consumers.broker.records import RecordSource
from consumers.database.database import Database, StoreBusy
from consumers.erasure import ErasuresInStore, read_requests, remember_requests
from consumers.loop import Backoff, Retryable, Stop, Stopped, log_wait, persist
from consumers.sink import kinds
from consumers.sink.metrics import SinkFigures, sink_snapshots
from consumers.sink.sink import Sink
from consumers.sink.store import Counts, SinkCounts, topics_without_rows
from consumers.sink.topic_watch import TopicWatch
from lapwing.monitoring import endpoint
from lapwing.settings.settings import Settings
from lapwing.stored_inputs import StoredInputs
from lapwing.terminal.status import StatusLine, log
from lapwing.wiring import erasure_key
from streams.errors import BrokerError


def run(
    settings: Settings,
    follow: bool,
    as_json: bool,
) -> None:
    """Store what the topics say in a database, each record once, whatever is repeated or interrupted."""
    counts = SinkCounts()
    lags: dict[str, int] = {}
    with ExitStack() as stack:
        store = Database(settings.database)
        stack.callback(store.close)
        stop = stack.enter_context(Stop())
        status = stack.enter_context(StatusLine(f"sink into {store.place}"))
        watch = SinkWatch(store)
        stack.enter_context(endpoint(settings, watch.snapshots))

        def on_progress(counts: SinkCounts, found: Mapping[str, int]) -> None:
            lags.update(found)
            status.show(_line(counts.total) + _lag_words(found))
            watch.progress(counts)

        try:
            persist(store.prepare, stop=stop, backoff=Backoff(), on_wait=log_wait, only=StoreBusy)
        except Stopped:
            log.info("stopped while waiting for the database")
        else:
            counts = _sink(settings, store, stop, on_progress, stack, watch).run(follow=follow)
    click.echo(json.dumps(_as_json(counts, lags)) if as_json else _line(counts.total))


def kinds_by_topic(settings: Settings) -> dict[str, kinds.AnyKind]:
    """Return what is stored: the kind of each topic's records."""
    return {
        settings.warnings_topic: kinds.WARNINGS,
        settings.segment_warnings_topic: kinds.SEGMENT_WARNINGS,
        settings.outcomes_topic: kinds.OUTCOMES,
        settings.census_topic: kinds.CENSUS,
        f"{settings.app}.customer-days": kinds.CUSTOMER_DAYS,
        settings.complaints: kinds.complaints(settings.max_skew),
        settings.actions: kinds.actions(settings.max_skew),
        settings.samples_topic: kinds.samples(settings.app, settings.stored_samples),
        settings.audit_topic: kinds.ADOPTIONS,
        settings.silences_topic: kinds.SILENCES,
    }


def _sink(
    settings: Settings,
    store: Database,
    stop: Stop,
    on_progress: Callable[[SinkCounts, Mapping[str, int]], None],
    stack: ExitStack,
    watch: SinkWatch,
) -> Sink:
    """Return the sink of the topics; what it reads from is closed by `stack`."""
    cluster = Cluster(settings.broker, settings.kafka_security)
    group = f"{settings.app}-sink"
    inputs = StoredInputs(settings)
    mapped = inputs.kinds()
    by_topic = {topic: kind for topic, kind in kinds_by_topic(settings).items() if topic not in mapped}
    of_group = {topic: kind for topic, kind in by_topic.items() if topic != settings.silences_topic}
    _report_stored_elsewhere(cluster, settings, group, store.place, topics_without_rows(store, of_group))
    subscription = Subscription(
        cluster,
        settings.warnings_topic,
        group=group,
        session_timeout_ms=settings.session_timeout // 1000,
    )
    stack.callback(subscription.close)
    watch.subscription = subscription
    key = erasure_key(settings)
    if subscription.there([settings.erasures_topic]):
        with closing(Subscription(cluster, settings.erasures_topic, group=None)) as erasures:
            remember_requests(store, key, read_requests(erasures))
    silences = _Silences(cluster, settings.silences_topic, subscription, stack)
    of_sink = TopicWatch(
        [*(of_group.keys() | mapped.keys()) - {settings.warnings_topic}], subscription.take_up
    )
    of_silences = TopicWatch([settings.silences_topic], silences.open)

    def look_for_topics() -> None:
        inputs.look()
        of_sink.look()
        of_silences.look()

    return Sink(
        subscription,
        store,
        stop,
        by_topic,
        mapped=mapped,
        silences=lambda: silences.source,
        look_for_topics=look_for_topics,
        erased=ErasuresInStore(key),
        on_progress=on_progress,
        on_wait=watch.wait,
    )


class SinkWatch:
    """Takes the figures of a sink as it goes on, and while it waits."""

    def __init__(self, store: Database) -> None:
        self.snapshots = sink_snapshots()
        self.subscription: Subscription | None = None
        self._store = store
        self._counts = SinkCounts()
        self._lag: dict[str, int] = {}

    def progress(self, counts: SinkCounts) -> None:
        """Take the figures after a turn of the sink."""
        assert self.subscription is not None
        self._counts, self._lag = counts, self.subscription.lag_by_partition()
        self._take()

    def wait(self, error: Retryable, delay: float) -> None:
        """Take the figures while the sink waits for the broker or the database."""
        log_wait(error, delay)
        self._take()

    def _take(self) -> None:
        silent_s = self.subscription.silent_s() if self.subscription is not None else None
        results = ("stored", "repeats", "refused", "unreadable", "erased")
        self.snapshots.take(
            SinkFigures(
                records={
                    kind: {result: getattr(counts, result) for result in results}
                    for kind, counts in sorted(self._counts.by_kind.items())
                },
                stored_at=self._counts.stored_at,
                lag=self._lag,
                member=self.subscription is not None and self.subscription.is_member(),
                broker_silent_s=None if silent_s is None else round(silent_s, 3),
                database=self._store.timing.figures(),
            )
        )


class _Silences:
    """The silences topic, read without a group, once it is there."""

    def __init__(self, cluster: Cluster, topic: str, subscription: Subscription, stack: ExitStack) -> None:
        self.source: RecordSource | None = None
        self._cluster = cluster
        self._topic = topic
        self._subscription = subscription
        self._stack = stack

    def open(self, topics: Collection[str]) -> Collection[str]:
        """Open the topic if it exists; return it if so."""
        found = self._subscription.there(topics)
        if found:
            opened = Subscription(self._cluster, self._topic, group=None)
            self._stack.callback(opened.close)
            self.source = opened
        return found


def _report_stored_elsewhere(
    cluster: Cluster, settings: Settings, group: str, place: str, topics: Collection[str]
) -> None:
    """Warn where the database has nothing of topics of which the group has committed offsets."""
    if not topics:
        return
    admin = Admin(cluster)
    try:
        committed = admin.committed(group)
    except BrokerError as error:
        # Who may read as this group need not be allowed to ask about it.
        log.info("not known whether group %s has stored records before: %s", group, error)
        return
    finally:
        admin.close()
    read = {
        topic: records
        for topic in sorted(topics)
        if (records := sum(offset for (name, _), offset in committed.items() if name == topic))
    }
    if read:
        log.warning(
            "%s has nothing of %s, but group %s has committed offsets of %d records there: what was stored "
            "before is missing here, and is not read again. To read all topics again, stop the sinks and run "
            "Kafka's `kafka-consumer-groups.sh --bootstrap-server %s --group %s --delete`, then start a sink",
            place,
            ", ".join(read),
            group,
            sum(read.values()),
            settings.broker,
            group,
        )


def _as_json(counts: SinkCounts, lags: Mapping[str, int]) -> dict[str, Any]:
    total = asdict(counts.total)
    by_kind = {name: asdict(each) for name, each in sorted(counts.by_kind.items())}
    steps = sum(counts.by_kind[kind.name].stored for kind in (kinds.WARNINGS, kinds.SEGMENT_WARNINGS))
    return {**total, "steps": steps, "kinds": by_kind, "lag": dict(sorted(lags.items()))}


def _line(counts: Counts) -> str:
    line = f"{counts.stored} records stored, {counts.repeats} repeats, {counts.unreadable} unreadable"
    if counts.refused:
        line += f", {counts.refused} refused"
    return line + (f", {counts.erased} of erased customers" if counts.erased else "")


def _lag_words(lags: Mapping[str, int]) -> str:
    """Return what is yet to come by topic, the most first."""
    behind = sorted(((lag, topic) for topic, lag in lags.items() if lag), reverse=True)
    return (
        "".join(f", {lag} of {topic} to come" for lag, topic in behind)
        if behind or not lags
        else ", none to come"
    )
