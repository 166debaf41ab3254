"""The notifier: fill the outbox, claim what is due, send it, record the result."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Final, TypeVar

from consumers.loop import Backoff, Retryable, Stopped, Waiter, log_wait, persist
from consumers.notify.attempt import DELIVERY_S, ReceiverGone, SendFailed, SendStopped, SendTimedOut
from consumers.notify.channels import Channel
from consumers.notify.message import Bundle, Message, MessageWriter, ReportContent
from consumers.notify.outbox import LEASE, Delivery, Outbox
from consumers.notify.scheduled_reports import ReportNotReady, ReportWriter
from consumers.notify.senders import Sender
from streams.errors import ReportError, StoreError

log = logging.getLogger(__name__)

T = TypeVar("T")

CLAIM: Final = 20
IDLE_S: Final = 1.0
REPORT_LOOK_S: Final = 2.0
"""How long until a report that is being made is asked for again."""
LEAST_ATTEMPTS: Final = 5
"""Before that many attempts nothing is given up, however old it is: the notifier itself may have been off."""


class DeliveryResult(StrEnum):
    """What came of an attempt to send."""

    SENT = "sent"
    FAILED = "failed"
    """It is tried again."""
    GONE = "gone"
    """The receiver wants nothing more: nothing is sent until somebody enables the channel."""
    GIVEN_UP = "given_up"


@dataclass(slots=True)
class NotifierTotals:
    """What this notifier has done since its start."""

    entered: int = 0
    muted: int = 0
    """Notices that were deferred or muted: silenced, flapping, too many."""
    sent: int = 0
    failed: int = 0
    given_up: int = 0


@dataclass(frozen=True, slots=True)
class _Down:
    failures: int
    until: datetime


class Notifier:
    """Sends what is due to each channel until a stop; a channel that is down delays no other."""

    def __init__(
        self,
        outbox: Outbox,
        channels: Sequence[Channel],
        sender: Sender,
        stop: Waiter,
        *,
        writer: MessageWriter | None = None,
        reports: ReportWriter | None = None,
        backoff: Backoff | None = None,
        give_up_after: timedelta = timedelta(days=3),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        on_progress: Callable[[NotifierTotals], None] = lambda tally: None,
        on_wait: Callable[[Retryable, float], None] = log_wait,
    ) -> None:
        self.tally = NotifierTotals()
        self.deliveries: Counter[tuple[str, DeliveryResult]] = Counter()
        """What came of attempts to send, by channel."""
        self._outbox = outbox
        self._channels = channels
        self._sender = sender
        self._stop = stop
        self._writer = writer or MessageWriter()
        self._reports = reports
        self._backoff = backoff or Backoff(first_s=2.0, limit_s=300.0)
        self._give_up_after = give_up_after
        self._clock = clock
        self._on_progress = on_progress
        self._on_wait = on_wait
        self._down: dict[str, _Down] = {}

    def run(self, *, follow: bool = True) -> NotifierTotals:
        """Send until a stop is asked for, or, without `follow`, until all that is due has been tried."""
        names = [channel.name for channel in self._channels]
        try:
            while not self._stop.asked:
                self.tally.entered += self._persist(lambda: self._outbox.fill(names, self._clock()))
                self.tally.muted = self._outbox.judged.muted
                for channel in self._channels:
                    self._serve(channel)
                self._on_progress(self.tally)
                if not follow or self._stop.wait(IDLE_S):
                    break
        except Stopped:
            log.info("stopped while waiting for the database")
        return self.tally

    def _serve(self, channel: Channel) -> None:
        """Send what is due to a channel; after a failure wait, then try one message."""
        while not self._stop.asked:
            now = self._clock()
            down = self._down.get(channel.name)
            if down is not None and now < down.until:
                return
            limit = 1 if down else CLAIM
            batch = self._persist(partial(self._outbox.claim, channel.name, limit, now))
            if not batch:
                return
            tried = self._send_batch(channel, batch, now + LEASE - timedelta(seconds=DELIVERY_S))
            self._persist(partial(self._outbox.release, batch[tried:]))

    def _send_batch(self, channel: Channel, batch: Sequence[Delivery], last: datetime) -> int:
        """Send claimed deliveries, none after `last` and none after a failure; return how many were tried."""
        for tried, delivery in enumerate(batch):
            if self._stop.asked or self._clock() > last:
                return tried
            if not self._send(channel, delivery):
                return tried + 1
        return len(batch)

    def _send(self, channel: Channel, delivery: Delivery) -> bool:
        if isinstance(delivery.content, Bundle) and not delivery.content.steps:
            self._persist(lambda: self._outbox.drop(delivery))  # nobody may hear of any of them by now
            return True
        try:
            message = self._write(channel, delivery)
        except ReportNotReady:
            due = self._clock() + timedelta(seconds=REPORT_LOOK_S)
            self._persist(lambda: self._outbox.postpone(delivery, due))
            return True
        except StoreError as error:  # the database is away while a report is made from it
            self._put_off(delivery, str(error))
            return True
        except Exception as error:  # a row that no message can be made of stops no other
            self._give_up(delivery, f"no message can be written: {type(error).__name__}")
            return True
        try:
            self._sender(channel, message)
        except SendStopped:
            log.warning("channel %s: stopped before the receiver answered; it may have arrived", channel.name)
            self._persist(lambda: self._outbox.release([delivery], unsure=True))
            return False
        except ReceiverGone as error:
            self._on_gone(channel, delivery, error)
            return False
        except SendFailed as error:
            self._on_failure(channel, delivery, error)
            return False
        self._persist(lambda: self._outbox.sent(delivery, self._clock()))
        if self._down.pop(channel.name, None):
            log.info("channel %s takes messages again", channel.name)
        self.tally.sent += 1
        self._count(channel.name, DeliveryResult.SENT)
        log.debug("sent %s to %s", delivery.step_id, channel.name)
        return True

    def _write(self, channel: Channel, delivery: Delivery) -> Message:
        content, style, again = delivery.content, delivery.style, delivery.again
        if isinstance(content, Bundle):
            return self._writer.of_bundle(content, channel, style, again=again)
        if isinstance(content, ReportContent):
            if self._reports is None:
                msg = "this notifier makes no reports"
                raise ReportError(msg)
            document = self._reports(content.period, content.view, style.language, content.as_of)
            return self._writer.of_report(content, document, channel, style, again=again)
        return self._writer.of_step(content, channel, style, delivery.note, again=again)

    def _put_off(self, delivery: Delivery, error: str) -> None:
        """Try a message later that could not be written; that is no fault of the channel."""
        log.warning("%s cannot be written: %s", delivery.step_id, error)
        due = self._clock() + timedelta(seconds=self._backoff.delay(delivery.attempts + 1))
        self._persist(lambda: self._outbox.failed(delivery, error, due, unsure=delivery.again))

    def _on_gone(self, channel: Channel, delivery: Delivery, error: ReceiverGone) -> None:
        """Leave a channel alone for good; what waits for it stays until somebody enables it."""
        self.tally.failed += 1
        self._count(channel.name, DeliveryResult.GONE)
        log.error(
            "channel %s: %s; nothing more is sent to it until `lapwing notify --enable %s`",
            *(channel.name, error.summary, channel.name),
        )
        self._persist(lambda: self._outbox.release([delivery]))
        self._persist(lambda: self._outbox.disable(channel.name, self._clock()))

    def _on_failure(self, channel: Channel, delivery: Delivery, failure: SendFailed) -> None:
        error = str(failure)
        now = self._clock()
        self.tally.failed += 1
        self._count(channel.name, DeliveryResult.FAILED)
        before = self._down.get(channel.name)
        failures = before.failures + 1 if before else 1
        wait = max(timedelta(seconds=self._backoff.delay(failures)), failure.retry_after or timedelta())
        self._down[channel.name] = _Down(failures, now + wait)
        log.warning("channel %s: %s; trying again in %s", channel.name, failure.summary, wait)
        attempts = delivery.attempts + 1
        if attempts >= LEAST_ATTEMPTS and now - delivery.created_at >= self._give_up_after:
            self._give_up(delivery, error, failure.summary)
            return
        # A message that may have arrived is not sent again soon.
        unsure = isinstance(failure, SendTimedOut)
        wait_s = self._backoff.limit_s if unsure else self._backoff.delay(attempts)
        due = now + max(timedelta(seconds=wait_s), failure.retry_after or timedelta())
        self._persist(lambda: self._outbox.failed(delivery, error, due, unsure=unsure))

    def _give_up(self, delivery: Delivery, error: str, summary: str | None = None) -> None:
        self._persist(lambda: self._outbox.give_up(delivery, error))
        self.tally.given_up += 1
        self._count(delivery.channel, DeliveryResult.GIVEN_UP)
        log.error(
            "gave up sending %s to %s after %d attempts: %s",
            delivery.step_id,
            delivery.channel,
            delivery.attempts + 1,
            error if summary is None else summary,
        )

    def paused(self) -> list[str]:
        """Return the channels that are left alone for a while after a failure."""
        now = self._clock()
        return sorted(name for name, down in self._down.items() if now < down.until)

    def _count(self, channel: str, result: DeliveryResult) -> None:
        self.deliveries[channel, result] += 1
        self._on_progress(self.tally)

    def _persist(self, work: Callable[[], T]) -> T:
        return persist(work, stop=self._stop, backoff=Backoff(), on_wait=self._on_wait)
