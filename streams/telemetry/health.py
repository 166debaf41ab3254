"""Whether a process is alive and ready, with reasons.

Alive means that its loop turns; a process that is not should be restarted. Ready means that it can do its
work now; one that is not may be waiting for a broker or a database, and a restart would not help.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

STUCK_S: Final = 120.0
"""How long a turn of a loop may last."""

Check = Callable[[], Sequence[str]]
"""Returns the reasons why not, none where all is well."""


def always() -> Sequence[str]:
    """Return no reason."""
    return ()


class Heartbeat:
    """Knows when a loop last turned."""

    def __init__(
        self, name: str, within_s: float = STUCK_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._name = name
        self._within_s = within_s
        self._clock = clock
        self._beaten_at = clock()

    def beat(self) -> None:
        """Note that the loop turns."""
        self._beaten_at = self._clock()

    def reasons(self) -> Sequence[str]:
        """Return why the loop must be stuck, if it must."""
        silent_s = self._clock() - self._beaten_at
        if silent_s <= self._within_s:
            return ()
        return (
            f"{self._name} has not turned for {silent_s:.0f} s; more than {self._within_s:.0f} s is too long",
        )
