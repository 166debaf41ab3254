"""`lapwing import --follow`: topics of sources become events on the topics of the contract, as they come."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from consumers.broker.client import Cluster, Producer, Subscription
from consumers.broker.errors import BrokerAway
from consumers.follow.follower import FollowCounts, Follower
from consumers.follow.metrics import FollowFigures, follow_snapshots
from consumers.loop import Backoff, Retryable, Stop, Stopped, log_wait, persist
from consumers.sink.topic_watch import TopicWatch
from lapwing.follow import FollowInputs, TopicMapping, import_group, rejected_topic
from lapwing.monitoring import endpoint
from lapwing.registry import schemas_of
from lapwing.settings.settings import Settings
from lapwing.terminal.status import StatusLine, log
from streams.errors import BrokerError
from streams.inputs.formats.schemas import Schemas
from streams.kafka.errors import no_topic


def run(settings: Settings, map_path: Path | None, source: str | None, to_end: bool, as_json: bool) -> None:
    """Write what the sources' topics bring, until a stop, or with `to_end` until their end."""
    path = map_path or settings.import_inputs or settings.inputs_file
    if path is None:
        msg = "give --map FILE: no file of inputs is set"
        raise click.UsageError(msg)
    schemas = schemas_of(settings)
    inputs = FollowInputs(settings, path, source, schemas)
    counts = FollowCounts()
    with ExitStack() as stack:
        stop = stack.enter_context(Stop())
        status = stack.enter_context(StatusLine(f"import from {', '.join(inputs.sources)}"))
        watch = FollowWatch(schemas, inputs)
        stack.enter_context(endpoint(settings, watch.snapshots))

        def on_progress(counts: FollowCounts, lags: Mapping[str, int]) -> None:
            status.show(_line(counts) + f", {sum(lags.values())} records to come")
            watch.progress(counts)

        try:
            follower = persist(
                lambda: _follower(settings, inputs, stop, stack, watch, on_progress),
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


def _follower(
    settings: Settings,
    inputs: FollowInputs,
    stop: Stop,
    stack: ExitStack,
    watch: FollowWatch,
    on_progress: Any,
) -> Follower:
    """Return what follows the sources; what it reads from and writes to is closed by `stack`."""
    cluster = Cluster(settings.broker, settings.kafka_security)
    with ExitStack() as opened:
        producer = Producer(cluster)
        opened.callback(producer.close)
        first = next(iter(inputs.sources))
        subscription = Subscription(
            cluster,
            first,
            group=import_group(settings),
            session_timeout_ms=settings.session_timeout // 1000,
        )
        opened.callback(subscription.close)
        wanted = inputs.written()
        if missing := wanted - subscription.there(wanted):
            raise BrokerError(no_topic(f"Kafka at {settings.broker}", *sorted(missing)))
        stack.push(opened.pop_all())
    watch.subscription = subscription
    topics = FollowedTopics(inputs, subscription)
    return Follower(
        subscription,
        producer,
        stop,
        topics.mappings,
        rejected_topic(settings),
        look_for_topics=topics.look,
        on_progress=on_progress,
        on_wait=watch.wait,
    )


class FollowedTopics:
    """Lets the group read the topics that the file of inputs names, and map them as it says."""

    def __init__(self, inputs: FollowInputs, subscription: Subscription) -> None:
        self.mappings: dict[str, TopicMapping] = dict(inputs.mappings())
        """By topic; as the file changes, so does this."""
        self._inputs = inputs
        self._subscription = subscription
        self._others = self._missing()

    def look(self) -> None:
        """Look at the file, and for topics that are not there yet."""
        if self._inputs.look(self._subscription.there):
            self.mappings.clear()
            self.mappings.update(self._inputs.mappings())
            self._others = self._missing()
        self._others.look()
        read = self._subscription.topics()
        if (gone := read - self.mappings.keys()) and gone != read:
            self._subscription.let_go(gone)

    def _missing(self) -> TopicWatch:
        wanted = sorted(self._inputs.sources.keys() - self._subscription.topics())
        return TopicWatch(wanted, self._subscription.take_up)


class FollowWatch:
    """Takes the figures of a follower as it goes on, and while it waits."""

    def __init__(self, schemas: Schemas | None, inputs: FollowInputs) -> None:
        self.snapshots = follow_snapshots()
        self._inputs = inputs
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
                inputs=self._inputs.revision.hash,
                inputs_broken=self._inputs.broken,
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
