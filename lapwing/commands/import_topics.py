"""`lapwing import --follow`: topics of others become events on the topics of the contract, as they come."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from consumers.broker.client import Cluster, Producer, Subscription
from consumers.broker.errors import BrokerAway
from consumers.broker.records import Record
from consumers.follow.follower import FollowCounts, Follower
from consumers.follow.metrics import FollowFigures, follow_snapshots
from consumers.follow.sources import FollowedEvent, FollowedRefusal, MappedRecords, MappingWaits
from consumers.loop import Backoff, Retryable, Stop, Stopped, log_wait, persist
from consumers.sink.topic_watch import TopicWatch
from lapwing.monitoring import endpoint
from lapwing.registry import schemas_of
from lapwing.settings.settings import Settings
from lapwing.terminal.status import StatusLine, log
from streams.core.events.topics import Topic
from streams.errors import BrokerError, SettingsError
from streams.inputs.formats.formats import readers
from streams.inputs.formats.reading import SchemasWanted, with_schemas
from streams.inputs.formats.schemas import Schemas
from streams.inputs.load import Inputs, load_inputs
from streams.inputs.source import Mapped, Source
from streams.kafka.errors import no_topic


def run(settings: Settings, map_path: Path | None, source: str | None, to_end: bool, as_json: bool) -> None:
    """Write what the sources' topics bring, until a stop, or with `to_end` until their end."""
    path = map_path or settings.inputs_file
    if path is None:
        msg = "give --map FILE: no file of inputs is set"
        raise click.UsageError(msg)
    schemas = schemas_of(settings)
    sources = topic_sources(settings, load_inputs(path, readers(schemas)), source)
    counts = FollowCounts()
    with ExitStack() as stack:
        stop = stack.enter_context(Stop())
        status = stack.enter_context(StatusLine(f"import from {', '.join(sources)}"))
        watch = FollowWatch(schemas)
        stack.enter_context(endpoint(settings, watch.snapshots))

        def on_progress(counts: FollowCounts, lags: Mapping[str, int]) -> None:
            status.show(_line(counts) + f", {sum(lags.values())} records to come")
            watch.progress(counts)

        try:
            follower = persist(
                lambda: _follower(settings, sources, stop, stack, watch, on_progress),
                stop=stop,
                backoff=Backoff(),
                on_wait=log_wait,
                only=BrokerAway,
            )
        except Stopped:
            log.info("stopped while waiting for the broker")
        else:
            counts = follower.run(follow=not to_end)
    click.echo(json.dumps(_as_json(counts)) if as_json else _line(counts))


def topic_sources(settings: Settings, inputs: Inputs, name: str | None) -> dict[str, Source]:
    """Return the sources to follow, by topic. Raises `SettingsError` where there is none, or a circle."""
    found = inputs.by_topic
    if name is not None:
        found = {topic: each for topic, each in found.items() if each.name == name}
    if not found:
        which = f"source {name!r} with a topic" if name is not None else "source with a topic"
        msg = f"{inputs.path}: there is no {which} to follow"
        raise SettingsError(msg)
    written = {*settings.topics.values(), f"{settings.app}.rejected"}
    for topic, each in found.items():
        if topic in written:
            msg = (
                f"{inputs.path}: source {each.name!r} reads {topic!r}, which events are written to: they "
                "would be read again without end"
            )
            raise SettingsError(msg)
    return found


def _follower(
    settings: Settings,
    sources: Mapping[str, Source],
    stop: Stop,
    stack: ExitStack,
    watch: FollowWatch,
    on_progress: Any,
) -> Follower:
    """Return what follows the sources; what it reads from and writes to is closed by `stack`."""
    cluster = Cluster(settings.broker, settings.kafka_security)
    names = settings.topics
    rejected = f"{settings.app}.rejected"
    with ExitStack() as opened:
        producer = Producer(cluster)
        opened.callback(producer.close)
        first = next(iter(sources))
        subscription = Subscription(
            cluster,
            first,
            group=f"{settings.app}-import",
            session_timeout_ms=settings.session_timeout // 1000,
        )
        opened.callback(subscription.close)
        wanted = {rejected, *(names[topic] for source in sources.values() for topic in source.topics)}
        missing = wanted - subscription.there(wanted)
        if missing:
            raise BrokerError(no_topic(f"Kafka at {settings.broker}", *sorted(missing)))
        stack.push(opened.pop_all())
    watch.subscription = subscription
    others = TopicWatch([topic for topic in sources if topic != first], subscription.take_up)
    followed = {topic: TopicMapping(source, names, settings.max_skew) for topic, source in sources.items()}
    return Follower(
        subscription,
        producer,
        stop,
        followed,
        rejected,
        look_for_topics=others.look,
        on_progress=on_progress,
        on_wait=watch.wait,
    )


