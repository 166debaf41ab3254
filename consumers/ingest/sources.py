"""The sources that webhooks come from, as the intake needs them: whoever starts it maps and judges."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from consumers.ingest.senders import Sender
from streams.contract.rejected import RefusalReason


@dataclass(frozen=True, slots=True)
class OutgoingEvent:
    """An event as it is written: on which topic, its customer's id, and the contract's JSON."""

    topic: str
    key: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something of a delivery cannot be an event; `detail` names the field, never what it holds."""

    reason: RefusalReason
    detail: str


@dataclass(frozen=True, slots=True)
class MappedDelivery:
    """What one delivery becomes; nothing where no filter takes it."""

    events: tuple[OutgoingEvent, ...] = ()
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True)
class HookSource:
    """A source of inputs.yaml with `webhook`."""

    name: str
    sender: Sender
    keys: tuple[bytes, ...] = field(repr=False)
    """What its deliveries may be signed with now."""
    map: Callable[[Sequence[bytes]], Sequence[MappedDelivery]]
    """Return what each body becomes, in their order."""


class HookSources(Protocol):
    """The sources as inputs.yaml has them now."""

    def current(self) -> Mapping[str, HookSource]:
        """Return them by name; while the file is wrong, as it was before."""

    @property
    def broken(self) -> bool:
        """Whether the file is wrong now, and the one of before in force."""
