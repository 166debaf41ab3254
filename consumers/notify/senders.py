"""What brings a message to a channel: by Apprise, or as a signed webhook."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, Final, Protocol

import apprise
import urllib3
from apprise.attachment.memory import AttachMemory
from standardwebhooks.webhooks import Webhook

from consumers.loop import Waiter
from consumers.notify.attempt import Attempts, ReceiverGone, SendFailed, SendStopped, SendTimedOut
from consumers.notify.channels import Channel
from consumers.notify.message import Attachment, Message
from streams.redact import without_parts

for _name in ("apprise", "urllib3"):
    logging.getLogger(_name).addHandler(logging.NullHandler())
    logging.getLogger(_name).propagate = False  # their lines name URLs, and URLs hold secrets

# Otherwise Apprise sends in threads of its own, which the end of the process waits for.
_ONE_THREAD: Final = apprise.AppriseAsset(async_mode=False, service_timeout=0)
_SHOWN: Final = 200
"""Bytes of a webhook's refusal that are kept with the message."""
_MOST_WAIT: Final = timedelta(days=1)
"""The longest wait that a receiver may ask for."""
_GONE: Final = 410


class Sender(Protocol):
    """What brings a message to a channel."""

    def __call__(self, channel: Channel, message: Message) -> None:
        """Send, or raise `SendFailed`, or `SendStopped`."""


class ChannelSender:
    """Sends to any channel."""

    def __init__(self, stop: Waiter) -> None:
        attempts = Attempts(stop)
        self._apprise = AppriseSender(attempts)
        self._webhooks = WebhookSender(attempts)

    def __call__(self, channel: Channel, message: Message) -> None:
        """Send, or raise `SendFailed`, or `SendStopped`."""
        (self._webhooks if channel.is_webhook else self._apprise)(channel, message)


class AppriseSender:
    """Sends by Apprise, one channel at a time, so that each delivery's outcome is its own."""

    def __init__(
        self,
        attempts: Attempts,
        make: Callable[[], apprise.Apprise] = lambda: apprise.Apprise(asset=_ONE_THREAD),
    ) -> None:
        self._attempts = attempts
        self._make = make
        self._ready: dict[str, apprise.Apprise] = {}

    def __call__(self, channel: Channel, message: Message) -> None:
        """Send, or raise `SendFailed`, or `SendStopped`."""
        service = self._service(channel)
        try:
            self._attempts.run(channel.name, partial(_notify, service, channel, message))
        except (SendTimedOut, SendStopped):
            del self._ready[channel.name]  # the thread goes on using it
            raise

    def _service(self, channel: Channel) -> apprise.Apprise:
        service = self._ready.get(channel.name)
        if service is None:
            service = self._ready[channel.name] = self._make()
            service.add(channel.url)
            for plugin in service:
                self._give_time(plugin)
        return service

    def _give_time(self, plugin: Any) -> None:
        """Let connecting and each read last as long as the delivery may, unless the URL says how long."""
        usual = apprise.URLBase
        if plugin.socket_connect_timeout == usual.socket_connect_timeout:
            plugin.socket_connect_timeout = self._attempts.deadline_s
        if plugin.socket_read_timeout == usual.socket_read_timeout:
            plugin.socket_read_timeout = self._attempts.deadline_s + self._attempts.stop_s


def _notify(service: apprise.Apprise, channel: Channel, message: Message) -> None:
    error: str | None = None
    summary: str | None = None
    try:
        result = service.notify(
            body=message.body,
            title=message.title,
            notify_type=apprise.NotifyType.FAILURE if message.urgent else apprise.NotifyType.WARNING,
            body_format=apprise.NotifyFormat.TEXT,
            interpret_escapes=False,
            attach=[_attached(each) for each in message.attachments] or None,
        )
        if not result:
            entries = [entry for attempts in result for entry in attempts.logs()]
            error = "; ".join(str(entry.message) for entry in entries) or result.status.name.lower()
            summary = _summary(error)
    except Exception as raised:  # whatever a plugin raises is a failed delivery
        error, summary = f"{type(raised).__name__}: {raised}", type(raised).__name__
    if error is not None:
        raise SendFailed(without_parts(error, channel.url), summary=summary)


def _summary(error: str) -> str:
    """Return what can be logged of what a plugin says: not its words, only the answer's number.

    >>> _summary("Failed to send JSON POST notification: Page not found., error=404.")
    'not delivered, error 404'
    """
    number = re.search(r"error\s?[=:]\s?(\d{3})\b", error)
    return f"not delivered, error {number.group(1)}" if number else "not delivered"


def _attached(file: Attachment) -> AttachMemory:
    return AttachMemory(file.content, file.name, file.kind)  # type: ignore[no-untyped-call]  # Apprise's lack


class WebhookSender:
    """Posts messages as JSON, signed as Standard Webhooks asks for; only the outbox tries again."""

    def __init__(self, attempts: Attempts, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._attempts = attempts
        self._clock = clock

    def __call__(self, channel: Channel, message: Message) -> None:
        """Send, or raise `SendFailed`, or `SendStopped`."""
        headers = signed(channel, message, self._clock())
        self._attempts.run(channel.name, partial(self._post, channel, message, headers))

    def _post(self, channel: Channel, message: Message, headers: Mapping[str, str]) -> None:
        # A pool of its own: what went over its deadline may still read from it.
        with urllib3.PoolManager(retries=False) as pool:
            timeout = urllib3.Timeout(
                connect=self._attempts.deadline_s, read=self._attempts.deadline_s + self._attempts.stop_s
            )
            try:
                answer = pool.request(
                    "POST", channel.url, body=message.payload, headers=dict(headers), timeout=timeout,
                    redirect=False, preload_content=False,
                )  # fmt: skip
                status, wait = answer.status, answer.headers.get("Retry-After")
                body = answer.read(_SHOWN, decode_content=False)
            except urllib3.exceptions.HTTPError as error:
                shown = without_parts(f"{type(error).__name__}: {error}", channel.url)
                raise SendFailed(shown, summary=type(error).__name__) from None
        if 200 <= status < 300:
            return
        text = "".join(c if c.isprintable() else " " for c in body.decode("utf-8", "replace"))
        text, summary = without_parts(f"HTTP {status} {text}".strip(), channel.url), f"HTTP {status}"
        if status == _GONE:
            raise ReceiverGone(text, summary=summary)
        raise SendFailed(text, summary=summary, retry_after=_wait_of(wait, self._clock()))


def signed(channel: Channel, message: Message, now: datetime) -> dict[str, str]:
    """Return the headers of a webhook: the id is the same however often the message is sent."""
    body = message.payload.decode()
    signatures = [Webhook(secret).sign(message.id, now, body) for secret in channel.secrets]
    return {
        "content-type": "application/json",
        "user-agent": "Lapwing",
        "webhook-id": message.id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _wait_of(text: str | None, now: datetime) -> timedelta | None:
    """Return how long `Retry-After` asks to wait: seconds, or a date.

    >>> _wait_of("120", datetime(2026, 3, 2, tzinfo=UTC))
    datetime.timedelta(seconds=120)
    """
    if text is None:
        return None
    try:
        wait = timedelta(seconds=int(text)) if text.strip().isdecimal() else parsedate_to_datetime(text) - now
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(wait, timedelta()), _MOST_WAIT)
