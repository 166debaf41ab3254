"""The Faust app: the only file that builds it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, cast

import faust
from aiokafka.errors import KafkaError  # type: ignore[import-untyped]  # aiokafka ships no types
from faust.auth import OAuthCredentials
from faust.types import StreamT
from mode.supervisors import CrashingSupervisor

from streams.checkpoints.store import CheckpointStore
from streams.errors import REBUILD, BrokerError, StateError
from streams.inputs.watch import InputWatch
from streams.intake import erasure_topic
from streams.intake.broker import TokenProvider
from streams.intake.model_topic import follow
from streams.intake.originals import OriginalRecords
from streams.intake.partition import StepEngine
from streams.intake.poll import Poll, ReaderControl, TopicPartition
from streams.intake.sent_steps import WarningsTopic
from streams.intake.standing_refusals import RejectedTopic
from streams.intake.topic_ids import topic_ids
from streams.intake.topic_tail import TopicTail
from streams.intake.transport import Consumer
from streams.kafka.errors import broker_error
from streams.kafka.security import Security, tls_context, uses_sasl
from streams.kafka.tokens import token_source
from streams.rulebook.watch import RuleWatch
from streams.worker.delivery import OutgoingRecord
from streams.worker.erasure_rollout import ErasureRollout
from streams.worker.input_rollout import InputRollout
from streams.worker.model_rollout import ModelRollout
from streams.worker.pipeline import CheckpointServices, Pipeline
from streams.worker.record_sender import RecordSender
from streams.worker.rule_rollout import LOOK_S, RuleReloader
from streams.worker.settings import WorkerSettings

TICK_S: Final = 0.05
"""How often partitions are processed although no poll has come: the broker's ends change, topics go idle."""
COMMIT_S: Final = 1.0
METADATA_MS: Final = 30_000
"""How old what is known of the topics may be: so soon it is seen that they have grown."""
BATCH_BYTES: Final = 262_144
"""What the producer gathers for a partition while the broker is busy; a full batch makes the worker wait."""
QUEUED_POLLS: Final = 16
"""Polls between transport and agent; each may hold tens of thousands of records."""


class WorkerApp(faust.App):
    """A Faust app whose agent turns whole polls into warnings."""

    pipeline: Pipeline
    keeps_checkpoints: bool
    reloader: RuleReloader | None
    """Watches the rule files, where there are any."""
    commits: bool
    """Whether offsets are committed when what came of them has arrived."""

    @property
    def board(self) -> ReaderControl:
        """Return what transport and pipeline share; the transport looks for it here."""
        return self.pipeline.board

    async def commit_arrived(self) -> None:
        """Commit the offsets before which everything has reached the broker."""
        await self._commit_offsets(self.pipeline.delivery.arrived())

    async def finish(self) -> None:
        """Save what has moved, wait until what was put out has reached the broker, and commit."""
        await self._commit_offsets(await self.pipeline.finish())

    async def _commit_offsets(self, offsets: Mapping[Any, int]) -> None:
        # With checkpoints, offsets are committed when their checkpoint is on disk and only then.
        if offsets and self.commits:
            await cast(Consumer, self.consumer).commit_offsets(offsets)

    def _create_directories(self) -> None:
        """Create none: Faust would want one for its tables, and there are none."""


