"""Refusals that stand: records that were dated too far ahead of a worker's clock, as the rejected topic says.

Such a verdict depends on when the record was read. So that an engine that is restored computes what the one
before it did, a record that was refused once for its time is refused whenever it is read again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from streams.contract.rejected import RefusalReason, read_rejected_headers
from streams.errors import ContractError
from streams.intake.poll import Poll, TopicPartition
from streams.intake.topic_tail import TopicTail

Refused = Mapping[tuple[str, int, int], bytes | None]
"""Topic, partition and offset of a record -> its value; `None` where the rejected topic has not all of it."""


@dataclass(frozen=True, slots=True)
class StandingRefusals:
    """Records that are to be refused again."""

    records: Refused = field(default_factory=dict)
    since: Mapping[int, int] = field(default_factory=dict)
    """By partition of the rejected topic, the offset from which on they were read."""

    def of(self, poll: Poll) -> list[int]:
        """Return the positions in a poll of the records that were refused for their time before."""
        topic, partition = poll.topic_partition
        if not any(key[:2] == (topic, partition) for key in self.records):
            return []
        return [
            i
            for i, (offset, value) in enumerate(zip(poll.offsets.tolist(), poll.values, strict=True))
            if self._holds(poll.topic_partition, offset, value)
        ]

    def are_ahead(self, partition: int, positions: Mapping[str, int]) -> bool:
        """Return whether any of a partition's lies at or after its topic's position, yet to be read."""
        return any(
            number == partition and offset >= positions.get(topic, 0)
            for topic, number, offset in self.records
        )

    def _holds(self, place: TopicPartition, offset: int, value: bytes | None) -> bool:
        key = (place.topic, place.partition, offset)
        # The topic may have been made anew, and another record may have this offset now.
        return key in self.records and self.records[key] in (None, value)


class RejectedTopic:
    """The rejected topic as its writers read it."""

    def __init__(self, topic: TopicTail) -> None:
        self._topic = topic

    async def ends(self) -> dict[int, int]:
        """Return, by partition, the offset that the next record will get."""
        return await self._topic.ends()

    async def since(self, offsets: Mapping[int, int]) -> StandingRefusals:
        """Return the refusals from `offsets` on; a partition they do not name is read from its beginning."""
        found: dict[tuple[str, int, int], bytes | None] = {}
        async for record in self._topic.records(offsets):
            try:
                rejection = read_rejected_headers(record.headers)
            except ContractError:
                continue  # not a record of ours
            if rejection.reason is RefusalReason.FUTURE_TIME:
                key = (rejection.topic, rejection.partition, rejection.offset)
                found[key] = None if rejection.truncated else record.value
        return StandingRefusals(found, dict(offsets))
