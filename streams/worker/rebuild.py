"""Rebuilds all states from what the topics hold, for the number of partitions they have now.

Where input topics have grown, old events of a customer lie in one partition and new ones in another. So all
are read by one process, merged in event time, and given to the engine of the partition that the customer now
belongs to. Workers then go on from checkpoints of these states at the
ends of the topics.

The warnings topic gets the steps that it lacks and that matter now: those later than its newest, and those
of warnings that are open in the topic or in the new states. What was judged long ago is not judged again.

A warning that is open in the topic and that the events do not give is withdrawn where the topics hold all
there ever was: then nothing gives it any more. Where records have been deleted (retention), its events may be
among them: it stays open, as the warnings topic has it, until its rules clear it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

import numpy as np
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition  # type: ignore[import-untyped]  # no types
from aiokafka.errors import KafkaError  # type: ignore[import-untyped]  # the same

from streams.checkpoints.store import Checkpoint, CheckpointManifest, CheckpointStore
from streams.contract.instants import read_instant, to_us
from streams.contract.segment_days import SumsReader
from streams.contract.warnings import encode_step, encode_withdrawal, parse_warning
from streams.core.engine import Engine
from streams.core.engine_io import Output
from streams.core.events.batch import Batch
from streams.core.events.calendar import NEVER
from streams.core.events.partitioner import partitions
from streams.core.state_tables import tables
from streams.core.steps import Step, StepKind
from streams.errors import BrokerError, ContractError, StateError
from streams.inputs.watch import InputRevision
from streams.intake.broker import aiokafka_security
from streams.intake.history import InputHistory
from streams.intake.merge import TopicPosition
from streams.intake.poll import TopicPartition as Place
from streams.intake.sent_steps import TopicWarnings, WarningsTopic
from streams.intake.standing_refusals import RejectedTopic
from streams.intake.topic_tail import TopicTail
from streams.kafka.errors import BrokerTrouble, broker_error, trouble_of
from streams.rulebook.revisions import CheckpointedRules
from streams.worker.delivery import OutgoingRecord, OutputRouter
from streams.worker.erasure_rollout import ErasureRollout
from streams.worker.open_warnings import keep_open
from streams.worker.settings import OPTIONAL_OUTPUTS, WorkerSettings

log = logging.getLogger(__name__)

ENDS: Final = frozenset({StepKind.RESOLVED, StepKind.WITHDRAWN, StepKind.EXPIRED})


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild did."""

    partitions: int
    events: int
    refused: int
    open_warnings: int
    """Warnings that are open now."""
    sent: int
    """Steps that the warnings topic lacked."""
    withdrawn: int
    """Warnings that were open in the topic and are no more."""
    kept: int = 0
    """Warnings that are open because the topic says so: the events that opened them may have been deleted."""


class StepSelection:
    """Picks from the steps of a whole history those that the warnings topic lacks of the present."""

    def __init__(self, topic: TopicWarnings) -> None:
        self._topic = topic
        self._of_open: dict[str, list[Step]] = {}
        """Steps that the topic lacks of warnings that are open so far."""
        self._kept: list[Step] = []
        self._ended: set[str] = set()

    def take(self, steps: list[Step]) -> None:
        """Take in steps in the order of time."""
        for step in steps:
            warning = step.warning_id
            if step.kind in ENDS:
                self._ended.add(warning)
            if step.id not in self._topic.ids:
                if step.at > self._topic.until or warning in self._topic.open:
                    self._kept.append(step)
                else:
                    self._of_open.setdefault(warning, []).append(step)
            if step.kind in ENDS:
                self._of_open.pop(warning, None)

    def forget(self, warnings: Collection[str]) -> None:
        """Send nothing of these warnings."""
        self._kept = [step for step in self._kept if step.warning_id not in warnings]
        for warning in warnings:
            self._of_open.pop(warning, None)

    def lacking(self) -> list[Step]:
        """Return the steps to be sent, in the order of time, a warning's in their own order."""
        late = [step for steps in self._of_open.values() for step in steps]
        return sorted([*self._kept, *late], key=lambda step: (step.at, step.customer_id, step.number))

    def lost(self, open_now: set[str]) -> dict[str, bytes]:
        """Return the last events of warnings that are open in the topic, not here, and were not ended."""
        gone = self._topic.open.keys() - open_now - self._ended
        return {warning: self._topic.open[warning] for warning in sorted(gone)}


