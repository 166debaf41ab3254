"""A record, and what consumers need of a subscription and a producer: tests pass their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a topic."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class RecordSource(Protocol):
    """Records in each partition's order."""

    def poll(self, timeout_s: float) -> Sequence[Record]:
        """Return the records that have arrived; wait up to `timeout_s` for the first."""

    def at_end(self) -> bool:
        """Return whether all records have been read."""


class GroupSource(RecordSource, Protocol):
    """The share of a member of a consumer group."""

    def commit(self, offsets: Mapping[tuple[str, int], int]) -> None:
        """Commit the offset of the next record to read of each (topic, partition)."""

    def lags(self) -> Mapping[str, int]:
        """Return by topic how many records are still to be read, where that is known."""


class RecordSender(Protocol):
    """Sends records."""

    def send(self, topic: str, key: bytes | None, value: bytes | None) -> None:
        """Send a record soon."""

    def flush(self) -> None:
        """Wait until the broker has acknowledged all records."""
