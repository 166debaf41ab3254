"""Faust's Kafka transport with whole polls: an agent gets what one fetch brought as one message.

It is registered as `lapwing` among Faust's transports and chosen by the scheme of the broker URL
(`lapwing://host:port`). Topics that the app's `board` does not name are handled as ever.

Faust drops polls that are in flight around a rebalance while the fetch position has already moved on, and
it drops records below the group's commit. So nothing here trusts its bookkeeping: each poll has its start,
the app takes it only if it continues the partition's state, and otherwise asks for a seek. Seeks
are made in `_fetch_records`, before the fetch and never beside it, and after an assignment every place is
sought to its state's position.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Final, cast

import numpy as np
from aiokafka.errors import (  # type: ignore[import-untyped]  # aiokafka ships no types
    IllegalGenerationError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
from aiokafka.structs import OffsetAndMetadata  # type: ignore[import-untyped]  # the same
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage
from faust.types.transports import ConsumerT, TPorTopicSet

from streams.errors import REBUILD, StateError
from streams.intake.poll import Poll, ReaderControl, ReaderListener, ReadProgress, TopicPartition
from streams.intake.record_batches import unpack_whole_batches

FETCH_WAIT_MS: Final = 200
"""How long the broker may wait for a record before it answers a fetch: so that progress stay fresh."""
FRESH_MS: Final = 250
"""How much older than a partition's newest records a high-water mark may be and still be trusted.