@dataclass(slots=True)
class OutcomeSelection:
    """Picks what other topics lack: outcomes, census, customers' days, scores, days' sums."""

    router: OutputRouter
    newest: Mapping[str, int]
    """By topic, the newest event time there; none where it holds nothing of ours."""
    ids: Mapping[str, frozenset[str]]
    """By topic, the ids of that time."""
    last_day: int | None
    """The newest day whose sums are on the internal topic."""
    records: list[OutgoingRecord] = field(default_factory=list)

    @classmethod
    async def of(cls, settings: WorkerSettings, router: OutputRouter) -> OutcomeSelection:
        """Return a selection after reading what the topics hold."""
        newest, ids = {}, {}
        for topic in filter(None, (getattr(settings, name) for name in OPTIONAL_OUTPUTS)):
            tail = TopicTail(settings.broker, settings.security, topic)
            until = NEVER
            known: set[str] = set()
            async for record in tail.records({}):
                if (event := _event(record.value, settings.app)) is not None:
                    if event[1] > until:
                        until, known = event[1], set()
                    known |= {event[0]} if event[1] == until else set()
            newest[topic], ids[topic] = until, frozenset(known)
        return cls(router, newest, ids, await _last_day(settings) if settings.segment_days_topic else None)

    def take(self, output: Output) -> None:
        """Take in what an engine put out."""
        for record in self.router.of_outcomes(output):
            event = _event(record.value, self.router.app)
            until = self.newest.get(record.topic, NEVER)
            if event is not None and (
                event[1] > until or (event[1] == until and event[0] not in self.ids[record.topic])
            ):
                self.records.append(record)
        for sums in output.sums:
            if self.last_day is None or sums.closed > self.last_day:
                self.records += self.router.of_sums(sums)


def _event(value: bytes | None, app: str) -> tuple[str, int] | None:
    """Return the id and the time of an event of the application; `None` of anything else."""
    try:
        event = json.loads(value or b"")
        if event["source"] != f"/lapwing/{quote(app, safe='')}":
            return None
        return str(event["id"]), to_us(read_instant(event["time"]))
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


