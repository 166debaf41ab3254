"""Complaints and actions in topics of others, which the sink stores as those of the contract."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Final

from consumers.broker.records import Record
from consumers.sink import kinds
from consumers.sink.inputs import MapInputs, MappedInputs
from consumers.sink.reading import PutAside
from lapwing.mapped_topics import input_watch, mapped_now
from lapwing.settings.settings import Settings
from streams.contract.instants import to_us
from streams.contract.rejected import RefusalReason
from streams.core.events.topics import Topic
from streams.inputs.source import Source
from streams.inputs.watch import InputRevision, InputWatch

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 1.0
KINDS: Final[dict[Topic, Callable[[MapInputs], kinds.AnyKind]]] = {
    Topic.COMPLAINTS: kinds.mapped_complaints,
    Topic.ACTIONS: kinds.mapped_actions,
}
"""The topics of the contract whose events are stored."""


def is_stored(topics: Collection[Topic]) -> bool:
    """Return whether events of one of these topics are stored."""
    return not KINDS.keys().isdisjoint(topics)


class StoredInputs:
    """What the sink stores of the topics that the file of inputs maps, as the file has it now.

    A bad file changes nothing; one that is bad to begin with raises `RuleFilesError`.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_skew_us = settings.max_skew
        self._clock = clock
        self._watch: InputWatch | None = input_watch(settings)
        self._sources = self._stored()
        self._looked_at = clock()

    def kinds(self) -> dict[str, list[kinds.AnyKind]]:
        """Return, by topic, what its records become."""
        found: dict[str, list[kinds.AnyKind]] = {}
        for name, source in self._sources.items():
            topics = [topic for topic in KINDS if topic in source.topics]
            found[name] = [KINDS[topic](self._mapping(name, topic, topics[0])) for topic in topics]
        return found

    def look(self) -> None:
        """Look at the file, once a second."""
        if self._watch is None or self._clock() - self._looked_at < LOOK_EVERY_S:
            return
        self._looked_at = self._clock()
        found = self._watch.look()
        if isinstance(found, InputRevision):
            before = {name: set(source.topics) for name, source in self._sources.items()}
            now = self._stored()
            self._sources |= {name: source for name, source in now.items() if name in before}
            log.info("%s: read again, inputs=%s", self._watch.path, found.hash)
            if before != {name: set(source.topics) for name, source in now.items()}:
                log.warning(
                    "the file of inputs names other topics that are stored: restart the sink for them"
                )
        elif found is not None:
            mistakes = "; ".join(found.mistakes)
            log.error("inputs refused, inputs=%s stays: %s", self._watch.current.hash, mistakes)

    def _stored(self) -> dict[str, Source]:
        sources = {} if self._watch is None else self._watch.current.sources
        return {name: source for name, source in sources.items() if is_stored(source.topics)}

    def _mapping(self, name: str, wanted: Topic, tells: Topic) -> MapInputs:
        """Return what makes events of one topic of a source's records; of several one has what is refused."""

        def mapping(records: Sequence[Record], now: datetime) -> MappedInputs:
            source = self._sources[name]
            mapped = source.judged(
                mapped_now(source, [record.value for record in records]),
                [record.key for record in records],
                [record.timestamp_ms for record in records],
                max_skew_us=self._max_skew_us,
                now_us=to_us(now),
            )
            # As in a worker: a record of which one event lies in the future gives none.
            ahead = {each.index for each in mapped.refused if each.reason is RefusalReason.FUTURE_TIME}
            events = [
                (place, value)
                for part in mapped.parts
                if part.topic is wanted
                for place, value in zip(part.index.tolist(), part.values, strict=True)
                if place not in ahead
            ]
            refused = mapped.refused if wanted is tells else ()
            return MappedInputs(
                [(records[place], value) for place, value in sorted(events, key=lambda each: each[0])],
                [PutAside(records[each.index], each.reason, each.detail) for each in refused],
            )

        return mapping
