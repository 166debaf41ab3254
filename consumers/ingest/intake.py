"""Deliveries on their way to the broker: mapped together, written, and done once it has acknowledged them.

One thread takes whatever has come meanwhile, so that under load many share a mapping and a request to the
broker, and a lone delivery waits for nobody. It alone connects: while the broker is away it tries again, and
nothing is taken on.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Final, Protocol

from consumers.broker.errors import BrokerAway, TopicMissing
from consumers.ingest.sources import HookSource, MappedDelivery, OutgoingEvent, Refusal
from streams.contract.rejected import rejected_headers
from streams.errors import BrokerError
from streams.kafka.errors import BrokerTrouble, trouble_of
from streams.summed_log import SummedLog
from streams.telemetry.health import Heartbeat

log = logging.getLogger(__name__)

STUCK_S: Final = 60.0
AGAIN_S: Final = 2.0
"""Between two attempts to connect."""
TURN_S: Final = 0.5
MOST_AT_ONCE: Final = 500
"""Deliveries that are mapped together."""
LARGEST_REJECTED: Final = 1_000_000
"""Bytes of a refused body that are kept: with its headers less than a broker takes by default."""
NOT_YET: Final = "not connected to the broker yet"
NO_PLACE: Final = -1
"""Partition and offset, on the rejected topic, of what comes from no topic."""


class Outcome(StrEnum):
    """What became of a delivery."""

    TAKEN = "taken"
    """Its events are on their topics."""
    REFUSED = "refused"
    """Something of it cannot be an event: it is on the rejected topic, and its other events on theirs."""
    PASSED = "passed"
    """No filter takes it."""
    AWAY = "away"
    """The broker cannot be reached or refuses: the sender tries again."""
    FAILED = "failed"
    """A defect keeps it from being mapped, or the broker refuses its record: the sender tries again."""


class Offer(StrEnum):
    """Whether a delivery was taken on."""

    ACCEPTED = "accepted"
    FULL = "full"
    AWAY = "away"


Headers = Sequence[tuple[str, bytes]]


class DeliveringSender(Protocol):
    """Writes records, and says of each when the broker has acknowledged it."""

    def deliver(
        self,
        topic: str,
        key: bytes | None,
        value: bytes,
        headers: Headers,
        on_done: Callable[[BrokerError | None], None],
    ) -> None:
        """Send a record; raises `BrokerError`, and then `on_done` is not called."""

    def close(self) -> None:
        """Close; what is not acknowledged has failed."""


@dataclass(slots=True, eq=False)
class Delivery:
    """One delivery that was verified."""

    source: HookSource
    body: bytes
    """What is mapped: the sender's own with `_webhook`."""
    original: bytes
    """The sender's own bytes."""
    outcome: Future[Outcome] = field(default_factory=Future)
    given_up: bool = False
    """Whether nobody waits for the outcome any more: it is not begun then."""
    unwritten: int = 0
    failure: Outcome | None = None
    refused: bool = False


