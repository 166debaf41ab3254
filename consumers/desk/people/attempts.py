"""How often somebody may try: to sign in, by address and by name, and to change something."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

WAIT_S: Final = 60
"""What somebody who tried too often is asked to wait."""


@dataclass(frozen=True, slots=True)
class AttemptLimits:
    """How often."""

    failed_by_address: int = 10
    """Failed attempts to sign in from one address, in a minute."""
    failed_by_name: int = 30
    """For one name from wherever, in ten minutes."""
    changes: int = 300
    """Requests of one person that change something, in a minute."""


class Attempts:
    """Counts attempts in this process."""

    def __init__(self, limits: AttemptLimits | None = None) -> None:
        given = limits or AttemptLimits()
        self._by_address = RateLimitItemPerMinute(given.failed_by_address)
        self._by_name = RateLimitItemPerMinute(given.failed_by_name, 10)
        self._changes = RateLimitItemPerMinute(given.changes)
        self._windows = MovingWindowRateLimiter(MemoryStorage())

    def may_sign_in(self, address: str, name: str = "") -> bool:
        """Return whether there were not too many failed attempts from the address or for the name."""
        return self._windows.test(self._by_address, "address", address) and (
            not name or self._windows.test(self._by_name, "name", name)
        )

    def failed(self, address: str, name: str = "") -> None:
        """Count a failed attempt."""
        self._windows.hit(self._by_address, "address", address)
        if name:
            self._windows.hit(self._by_name, "name", name)

    def may_change(self, person: str) -> bool:
        """Count a change, and return whether it is not one too many."""
        return self._windows.hit(self._changes, "changes", person)
