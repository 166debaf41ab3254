"""Results that take long: computed in the background, kept with their time, never waited for by a page."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

from streams.errors import LapwingError

log = logging.getLogger(__name__)
T = TypeVar("T")

SHARE: Final = 0.1
"""Of the time, what renewing one result may take: one that takes a minute is renewed every ten."""
AGAIN_AFTER: Final = timedelta(seconds=10)
"""A failed attempt is repeated no earlier."""
AT_ONCE: Final = 2


@dataclass(frozen=True, slots=True)
class Result(Generic[T]):
    """What is known of a result now."""

    value: T | None
    """`None` until it was computed for the first time."""
    at: datetime | None
    """When it was computed, by the clock of the machine."""
    renewing: bool
    """Whether a newer one is on its way."""
    error: str | None
    """Why the last attempt failed."""


class Background(Generic[T]):
    """A result that a thread computes when somebody looks at it and it is no longer fresh."""

    turns: Final = threading.BoundedSemaphore(AT_ONCE)
    """So many are computed at a time."""

    def __init__(self, compute: Callable[[], T], fresh_for: timedelta, wall: Callable[[], datetime]) -> None:
        self._compute = compute
        self._fresh_for = fresh_for
        self._wall = wall
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._running = False
        self._value: T | None = None
        self._at: datetime | None = None
        self._due: datetime | None = None
        self._error: str | None = None

    def look(self, wait_s: float = 0.0) -> Result[T]:
        """Return what is known; where it is due, renew it and wait so long for it at most."""
        with self._lock:
            if not self._running and (self._due is None or self._wall() >= self._due):
                self._running = True
                self._done.clear()
                threading.Thread(target=self._renew, name="desk report", daemon=True).start()
            waits = self._running
        if waits:
            self._done.wait(wait_s)
        with self._lock:
            return Result(self._value, self._at, self._running, self._error)

    def expire(self) -> None:
        """Let the next look renew it."""
        with self._lock:
            self._due = None

    def _renew(self) -> None:
        found: T | None = None
        error: str | None = None
        with self.turns:
            begin, at = time.monotonic(), self._wall()
            try:
                found = self._compute()
            except LapwingError as failure:
                error = str(failure)
                log.warning("a report of the desk: %s", failure)
            except Exception:  # a thread without it would leave the page waiting for ever
                error = "it cannot be computed; the log has the reason"
                log.exception("a report of the desk")
            took = timedelta(seconds=time.monotonic() - begin)
        with self._lock:
            if error is None:
                self._value, self._at = found, at
            self._error = error
            pause = max(self._fresh_for, took / SHARE) if error is None else AGAIN_AFTER
            self._due = self._wall() + pause
            self._running = False
            self._done.set()
