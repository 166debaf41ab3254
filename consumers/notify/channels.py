"""The team's channels: Apprise URLs by name, and the sender that knows Apprise."""

from __future__ import annotations

import hashlib
import logging
import re
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Protocol

import apprise

from consumers.loop import Waiter
from consumers.notify.message import Message
from streams.errors import SettingsError
from streams.redact import without_parts

DELIVERY_S: Final = 20.0
"""The deadline of a delivery, from connecting to the last byte of the answer."""
STOP_S: Final = 5.0
"""How long a delivery in progress may go on after a stop was asked for."""
MOST_UNFINISHED: Final = 3
"""Deliveries of a channel that went over their deadline and have not ended; then none is begun."""
_LOOK_S: Final = 0.1
_NAMED: Final = re.compile(r"([a-z0-9][a-z0-9_-]{0,39})=(?=[a-z0-9]+://)", re.IGNORECASE)

logging.getLogger("apprise").addHandler(logging.NullHandler())
logging.getLogger("apprise").propagate = False  # its lines name URLs, and URLs hold secrets


class Markup(Enum):
    """What a channel makes of the text it is given."""

    NONE = "none"
    """It is data, or shown as it is."""
    CHAT = "chat"
    """Mentions and links may take effect."""
    MARKDOWN = "markdown"
    """Mentions and links too, and Markdown, in which a backslash escapes."""


_DATA: Final = ("custom_json", "custom_xml", "custom_form", "email", "syslog", "rsyslog", "dbus", "gnome")
_MARKDOWN: Final = ("discord", "mattermost", "rocketchat")
# Otherwise Apprise sends in threads of its own, which the end of the process waits for.
_ONE_THREAD: Final = apprise.AppriseAsset(async_mode=False, service_timeout=0)
_BREAK: Final = "\u200b"
"""A space of no width: a reader does not see it, and no pattern matches across it."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One place to send to; its URL holds secrets and is never printed."""

    name: str
    url: str = field(repr=False)
    markup: Markup = Markup.NONE


def read_channels(urls: Iterable[str]) -> list[Channel]:
    """Return the channels of the settings: `URL`, or `name=URL`, whose name outlives a change of secrets."""
    channels: dict[str, Channel] = {}
    for number, text in enumerate(urls, start=1):
        named = _NAMED.match(text)
        url = text[named.end() :] if named else text
        scheme = url.partition("://")[0]
        service = apprise.Apprise.instantiate(url)
        if not isinstance(service, apprise.NotifyBase):
            msg = f"notify_urls: URL {number} ({scheme}://...) is not one that Apprise can send to"
            raise SettingsError(msg)
        name = named[1] if named else f"{scheme}-{hashlib.sha256(url.encode()).hexdigest()[:8]}"
        if name in channels:
            msg = f"notify_urls: two channels are called {name!r}"
            raise SettingsError(msg)
        channels[name] = Channel(name, url, _markup(service, url))
    return list(channels.values())


def _markup(service: apprise.NotifyBase, url: str) -> Markup:
    # An https:// URL of a chat service is that service: what counts is the plugin.
    plugin = type(service).__module__.removeprefix("apprise.plugins.").partition(".")[0]
    if plugin in _DATA:
        return Markup.NONE
    # With format=markdown Apprise escapes Markdown itself.
    escaped = re.search(r"[?&]format=markdown", url, re.IGNORECASE)
    return Markup.MARKDOWN if plugin in _MARKDOWN and not escaped else Markup.CHAT


def as_text(text: str, markup: Markup) -> str:
    r"""Return the text so that the channel shows its characters and makes nothing else of them.

    >>> as_text("@everyone [x](http://e)", Markup.MARKDOWN).replace(_BREAK, "|")
    '@|everyone \\[x\\]|\\(http://e\\)'
    """
    if markup is Markup.NONE:
        return text
    text = re.sub(r"[@<]|\](?=\()", lambda found: found[0] + _BREAK, text)
    return re.sub(r"[\\`*_~|<>\[\]()#]", r"\\\g<0>", text) if markup is Markup.MARKDOWN else text


class SendFailed(Exception):
    """The receiver did not take the message; the text says why and holds no secret."""


class SendTimedOut(SendFailed):
    """The receiver did not answer in time: it may have taken the message."""


class SendStopped(Exception):
    """A stop was asked for before the receiver answered."""


class Sender(Protocol):
    """What brings a message to a channel."""

    def __call__(self, channel: Channel, message: Message) -> None:
        """Send, or raise `SendFailed`, or `SendStopped`."""


@dataclass(slots=True)
class _Attempt:
    """One delivery in a thread of its own, which the end of the process does not wait for."""

    done: threading.Event = field(default_factory=threading.Event)
    error: str | None = None


class AppriseSender:
    """Sends by Apprise, one channel at a time, so that each delivery's outcome is its own."""

    def __init__(
        self,
        stop: Waiter,
        make: Callable[[], apprise.Apprise] = lambda: apprise.Apprise(asset=_ONE_THREAD),
        *,
        deadline_s: float = DELIVERY_S,
        stop_s: float = STOP_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stop = stop
        self._make = make
        self._deadline_s = deadline_s
        self._stop_s = stop_s
        self._clock = clock
        self._ready: dict[str, apprise.Apprise] = {}
        self._unfinished: dict[str, list[_Attempt]] = {}

    def __call__(self, channel: Channel, message: Message) -> None:
        """Send, or raise `SendFailed`, or `SendStopped`."""
        unfinished = [each for each in self._unfinished.get(channel.name, []) if not each.done.is_set()]
        self._unfinished[channel.name] = unfinished
        if len(unfinished) >= MOST_UNFINISHED:
            msg = f"{len(unfinished)} earlier deliveries have not ended"
            raise SendFailed(msg)
        attempt = _Attempt()
        service = self._service(channel)
        threading.Thread(target=_send, args=(attempt, service, channel, message), daemon=True).start()
        try:
            self._wait(attempt)
        except (SendTimedOut, SendStopped):
            unfinished.append(attempt)
            del self._ready[channel.name]  # the thread goes on using it
            raise
        if attempt.error is not None:
            raise SendFailed(without_parts(attempt.error, channel.url))

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
            plugin.socket_connect_timeout = self._deadline_s
        if plugin.socket_read_timeout == usual.socket_read_timeout:
            plugin.socket_read_timeout = self._deadline_s + self._stop_s

    def _wait(self, attempt: _Attempt) -> None:
        begun = self._clock()
        last = begun + self._deadline_s
        stopped_at: float | None = None
        while not attempt.done.wait(_LOOK_S):
            now = self._clock()
            if self._stop.asked:
                stopped_at = now if stopped_at is None else stopped_at
                if now >= stopped_at + self._stop_s:
                    raise SendStopped
            if now >= last:
                msg = f"no answer within {self._deadline_s:g} s; the message may have arrived"
                raise SendTimedOut(msg)


def _send(attempt: _Attempt, service: apprise.Apprise, channel: Channel, message: Message) -> None:
    try:
        result = service.notify(
            body=as_text(message.body, channel.markup),
            title=as_text(message.title, channel.markup),
            notify_type=apprise.NotifyType.FAILURE if message.urgent else apprise.NotifyType.WARNING,
            body_format=apprise.NotifyFormat.TEXT,
            interpret_escapes=False,
        )
        if not result:
            lines = [str(entry.message) for attempts in result for entry in attempts.logs()]
            attempt.error = "; ".join(lines) or result.status.name.lower()
    except Exception as error:  # whatever a plugin raises is a failed delivery
        attempt.error = f"{type(error).__name__}: {error}"
    finally:
        attempt.done.set()
