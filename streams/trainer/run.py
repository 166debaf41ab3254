"""Learns from the samples of all partitions until it is stopped, and publishes what came of it."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import (  # type: ignore[import-untyped]  # ships no types
    AIOKafkaConsumer,
    AIOKafkaProducer,
    ConsumerRebalanceListener,
    TopicPartition,
)
from aiokafka.errors import (  # type: ignore[import-untyped]  # the same
    CommitFailedError,
    IllegalStateError,
    KafkaError,
)

from streams.contract.models import CHAMPION, ModelLog, encode_choice
from streams.contract.samples import parse_samples
from streams.contract.warnings import encode_notice
from streams.core.model.prequential import QUALITY_MEASURES
from streams.errors import BrokerError, ContractError, StateError
from streams.intake.broker import aiokafka_security, partition_counts
from streams.intake.model_topic import read_models
from streams.intake.topic_tail import TopicTail
from streams.kafka.errors import broker_error, no_topic
from streams.learning.shared import SharedLearner, Taken
from streams.trainer.settings import TrainerSettings
from streams.trainer.store import LearnerStore

log = logging.getLogger(__name__)

READ_WAIT_MS: Final = 250
READ_RECORDS: Final = 200
"""Of one poll: the group must hear of the learner between two."""
REPORT_S: Final = 1.0
MODELS_KEPT: Final = 150
"""Published models that are kept, beside those in force."""
LEARNER: Final = "learner"
"""Who chose the champion."""


@dataclass(frozen=True, slots=True)
class TrainerStats:
    """What a learner has done, and how far it is."""

    active: bool
    """Whether it learns; of several learners one does."""
    offset: int
    lag: int | None
    samples: int
    excluded: int
    treated: int
    repeats: int
    refused: int
    """Records since it started that hold no samples."""
    champion: str
    version: str | None
    ready: bool
    warm_up: str
    """What the champion lacks, and how long that takes."""
    published: int
    """Models since it started."""
    published_at: float | None
    """When the last of them was, seconds since the epoch."""
    quality: dict[str, float]
    """How good the probabilities were that the champion gave before the outcome was known."""
    broker_silent_s: float | None
    """How long the broker has answered no fetch; `None` where nothing is fetched now."""


Report = Callable[[TrainerStats], None]


def run_learner(
    settings: TrainerSettings, make: Callable[[], SharedLearner], report: Report | None = None
) -> None:
    """Learn until SIGTERM or SIGINT; `make` makes a learner that knows nothing."""

    async def main() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await serve(settings, make, stop, report)

    asyncio.run(main())


async def serve(
    settings: TrainerSettings,
    make: Callable[[], SharedLearner],
    stop: asyncio.Event,
    report: Report | None = None,
) -> None:
    """Learn until `stop` is set."""
    counts = await partition_counts(settings.broker, settings.security)
    topics = (settings.samples_topic, settings.models_topic, settings.control_topic)
    if missing := [name for name in topics if name not in counts]:
        raise BrokerError(no_topic("the broker", *missing))
    for name in (settings.samples_topic, settings.models_topic):
        if counts[name] != 1:
            message = f"{name} has {counts[name]} partitions and must have 1: its order is that of learning"
            raise BrokerError(message)
    log.info("starting learner app=%s broker=%s", settings.app, settings.broker)
    try:
        await Trainer(settings, make, report or (lambda stats: None)).run(stop)
    except KafkaError as error:
        raise broker_error(error, settings.broker) from error
    log.info("stopped")


class Trainer(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types
    """The member of the learner's group that has the samples topic, or waits for it."""

    def __init__(self, settings: TrainerSettings, make: Callable[[], SharedLearner], report: Report) -> None:
        self._settings = settings
        self._make = make
        self._report = report
        self._place = TopicPartition(settings.samples_topic, 0)
        self._store = None
        if settings.checkpoints:
            self._store = LearnerStore(settings.checkpoints, settings.app, settings.samples_topic)
        self._learner: SharedLearner | None = None
        """`None` until the samples topic is this learner's."""
        self._assigned = False
        self._models = ModelLog(settings.app)
        self._settled_at = 0.0
        self._settled: int | None = None
        """The offset of the last checkpoint."""
        self._refused = self._published = 0
        self._published_at: float | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Learn until `stop` is set."""
        settings = self._settings
        session_ms = int(settings.session_timeout_s * 1000)
        security = aiokafka_security(settings.security)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=settings.broker,
            group_id=settings.group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=min(3_000, session_ms // 3),
            **security,
        )
        producer = AIOKafkaProducer(bootstrap_servers=settings.broker, acks="all", **security)
        consumer.subscribe([settings.samples_topic], listener=self)
        reported = 0.0
        try:
            await producer.start()
            await consumer.start()
            while not stop.is_set():
                await self._turn(consumer, producer)
                now = asyncio.get_running_loop().time()
                if now - reported >= REPORT_S:
                    reported = now
                    self._report(self.stats(consumer))
            if self._learner is not None and self._assigned:
                await self._settle(consumer, producer)
            self._report(self.stats(consumer))
        finally:
            with suppress(KafkaError):
                await consumer.stop()
            await producer.stop()

    # -- the group gives and takes -----------------------------------------------------------------

    async def on_partitions_revoked(self, revoked: Collection[Any]) -> None:
        """Give up what was learned since the last checkpoint: whoever goes on learns it again."""
        self._learner, self._assigned = None, False

    async def on_partitions_assigned(self, assigned: Collection[Any]) -> None:
        """Begin, where the topic is this learner's."""
        self._assigned = self._place in assigned
        log.info("learning" if self._assigned else "waiting: another learner has the samples topic")

    # -- learning ---------------------------------------------------------------------------------

    async def _turn(self, consumer: Any, producer: Any) -> None:
        if self._assigned and self._learner is None:
            await self._begin(consumer, producer)
        polled = await consumer.getmany(timeout_ms=READ_WAIT_MS, max_records=READ_RECORDS)
        learner = self._learner
        if learner is None or not self._assigned:
            return
        for record in polled.get(self._place, ()):
            if record.offset >= learner.offset:  # not what was fetched before the seek
                await asyncio.to_thread(self._learn, learner, record)
        if learner is not self._learner:
            return  # it was revoked meanwhile
        with suppress(IllegalStateError):  # it was revoked a moment ago
            # What follows the last record may be the end of a transaction.
            learner.go_to(max(learner.offset, await consumer.position(self._place)))
        since = asyncio.get_running_loop().time() - self._settled_at
        drained = not polled and self._lag(consumer) == 0
        wait = self._settings.publish_every_s if drained else self._settings.checkpoint_every_s
        if learner.offset != self._settled and since >= wait:
            await self._settle(consumer, producer)

    def _learn(self, learner: SharedLearner, record: Any) -> None:
        try:
            batch = parse_samples(record.value, self._settings.app)
        except ContractError as error:
            self._refused += 1
            log.warning(
                "%(topic)s[0]@%(offset)d is passed over: %(error)s",
                {"topic": record.topic, "offset": record.offset, "error": error},
            )
            learner.go_to(record.offset + 1)
            return
        if learner.take(batch, record.offset) is Taken.REPEAT:
            log.info(
                "learned before partition=%(partition)d at=%(at)d offset=%(offset)d",
                {"partition": batch.partition, "at": batch.at, "offset": record.offset},
            )

    async def _begin(self, consumer: Any, producer: Any) -> None:
        """Go on from the newest checkpoint, and publish what its writer could not any more."""
        learner, settings = self._make(), self._settings
        loaded = self._store is not None and await asyncio.to_thread(self._store.load, learner)
        begin = (await consumer.beginning_offsets([self._place]))[self._place]
        end = (await consumer.end_offsets([self._place]))[self._place]
        if learner.offset > end:
            log.warning("%s was made anew: it is read from its beginning", settings.samples_topic)
            learner.go_to(begin)
        if learner.offset < begin:
            if loaded or begin:
                log.warning(
                    "%s begins at %d: samples from %d on were deleted before they were learned",
                    settings.samples_topic, begin, learner.offset,
                )  # fmt: skip
            learner.go_to(begin)
        self._models = await self._read_models()
        if not self._assigned:
            return  # it was revoked meanwhile
        consumer.seek(self._place, learner.offset)
        self._learner, self._settled = learner, learner.offset
        if loaded:
            await self._publish(producer)

    async def _settle(self, consumer: Any, producer: Any) -> None:
        """Save what was learned, let the group know, and publish it; a learner that was replaced does not."""
        learner = self._learner
        assert learner is not None
        checkpoint = None
        self._settled_at = asyncio.get_running_loop().time()
        if self._store is not None:
            try:
                checkpoint = await asyncio.to_thread(self._store.save, learner)
            except StateError as error:
                log.error("no checkpoint of the learner, nothing is published: %s", error)
                return  # it is tried again
        try:
            await consumer.commit({self._place: learner.offset})
        except (CommitFailedError, IllegalStateError):
            log.warning("the group refused the commit: another learner has the samples topic")
            if self._store is not None and checkpoint is not None:
                await asyncio.to_thread(self._store.discard, checkpoint)
            self._learner = None
            return
        if self._store is not None and checkpoint is not None:
            await asyncio.to_thread(self._store.committed, checkpoint)
        self._settled = learner.offset
        await self._publish(producer)

    async def _publish(self, producer: Any) -> None:
        """Publish the candidates' models, unless the topic has them, and what else is to be known."""
        learner, settings = self._learner, self._settings
        if learner is None or learner.at is None:
            return
        version = learner.model().version
        before = self._models.champion.version if self._models.champion is not None else None
        if version != before or version not in self._models.models:
            records: list[tuple[bytes, bytes | None]] = [
                (key.encode(), value) for key, value in learner.records(settings.app).items()
            ]
            choice = encode_choice(
                settings.app, version, before, learner.at, LEARNER, learner.contest.champion
            )
            await self._send(producer, [*records, (CHAMPION, choice)])
            if self._outdated():
                self._models = await self._read_models()  # somebody may have pinned one meanwhile
                await self._send(producer, [(key, None) for key in self._outdated()])
            self._published += 1
            self._published_at = time.time()
            log.info(
                "published model=%(model)s candidate=%(candidate)s",
                {"model": version, "candidate": learner.contest.champion},
            )
        notices = list(learner.notices)
        for notice in notices:
            log.warning("%s %s", notice.kind, notice.detail)
            await producer.send_and_wait(settings.control_topic, encode_notice(notice, settings.app))
        learner.published(len(notices))

    async def _send(self, producer: Any, records: list[tuple[bytes, bytes | None]]) -> None:
        """Put records on the models topic, one after the other."""
        for key, value in records:
            await producer.send_and_wait(self._settings.models_topic, value, key)
            self._models.take(key, value)

    async def _read_models(self) -> ModelLog:
        settings = self._settings
        return await read_models(
            TopicTail(settings.broker, settings.security, settings.models_topic), settings.app
        )

    def _outdated(self) -> list[bytes]:
        """Return the keys of old models that nobody needs."""
        newest = [each.version for each in self._models.newest()]
        kept = {self._models.pinned, *newest[: MODELS_KEPT - 1]}
        return [version.encode() for version in newest if version not in kept]

    # -- what can be seen from outside ------------------------------------------------------------

    def _lag(self, consumer: Any) -> int | None:
        mark = consumer.highwater(self._place) if self._assigned else None
        offset = self._learner.offset if self._learner is not None else None
        return None if mark is None or offset is None else max(0, mark - offset)

    def stats(self, consumer: Any) -> TrainerStats:
        """Return what was done so far."""
        learner = self._learner or self._make()
        model = learner.model()
        return TrainerStats(
            active=self._learner is not None,
            offset=learner.offset,
            lag=self._lag(consumer),
            samples=learner.counts["samples"],
            excluded=learner.counts["excluded"],
            treated=learner.counts["treated"],
            repeats=learner.counts["repeats"],
            refused=self._refused,
            champion=learner.contest.champion,
            version=model.version if learner.at is not None else None,
            ready=model.ready,
            warm_up=learner.warm_up().text(),
            published=self._published,
            published_at=self._published_at,
            quality=_quality(learner) if self._learner is not None else {},
            broker_silent_s=self._broker_silent_s(consumer),
        )

    def _broker_silent_s(self, consumer: Any) -> float | None:
        if not self._assigned or self._learner is None:
            return None
        with suppress(IllegalStateError):  # it was revoked a moment ago
            answered_ms = consumer.last_poll_timestamp(self._place)
            return None if answered_ms is None else round(max(0.0, time.time() - answered_ms / 1_000), 3)
        return None


def _quality(learner: SharedLearner) -> dict[str, float]:
    found = learner.champion.metrics()["prequential"]
    return {name: found[name] for name in QUALITY_MEASURES if found[name] is not None}
