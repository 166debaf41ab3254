"""A topic that need not be there: it is read from when it comes on."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 60.0


class OptionalTopic:
    """Lets a topic be taken up: at the first call, or, where it is missing, at one of the later minutes."""

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
        """Look whether the topic is there if it is time to; say once that it is not."""
        if self._taken or not self._is_time():
            return
        first = self._looked_at is None
        # A broker that is away raises: nothing is known of the topic then, and the caller asks again.
        self._taken = self._take_up()
        self._looked_at = self._clock()
        if first and not self._taken:
            log.warning("%s", self._missing)

    def _is_time(self) -> bool:
        return self._looked_at is None or self._clock() - self._looked_at >= LOOK_EVERY_S