class TopicMapping:
    """What the records of a source's topic become."""

    def __init__(self, source: Source, names: Mapping[Topic, str], max_skew_us: int) -> None:
        self._source = source
        self._names = names
        self._max_skew_us = max_skew_us

    def __call__(self, records: Sequence[Record]) -> MappedRecords:
        """Return the events and refusals of records. Raises `MappingWaits`."""
        mapped = self._fetched([record.value for record in records])
        judged = self._source.judged(
            mapped,
            None,
            [record.timestamp_ms for record in records],
            max_skew_us=self._max_skew_us,
            now_us=time.time_ns() // 1_000,
        )
        events = [
            (
                place,
                FollowedEvent(self._names[part.topic], customer.encode(), value, records[place].timestamp_ms),
            )
            for part, customers in zip(judged.parts, judged.customers, strict=True)
            for place, customer, value in zip(part.index.tolist(), customers, part.values, strict=True)
        ]
        events.sort(key=lambda each: each[0])
        refused = [FollowedRefusal(records[each.index], each.reason, each.detail) for each in judged.refused]
        return MappedRecords([event for _, event in events], refused, judged.passed)

    def _fetched(self, values: Sequence[bytes | None]) -> Mapped:
        """Map, with the schemas that are needed. Raises `MappingWaits` where they cannot be had now."""
        try:
            return with_schemas(lambda: self._source.map(values))
        except SchemasWanted as wanted:
            msg = f"source {self._source.name!r} waits: {wanted}"
            raise MappingWaits(msg) from wanted


class FollowWatch:
    """Takes the figures of a follower as it goes on, and while it waits."""

    def __init__(self, schemas: Schemas | None) -> None:
        self.snapshots = follow_snapshots()
        self.subscription: Subscription | None = None
        self._schemas = schemas
        self._counts = FollowCounts()
        self._lag: dict[str, int] = {}
        self._waits_for: str | None = None

    def progress(self, counts: FollowCounts) -> None:
        """Take the figures after a turn."""
        assert self.subscription is not None
        self._counts, self._lag = counts, self.subscription.lag_by_partition()
        if not counts.waiting:
            self._waits_for = None
        self._take()

    def wait(self, error: Retryable, delay: float) -> None:
        """Take the figures while something is waited for."""
        log_wait(error, delay)
        self._waits_for = str(error)
        self._take()

    def _take(self) -> None:
        silent_s = self.subscription.silent_s() if self.subscription is not None else None
        counts = self._counts
        self.snapshots.take(
            FollowFigures(
                records=dict(counts.records),
                events=dict(counts.events),
                refused=[(*what, count) for what, count in sorted(counts.refused.items())],
                passed=dict(counts.passed),
                written_at=counts.written_at,
                lag=self._lag,
                member=self.subscription is not None and self.subscription.is_member(),
                broker_silent_s=None if silent_s is None else round(silent_s, 3),
                waits_for=self._waits_for,
                registry_away_s=None if self._schemas is None else round(self._schemas.away_s, 3),
                schemas=None if self._schemas is None else self._schemas.known,
            )
        )


def _as_json(counts: FollowCounts) -> dict[str, Any]:
    refused: dict[str, dict[str, int]] = {}
    for (topic, reason), count in sorted(counts.refused.items()):
        refused.setdefault(topic, {})[reason] = count
    return {
        "records": dict(sorted(counts.records.items())),
        "events": dict(sorted(counts.events.items())),
        "refused": refused,
        "passed": {topic: count for topic, count in sorted(counts.passed.items()) if count},
    }


def _line(counts: FollowCounts) -> str:
    line = f"{counts.records.total()} records read, {counts.events.total()} events written"
    if counts.refused:
        line += f", {counts.refused.total()} refused"
    passed = counts.passed.total()
    return line + (f", {passed} passed over" if passed else "")
