"""The team's channels: Apprise URLs and webhooks by name."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final
from urllib.parse import urlsplit

import apprise

from streams.errors import SettingsError

_NAMED: Final = re.compile(r"([a-z0-9][a-z0-9_-]{0,39})=(?=[a-z0-9]+://)", re.IGNORECASE)


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
_BREAK: Final = "\u200b"
"""A space of no width: a reader does not see it, and no pattern matches across it."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One place to send to; its URL holds secrets and is never printed."""

    name: str
    url: str = field(repr=False)
    markup: Markup = Markup.NONE
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """What a webhook is signed with, `whsec_...`: the newest, and older ones that are still in use."""
    takes_files: bool = False
    """Whether it is mail, to which a file can be attached."""

    @property
    def is_webhook(self) -> bool:
        """Whether it is a signed webhook rather than a service that Apprise knows."""
        return bool(self.secrets)


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
        if getattr(service, "retry", 0):
            msg = (
                f"notify_urls: URL {number} ({scheme}://...) sets Apprise's own retry: leave it out, "
                "the outbox tries again by itself"
            )
            raise SettingsError(msg)
        name = named[1] if named else f"{scheme}-{hashlib.sha256(url.encode()).hexdigest()[:8]}"
        if name in channels:
            msg = f"notify_urls: two channels are called {name!r}"
            raise SettingsError(msg)
        channels[name] = Channel(name, url, _markup(service, url), takes_files=_plugin(service) == "email")
    return list(channels.values())


def _plugin(service: apprise.NotifyBase) -> str:
    # An https:// URL of a chat service is that service: what counts is the plugin.
    return type(service).__module__.removeprefix("apprise.plugins.").partition(".")[0]


def _markup(service: apprise.NotifyBase, url: str) -> Markup:
    plugin = _plugin(service)
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


_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_PAIR: Final = re.compile(r"([a-z0-9][a-z0-9_-]{0,39})=(.+)", re.IGNORECASE)
_LEAST_SECRET, _MOST_SECRET = 24, 64
"""Bytes of a secret, as Standard Webhooks asks for."""


def read_webhooks(urls: Iterable[str], secrets: Iterable[str]) -> list[Channel]:
    """Return the webhooks of the settings: `NAME=URL`, and `NAME=whsec_...` once or more for each of them."""
    by_name: dict[str, list[str]] = {}
    for number, text in enumerate(secrets, start=1):
        pair = _PAIR.fullmatch(text)
        if pair is None or not _is_secret(pair[2]):
            size = f"{_LEAST_SECRET} to {_MOST_SECRET} bytes"
            msg = f"webhook_secrets: number {number} is not NAME=whsec_... with {size}"
            raise SettingsError(msg)
        by_name.setdefault(pair[1], []).append(pair[2])
    found: dict[str, Channel] = {}
    for number, text in enumerate(urls, start=1):
        pair = _PAIR.fullmatch(text)
        if pair is None:
            msg = f"webhook_urls: number {number} is not NAME=https://..."
            raise SettingsError(msg)
        name = pair[1]
        if (wrong := _wrong_webhook(pair[2])) is not None:
            msg = f"webhook_urls: {name}: {wrong}"
            raise SettingsError(msg)
        if name in found:
            msg = f"webhook_urls: two webhooks are called {name!r}"
            raise SettingsError(msg)
        if name not in by_name:
            msg = f"webhook_urls: {name} has no secret: add {name}=whsec_... to LAPWING_WEBHOOK_SECRETS"
            raise SettingsError(msg)
        found[name] = Channel(name, pair[2], Markup.NONE, tuple(by_name[name]))
    if unused := sorted(by_name.keys() - found.keys()):
        msg = f"webhook_secrets: there is no webhook {unused[0]!r} in webhook_urls"
        raise SettingsError(msg)
    return list(found.values())


def _is_secret(text: str) -> bool:
    try:
        unpadded = text.removeprefix("whsec_").rstrip("=")
        key = base64.b64decode(unpadded + "=" * (-len(unpadded) % 4), validate=True)
    except ValueError:
        return False
    return text.startswith("whsec_") and _LEAST_SECRET <= len(key) <= _MOST_SECRET


def _wrong_webhook(url: str) -> str | None:
    """Return what is wrong with a URL, without repeating it: it may hold a token."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is not a URL"
    if parts.scheme not in ("http", "https") or not host:
        return "is not a URL that begins with https://"
    if parts.scheme == "http" and host not in _LOOPBACK:
        return "must begin with https://; http:// is for this machine only"
    if parts.username is not None or parts.fragment:
        return "must have no user name and no fragment"
    return None