A worker that was frozen, or was busy for long, may hold records of one topic that are far newer than what it
knows of another. What comes of that other within the default `reorder` is put in order all the same.
"""
WAIT_S: Final = 0.2
"""How long one fetch waits for records; pauses and seeks are seen after it."""
PAUSED_WAIT_S: Final = 0.02
"""The same while a place is paused: its end must be seen soon."""
COMMIT_TRIES: Final = 20
COMMIT_RETRY_S: Final = 0.25

Records = Mapping[Any, list[Any]]


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """The thread that reads from Kafka; it seeks, fetches, and makes polls of records."""

    _assignment: Any = None
    """The assignment whose places have been sought; aiokafka makes a new object at every rebalance."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._next: dict[TopicPartition, int] = {}
        """Where the next poll of a place starts."""
        self._newest: dict[int, float] = {}
        """By partition, when the newest of its records came, milliseconds."""

    @property
    def _own_consumer(self) -> Consumer:
        return cast("Consumer", self.consumer)

    def seek_all(self) -> None:
        """Have every place sought again before the next fetch."""
        self._assignment = None

    def _create_consumer(self, loop: asyncio.AbstractEventLoop) -> Any:
        consumer = super()._create_consumer(loop)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        # What a transaction wrote is read once it is committed, and never where it is aborted.
        consumer._isolation_level = "read_committed"
        return consumer

    async def _fetch_records(
        self,
        consumer: Any,
        active_partitions: set[TP],
        timeout: float | None = None,
        max_records: int | None = None,
    ) -> Records:
        board = self._own_consumer.board
        if not self.consumer.flow_active:
            return {}
        assignment = consumer._subscription.subscription.assignment
        _check_partitions(consumer, board)
        try:
            loading = board.loading  # read first: a place that leaves it has a state to seek to
            await self._seek_to_state(consumer, assignment, board, loading)
            wanted = active_partitions - board.paused - loading
            if not wanted:  # an empty set would mean all of them
                await asyncio.sleep(PAUSED_WAIT_S)
                return {}
            unpack_whole_batches(consumer._fetcher, board.topics)
            wait = PAUSED_WAIT_S if len(wanted) < len(active_partitions) else WAIT_S
            records = await super()._fetch_records(
                consumer, wanted, timeout=min(wait, timeout or wait), max_records=max_records
            )
        except NoOffsetForPartitionError:  # of a place that has been sought meanwhile
            return {}
        except OffsetOutOfRangeError as error:
            raise await _out_of_range(consumer, error) from error
        others = {tp: found for tp, found in records.items() if tp.topic not in board.topics}
        if self._assignment is not assignment or not assignment.active:
            return others  # rebalanced meanwhile: all places will be sought, so nothing is lost
        return others | self._polls(assignment, board, records)

    async def _seek_to_state(
        self, consumer: Any, assignment: Any, board: ReaderControl, loading: Collection[TopicPartition]
    ) -> None:
        if assignment is not self._assignment:
            self._assignment = assignment
            self._next.clear()
            self._newest.clear()
        for place in board.sought():
            self._next.pop(place, None)
        known = {*self._next, *loading}
        missing = [tp for tp in assignment.tps if tp.topic in board.topics and tp not in known]
        if not missing:
            return
        listener = self._own_consumer.listener
        positions = {tp: listener.position(TopicPartition(*tp)) for tp in missing}
        new = [tp for tp, position in positions.items() if position is None]
        if new:
            earliest = await consumer.beginning_offsets(new)
            for tp, offset in earliest.items():
                listener.begin(TopicPartition(*tp), offset)
            positions |= earliest
        if not assignment.active:
            return
        for tp, position in positions.items():
            assert position is not None
            consumer.seek(tp, position)
            self._next[TopicPartition(*tp)] = position

    def _polls(
        self, assignment: Any, board: ReaderControl, records: Records
    ) -> dict[TopicPartition, list[Poll]]:
        """Make polls of `records`, and empty ones where only the position moved."""
        states = {place: assignment.state_value(place) for place in self._next}
        states = {place: state for place, state in states.items() if state.has_valid_position}
        ranges: dict[TopicPartition, tuple[int, int]] = {}
        for place, state in states.items():
            if state.position != self._next[place]:
                ranges[place] = (self._next[place], state.position)
            if records.get(place):
                self._newest[place.partition] = max(state.timestamp, self._newest.get(place.partition, 0))
        progress: dict[TopicPartition, ReadProgress] = {}
        for place, state in states.items():
            answered = state.timestamp is not None
            fresh = answered and state.timestamp >= self._newest.get(place.partition, 0) - FRESH_MS
            progress[place] = ReadProgress(
                state.position, state.highwater if fresh else None, state.timestamp or 0, state.lso
            )
        board.progress = progress
        self._next.update({place: end for place, (_, end) in ranges.items()})
        order = [
            TopicPartition(*tp) for tp, _ in self.consumer.scheduler.iterate({TP(*p): [None] for p in ranges})
        ]
        return {
            place: [
                replace(
                    poll_of(place, start, end, records.get(place, []), more=place != order[-1]),
                    came_ms=states[place].timestamp or 0,
                )
            ]
            for place, (start, end) in ranges.items()
        }

    async def committed(self, places: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the group's committed offsets of `places`, where there are any."""
        return await self.call_thread(self._committed, places)  # type: ignore[no-any-return]  # any, as Faust has it

    async def commit_as(self, offsets: Mapping[TopicPartition, int], generation: int) -> bool:
        """Commit in one request as a member of `generation`; return whether the group took it."""
        return await self.call_thread(self._commit_as, offsets, generation)  # type: ignore[no-any-return]  # the same

    async def _committed(self, places: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        coordinator = self._ensure_consumer()._coordinator
        found = await coordinator.fetch_committed_offsets([driver.ensure_aiokafka_TP(TP(*p)) for p in places])
        return {TopicPartition(*tp): committed.offset for tp, committed in found.items()}

    async def _commit_as(self, offsets: Mapping[TopicPartition, int], generation: int) -> bool:
        """Commit without aiokafka's own retries, across which the generation may have changed."""
        coordinator = self._ensure_consumer()._coordinator
        wanted = {
            driver.ensure_aiokafka_TP(TP(*place)): OffsetAndMetadata(offset, "")
            for place, offset in offsets.items()
        }
        for left in reversed(range(COMMIT_TRIES)):
            await coordinator.ensure_coordinator_known()
            async with coordinator._commit_lock:
                if coordinator.generation != generation:
                    return False
                try:
                    await coordinator._do_commit_offsets(None, wanted)
                except (UnknownMemberIdError, IllegalGenerationError, RebalanceInProgressError):
                    return False
                except KafkaError as error:
                    if not (left and error.retriable):
                        raise
                else:
                    return True
            await asyncio.sleep(COMMIT_RETRY_S)
        return False


def _check_partitions(consumer: Any, board: ReaderControl) -> None:
    """Raise if the topics have grown since the worker started: customers move, their states do not."""
    if board.partitions is None:
        return
    for topic in sorted(board.topics):
        found = len(consumer.partitions_for_topic(topic) or ())
        if found > board.partitions:
            message = (
                f"{topic} has grown from {board.partitions} to {found} partitions: customers have moved "
                f"to other partitions, and their states have not; {REBUILD}"
            )
            raise StateError(message)


async def _out_of_range(consumer: Any, error: Exception) -> StateError:
    """Return why offsets that a state goes on from are none of the topics' any more."""
    wanted = error.args[0]
    begins = await consumer.beginning_offsets(list(wanted))
    reasons = []
    for tp, offset in wanted.items():
        if offset < begins[tp]:
            reason = f"{tp.topic}/{tp.partition} begins at {begins[tp]}, the records before were deleted"
        else:
            reason = f"{tp.topic}/{tp.partition} ends before it, the topic was made anew or cut"
        reasons.append(f"{reason} (the state goes on at {offset})")
    return StateError(f"state and topics do not fit: {'; '.join(reasons)}; {REBUILD}")


def poll_of(place: TopicPartition, start: int, end: int, records: list[Any], *, more: bool) -> Poll:
    """Return the poll of `records`, aiokafka's own or its `ConsumerRecord`s."""
    n = len(records)
    return Poll(
        topic_partition=place,
        start=start,
        end=end,
        offsets=np.fromiter((record.offset for record in records), np.int64, n),
        keys=[record.key for record in records],
        values=[record.value for record in records],
        timestamps_ms=np.fromiter((record.timestamp for record in records), np.int64, n),
        more=more,
    )


class Consumer(driver.Consumer):
    """Faust's consumer, whose input topics come as polls and are committed by the app alone."""

    _thread: ConsumerThread

    @property
    def board(self) -> ReaderControl:
        """Return what transport and worker share."""
        return cast(Any, self.app).board  # type: ignore[no-any-return]  # the app is ours, Faust's type is not

    @property
    def listener(self) -> ReaderListener:
        """Return what reports go to."""
        return cast(Any, self.app).pipeline  # type: ignore[no-any-return]  # the same

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def _to_message(self, tp: TP, record: Any) -> ConsumerMessage:
        if not isinstance(record, Poll):
            return super()._to_message(tp, record)
        self._read_offset[tp] = None  # Faust must not judge by offset what is read again
        return ConsumerMessage(
            record.topic_partition.topic,
            record.topic_partition.partition,
            record.start,
            0.0,
            0,
            None,
            None,
            cast(bytes, record),
            None,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Report the places to the app before Faust lets any of them flow."""
        places = {TopicPartition(*tp) for tp in assigned if tp.topic in self.board.topics}
        self.listener.assigned(places, generation_id)
        await super().on_partitions_assigned(assigned, generation_id)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Stop the flow, then report to the app; the group waits for it."""
        await super().on_partitions_revoked(revoked)
        await self.listener.revoked()

    async def perform_seek(self) -> None:
        """Seek to the state's position, not to the group's offset."""
        self._thread.seek_all()

    async def commit(self, topics: TPorTopicSet | None = None, start_new_transaction: bool = True) -> bool:
        """Do nothing: the app commits a partition's offsets itself, by `commit_offsets`."""
        return False

    async def commit_offsets(self, offsets: Mapping[TopicPartition, int]) -> bool:
        """Commit in one request; return whether the group took it."""
        return await self._commit(cast(Mapping[TP, int], offsets))

    async def commit_as(self, offsets: Mapping[TopicPartition, int], generation: int) -> bool:
        """Commit in one request as a member of `generation`; return whether the group took it."""
        return await self._thread.commit_as(offsets, generation)

    async def committed(self, places: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the group's committed offsets of `places`, where there are any."""
        return await self._thread.committed(places)

    async def earliest(self, places: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the offset of the first record that each of `places` still has."""
        found = await self._thread.earliest_offsets(*(TP(*place) for place in places))
        return {TopicPartition(*tp): offset for tp, offset in found.items()}

    def on_buffer_full(self, tp: TP) -> None:
        """Leave input topics to the app's own pauses: Faust would stop reading for a second."""
        if tp.topic not in self.board.topics:
            super().on_buffer_full(tp)


class Transport(driver.Transport):
    """Faust's aiokafka transport with whole polls."""

    Consumer: ClassVar[type[ConsumerT]] = Consumer
    driver_version = f"lapwing, {driver.Transport.driver_version}"
