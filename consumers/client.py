"""The client for other services: a warning's steps as they come, each handled at least once."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import Final, Self, TypeVar

from consumers.broker.client import Cluster
from consumers.broker.commits import Commits
from consumers.broker.records import Record
from consumers.broker.steps import KafkaSteps, RejectedStep, StepBroker, StepSource
from consumers.loop import Backoff, Stop, Stopped, log_wait, persist
from consumers.open_set import OpenSet, StepHead, read_head
from streams.contract.warnings import WarningEvent, parse_warning
from streams.errors import BrokerError, ContractError, LapwingError

TOPIC: Final = "churn-warnings"
POLL_S: Final = 0.5
COMMIT_EVERY_S: Final = 1.0
MOST_POLLED: Final = 512
REMEMBERED: Final = 10_000
"""Steps of each partition by which a repeat is noticed."""
REFUSED: Final = "refused"
UNREADABLE: Final = "unreadable"

log = logging.getLogger(__name__)
T = TypeVar("T")


class Refused(LapwingError):
    """Raised by a handler that cannot take a step: it is put aside, and the next one is handled."""


class WarningStream:
    """The steps of customers' warnings, in each customer's order, from a topic.

    Members of one `group` share the customers, and what they have handled is not handed out again; without a
    group a stream reads everything from the beginning. A step counts as handled when the next one is asked
    for (or `commit` is called), and at the latest a second later its offset is committed: after a crash, or
    when another member takes over, the steps of that second come again.

    What cannot be read, and what a handler refuses, goes with its reason to the topic `rejected`, by default
    `<group>.rejected`, which is made where it is not there, or to `on_rejected`. Customers who are held out
    for measuring are left out unless `holdout` is set. A broker that is away is waited for; SIGTERM and
    SIGINT end the stream after the step in hand, as does `stop`.
    """

    def __init__(
        self,
        broker: str,
        group: str | None = None,
        *,
        topic: str = TOPIC,
        security: Mapping[str, str | bool] | None = None,
        holdout: bool = False,
        follow: bool = True,
        rejected: str | None = None,
        on_rejected: Callable[[RejectedStep], None] | None = None,
        open_set: bool = True,
        remembered: int = REMEMBERED,
        session_timeout_s: float = 45.0,
        kafka: StepBroker | None = None,
    ) -> None:
        """Take the broker's address, and the settings of `kafka_security` as `security`.

        Without `follow` the stream ends at the topic's end. Without `open_set` a start does not read the
        topic's past, and `open` stays empty. `kafka` is for tests.
        """
        self._holdout = holdout
        self._follow = follow
        self._group = group
        self._on_rejected = on_rejected
        self._open_set = OpenSet(remembered=remembered, holdout=holdout, keep_open=open_set)
        self._broker: StepBroker = kafka or KafkaSteps(
            Cluster(broker, security or {}),
            topic,
            group,
            rejected or f"{group}.rejected",
            session_timeout_s,
        )
        self._stop = Stop()
        self._stack = ExitStack()
        self._source: StepSource | None = None
        self._polled: deque[Record] = deque()
        self._current: Record | None = None
        self._unhandled: tuple[Record, WarningEvent] | None = None
        self._commits: Commits | None = None
        """Of a group's member: what it has handled."""
        self._committed_at = self._polled_at = time.monotonic()
        self._most = 1

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            if threading.current_thread() is threading.main_thread():
                stack.enter_context(self._stop)
            stack.callback(self._broker.close)
            if self._group is not None and self._on_rejected is None:
                self._persist(self._broker.prepare_rejected)
            self._source = self._persist(self._broker.subscribe)
            self._commits = None if self._group is None else Commits(self._source)
            stack.callback(self._source.close)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stack:
            try:
                self._commit_handled()
            except BrokerError:
                if error is None:
                    raise

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> WarningEvent:
        """Count the step before as handled and return the next one."""
        self._settle()
        try:
            event = self._next()
        except Stopped:
            event = None
        if event is None:
            raise StopIteration
        return event

    @property
    def open(self) -> Mapping[str, WarningEvent]:
        """The newest step of each open warning by customer, the one in hand included.

        Of a group's member: of the partitions that it reads. It is made from the topic when a partition is
        taken up, so it is whole after a restart too.
        """
        return self._open_set

    def run(self, handle: Callable[[WarningEvent], object]) -> int:
        """Hand every step to `handle` until the stream ends; return how many there were.

        `handle` may raise `Refused`, and the step is put aside; or `consumers.loop.Retryable`, and it is
        handed the step again after a while. Any other exception ends the run; the step is not committed.
        """
        count = 0
        for step in self:
            count += 1
            try:
                self._persist(partial(handle, step))
            except Refused as why:
                self.refuse(str(why))
            except Stopped:
                self._put_back(step)
                count -= 1
            except BaseException:
                self._put_back(step)
                raise
        return count

    def refuse(self, why: str) -> None:
        """Put the step in hand aside: it counts as handled once it is safe there."""
        if self._current is None:
            msg = "there is no step in hand to refuse"
            raise RuntimeError(msg)
        self._reject(self._current, REFUSED, why)
        self._settle()

    def commit(self) -> None:
        """Count the step in hand as handled and commit at once."""
        self._settle()
        self._commit_handled()

    def stop(self) -> None:
        """End the stream after the step in hand; from any thread."""
        self._stop.ask()

    def _persist(self, work: Callable[[], T]) -> T:
        return persist(work, stop=self._stop, backoff=Backoff(), on_wait=log_wait)

    def _put_back(self, step: WarningEvent) -> None:
        if self._current is not None:
            self._unhandled = (self._current, step)
            self._current = None

    def _settle(self) -> None:
        if self._current is not None:
            self._pass(self._current)
            self._current = None

    def _pass(self, record: Record) -> None:
        if self._commits is not None:
            self._commits.done([record])

    def _next(self) -> WarningEvent | None:
        """Return the next step to handle, `None` at the end."""
        while not self._stop.asked:
            if self._unhandled is not None:
                self._current, event = self._unhandled
                self._unhandled = None
                return event
            if not self._polled and not self._poll():
                return None
            while self._polled and not self._stop.asked:
                record = self._polled.popleft()
                found = self._read(record)
                if found is not None:
                    self._current = record
                    return found
                self._pass(record)
        return None

    def _poll(self) -> bool:
        """Read on; return `False` where the topic's end is reached and nothing is waited for."""
        source = self._connected
        if time.monotonic() - self._committed_at >= COMMIT_EVERY_S:
            self._commit_handled()
        most = self._most = self._fitting()
        records = self._persist(lambda: source.poll(0, most))
        if not records:
            self._commit_handled()
            records = self._persist(lambda: source.poll(POLL_S, most))
        self._polled_at = time.monotonic()
        self._persist(lambda: self._take_up(records))
        self._polled.extend(records)
        return bool(records) or self._follow or not self._persist(source.at_end)

    def _fitting(self) -> int:
        """Return how many records to poll, so that they are handled within about a second.

        A member that does not poll for five minutes loses its partitions, whatever is left of what it polled.
        """
        took = time.monotonic() - self._polled_at
        return min(MOST_POLLED, self._most * 2) if took < COMMIT_EVERY_S / 2 else max(1, self._most // 2)

    @property
    def _connected(self) -> StepSource:
        if self._source is None:
            msg = "a WarningStream is used in a `with` block"
            raise RuntimeError(msg)
        return self._source

    def _take_up(self, records: Sequence[Record]) -> None:
        """Read the past of partitions that are new here, and forget those that are gone."""
        assigned = self._connected.assigned()
        for gone in self._open_set.partitions - assigned:
            self._open_set.leave(gone)
            if self._commits is not None:
                self._commits.leave(gone)
        new = assigned - self._open_set.partitions
        if not new:
            return
        ends = {p: offset for p, offset in self._connected.positions().items() if p in new}
        for record in reversed(records):
            if record.partition in new:
                ends[record.partition] = record.offset
        for partition in ends:
            self._open_set.follow(partition)
        try:
            newest = None if self._open_set.keep_open else self._open_set.remembered
            for record in self._broker.history(ends, newest):
                try:
                    self._open_set.take(record.partition, read_head(record.value or b""), record.value)
                except ContractError:
                    continue  # it was put aside when it was read for the first time
        except BaseException:
            for partition in ends:
                self._open_set.leave(partition)
            raise

    def _read(self, record: Record) -> WarningEvent | None:
        """Return the step of a record, `None` where it is not to be handled."""
        try:
            event = parse_warning(record.value or b"")
        except ContractError as error:
            self._reject(record, UNREADABLE, str(error))
            return None
        if record.partition in self._open_set.partitions and not self._open_set.take(
            record.partition, StepHead.of(event), event=event
        ):
            return None
        return None if event.data.holdout and not self._holdout else event

    def _reject(self, record: Record, reason: str, detail: str) -> None:
        rejected = RejectedStep(record, reason, detail)
        log.warning(
            "%(topic)s[%(partition)d]@%(offset)d put aside (%(reason)s)",
            {
                "topic": record.topic,
                "partition": record.partition,
                "offset": record.offset,
                "reason": reason,
            },
        )
        if self._on_rejected is not None:
            self._on_rejected(rejected)
        elif self._group is not None:
            self._persist(lambda: self._broker.reject(rejected))

    def _commit_handled(self) -> None:
        self._committed_at = time.monotonic()
        if self._commits is not None:
            self._commits.commit()