class WorkerGroup:
    """The worker's consumer group, with its errors as Lapwing's."""

    def __init__(self, app: WorkerApp, broker: str) -> None:
        self._app = app
        self._broker = broker

    async def committed(self, places: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the committed offsets of `places`, where there are any."""
        with _named(self._broker):
            return await self._consumer.committed(places)

    async def earliest(self, places: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the offset of the first record that each of `places` still has."""
        with _named(self._broker):
            return await self._consumer.earliest(places)

    async def commit_as(self, offsets: Mapping[TopicPartition, int], generation: int) -> bool:
        """Commit in one request as a member of `generation`; return whether the group took it."""
        with _named(self._broker):
            return await self._consumer.commit_as(offsets, generation)

    @property
    def _consumer(self) -> Consumer:
        return cast(Consumer, self._app.consumer)


@contextmanager
def _named(broker: str) -> Iterator[None]:
    try:
        yield
    except KafkaError as error:
        raise broker_error(error, broker) from error


def build_app(
    settings: WorkerSettings,
    engines: Callable[[int], StepEngine],
    rules: RuleWatch | None = None,
    dry: Callable[[OutgoingRecord], None] | None = None,
    erasures: ErasureRollout | None = None,
    inputs: InputWatch | None = None,
) -> WorkerApp:
    """Return the app that reads the input topics and warns; `engines` makes one for each partition.

    It takes rules from the files that `rules` looks at, and mappings from the one that `inputs` does. With
    `dry`, that is given every record that would be sent, and nothing is sent, committed or saved.
    """
    app = WorkerApp(
        settings.group or settings.app,
        broker=[f"lapwing://{address}" for address in settings.broker.split(",")],
        broker_credentials=credentials(settings.security),
        broker_session_timeout=settings.session_timeout_s,
        broker_heartbeat_interval=min(3.0, settings.session_timeout_s / 3),
        broker_max_poll_records=settings.poll_records,
        broker_commit_interval=60.0,
        consumer_max_fetch_size=settings.fetch_bytes,
        consumer_auto_offset_reset="none",
        consumer_metadata_max_age_ms=METADATA_MS,
        producer_max_request_size=settings.record_limit + 1_000,
        producer_max_batch_size=BATCH_BYTES,
        stream_buffer_maxsize=QUEUED_POLLS,
        stream_wait_empty=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
    )

    async def send_one(record: OutgoingRecord) -> Any:
        return await app.producer.send(
            record.topic, record.key, record.value, record.partition, None, cast(Any, record.headers)
        )

    sender = RecordSender(send_one, lambda: cast(Any, app.producer)._ensure_producer())

    async def send(records: Sequence[OutgoingRecord]) -> list[Any]:
        if dry is None:
            return await sender.send(records)
        for record in records:
            dry(record)
        return []

    checkpoints = None
    if settings.checkpoints and dry is None:
        checkpoints = CheckpointServices(
            CheckpointStore(settings.checkpoints, settings.app),
            WorkerGroup(app, settings.broker),
            WarningsTopic(
                TopicTail(settings.broker, settings.security, settings.warnings_topic), settings.app
            ),
            RejectedTopic(TopicTail(settings.broker, settings.security, settings.rejected_topic)),
        )
    app.keeps_checkpoints = checkpoints is not None
    app.commits = checkpoints is None and dry is None
    reloader = None
    if rules is not None:
        judges_segments = bool(settings.segment_days_topic)
        reloader = RuleReloader(rules, settings.app, settings.worker, judges_segments=judges_segments)
    app.reloader = reloader
    models = ModelRollout(settings.worker) if settings.models_topic else None
    app.pipeline = Pipeline(
        settings,
        engines,
        send,
        checkpoints=checkpoints,
        reloader=reloader,
        models=models,
        erasures=erasures,
        originals=OriginalRecords(settings.broker, settings.security),
        inputs=InputRollout(inputs, settings.worker) if inputs is not None else None,
    )
    polls_topic = app.topic(*settings.input_topics, value_type=bytes, value_serializer="raw", acks=False)

    @app.agent(polls_topic, supervisor_strategy=CrashingSupervisor)
    async def warn(polls: StreamT[Any]) -> None:
        """Take whole polls; after the last poll of a fetch, process the partitions."""
        async for poll in polls.noack():  # type: ignore[attr-defined]  # Faust's interface lacks it
            app.pipeline.take(cast(Poll, poll))
            if not poll.more:
                await app.pipeline.process()

    @app.task  # type: ignore[untyped-decorator]  # as Faust has it
    async def tick() -> None:
        """Process the partitions when nothing comes."""
        while not app.should_stop:
            await asyncio.sleep(TICK_S)
            if not app.rebalancing:
                await app.pipeline.process()

    @app.task  # type: ignore[untyped-decorator]  # as Faust has it
    async def commit() -> None:
        """Commit what has arrived, now and then."""
        while not app.should_stop:
            await asyncio.sleep(COMMIT_S)
            if not app.rebalancing:
                await app.commit_arrived()

    @app.task  # type: ignore[untyped-decorator]  # as Faust has it
    async def watch_topics() -> None:
        """End where an input topic is deleted and made anew: the states know another one's records."""
        while settings.topic_ids and not app.should_stop:
            await app.sleep(METADATA_MS / 1000)
            if not app.should_stop:
                await _check_topics(settings)

    @app.task  # type: ignore[untyped-decorator]  # as Faust has it
    async def checkpoint() -> None:
        """Save the states that have moved, now and then."""
        while app.keeps_checkpoints and not app.should_stop:
            await app.sleep(settings.checkpoint_every_s)
            if not (app.rebalancing or app.should_stop):
                await app.pipeline.save()

    @app.task  # type: ignore[untyped-decorator]  # as Faust has it
    async def reload() -> None:
        """Look at the rule files and the inputs, for a new model and for erasures, every second or so."""
        adopts = any(each is not None for each in (rules, inputs, models, erasures))
        while adopts and not app.should_stop:
            await app.sleep(LOOK_S)
            if not (app.rebalancing or app.should_stop):
                await app.pipeline.reload()

    @app.task  # type: ignore[untyped-decorator]  # as Faust has it
    async def follow_models() -> None:
        """Follow the topic of the shared learner's models."""
        if models is not None:
            topic = settings.models_topic
            await follow(settings.broker, settings.security, topic, settings.app, models.found)

    @app.task  # type: ignore[untyped-decorator]  # as Faust has it
    async def follow_erasures() -> None:
        """Follow the topic of erasures."""
        if erasures is not None and settings.erasures_topic and dry is None:
            topic = settings.erasures_topic
            await erasure_topic.follow(settings.broker, settings.security, topic, erasures.found)

    return app


async def _check_topics(settings: WorkerSettings) -> None:
    try:
        ids = await topic_ids(settings.broker, settings.security, settings.input_topics)
    except BrokerError:
        return  # a broker that is away is noticed where records are read and written
    if anew := sorted(name for name, known in settings.topic_ids.items() if ids.get(name, known) != known):
        message = (
            f"{', '.join(anew)}: deleted and made anew while the worker ran, so its states know other "
            f"records than the topic has; {REBUILD}"
        )
        raise StateError(message)


def credentials(security: Security) -> Any:
    """Return Faust's credentials for kafka-python's security options."""
    context = tls_context(security)
    if not uses_sasl(security):
        return faust.SSLCredentials(context) if context is not None else None
    if source := token_source(security):
        return OAuthCredentials(oauth_cb=TokenProvider(source), ssl_context=context)
    return faust.SASLCredentials(
        username=str(security["sasl_plain_username"]),
        password=str(security["sasl_plain_password"]),
        ssl_context=context,
        mechanism=str(security["sasl_mechanism"]),
    )
