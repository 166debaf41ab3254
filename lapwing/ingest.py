"""From inputs.yaml and the settings to the sources that webhooks come from."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from consumers.broker.client import Admin, Cluster, Producer
from consumers.ingest.event_sender import EventSender
from consumers.ingest.senders import SENDERS
from consumers.ingest.sources import HookSource, MappedDelivery, OutgoingEvent, Refusal
from lapwing.registry import rates_of
from lapwing.settings.settings import Settings
from lapwing.settings.value_files import SUFFIX, read_value
from lapwing.settings.values import SHORTEST_SECRET
from streams.contract.decode import RefusedRecord
from streams.core.events.topics import Topic
from streams.errors import LapwingError, SettingsError
from streams.inputs.load import load_inputs
from streams.inputs.source import Source
from streams.inputs.source_entry import TOPIC_FORMATS
from streams.rulebook.files import Stamp, stamp

log = logging.getLogger(__name__)

VARIABLE: Final = "LAPWING_INGEST_SECRETS"
MOST_KEYS: Final = 2
"""Valid at once for a source."""
BLOCK_MS: Final = 3_000
WITHIN_MS: Final = 10_000
"""After which a record that the broker has not acknowledged has failed."""
_PAIR: Final = re.compile(r"([a-z0-9][a-z0-9_-]{0,63})=(.+)")


class _PassedOver:
    """Stands for what reads the format of a topic: the file may have such, and no topic is read here."""

    def read(self, values: Sequence[bytes | None]) -> tuple[list[bytes | None], list[RefusedRecord]]:
        """Pass all records over."""
        return [None] * len(values), []


_NO_TOPICS: Final = {name: lambda entry: _PassedOver() for name in TOPIC_FORMATS}
"""So that an intake needs neither a schema registry nor its password."""


class HookInputs:
    """The sources with `webhook`, read again when their file changes, or that of the secrets or the rates.

    A change counts when two looks in a row find the same; while something is wrong, those of before stay.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        """Read the file; raises `LapwingError` where it is wrong, or a source has no secret."""
        path = settings.inputs_file
        if path is None:
            msg = "there is no inputs.yaml: write one, or name it with --inputs (docs/ingest.md)"
            raise SettingsError(msg)
        self._settings = settings
        self._path = path
        self._clock = clock
        self._files = [each for each in (path, settings.file("ingest_secrets"), settings.rates) if each]
        self._seen = self._read_at = self._changed()
        self._sources = self._read()
        if unused := sorted(set(read_secrets(settings.ingest_secrets)) - self._sources.keys()):
            msg = f"ingest_secrets: {path} has no source {unused[0]!r} with `webhook`"
            raise SettingsError(msg)
        self._broken = False

    @property
    def broken(self) -> bool:
        """Whether a file is wrong now, and what it said before in force."""
        return self._broken

    def current(self) -> Mapping[str, HookSource]:
        """Return the sources by name, as of the last look."""
        return self._sources

    def look(self) -> None:
        """Read the files again where one has changed; to be called every second or so."""
        before, self._seen = self._seen, self._changed()
        if self._seen != before or self._seen == self._read_at:
            return
        self._read_at = self._seen
        try:
            self._sources = self._read()
            self._broken = False
            log.info("%s: read again, %d sources of webhooks", self._path, len(self._sources))
        except LapwingError as error:
            self._broken = True
            log.error("%s; the sources from before stay in force", error)

    def _read(self) -> Mapping[str, HookSource]:
        return hook_sources(self._settings, self._path, self._clock, secrets_now(self._settings))

    def _changed(self) -> list[Stamp | None]:
        return [stamp(each) for each in self._files]


def secrets_now(settings: Settings) -> Sequence[SecretStr]:
    """Return the secrets as their file has them now, or else as the environment gave them at the start."""
    file = settings.file("ingest_secrets")
    if file is None:
        return settings.ingest_secrets
    return [SecretStr(word) for word in read_value(f"{VARIABLE}{SUFFIX}", file).split()]


