"""The loop round every long-running consumer: it alone knows how long to wait and when to stop.

The work raises `Retryable` for a trouble that may pass; anything else ends the run.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Any, Final, Protocol, TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Retryable(Exception):
    """A mark on errors that may pass by themselves: the same work is worth trying again."""


class Stopped(Exception):
    """The user asked to stop while something was being waited for."""


class Waiter(Protocol):
    """What a loop needs of `Stop`: tests pass one that does not sleep."""

    def wait(self, seconds: float) -> bool:
        """Wait so long, or until a stop is asked for; return whether it was."""

    @property
    def asked(self) -> bool:
        """Whether a stop was asked for."""


class Stop:
    """Asked for by SIGINT or SIGTERM; a second signal does what it would do without us."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Stop:
        for number in SIGNALS:
            self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._event.set()
        self._restore()

    def _restore(self) -> None:
        while self._before:
            number, handler = self._before.popitem()
            signal.signal(number, handler)

    def ask(self) -> None:
        """Ask for a stop from within the program."""
        self._event.set()

    @property
    def asked(self) -> bool:
        """Whether a stop was asked for."""
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait so long, or until a stop is asked for; return whether it was."""
        return self._event.wait(seconds)


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that double from the first to a limit.

    >>> [Backoff(first_s=1, limit_s=5).delay(n) for n in (1, 2, 3, 4)]
    [1.0, 2.0, 4.0, 5]
    """

    first_s: float = 0.5
    limit_s: float = 30.0

    def delay(self, failures: int) -> float:
        """Return the seconds to wait after so many failures in a row."""
        return min(self.limit_s, self.first_s * float(2 ** min(failures - 1, 60)))


def persist(
    work: Callable[[], T],
    *,
    stop: Waiter,
    backoff: Backoff,
    on_wait: Callable[[Retryable, float], None],
    only: type[Retryable] = Retryable,
) -> T:
    """Do the work until it succeeds, waiting longer after each error of `only`, or raise `Stopped`."""
    failures = 0
    while True:
        try:
            return work()
        except only as error:
            failures += 1
            delay = backoff.delay(failures)
            on_wait(error, delay)
            if stop.wait(delay):
                raise Stopped from error


def log_wait(error: Retryable, delay: float) -> None:
    """Log what is tried again, and when."""
    log.warning("%s; trying again in %.1f s", error, delay)
