"""The team's channels: Apprise URLs by name, and the sender that knows Apprise."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol
from urllib.parse import unquote

import apprise

from consumers.notify.message import Message
from streams.errors import SettingsError

SEND_TIMEOUT_S: Final = 20.0
_NAMED: Final = re.compile(r"([a-z0-9][a-z0-9_-]{0,39})=(?=[a-z0-9]+://)", re.IGNORECASE)

logging.getLogger("apprise").addHandler(logging.NullHandler())
logging.getLogger("apprise").propagate = False  # its lines name URLs, and URLs hold secrets


@dataclass(frozen=True, slots=True)
class Channel:
    """One place to send to; its URL holds secrets and is never printed."""

    name: str
    url: str = field(repr=False)


def read_channels(urls: Iterable[str]) -> list[Channel]:
    """Return the channels of the settings: `URL`, or `name=URL`, whose name outlives a change of secrets."""
    channels: dict[str, Channel] = {}
    for number, text in enumerate(urls, start=1):
        named = _NAMED.match(text)
        url = text[named.end() :] if named else text
        scheme = url.partition("://")[0]
        if not isinstance(apprise.Apprise.instantiate(url), apprise.NotifyBase):
            msg = f"notify_urls: URL {number} ({scheme}://...) is not one that Apprise can send to"
            raise SettingsError(msg)
        name = named[1] if named else f"{scheme}-{hashlib.sha256(url.encode()).hexdigest()[:8]}"
        if name in channels:
            msg = f"notify_urls: two channels are called {name!r}"
            raise SettingsError(msg)
        channels[name] = Channel(name, url)
    return list(channels.values())


class SendFailed(Exception):
    """The receiver did not take the message; the text says why and holds no secret."""


class Sender(Protocol):
    """What brings a message to a channel."""

    def __call__(self, channel: Channel, message: Message) -> None:
        """Send, or raise `SendFailed`."""


class AppriseSender:
    """Sends by Apprise, one channel at a time, so that each delivery's outcome is its own."""

    def __init__(self, make: Callable[[], apprise.Apprise] = apprise.Apprise) -> None:
        self._make = make
        self._ready: dict[str, apprise.Apprise] = {}

    def __call__(self, channel: Channel, message: Message) -> None:
        """Send, or raise `SendFailed`."""
        service = self._ready.get(channel.name)
        if service is None:
            service = self._ready[channel.name] = self._make()
            service.add(channel.url)
        kind = apprise.NotifyType.FAILURE if message.urgent else apprise.NotifyType.WARNING
        result = service.notify(
            body=message.body,
            title=message.title,
            notify_type=kind,
            body_format=apprise.NotifyFormat.TEXT,
            interpret_escapes=False,
            timeout=SEND_TIMEOUT_S,
        )
        if not result:
            lines = [str(entry.message) for attempts in result for entry in attempts.logs()]
            raise SendFailed(redact("; ".join(lines) or result.status.name.lower(), channel.url))


def redact(text: str, url: str) -> str:
    """Return the text in one line without any part of the URL but its scheme.

    >>> redact("no POST to https://hooks.example/T1234/token", "slack://T1234/token")
    'no POST to https://hooks.example/***/***'
    """
    parts = re.split(r"[:/@?&=#]+", url.partition("://")[2])
    secrets = {form for part in parts for form in (part, unquote(part)) if len(form) > 3}
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return " ".join(text.split())[:500]