def hook_sources(
    settings: Settings,
    path: Path,
    clock: Callable[[], float] = time.time,
    given: Sequence[SecretStr] | None = None,
) -> Mapping[str, HookSource]:
    """Return the sources with `webhook` by name; raises `LapwingError` where one has no secret.

    The secrets are those that are given, or else those of the settings.
    """
    secrets = read_secrets(settings.ingest_secrets if given is None else given)
    found = {}
    for name, source in load_inputs(path, _NO_TOPICS, rates_of(settings)).sources.items():
        word = source.entry.webhook
        if word is None:
            continue
        sender = SENDERS[word]
        if name not in secrets:
            msg = f"{path}: source {name} has no secret: add {name}=SECRET to {VARIABLE}"
            raise SettingsError(msg)
        try:
            keys = tuple(sender.key(each) for each in secrets[name])
        except ValueError as error:
            msg = f"ingest_secrets: a secret of {name}: {error}"
            raise SettingsError(msg) from None
        found[name] = HookSource(name, sender, keys, DeliveryMap(source, settings, clock))
    if not found:
        msg = f"{path}: no source has `webhook`: there is nothing to take in (docs/ingest.md)"
        raise SettingsError(msg)
    return found


def has_webhooks(settings: Settings, path: Path) -> bool:
    """Return whether a source of the file has `webhook`; raises `LapwingError` where the file is wrong."""
    found = load_inputs(path, _NO_TOPICS, rates_of(settings))
    return any(source.entry.webhook for source in found.sources.values())


def read_secrets(given: Sequence[SecretStr]) -> dict[str, list[str]]:
    """Return the secrets by source; raises `SettingsError`, which names none."""
    found: dict[str, list[str]] = {}
    for number, secret in enumerate(given, start=1):
        pair = _PAIR.fullmatch(secret.get_secret_value())
        if pair is None:
            msg = f"ingest_secrets: number {number} is not SOURCE=SECRET"
            raise SettingsError(msg)
        name, text = pair.groups()
        if len(text) < SHORTEST_SECRET:
            msg = f"ingest_secrets: a secret of {name} should have {SHORTEST_SECRET} characters or more"
            raise SettingsError(msg)
        if len(found.setdefault(name, [])) == MOST_KEYS:
            msg = f"ingest_secrets: {name} has more than two secrets: take the oldest away"
            raise SettingsError(msg)
        found[name].append(text)
    return found


class DeliveryMap:
    """Maps the bodies of a source, and lets the contract judge what comes of them."""

    def __init__(self, source: Source, settings: Settings, clock: Callable[[], float]) -> None:
        self._source = source
        self._topics: Mapping[Topic, str] = settings.topics
        self._max_skew_us = settings.max_skew
        self._clock = clock

    def __call__(self, bodies: Sequence[bytes]) -> Sequence[MappedDelivery]:
        """Return what each body becomes, in their order."""
        source = self._source
        mapped = source.judged(
            source.map(bodies), max_skew_us=self._max_skew_us, now_us=round(self._clock() * 1e6)
        )
        events: list[list[OutgoingEvent]] = [[] for _ in bodies]
        for part, customers in zip(mapped.parts, mapped.customers, strict=True):
            topic = self._topics[part.topic]
            for place, customer, value in zip(part.index.tolist(), customers, part.values, strict=True):
                events[place].append(OutgoingEvent(topic, customer.encode(), value))
        refused = {each.index: Refusal(each.reason, each.detail) for each in mapped.refused}
        return [
            MappedDelivery(tuple(some), (refused[place],) if place in refused else ())
            for place, some in enumerate(events)
        ]


def event_sender(settings: Settings) -> EventSender:
    """Return a connection that writes events; raises `BrokerError`."""
    cluster = Cluster(settings.broker, settings.kafka_security)
    with ExitStack() as stack:
        topics = Admin(cluster)
        stack.callback(topics.close)
        producer = Producer(cluster, block_ms=BLOCK_MS, within_ms=WITHIN_MS)
        stack.callback(producer.close)
        sender = EventSender(f"Kafka at {settings.broker}", topics, producer)
        stack.pop_all()
    return sender