class Intake:
    """Takes deliveries and writes their events."""

    def __init__(
        self,
        connect: Callable[[], DeliveringSender],
        rejected_topic: str,
        *,
        most: int = 1_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take on so many deliveries at a time; `connect` raises `BrokerError` where there is no broker."""
        self._connect = connect
        self._rejected_topic = rejected_topic
        self._most = most
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: deque[Delivery] = deque()
        self._under_way = 0
        self._sender: DeliveringSender | None = None
        self._trouble = NOT_YET
        self._broken = False
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="intake", daemon=True)
        self._refusals: SummedLog[tuple[str, str]] = SummedLog(_write_refusals, clock)
        self._errors: SummedLog[str] = SummedLog(_write_errors, clock)
        self.heartbeat = Heartbeat("the intake", STUCK_S, clock)
        self.records: Counter[str] = Counter()
        """Acknowledged by the broker, by topic."""
        self.refusals: Counter[tuple[str, str]] = Counter()
        """By source and reason."""
        self.broker_errors = 0

    @property
    def under_way(self) -> int:
        """How many deliveries are not done yet."""
        return self._under_way

    @property
    def trouble(self) -> str | None:
        """Why nothing can be written now; `None` where it can."""
        return None if self._sender is not None and not self._broken else self._trouble

    def start(self) -> None:
        """Begin to connect and to write."""
        self._thread.start()

    def stop(self) -> None:
        """End; what is under way fails, and its senders try again."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join()

    def offer(self, delivery: Delivery) -> Offer:
        """Take a delivery on, or say why not."""
        with self._changed:
            if self._stopping or self.trouble is not None:
                return Offer.AWAY
            if self._under_way >= self._most:
                return Offer.FULL
            self._under_way += 1
            self._waiting.append(delivery)
            self._changed.notify()
        return Offer.ACCEPTED

    def _run(self) -> None:
        try:
            while not self._stopping:
                self.heartbeat.beat()
                self._turn()
                with self._changed:
                    self._refusals.look()
                    self._errors.look()
        finally:
            self._disconnect()
            while self._waiting:
                self._done(self._waiting.popleft(), Outcome.AWAY)
            self._refusals.close()

    def _turn(self) -> None:
        """Connect where that is due, or write what has come."""
        if self._broken:
            self._disconnect()
        if self._sender is None and not self._connected():
            with self._changed:
                self._changed.wait_for(lambda: self._stopping, AGAIN_S)
            return
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._stopping or self._broken, TURN_S)
            some = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_AT_ONCE))]
        if some:
            try:
                self._write(some)
            except Exception as error:  # a defect: no delivery may stop the others
                log.error("a defect of Lapwing: deliveries could not be written", exc_info=error)
                for delivery in some:
                    if not delivery.outcome.done():
                        self._done(delivery, Outcome.FAILED)

    def _connected(self) -> bool:
        while self._waiting:
            self._done(self._waiting.popleft(), Outcome.AWAY)
        try:
            sender = self._connect()
        except BrokerError as error:
            self._note(error)
            return False
        with self._changed:
            self._sender, self._broken = sender, False
        log.info("connected to the broker")
        return True

    def _disconnect(self) -> None:
        sender, self._sender, self._broken = self._sender, None, False
        if sender is not None:
            try:
                sender.close()
            except BrokerError as error:
                log.debug("closing: %s", error)

    def _note(self, error: BrokerError) -> None:
        with self._changed:
            self.broker_errors += 1
            self._trouble = text = str(error)
            self._errors.note(type(error).__name__, lambda: text)

    def _write(self, deliveries: Sequence[Delivery]) -> None:
        by_source: dict[int, list[Delivery]] = {}
        for delivery in deliveries:
            if delivery.given_up:
                self._done(delivery, Outcome.AWAY)
            else:
                by_source.setdefault(id(delivery.source), []).append(delivery)
        for some in by_source.values():
            for delivery, mapped in zip(some, self._mapped(some), strict=True):
                if mapped is None:
                    self._done(delivery, Outcome.FAILED)
                else:
                    self._send(delivery, mapped)

    def _mapped(self, deliveries: Sequence[Delivery]) -> Sequence[MappedDelivery | None]:
        """Return what each becomes; `None` for one that cannot be mapped for a defect."""
        source = deliveries[0].source
        try:
            return source.map([each.body for each in deliveries])
        except Exception as error:  # a defect: the others are mapped all the same
            if len(deliveries) == 1:
                log.error("a defect of Lapwing: %s cannot map a delivery", source.name, exc_info=error)
                return [None]
            return [each for delivery in deliveries for each in self._mapped([delivery])]

    def _send(self, delivery: Delivery, mapped: MappedDelivery) -> None:
        records: list[tuple[OutgoingEvent, Headers]] = [(each, ()) for each in mapped.events]
        if mapped.refusals:
            delivery.refused = True
            records.append(self._rejected(delivery, mapped.refusals))
        if not records:
            self._done(delivery, Outcome.PASSED)
            return
        delivery.unwritten = len(records)
        for event, headers in records:
            self._send_one(delivery, event, headers)

    def _rejected(self, delivery: Delivery, refusals: Sequence[Refusal]) -> tuple[OutgoingEvent, Headers]:
        """Return the record of a refused delivery with its first reason; all are counted."""
        name = delivery.source.name
        for refusal in refusals:
            kind = (name, refusal.reason.value)
            self.refusals[kind] += 1
            with self._changed:
                self._refusals.note(kind, partial(str, refusal.detail))
        headers = rejected_headers(
            refusals[0].reason,
            refusals[0].detail,
            f"hooks/{name}",
            NO_PLACE,
            NO_PLACE,
            truncated=len(delivery.original) > LARGEST_REJECTED,
        )
        return OutgoingEvent(self._rejected_topic, b"", delivery.original[:LARGEST_REJECTED]), headers

    def _send_one(self, delivery: Delivery, event: OutgoingEvent, headers: Headers) -> None:
        def on_done(error: BrokerError | None) -> None:
            self._acknowledged(delivery, event.topic, error)

        sender = self._sender
        try:
            if sender is None or self._broken:
                on_done(BrokerAway(self._trouble))
            else:
                sender.deliver(event.topic, event.key or None, event.value, headers, on_done)
        except BrokerError as error:
            on_done(error)

    def _acknowledged(self, delivery: Delivery, topic: str, error: BrokerError | None) -> None:
        with self._changed:
            if error is None:
                self.records[topic] += 1
            else:
                self._note(error)
                is_of_record = trouble_of(error.__cause__ or error) is BrokerTrouble.RECORD
                # Whatever else it is, a new connection finds out whether it lasts.
                self._broken |= not (is_of_record or isinstance(error, TopicMissing))
                delivery.failure = Outcome.FAILED if is_of_record else Outcome.AWAY
                self._changed.notify()
            delivery.unwritten -= 1
            if delivery.unwritten:
                return
        if delivery.failure is not None:
            self._done(delivery, delivery.failure)
        else:
            self._done(delivery, Outcome.REFUSED if delivery.refused else Outcome.TAKEN)

    def _done(self, delivery: Delivery, outcome: Outcome) -> None:
        with self._changed:
            self._under_way -= 1
        delivery.outcome.set_result(outcome)


def _write_refusals(kind: tuple[str, str], count: int, first: str) -> None:
    source, reason = kind
    log.warning(
        "refused %(count)d deliveries, source=%(source)s, reason=%(reason)s, first: %(first)s",
        {"count": count, "source": source, "reason": reason, "first": first},
    )


def _write_errors(kind: str, count: int, first: str) -> None:
    log.error("%s; deliveries are answered with 503, and their senders try again", first)
