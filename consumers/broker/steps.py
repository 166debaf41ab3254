"""The broker as a `WarningStream` sees it: the steps to come, those of before, and what is put aside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import closing
from dataclasses import dataclass
from typing import Final, Protocol

from consumers.broker.client import Admin, Cluster, Producer, Subscription
from consumers.broker.errors import BrokerAway
from consumers.broker.records import Record
from consumers.broker.topics import DAY_MS
from streams.contract.rejected import (
    DETAIL_HEADER,
    OFFSET_HEADER,
    PARTITION_HEADER,
    REASON_HEADER,
    TOPIC_HEADER,
)
from streams.errors import BrokerError

KEPT_MS: Final = 30 * DAY_MS
POLL_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class RejectedStep:
    """A record that was put aside."""

    record: Record
    reason: str
    """`refused` by the handler, or `unreadable`."""
    detail: str

    @property
    def headers(self) -> list[tuple[str, bytes]]:
        """What is known about it, as on the worker's rejected topic."""
        return [
            (REASON_HEADER, self.reason.encode()),
            (DETAIL_HEADER, self.detail.encode("utf-8", "backslashreplace")),
            (TOPIC_HEADER, self.record.topic.encode()),
            (PARTITION_HEADER, str(self.record.partition).encode()),
            (OFFSET_HEADER, str(self.record.offset).encode()),
        ]


class StepSource(Protocol):
    """The warnings topic as a member of a group reads it."""

    def poll(self, timeout_s: float, most: int | None = None) -> Sequence[Record]:
        """Return up to `most` records that have arrived; wait up to `timeout_s` for the first."""

    def at_end(self) -> bool:
        """Return whether all records have been read."""

    def commit(self, offsets: Mapping[tuple[str, int], int]) -> None:
        """Commit the offset of the next record to read of each (topic, partition)."""

    def assigned(self) -> Set[int]:
        """Return the partitions that this member reads."""

    def positions(self) -> Mapping[int, int]:
        """Return the offset of the next record of each assigned partition, where it is known."""

    def close(self) -> None:
        """Leave the group."""


class StepBroker(Protocol):
    """What a stream needs of the broker."""

    def subscribe(self) -> StepSource:
        """Begin to read."""

    def history(self, ends: Mapping[int, int], newest: int | None) -> Iterator[Record]:
        """Yield the records of partitions before these offsets, of each the `newest` or all."""

    def prepare_rejected(self) -> None:
        """See to it that there is a topic for what is put aside."""

    def reject(self, rejected: RejectedStep) -> None:
        """Put a record aside, and return when it is safe."""

    def close(self) -> None:
        """Close."""


class KafkaSteps:
    """The warnings topic of a Kafka, read by a member of `group` or, without one, from its beginning."""

    def __init__(
        self, cluster: Cluster, topic: str, group: str | None, rejected: str, session_timeout_s: float
    ) -> None:
        self._cluster = cluster
        self._topic = topic
        self._group = group
        self._rejected = rejected
        self._session_timeout_ms = int(session_timeout_s * 1000)
        self._producer: Producer | None = None

    def subscribe(self) -> StepSource:
        """Begin to read."""
        return Subscription(
            self._cluster,
            self._topic,
            group=self._group,
            session_timeout_ms=self._session_timeout_ms,
        )

    def history(self, ends: Mapping[int, int], newest: int | None) -> Iterator[Record]:
        """Yield the records of partitions before these offsets, of each the `newest` or all."""
        ends = {partition: end for partition, end in ends.items() if end > 0}
        if not ends:
            return
        source = Subscription(self._cluster, self._topic, group=None, partitions=ends.keys())
        with closing(source):
            if newest is not None:
                source.seek_each({partition: max(0, end - newest) for partition, end in ends.items()})
            reached: Mapping[int, int] = {}
            while any(reached.get(partition, 0) < end for partition, end in ends.items()):
                records = source.poll(POLL_S)
                yield from (record for record in records if record.offset < ends[record.partition])
                if not records and source.at_end():
                    return
                reached = source.positions()

    def prepare_rejected(self) -> None:
        """See to it that there is a topic for what is put aside."""
        admin = Admin(self._cluster)
        with closing(admin):
            if self._rejected in admin.partitions():
                return
            try:
                admin.create(self._rejected, 1, -1, {"retention.ms": str(KEPT_MS)})
            except BrokerAway:
                raise
            except BrokerError as error:
                msg = f"there is no topic {self._rejected!r} for what is put aside: {error}"
                raise BrokerError(msg) from error

    def reject(self, rejected: RejectedStep) -> None:
        """Put a record aside, and return when it is safe."""
        if self._producer is None:
            self._producer = Producer(self._cluster)
        record = rejected.record
        self._producer.send(self._rejected, record.key, record.value, headers=rejected.headers)
        self._producer.flush()

    def close(self) -> None:
        """Close."""
        if self._producer is not None:
            self._producer.close()
            self._producer = None
