"""The warnings that are open after the steps read so far, and which steps were read before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

import msgspec

from streams.contract.warnings import WarningEvent, parse_warning
from streams.errors import ContractError


class StepData(msgspec.Struct, frozen=True):
    """Of a step's data what the open set depends on: reading the rest takes ten times as long."""

    warning_id: str
    customer_id: str
    step: int
    state: str
    opened_at: datetime
    holdout: bool


class StepHead(msgspec.Struct, frozen=True):
    """Of a step what the open set depends on."""

    id: str
    data: StepData

    @classmethod
    def of(cls, event: WarningEvent) -> Self:
        """Return the head of an event."""
        data = event.data
        return cls(
            event.id,
            StepData(data.warning_id, data.customer_id, data.step, data.state, data.opened_at, data.holdout),
        )


_decoder = msgspec.json.Decoder(StepHead)


def read_head(value: bytes) -> StepHead:
    """Return the head of the step that a record's bytes hold; raises `ContractError`."""
    try:
        return _decoder.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        msg = f"not a warning event: {error}"
        raise ContractError(msg) from error


@dataclass(slots=True)
class _Open:
    partition: int
    head: StepData
    value: bytes | None
    event: WarningEvent | None = None


@dataclass(slots=True)
class OpenSet(Mapping[str, WarningEvent]):
    """The newest step of each open warning, by customer: of a customer at most one is open.

    It also knows the newest `remembered` steps of each partition, so that what comes again is noticed.
    """

    remembered: int
    holdout: bool = False
    """Whether warnings that are held out are in it."""
    keep_open: bool = True
    _open: dict[str, _Open] = field(default_factory=dict)
    _seen: dict[int, dict[str, None]] = field(default_factory=dict)

    def __getitem__(self, customer_id: str) -> WarningEvent:
        entry = self._open[customer_id]
        if entry.event is None:
            entry.event = parse_warning(entry.value or b"")
            entry.value = None
        return entry.event

    def __iter__(self) -> Iterator[str]:
        return iter(self._open)

    def __len__(self) -> int:
        return len(self._open)

    def __contains__(self, customer_id: object) -> bool:
        return customer_id in self._open

    @property
    def partitions(self) -> frozenset[int]:
        """The partitions whose steps it follows."""
        return frozenset(self._seen)

    def follow(self, partition: int) -> None:
        """Begin to follow a partition, of which nothing is known yet."""
        self.leave(partition)
        self._seen[partition] = {}

    def leave(self, partition: int) -> None:
        """Forget a partition's warnings."""
        if self._seen.pop(partition, None) is not None:
            self._open = {c: entry for c, entry in self._open.items() if entry.partition != partition}

    def take(
        self, partition: int, head: StepHead, value: bytes | None = None, event: WarningEvent | None = None
    ) -> bool:
        """Take a step of a partition that is followed; return `False` where it came before."""
        seen = self._seen[partition]
        if head.id in seen:
            return False
        seen[head.id] = None
        if len(seen) > self.remembered:
            del seen[next(iter(seen))]
        if self.keep_open and (self.holdout or not head.data.holdout):
            self._fold(_Open(partition, head.data, value, event))
        return True

    def _fold(self, new: _Open) -> None:
        known = self._open.get(new.head.customer_id)
        if known is not None:
            # A step that comes again after so many others that it is not remembered changes nothing.
            if known.head.warning_id == new.head.warning_id:
                if new.head.step <= known.head.step:
                    return
            elif new.head.opened_at < known.head.opened_at:
                return
        if new.head.state == "open":
            self._open[new.head.customer_id] = new
        elif known is not None and known.head.warning_id == new.head.warning_id:
            del self._open[new.head.customer_id]