async def rebuild(
    settings: WorkerSettings,
    engines: Callable[[int], Engine],
    rules: CheckpointedRules | None = None,
    wall: Callable[[], float] = time.time,
    erasures: ErasureRollout | None = None,
    inputs: InputRevision | None = None,
) -> Rebuilt:
    """Rebuild the states of all partitions; no worker of the group may run."""
    if not settings.checkpoints or settings.partitions is None:
        message = "states are rebuilt as checkpoints: `checkpoints` must name a place for them"
        raise StateError(message)
    store = CheckpointStore(settings.checkpoints, settings.app)
    warnings = WarningsTopic(
        TopicTail(settings.broker, settings.security, settings.warnings_topic), settings.app
    )
    rejected = RejectedTopic(TopicTail(settings.broker, settings.security, settings.rejected_topic))
    async with _consumer(settings) as consumer:
        # The group takes this only while it has no members: better to know before the work than after.
        await _commit(settings, consumer, await _committed(settings, consumer))
        log.info("rebuilding partitions=%d", settings.partitions)
        history = InputHistory(
            consumer,
            {name: topic for topic, name in settings.topics.items()},
            await rejected.since({}),
            max_skew_us=settings.max_skew_us,
            wall_us=lambda: int(wall() * 1_000_000),
            sources=settings.sources,
        )
        made = [engines(number) for number in range(settings.partitions)]
        selection = StepSelection(await warnings.all())
        router = OutputRouter.of(settings)
        others = await OutcomeSelection.of(settings, router)

        def take(output: Output) -> None:
            selection.take(output.steps)
            others.take(output)

        async for batch in history.batches():
            await asyncio.to_thread(_step, made, batch, take)
        for engine in made:
            take(await asyncio.to_thread(engine.flush))
        log.info("all events are read events=%d", history.events)
        lost = selection.lost({w.id for engine in made for w in engine.episodes.open.values()})
        erased = warnings_of_erased(lost, erasures)
        kept: set[str] = set()
        if deleted := sorted(str(place) for place, begin in history.begins.items() if begin):
            staying = {warning: event for warning, event in lost.items() if warning not in erased}
            kept = _keep_open(made, staying, selection, take, deleted)
        open_now = sum(len(engine.episodes.open) for engine in made)
        clock = max((engine.reorder.watermark for engine in made), default=NEVER)
        lacking = selection.lacking()
        # What was to be kept and is not has been withdrawn by an engine.
        withdrawn = erased if deleted else lost
        await _send(settings, lacking, withdrawn, others.records, clock)
        ends = await warnings.ends(), await rejected.ends()
        positions = history.positions()
        saved = await asyncio.to_thread(_save, settings, store, made, positions, ends, rules, inputs)
        await _commit(settings, consumer, {place: at.offset for place, at in positions.items()})
        await asyncio.to_thread(_keep_only, store, saved)
    return Rebuilt(
        partitions=len(made),
        events=history.events,
        refused=history.refused,
        open_warnings=open_now,
        sent=len(lacking),
        withdrawn=len(lost) - len(kept),
        kept=len(kept),
    )


def warnings_of_erased(lost: Mapping[str, bytes], erasures: ErasureRollout | None) -> dict[str, bytes]:
    """Return those of the warnings whose customers were erased after they opened."""
    found = {}
    for warning, value in lost.items():
        data = parse_warning(value).data
        if erasures is not None and erasures.is_erased(data.customer_id, to_us(data.opened_at)):
            found[warning] = value
    return found


def _step(engines: list[Engine], batch: Batch, take: Callable[[Output], None]) -> None:
    """Give events to the engines of their customers' partitions."""
    numbers = partitions(batch.customer_id, len(engines))
    for number, engine in enumerate(engines):
        own = batch.take(numbers == number)
        if len(own):
            take(engine.step(own))


def _keep_open(
    engines: list[Engine],
    lost: Mapping[str, bytes],
    selection: StepSelection,
    take: Callable[[Output], None],
    deleted: Sequence[str],
) -> set[str]:
    """Let the engines keep warnings open that the topic has and the events do not give; return these."""
    kept: set[str] = set()
    log.warning(
        "records have been deleted from %s: what looks back further counts too little for a while, and "
        "warnings=%d stay open because the warnings topic says so",
        ", ".join(deleted), len(lost),
    )  # fmt: skip
    events = [parse_warning(value) for value in lost.values()]
    ids = np.array([event.data.customer_id for event in events], dtype=np.object_)
    numbers = partitions(ids, len(engines)).tolist() if events else []
    for number, engine in enumerate(engines):
        own = [event for event, at in zip(events, numbers, strict=True) if at == number]
        given = {w.id for w in engine.episodes.open.values()}
        output = keep_open(engine, own)
        still = {w.id for w in engine.episodes.open.values()}
        selection.forget(given - still)
        take(output)
        kept |= still & lost.keys()
    for warning in sorted(kept):
        log.warning("kept open warning=%s", warning)
    return kept


