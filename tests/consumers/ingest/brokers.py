"""A broker that does as it is told, and sources that map by a plain function."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from consumers.ingest.intake import Headers
from consumers.ingest.senders import SENDERS
from consumers.ingest.sources import HookSource, MappedDelivery, OutgoingEvent, Refusal
from streams.contract.rejected import RefusalReason
from streams.errors import BrokerError
from tests.consumers.ingest.signers import SECRETS

REJECTED = "lapwing.rejected"
WITHIN_S = 30
Done = Callable[[BrokerError | None], None]


def until(condition: Callable[[], object]) -> None:
    """Give other threads the processor until something holds."""
    end = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < end
        os.sched_yield()


@dataclass(slots=True)
class StubBroker:
    """Takes connections and records while it is there."""

    away: BrokerError | None = None
    """Why there is no connection."""
    refuses: BrokerError | None = None
    """What records are answered with."""
    holds: bool = False
    """Whether records stay unanswered."""
    records: list[tuple[str, bytes | None, bytes, dict[str, bytes]]] = field(default_factory=list)
    held: list[Done] = field(default_factory=list)
    connections: int = 0
    connected: threading.Event = field(default_factory=threading.Event)

    def connect(self) -> StubBroker:
        self.connections += 1
        if self.away is not None:
            raise self.away
        self.connected.set()
        return self

    def deliver(self, topic: str, key: bytes | None, value: bytes, headers: Headers, on_done: Done) -> None:
        if self.holds:
            self.held.append(on_done)
        elif self.refuses is not None:
            on_done(self.refuses)
        else:
            self.records.append((topic, key, value, dict(headers)))
            on_done(None)

    def close(self) -> None:
        self.connected.clear()


def map_plainly(bodies: Sequence[bytes]) -> list[MappedDelivery]:
    """Return an order; what has `bad` is refused, what has `skip` passed, and `crash` is a defect."""
    return [_map(json.loads(body)) for body in bodies]


def _map(record: dict[str, object]) -> MappedDelivery:
    if record.get("crash"):
        raise ZeroDivisionError
    refusals = [Refusal(RefusalReason.MISSING_FIELD, "amount: there is none")] if record.get("bad") else []
    if record.get("skip") or record.get("bad"):
        return MappedDelivery((), tuple(refusals))
    customer = str(record["customer"]).encode()
    value = json.dumps(record).encode()
    return MappedDelivery((OutgoingEvent("orders", customer, value),), ())


def source_of(word: str, name: str | None = None) -> HookSource:
    """Return a source of a kind of sender, with its secret of the tests."""
    sender = SENDERS[word]
    return HookSource(name or word, sender, (sender.key(SECRETS[word]),), map_plainly)


@dataclass(slots=True)
class StubSources:
    """Sources that do not change."""

    by_name: Mapping[str, HookSource] = field(
        default_factory=lambda: {word: source_of(word) for word in SENDERS}
    )
    broken: bool = False

    def current(self) -> Mapping[str, HookSource]:
        return self.by_name
