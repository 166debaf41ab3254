"""What a worker needs to know beside its engines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from streams.contract.erasures import ErasureKey
from streams.core.events.topics import Topic
from streams.intake.lane import InputSource
from streams.intake.partition import BatchingPolicy
from streams.kafka.security import Security

OPTIONAL_OUTPUTS: Final = ("outcomes_topic", "census_topic", "customer_days_topic", "scores_topic")
"""Settings of the topics that a worker goes without where the broker does not have them."""


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """Where a worker reads and writes, and how."""

    broker: str
    """`host:port`, several with commas between them."""
    topics: Mapping[Topic, str]
    """The name on the broker of each topic of the contract that is read."""
    sources: Mapping[str, InputSource] = field(default_factory=dict)
    """By its name on the broker, what maps the records of each other topic that is read."""
    app: str = "lapwing"
    warnings_topic: str = "churn-warnings"
    control_topic: str = "lapwing-control"
    audit_topic: str = "lapwing-audit"
    worker: str = "worker"
    """What this one is called where several share the work."""
    group: str = ""
    """The consumer group, where it is not called as the app."""
    security: Security = field(default_factory=dict, repr=False)
    session_timeout_s: float = 45.0
    max_skew_us: int = 3_600_000_000
    fetch_bytes: int = 6_000_000
    """What one fetch may bring of one place."""
    poll_records: int = 200_000
    """What one fetch may bring in all."""
    pace: BatchingPolicy = field(default_factory=BatchingPolicy)
    checkpoints: str = ""
    """A directory or `fsspec` URL; without one a state is rebuilt from the earliest records."""
    from_checkpoints: bool = False
    """Whether a partition of which the group has no offsets goes on from its newest checkpoint."""
    checkpoint_every_s: float = 30.0
    record_limit: int = 1_048_588
    """Bytes that the broker takes in one record (Kafka's `message.max.bytes`)."""
    segment_days_topic: str = ""
    """The internal topic of days' sums; empty where there are no segment rules."""
    segment_warnings_topic: str = "segment-warnings"
    segment_partitions: int = 0
    """Of the internal topic, as the worker finds it when it starts."""
    outcomes_topic: str = ""
    """Empty: outcomes are not sent, as with the next."""
    census_topic: str = ""
    customer_days_topic: str = ""
    scores_topic: str = ""
    samples_topic: str = ""
    """What the model learns from: for a shared learner, and for profiles of who churned and who did not."""
    models_topic: str = ""
    """Where all partitions share a learner; else empty."""
    erasures_topic: str = ""
    """Empty: nobody can be erased."""
    erasure_key: ErasureKey | None = None
    """What the ids of erased customers are hashed with."""
    partitions: int | None = None
    """Of the input topics, as the worker finds them when it starts."""
    topic_ids: Mapping[str, str] = field(default_factory=dict)
    """The same: the ids of the input topics by their names, where the broker has any."""

    @property
    def input_topics(self) -> tuple[str, ...]:
        """Return the names on the broker of all topics that are read."""
        return (*self.topics.values(), *self.sources)

    @property
    def topic_names(self) -> dict[Topic, str]:
        """Return the names of the topics of the contract that events come of, as figures are shown by them.

        One that the broker does not have, because sources bring its events, is called as in the contract.
        """
        fed = {topic for source in self.sources.values() for topic in source.topics}
        return {topic: topic.label for topic in sorted(fed)} | dict(self.topics)

    @property
    def rejected_topic(self) -> str:
        """Return the name of the topic of records that cannot be accepted."""
        return f"{self.app}.rejected"
