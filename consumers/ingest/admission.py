"""How much may be under way at once: requests, and the bytes of their bodies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What the intake takes on."""

    largest: int = 1_000_000
    """Bytes of a body."""
    waiting: int = 1_000
    """Deliveries under way."""
    waiting_bytes: int = 64 * 1024 * 1024
    """Bytes of their bodies together."""
    read_s: float = 10.0
    """How long a body may take to come."""
    within_s: float = 4.0
    """How long the broker may take: Shopify waits five seconds for the answer."""


class Full(Exception):
    """No more is taken on now."""


class Admission:
    """Counts what is under way; used by one event loop."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.requests = 0
        self.bytes = 0

    @contextmanager
    def enter(self, length: int | None) -> Iterator[None]:
        """Let a request in whose body has so many bytes, or as many as allowed where it does not say.

        Raises `Full`.
        """
        size = self._limits.largest if length is None else min(length, self._limits.largest)
        if self.requests >= self._limits.waiting or self.bytes + size > self._limits.waiting_bytes:
            raise Full
        self.requests += 1
        self.bytes += size
        try:
            yield
        finally:
            self.requests -= 1
            self.bytes -= size
