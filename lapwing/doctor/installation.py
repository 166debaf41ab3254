"""What the settings name, asked once, and only where a check needs it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from datetime import timedelta
from functools import cached_property
from pathlib import Path

from consumers.broker.client import Admin, Cluster, Places, Subscription
from consumers.broker.records import Record
from consumers.broker.topics import TopicSpec, TopicState
from consumers.desk.installation import ProcessState
from lapwing.doctor.check import Skipped
from lapwing.endpoints import processes
from lapwing.follow import import_group
from lapwing.lag import Offsets, Unread, database_ahead, offsets, unread
from lapwing.mapped_topics import parser
from lapwing.settings.settings import Settings
from lapwing.topic_plan import planned
from streams.errors import LapwingError
from streams.inputs.source import Source
from streams.intake.topic_ids import topic_ids
from streams.rulebook.load import Rulebook, load_rulebook

POLL_S = 1.0
ENDS_S = 5.0
"""How long a topic's ends are waited for."""


class Installation:
    """The settings, and what the broker and the files they name say."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def cluster(self) -> Cluster:
        """The broker and how to get in."""
        return Cluster(self.settings.broker, self.settings.kafka_security)

    @cached_property
    def answer(self) -> Mapping[str, int] | LapwingError:
        """The broker's topics with their numbers of partitions, or why it does not answer."""
        try:
            return self.ask_topics()
        except LapwingError as error:
            return error

    def ask_topics(self) -> Mapping[str, int]:
        """Ask the broker for its topics."""
        with closing(Admin(self.cluster)) as admin:
            return admin.partitions()

    def ask_states(self) -> Mapping[str, TopicState]:
        """Ask the broker how its topics are kept, and what we may do there."""
        with closing(Admin(self.cluster)) as admin:
            return admin.describe()

    def ask_version(self) -> str:
        """Ask the broker for the version of Kafka whose requests it knows."""
        with closing(Admin(self.cluster)) as admin:
            return admin.version()

    def ask_processes(self) -> Sequence[ProcessState]:
        """Ask the processes in `metrics_targets` what they are."""
        return processes(self.settings.metrics_targets)

    @cached_property
    def unstored(self) -> Mapping[str, Unread]:
        """What the sink has yet to store, by topic that it reads; a check is skipped where none has begun."""
        found = self.ask_unstored()
        if found is None:
            msg = "no sink has stored anything yet"
            raise Skipped(msg)
        return found

    def ask_unstored(self) -> Mapping[str, Unread] | None:
        """Ask the broker what the sink has yet to store; `None` where none has stored anything."""
        return unread(self.cluster, f"{self.settings.app}-sink", self.topics)

    def ask_unimported(self) -> Mapping[str, Unread] | None:
        """Ask the broker what an importer has yet to read; `None` where none has read anything."""
        return unread(self.cluster, import_group(self.settings), self.topics)

    def newest(self, topics: Collection[str]) -> Sequence[Record]:
        """Return the newest record of each partition of these topics, which are there."""
        if not topics:
            return ()
        with closing(Places(self.cluster, topics)) as places:
            return list(places.newest(ENDS_S).values())

    def database_ahead(self) -> timedelta | None:
        """Return how far the database's clock is ahead of ours; `None` where it has none of its own."""
        return database_ahead(self.settings.database)

    def ask_configs(self, names: Collection[str]) -> Mapping[str, Mapping[str, str]]:
        """Ask the broker for the settings of these topics."""
        with closing(Admin(self.cluster)) as admin:
            return admin.configs(names)

    @cached_property
    def offsets(self) -> Offsets:
        """How far the topics reach and how far the workers have come."""
        return self.ask_offsets()

    def ask_offsets(self) -> Offsets:
        """Ask the broker how far the topics reach and how far the workers have come."""
        return offsets(self.settings, self.topics, self.mapped)

    def ask_topic_ids(self, names: Collection[str]) -> Mapping[str, str]:
        """Ask the broker for the ids of these topics, where it has any."""
        return asyncio.run(topic_ids(self.settings.broker, self.settings.kafka_security, names))

    @property
    def topics(self) -> Mapping[str, int]:
        """The broker's topics; a check that needs them is skipped where it does not answer."""
        if isinstance(self.answer, LapwingError):
            msg = "the broker does not answer"
            raise Skipped(msg)
        return self.answer

    def need_topic(self, name: str) -> None:
        """Skip the check where the topic is not there."""
        if name not in self.topics:
            msg = f"there is no topic {name}; `lapwing topics` makes it"
            raise Skipped(msg)

    @cached_property
    def mapped(self) -> Mapping[str, Source]:
        """The sources of topics whose records are mapped; none where their file is bad, as a check says."""
        return self._sources(self.settings.inputs_file)

    @cached_property
    def followed(self) -> Mapping[str, Source]:
        """The sources of topics that an importer follows; none where their file is bad, as a check says."""
        return self._sources(self.settings.import_inputs)

    def _sources(self, path: Path | None) -> Mapping[str, Source]:
        if path is None:
            return {}
        try:
            return parser(self.settings)(str(path), path.read_bytes()).by_topic
        except (LapwingError, OSError):
            return {}

    @property
    def inputs(self) -> list[str]:
        """The names of the topics that events come from, of the contract and mapped."""
        return list(dict.fromkeys([*self.settings.topics.values(), *self.mapped]))

    def planned(self) -> list[TopicSpec]:
        """Return the topics that are asked for."""
        return planned(self.settings, {name: each.topics for name, each in self.mapped.items()})

    @cached_property
    def rulebook(self) -> Rulebook:
        """What the rule files say now."""
        return load_rulebook(self.settings.rules)

    def read(self, topic: str, newest: int | None = None) -> Sequence[Record]:
        """Return what a topic holds, or the newest so many records of each of its partitions."""
        self.need_topic(topic)
        with closing(Subscription(self.cluster, topic, group=None)) as subscription:
            if newest is not None:
                subscription.seek_back(newest, ENDS_S)
            records: list[Record] = []
            while True:
                records += subscription.poll(POLL_S)
                if subscription.at_end():
                    return records
