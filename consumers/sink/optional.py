"""A topic that need not be there: it is read from when it comes on."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from consumers.loop import Retryable
from streams.errors import BrokerError

log = logging.getLogger(__name__)

Opened = TypeVar("Opened")

LOOK_EVERY_S: Final = 60.0


class WhenThere(Generic[Opened]):
    """Opens a subscription once its topic is there, and looks for it now and then until then.

    A broker that is away says nothing about its topics: that error is left to the caller, who waits.
    """

    def __init__(
        self,
        open_it: Callable[[], Opened],
        what: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open = open_it
        self._what = what
        self._clock = clock
        self._opened: Opened | None = None
        self._looked_at: float | None = None

    def __call__(self) -> Opened | None:
        """Return the subscription, or `None` as long as its topic cannot be read."""
        if self._opened is None and self._is_time():
            first = self._looked_at is None
            try:
                self._opened = self._open()
            except BrokerError as error:
                if isinstance(error, Retryable):
                    raise
                self._looked_at = self._clock()
                if first:
                    log.warning("no %s are read: %s", self._what, error)
        return self._opened

    def _is_time(self) -> bool:
        return self._looked_at is None or self._clock() - self._looked_at >= LOOK_EVERY_S
