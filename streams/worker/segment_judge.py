"""Judges segments beside the worker: a member of a group of its own on the internal topic of days' sums."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Final

from aiokafka import (  # type: ignore[import-untyped]  # ships no types
    AIOKafkaConsumer,
    AIOKafkaProducer,
    ConsumerRebalanceListener,
    TopicPartition,
)
from aiokafka.errors import IllegalStateError, KafkaError  # type: ignore[import-untyped]  # the same

from streams.contract.segment_days import JudgeState, SumsReader, encode_state
from streams.contract.segments import encode_segment_step
from streams.core.segments.engine import SegmentEngine, SegmentStep
from streams.core.segments.tables import judge_state, restore_judge
from streams.errors import ContractError
from streams.intake.broker import aiokafka_security
from streams.intake.sent_steps import WarningsTopic
from streams.intake.topic_tail import TopicTail
from streams.kafka.errors import broker_error
from streams.kafka.security import Security
from streams.rulebook.revisions import ActiveSegmentRules
from streams.worker.rule_notices import SEGMENTS, Adoption
from streams.worker.rule_rollout import RuleRollout

log = logging.getLogger(__name__)

READ_WAIT_MS: Final = 250
IDLE_S: Final = 5.0
"""How often the broker is asked whether partitions that hold up a day have nothing more to be read."""


@dataclass(frozen=True, slots=True)
class SegmentJudgeSettings:
    """Where a judge reads and writes."""

    broker: str
    app: str
    days_topic: str
    warnings_topic: str
    inputs: tuple[str, ...]
    """The input topics, whose offsets show which partitions are idle."""
    security: Security = field(default_factory=dict, repr=False)
    session_timeout_s: float = 45.0


@dataclass(slots=True)
class _JudgedPartition:
    """One partition of the internal topic: it is read to where it ended before anything is judged."""

    engine: SegmentEngine
    reader: SumsReader = field(default_factory=SumsReader)
    end: int | None = None
    sent: frozenset[str] | None = None
    """Ids of steps that the warnings topic holds already; `None` until the state is loaded."""
    active: ActiveSegmentRules | None = None
    """The rules in force, where the worker knows of rule files."""
    before: str | None = None
    """The hash of the rules before, where a state says no more of them."""
    announced: bool = True
    """Whether the audit topic knows the rules in force."""

    def state(self, adoption: Adoption | None = None) -> bytes:
        """Return the record of what a judge goes on from; `adoption` is published once more after a crash."""
        state = judge_state(self.engine)
        rules = self.engine.rules if self.active is None else self.active.rules
        if self.active is not None:
            state["rules"] = {
                "rules": rules.as_plain(),
                "since": self.active.since,
                "before": list(self.active.before),
                "adoption": adoption,
            }
        return encode_state(state, rules.hash)


class SegmentJudge(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types
    """Judges what is due on each partition that the group assigns to it."""

    def __init__(
        self,
        settings: SegmentJudgeSettings,
        engine: Callable[[], SegmentEngine],
        rollout: RuleRollout | None = None,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._rollout = rollout
        self._security = aiokafka_security(settings.security)
        self._partitions: dict[int, _JudgedPartition] = {}
        self._asked_at = -IDLE_S
        self._idle: frozenset[int] = frozenset()

    async def run(self, stop: asyncio.Event) -> None:
        """Judge until `stop` is set."""
        try:
            await self._run(stop)
        except KafkaError as error:
            raise broker_error(error, self._settings.broker) from error

    async def _run(self, stop: asyncio.Event) -> None:
        settings = self._settings
        session_ms = int(settings.session_timeout_s * 1000)
        # Nothing is committed: a partition is read from the beginning by whoever takes it.
        consumer = AIOKafkaConsumer(
            bootstrap_servers=settings.broker,
            group_id=f"{settings.app}-segments",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=min(3_000, session_ms // 3),
            **self._security,
        )
        producer = AIOKafkaProducer(bootstrap_servers=settings.broker, **self._security)
        consumer.subscribe([settings.days_topic], listener=self)
        try:
            await producer.start()
            await consumer.start()
            while not stop.is_set():
                for place, records in (await consumer.getmany(timeout_ms=READ_WAIT_MS)).items():
                    self._read(place.partition, records)
                for number, judged in list(self._partitions.items()):
                    if await self._is_read(consumer, number, judged):
                        await self._judge(consumer, producer, number, judged)
                self._compare()
        finally:
            await consumer.stop()
            await producer.stop()

    # -- partitions come and go ------------------------------------------------------------------------

    async def on_partitions_revoked(self, revoked: Collection[Any]) -> None:
        """Give up all partitions."""
        self._partitions = {}

    async def on_partitions_assigned(self, assigned: Collection[Any]) -> None:
        """Take new partitions."""
        self._partitions = {place.partition: _JudgedPartition(self._engine()) for place in assigned}
        log.info("judging segments partitions=%s", ",".join(map(str, sorted(self._partitions))) or "none")

    def _read(self, number: int, records: Collection[Any]) -> None:
        judged = self._partitions.get(number)
        if judged is not None:
            for record in records:
                try:
                    sums = judged.reader.read(record.value)
                except ContractError as error:
                    place = f"{record.topic}[{record.partition}]@{record.offset}"
                    log.warning("%s is passed over: %s", place, error)
                    continue
                if sums is not None:
                    judged.engine.take(sums)

    async def _is_read(self, consumer: Any, number: int, judged: _JudgedPartition) -> bool:
        """Return whether everything was read that the partition had when it was assigned."""
        place = TopicPartition(self._settings.days_topic, number)
        try:
            if judged.end is None:
                judged.end = (await consumer.end_offsets([place]))[place]
            return bool(await consumer.position(place) >= judged.end)
        except IllegalStateError:
            return False  # it was revoked a moment ago

    # -- judgement --------------------------------------------------------------------------------

    async def _judge(self, consumer: Any, producer: Any, number: int, judged: _JudgedPartition) -> None:
        """Judge what is due, send it, and only then write the state that includes it."""
        steps: list[SegmentStep] = []
        if judged.sent is None:
            settings = self._settings
            topic = WarningsTopic(
                TopicTail(settings.broker, settings.security, settings.warnings_topic), settings.app
            )
            judged.sent = (await topic.since({})).ids
            steps = self._restored(judged)
        steps += await self._adopt(consumer, producer, number, judged)
        before = judged.engine.judged
        steps += judged.engine.judge(await self._idle_of(consumer, judged.engine.held_up_by()))
        if judged.engine.judged == before and not steps:
            return
        for step in steps:
            if step.id not in judged.sent:
                value = encode_segment_step(step, self._settings.app)
                await producer.send(self._settings.warnings_topic, value, step.segment.encode())
        await producer.flush()
        await producer.send_and_wait(self._settings.days_topic, judged.state(), partition=number)
        if not judged.announced and self._rollout is not None:
            judged.announced = True
            offsets = await self._offsets(consumer, number)
            self._rollout.begin_segments(number, judged.before, offsets, judged.engine.judged_at)

    async def _offsets(self, consumer: Any, number: int) -> dict[str, int]:
        topic = self._settings.days_topic
        return {topic: await consumer.position(TopicPartition(topic, number))}

    async def _adopt(
        self, consumer: Any, producer: Any, number: int, judged: _JudgedPartition
    ) -> list[SegmentStep]:
        """Go over to other rules where the files say so, and return what comes of it.

        The state before is written with the new rules first. From then on they are in force: whoever goes on
        from it withdraws the same causes with the same ids.
        """
        if self._rollout is None or judged.active is None:
            return []
        offsets = await self._offsets(consumer, number)
        change = self._rollout.pending_segments(number, judged.active, offsets, judged.engine.judged_at)
        if change is None:
            return []
        judged.active = change.then
        if judged.engine.judged is not None:
            await producer.send_and_wait(
                self._settings.days_topic, judged.state(change.adoption), partition=number
            )
        self._rollout.announce_segments(change)
        return judged.engine.replace_rules(change.then.rules)

    def _compare(self) -> None:
        """Let the rollout know what the partitions run, so that it can report where files differ."""
        if self._rollout is not None:
            running = {
                n: judged.active for n, judged in self._partitions.items() if judged.active is not None
            }
            self._rollout.compare(SEGMENTS, running)

    def _restored(self, judged: _JudgedPartition) -> list[SegmentStep]:
        state = self._sound(judged.reader.state)
        if self._rollout is not None:
            kept = state.state.get("rules") if state is not None else None
            judged.active, judged.announced = self._rollout.restored_segments(kept), kept is not None
            judged.before = state.rule_set if state is not None else None
            judged.engine.replace_rules(judged.active.rules)
        if state is None:
            return []
        restore_judge(judged.engine, state.state)
        return judged.engine.adopt()

    def _sound(self, state: JudgeState | None) -> JudgeState | None:
        """Return a state that an engine can go on from; of any other the days are judged anew."""
        if state is None:
            return None
        try:
            restore_judge(self._engine(), state.state)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            log.warning(
                "%s: the newest state is no judge's (%s): days are judged anew",
                self._settings.days_topic,
                type(error).__name__,  # not its text, which may quote the state
            )
            return None
        return state

    async def _idle_of(self, consumer: Any, numbers: frozenset[int]) -> frozenset[int]:
        """Return those partitions whose input was read and committed, once their days are read here too."""
        now = asyncio.get_running_loop().time()
        if not numbers:
            return numbers
        if now - self._asked_at < IDLE_S:
            return self._idle & numbers
        self._asked_at = now
        places = [TopicPartition(topic, number) for topic in self._settings.inputs for number in numbers]
        ends = await consumer.end_offsets(places)
        begins = await consumer.beginning_offsets(places)
        committed = await self._committed(places)
        unread = {p.partition for p in places if max(begins[p], committed[p]) < ends[p]}
        self._idle = frozenset(numbers - unread)
        # What they counted was sent before they committed, and may not have been read here: nobody is left
        # out before everything that is there by now has been.
        for judged in self._partitions.values():
            judged.end = None
        return frozenset()

    async def _committed(self, places: Collection[Any]) -> dict[Any, int]:
        """Return the offsets that the workers' group has committed, 0 where it has not."""
        # As a consumer that asks for its group's offsets and never joins it: no admin request is needed.
        asking = AIOKafkaConsumer(
            bootstrap_servers=self._settings.broker,
            group_id=self._settings.app,
            enable_auto_commit=False,
            **self._security,
        )
        try:  # not `async with`: whoever is cancelled while it starts would leave its connections open
            await asking.start()
            return {place: await asking.committed(place) or 0 for place in places}
        finally:
            await asking.stop()
