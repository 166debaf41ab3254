"""A topic that may be missing: it is read from the moment it exists."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 60.0


class OptionalTopic:
    """Subscribes to a topic at the first call, or, where it is missing, within a minute of its creation."""

    def __init__(
        self,
        take_up: Callable[[], bool],
        missing: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._take_up = take_up
        self._missing = missing
        self._clock = clock
        self._taken = False
        self._looked_at: float | None = None

    def __call__(self) -> None:
        """Check whether the topic exists if it is time to; log once that it does not."""
        if self._taken or not self._is_time():
            return
        first = self._looked_at is None
        # A broker that is away raises: the caller tries again.
        self._taken = self._take_up()
        self._looked_at = self._clock()
        if first and not self._taken:
            log.warning("%s", self._missing)

    def _is_time(self) -> bool:
        return self._looked_at is None or self._clock() - self._looked_at >= LOOK_EVERY_S
