"""Workers in threads, and what the tests write to their topics and read from them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiokafka  # type: ignore[import-untyped]  # ships no types
from aiokafka.admin import AIOKafkaAdminClient, NewTopic  # type: ignore[import-untyped]  # the same

from lapwing.demo.broker import SESSION_TIMEOUT_S
from streams.core.engine_io import EventCounts, Output
from streams.core.events.batch import Batch
from streams.core.events.topics import REQUIRED, Topic
from streams.core.segments.engine import SegmentEngine
from streams.inputs.watch import InputWatch
from streams.intake.partition import BatchingPolicy, StepEngine
from streams.rulebook.watch import RuleWatch
from streams.worker.run import serve
from streams.worker.settings import WorkerSettings
from streams.worker.stats import Stats

WITHIN_S = 30.0


@dataclass
class RecordingEngine:
    """Notes the events it is given, as (topic, event id), and how many came at once."""

    events: list[tuple[int, str]] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)

    def step(self, batch: Batch) -> Output:
        self.sizes.append(len(batch))
        self.events += zip(batch.topic.tolist(), batch.event_id.tolist(), strict=True)
        return Output(counts=EventCounts(events=len(batch)))

    def flush(self) -> Output:
        return Output()


def make_topics(broker: str, names: Iterable[str], partitions: int) -> None:
    async def create() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=broker)
        await admin.start()
        await admin.create_topics([NewTopic(name, partitions, 1) for name in names])
        await admin.close()

    asyncio.run(create())


def settings_on(broker: str, partitions: int = 2, pace: BatchingPolicy | None = None) -> WorkerSettings:
    """Return settings with topics of their own, which are created."""
    prefix = f"t{uuid.uuid4().hex[:8]}"
    settings = WorkerSettings(
        broker=broker,
        topics={topic: f"{prefix}-{topic.label}" for topic in REQUIRED},
        app=prefix,
        warnings_topic=f"{prefix}-warnings",
        control_topic=f"{prefix}-control",
        audit_topic=f"{prefix}-audit",
        session_timeout_s=SESSION_TIMEOUT_S,
        pace=pace or BatchingPolicy(reorder_us=250_000),
    )
    make_topics(broker, settings.topics.values(), partitions)
    make_topics(
        broker, [settings.warnings_topic, settings.control_topic, settings.rejected_topic], partitions
    )
    make_topics(broker, [settings.audit_topic], 1)
    return settings


class RunningWorker:
    """A worker in a thread of its own."""

    def __init__(
        self,
        settings: WorkerSettings,
        engines: Callable[[int], StepEngine] | None = None,
        judge: Callable[[int], SegmentEngine] | None = None,
        rules: RuleWatch | None = None,
        inputs: InputWatch | None = None,
    ) -> None:
        self.settings = settings
        self._inputs = inputs
        self._judge = judge
        self._rules = rules
        self.engines: dict[int, Any] = {}
        self.stats: Stats | None = None
        self.on_stats: Callable[[Stats], None] = lambda stats: None
        self._make = engines or (lambda number: RecordingEngine())
        self._error: BaseException | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        """Stop it as SIGTERM would, and raise what it crashed of."""
        with contextlib.suppress(RuntimeError):  # it crashed, and its loop is closed
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(WITHIN_S)
        assert not self._thread.is_alive(), "the worker does not stop"
        if self._error is not None:
            raise self._error

    def wait_until(self, reached: Callable[[], bool], within_s: float = WITHIN_S) -> None:
        deadline = time.monotonic() + within_s
        while not reached():
            assert self._thread.is_alive(), f"the worker has ended: {self._error!r}"
            assert time.monotonic() < deadline, f"not reached within {within_s} s: {self.stats}"
            time.sleep(0.02)

    def events(self) -> list[tuple[int, str]]:
        """Return what all its engines were given."""
        return [event for number in sorted(self.engines) for event in self.engines[number].events]

    def count(self) -> int:
        return sum(len(engine.events) for engine in list(self.engines.values()))

    def _engine(self, number: int) -> StepEngine:
        engine = self.engines[number] = self._make(number)
        return engine

    def _run(self) -> None:
        async def main() -> None:
            self._loop = asyncio.get_running_loop()
            self._stop = asyncio.Event()
            self._ready.set()
            await serve(
                self.settings,
                self._engine,
                self._stop,
                self._report,
                self._rules,
                judge=self._judge,
                inputs=self._inputs,
            )

        try:
            asyncio.run(main())
        except BaseException as error:
            self._error = error

    def _report(self, stats: Stats) -> None:
        self.stats = stats
        self.on_stats(stats)


@contextlib.contextmanager
def running(
    settings: WorkerSettings,
    engines: Callable[[int], StepEngine] | None = None,
    judge: Callable[[int], SegmentEngine] | None = None,
    rules: RuleWatch | None = None,
    inputs: InputWatch | None = None,
) -> Iterator[RunningWorker]:
    worker = RunningWorker(settings, engines, judge, rules, inputs)
    try:
        yield worker
    finally:
        worker.stop()


@dataclass(frozen=True)
class Sent:
    """A record to be written."""

    topic: str
    key: bytes | None
    value: bytes | None
    partition: int | None = None


def produce(broker: str, records: Sequence[Sent], codec: str | None = None) -> list[int]:
    """Write `records` in order and return their offsets."""

    async def send() -> list[int]:
        producer = aiokafka.AIOKafkaProducer(
            bootstrap_servers=broker,
            compression_type=codec,
            linger_ms=5,
            max_batch_size=200_000,
            max_request_size=2_000_000,
        )
        async with producer:
            acks = [await producer.send(r.topic, r.value, r.key, r.partition) for r in records]
            return [ack.offset for ack in await asyncio.gather(*acks)]

    return asyncio.run(send())


def consume(broker: str, topic: str, count: int, within_s: float = WITHIN_S) -> list[Any]:
    """Return the first `count` records of `topic`, or as many as there are when the time is over."""

    async def read() -> list[Any]:
        consumer = aiokafka.AIOKafkaConsumer(
            topic,
            bootstrap_servers=broker,
            auto_offset_reset="earliest",
            fetch_max_bytes=8_000_000,
            max_partition_fetch_bytes=4_000_000,
        )
        found: list[Any] = []
        deadline = time.monotonic() + within_s
        async with consumer:
            while len(found) < count and time.monotonic() < deadline:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found += records
        return found

    return asyncio.run(read())


def event(topic: Topic, event_id: str, customer: str, at: str) -> bytes:
    """Return an event as it stands on its topic."""
    own: dict[str, Any] = {}
    if topic is Topic.ORDERS:
        own = {"order_id": event_id, "amount": 12.5, "currency": "EUR"}
    if topic is Topic.COMPLAINTS:
        own = {"complaint_id": event_id}
    return json.dumps({"event_id": event_id, "customer_id": customer, "occurred_at": at, **own}).encode()
