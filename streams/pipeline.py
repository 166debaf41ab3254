"""What a worker does with its input, as a list of stages: take, release, step, ship.

Nothing here knows Faust: polls come in, records and committable offsets go out.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from streams.core.topics import Topic
from streams.delivery import Delivery, Outgoing, Outlet, Send
from streams.errors import BrokerError
from streams.intake.partition import Engine, Pace, Partition, Rejected, Taken, Tally
from streams.intake.poll import Board, Place, Poll

log = logging.getLogger(__name__)

LOST_TURNS: Final = 40
"""Turns without progress after which polls on their way must have been lost: more than fit the queue."""


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What a worker needs to know beside its engines."""

    broker: str
    """`host:port`, several with commas between them."""
    topics: Mapping[Topic, str]
    """The name on the broker of each topic that is read."""
    app: str = "lapwing"
    warnings_topic: str = "churn-warnings"
    control_topic: str = "lapwing-control"
    security: Mapping[str, str] = field(default_factory=dict)
    """`security_protocol`, `sasl_mechanism`, `sasl_plain_username`, `sasl_plain_password`, `ssl_cafile`."""
    session_timeout_s: float = 45.0
    max_skew_us: int = 3_600_000_000
    fetch_bytes: int = 6_000_000
    """What one fetch may bring of one place."""
    poll_records: int = 200_000
    """What one fetch may bring in all."""
    pace: Pace = field(default_factory=Pace)
    record_limit: int = 1_048_588
    """Bytes that the broker takes in one record (Kafka's `message.max.bytes`)."""

    @property
    def rejected_topic(self) -> str:
        """Return the name of the topic of records that cannot be accepted."""
        return f"{self.app}.rejected"


@dataclass(frozen=True, slots=True)
class Stats:
    """What a worker has done since it started, and where it stands."""

    events: int
    steps: int
    refused: int
    late: int
    repeats: int
    reread: int
    lag: dict[str, int]
    """By `topic/partition`: records that the broker has and the engine has not."""
    behind: list[str]
    """The `topic/partition`s that others wait for."""


class Pipeline:
    """The partitions of this worker and the stages that their records pass."""

    def __init__(
        self,
        settings: WorkerSettings,
        engines: Callable[[int], Engine],
        send: Send,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._engines = engines
        self._clock = clock
        self._topics = {name: topic for topic, name in settings.topics.items()}
        self._outlet = Outlet(
            settings.app,
            settings.warnings_topic,
            settings.control_topic,
            settings.rejected_topic,
            settings.record_limit,
        )
        self.board = Board(self._topics, position=self._position, begin=self._begin, assigned=self._assign)
        self.delivery = Delivery(send)
        self.tally = Tally()
        self._partitions: dict[int, Partition] = {}
        self._refusals: list[Outgoing] = []
        self._shipped: dict[int, dict[Place, int]] = {}
        """By partition, the offsets last given to the delivery."""
        self._turning = asyncio.Lock()
        self._still: dict[Place, tuple[int | None, int]] = {}
        """Where a place stands that should have moved on, and for how many turns it has."""

    def take(self, poll: Poll) -> None:
        """Decode `poll` into its partition's merge; what is missing before it is read again."""
        partition = self._partitions.get(poll.place.partition)
        if partition is None:
            return  # it was lost in a rebalance, and so is the poll
        taken = partition.take(poll, self._clock(), self._reject)
        if taken is Taken.GAP:
            self._read_again(poll.place)

    async def turn(self) -> None:
        """Let every partition give its engine what is due, and ship what comes of it."""
        async with self._turning:
            marks, now = self.board.marks, self._clock()
            refusals, self._refusals = self._refusals, []
            if refusals:
                await self.delivery.ship(refusals, {})
            for partition in list(self._partitions.values()):
                output = partition.turn(marks, now)
                records = self._outlet.of_output(output) if output is not None else []
                offsets = partition.released()
                if records or offsets != self._shipped.get(partition.number):
                    self._shipped[partition.number] = offsets
                    await self.delivery.ship(records, offsets)
            self.board.paused = frozenset().union(*(p.full() for p in self._partitions.values()))
            self._find_lost()

    def stats(self) -> Stats:
        """Return what has been done and where the partitions stand."""
        tally, marks = self.tally, self.board.marks
        partitions = self._partitions.values()
        lags = [item for partition in partitions for item in partition.lag(marks).items()]
        behind = [place for partition in partitions for place in partition.behind(marks)]
        return Stats(
            events=tally.events,
            steps=tally.steps,
            refused=tally.refused,
            late=tally.late,
            repeats=tally.repeats,
            reread=tally.reread,
            lag={str(place): lag for place, lag in sorted(lags)},
            behind=[str(place) for place in sorted(behind)],
        )

    def _reject(self, bad: Rejected) -> None:
        self._refusals.append(self._outlet.of_rejected(bad))

    # -- places come and go -----------------------------------------------------------------------

    def _position(self, place: Place) -> int | None:
        """Return where the state of `place` stands, which is sought after an assignment.

        A new engine knows nothing, so its partition is read from the earliest record (`None`). A state that
        was loaded from a checkpoint would stand at that checkpoint's offsets.
        """
        partition = self._partitions.get(place.partition)
        return partition.position(place.topic) if partition is not None else None

    def _begin(self, place: Place, offset: int) -> None:
        partition = self._partitions.get(place.partition)
        if partition is not None:
            partition.begin(place.topic, offset)

    def _assign(self, places: set[Place]) -> None:
        """Drop the partitions that were lost and begin those that are new."""
        numbers = {place.partition for place in places}
        torn = {Place(name, number) for name in self._topics for number in numbers} - places
        if torn:
            message = f"the group tore co-partitioned topics apart: {', '.join(map(str, sorted(torn)))}"
            raise BrokerError(message)
        for number in self._partitions.keys() - numbers:
            del self._partitions[number]
            self._shipped.pop(number, None)
        for number in sorted(numbers - self._partitions.keys()):
            self._partitions[number] = Partition(
                number,
                self._topics,
                self._engines(number),
                max_skew_us=self._settings.max_skew_us,
                pace=self._settings.pace,
                tally=self.tally,
            )
        self._still.clear()
        log.info("assigned partitions=%s", ",".join(map(str, sorted(numbers))) or "none")

    def _find_lost(self) -> None:
        """Read again what the transport handed over and Faust, which drops polls silently, has not."""
        for place, mark in self.board.marks.items():
            position = self._position(place)
            if position is not None and position >= mark.position:
                self._still.pop(place, None)
                continue
            was, turns = self._still.get(place, (position, 0))
            turns = turns + 1 if was == position else 0
            self._still[place] = position, turns
            if turns > LOST_TURNS:
                self._read_again(place)

    def _read_again(self, place: Place) -> None:
        self._still.pop(place, None)
        self.tally.reread += 1
        log.warning("reading again place=%s from=%s", place, self._position(place))
        self.board.seek(place)
