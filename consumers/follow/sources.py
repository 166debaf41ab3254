"""The topics that are followed, as the follower needs them: whoever starts it maps and judges."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from consumers.broker.records import Record
from consumers.loop import Retryable
from streams.contract.rejected import RefusalReason
from streams.errors import LapwingError


class MappingWaits(LapwingError, Retryable):
    """Records cannot be mapped yet, as when the registry with their schemas is away."""


@dataclass(frozen=True, slots=True)
class FollowedEvent:
    """An event as it is written: its topic, its customer's id, the contract's JSON, its record's time."""

    topic: str
    key: bytes
    value: bytes
    timestamp_ms: int | None


@dataclass(frozen=True, slots=True)
class FollowedRefusal:
    """Why a record cannot be an event, or not all of those that it should be; `detail` names the field."""

    record: Record
    reason: RefusalReason
    detail: str


@dataclass(frozen=True, slots=True)
class MappedRecords:
    """What records of one topic become."""

    events: Sequence[FollowedEvent]
    """In the order of the records."""
    refused: Sequence[FollowedRefusal]
    passed: int
    """How many no filter takes."""


MapRecords = Callable[[Sequence[Record]], MappedRecords]
"""Maps records of one topic. Raises `MappingWaits`."""

Followed = Mapping[str, MapRecords]
"""By topic."""