@asynccontextmanager
async def _consumer(settings: WorkerSettings) -> AsyncIterator[Any]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.broker,
        group_id=settings.group or settings.app,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        max_partition_fetch_bytes=settings.fetch_bytes,
        **aiokafka_security(settings.security),
    )
    try:
        await consumer.start()
        assert settings.partitions is not None
        consumer.assign(
            [TopicPartition(t, n) for t in settings.input_topics for n in range(settings.partitions)]
        )
        yield consumer
    except KafkaError as error:
        raise broker_error(error, settings.broker) from error
    finally:
        await consumer.stop()


async def _committed(settings: WorkerSettings, consumer: Any) -> dict[Place, int]:
    found = {tp: await consumer.committed(tp) for tp in consumer.assignment()}
    return {Place(*tp): offset for tp, offset in found.items() if offset is not None}


async def _commit(settings: WorkerSettings, consumer: Any, offsets: Mapping[Place, int]) -> None:
    """Commit as somebody who is no member of the group, which Kafka takes while the group has none."""
    if not offsets:
        return
    try:
        await consumer.commit({TopicPartition(*place): offset for place, offset in offsets.items()})
    except KafkaError as error:
        if trouble_of(error) is BrokerTrouble.GROUP:
            message = f"workers of {settings.group or settings.app} are running: stop them all, then rebuild"
            raise BrokerError(message) from error
        raise


async def _send(
    settings: WorkerSettings,
    steps: list[Step],
    lost: Mapping[str, bytes],
    others: list[OutgoingRecord],
    clock: int,
) -> None:
    """Send what the warnings topic lacks, and what the other topics lack."""
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.broker, acks="all", **aiokafka_security(settings.security)
    )
    try:
        await producer.start()
        for step in steps:
            key = step.customer_id.encode()
            await producer.send(settings.warnings_topic, encode_step(step, settings.app), key)
        for warning, value in lost.items():
            customer, withdrawal = encode_withdrawal(value, clock)
            log.warning("withdrawn: no event gives it any more, warning=%s", warning)
            await producer.send(settings.warnings_topic, withdrawal, customer.encode())
        for record in others:
            await producer.send(record.topic, record.value, record.key, record.partition)
        await producer.flush()
    finally:
        await producer.stop()


async def _last_day(settings: WorkerSettings) -> int | None:
    """Return the newest day whose sums are on the internal topic."""
    tail = TopicTail(settings.broker, settings.security, settings.segment_days_topic)
    reader, newest = SumsReader(), None
    async for record in tail.records({}):
        try:
            sums = reader.read(record.value)
        except (ContractError, KeyError):
            continue
        if sums is not None:
            newest = sums.closed if newest is None else max(newest, sums.closed)
    return newest


def _save(
    settings: WorkerSettings,
    store: CheckpointStore,
    engines: list[Engine],
    found: Mapping[Place, TopicPosition],
    ends: tuple[Mapping[int, int], Mapping[int, int]],
    rules: CheckpointedRules | None,
    inputs: InputRevision | None,
) -> dict[int, Checkpoint]:
    saved = {}
    for number, engine in enumerate(engines):
        positions = {place.topic: at for place, at in found.items() if place.partition == number}
        content = CheckpointManifest(
            topics=positions,
            warnings=ends[0],
            rejected=ends[1],
            rule_set=engine.rules.hash,
            rules=rules,
            partitions=settings.partitions,
            topic_ids=settings.topic_ids,
            inputs=None if inputs is None else inputs.kept(),
        )
        held = {**tables(engine), **(inputs.tables() if inputs is not None else {})}
        saved[number] = store.save(number, held, content)
    return saved


def _keep_only(store: CheckpointStore, saved: Mapping[int, Checkpoint]) -> None:
    """Mark the new checkpoints as committed and remove all others, which fit the topics no more."""
    for checkpoint in saved.values():
        store.mark_committed(checkpoint)
    for number in store.partitions():
        for checkpoint in store.whole(number):
            if checkpoint != saved.get(number):
                store.discard(checkpoint)
