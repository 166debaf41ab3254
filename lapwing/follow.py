"""From a file of inputs to the topics that `lapwing import --follow` reads, and what their records become."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from consumers.broker.records import Record
from consumers.follow.sources import FollowedEvent, FollowedRefusal, MappedRecords
from consumers.loop import Retryable
from lapwing.mapped_topics import mapped_now, parser
from lapwing.settings.settings import Settings
from streams.core.events.topics import Topic
from streams.errors import BrokerError, SettingsError
from streams.inputs.formats.formats import readers
from streams.inputs.formats.schemas import Schemas
from streams.inputs.source import Source
from streams.inputs.watch import InputRevision, InputWatch
from streams.kafka.errors import no_topic

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 1.0
There = Callable[[set[str]], set[str]]
"""Returns which of some topics the broker has."""


class FollowInputs:
    """The sources whose topics are followed, as the file has them; while it is wrong, those of before.

    Raises `LapwingError`, with all mistakes, where the file is wrong to begin with.
    """

    def __init__(
        self,
        settings: Settings,
        path: Path,
        name: str | None,
        schemas: Schemas | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read the file; with `name` only that source is followed."""
        self._settings = settings
        self._name = name
        self._clock = clock
        self._watch = InputWatch(path, parser(settings, readers(schemas)), settings.rates)
        self._looked_at = clock()
        self._offered: InputRevision | None = None
        """What the file says now, where it is not known yet whether the broker has the topics for it."""
        self.revision = self._watch.current
        self.sources = self._sources(self.revision)
        self.broken = False
        """Whether the file cannot be followed as it is now."""

    def look(self, there: There) -> bool:
        """Look at the file, once a second; return whether the sources are others now.

        `there` is asked for the topics that events are written to. Raises what it raises, and asks again.
        """
        if self._clock() - self._looked_at >= LOOK_EVERY_S:
            self._looked_at = self._clock()
            found = self._watch.look()
            if isinstance(found, InputRevision):
                self._offered = found
            elif found is not None:
                self._refuse("; ".join(found.mistakes))
        if self._offered is None:
            return False
        offered = self._offered
        try:
            sources = self._sources(offered)
            written = self.written(sources)
            if missing := written - there(written):
                raise BrokerError(no_topic(f"Kafka at {self._settings.broker}", *sorted(missing)))
        except (SettingsError, BrokerError) as error:
            if not isinstance(error, Retryable):
                self._offered = None
                self._refuse(str(error))
                return False
            raise
        self._offered, self.broken = None, False
        self.revision, self.sources = offered, sources
        log.info(
            "%s: read again, inputs=%s, followed are %s", self._watch.path, offered.hash, ", ".join(sources)
        )
        return True

    def written(self, sources: Mapping[str, Source] | None = None) -> set[str]:
        """Return the topics that events of these sources are written to, by default of those in force."""
        names = self._settings.topics
        every = (self.sources if sources is None else sources).values()
        return {rejected_topic(self._settings), *(names[topic] for each in every for topic in each.topics)}

    def mappings(self) -> dict[str, TopicMapping]:
        """Return what the records of each topic become."""
        return {
            topic: TopicMapping(source, self._settings.topics, self._settings.max_skew)
            for topic, source in self.sources.items()
        }

    def _refuse(self, why: str) -> None:
        self.broken = True
        log.error("%s: the sources from before stay in force, inputs=%s", why, self.revision.hash)

    def _sources(self, revision: InputRevision) -> dict[str, Source]:
        return followed_sources(self._settings, self._watch.path, revision.sources, self._name)


def followed_sources(
    settings: Settings, path: Path, found: Mapping[str, Source], name: str | None = None
) -> dict[str, Source]:
    """Return the sources to follow, by topic. Raises `SettingsError` where there is none, or a circle."""
    if name is not None:
        found = {topic: each for topic, each in found.items() if each.name == name}
    if not found:
        which = f"source {name!r} with a topic" if name is not None else "source with a topic"
        msg = f"{path}: there is no {which} to follow"
        raise SettingsError(msg)
    written = {*settings.topics.values(), rejected_topic(settings)}
    for topic, each in found.items():
        if topic in written:
            msg = (
                f"{path}: source {each.name!r} reads {topic!r}, which events are written to: they "
                "would be read again without end"
            )
            raise SettingsError(msg)
    return dict(found)


def import_group(settings: Settings) -> str:
    """Return the group whose members share the topics that are followed."""
    return f"{settings.app}-import"


def rejected_topic(settings: Settings) -> str:
    """Return the topic of what is refused."""
    return f"{settings.app}.rejected"


class TopicMapping:
    """What the records of a source's topic become."""

    def __init__(self, source: Source, names: Mapping[Topic, str], max_skew_us: int) -> None:
        self._source = source
        self._names = names
        self._max_skew_us = max_skew_us

    def __call__(self, records: Sequence[Record]) -> MappedRecords:
        """Return the events and refusals of records. Raises `MappingWaits`."""
        mapped = mapped_now(self._source, [record.value for record in records])
        judged = self._source.judged(
            mapped,
            None,
            [record.timestamp_ms for record in records],
            max_skew_us=self._max_skew_us,
            now_us=time.time_ns() // 1_000,
        )
        events = [
            (
                place,
                FollowedEvent(self._names[part.topic], customer.encode(), value, records[place].timestamp_ms),
            )
            for part, customers in zip(judged.parts, judged.customers, strict=True)
            for place, customer, value in zip(part.index.tolist(), customers, part.values, strict=True)
        ]
        events.sort(key=lambda each: each[0])
        refused = [FollowedRefusal(records[each.index], each.reason, each.detail) for each in judged.refused]
        return MappedRecords([event for _, event in events], refused, judged.passed)
