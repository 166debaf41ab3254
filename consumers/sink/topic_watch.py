"""Topics that may be missing: each is read from the moment it exists."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from typing import Final

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 60.0


class TopicWatch:
    """Takes up the topics that exist, and within a minute of their creation those that are missing."""

    def __init__(
        self,
        topics: Collection[str],
        take_up: Callable[[Collection[str]], Collection[str]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.missing = sorted(topics)
        self._take_up = take_up
        self._clock = clock
        self._looked_at: float | None = None

    def look(self) -> None:
        """Look for the missing topics if it is time to; log once which they are."""
        if not self.missing or not self._is_time():
            return
        first = self._looked_at is None
        # A broker that is away raises: the caller tries again.
        found = self._take_up(self.missing)
        self._looked_at = self._clock()
        self.missing = [topic for topic in self.missing if topic not in found]
        if first and self.missing:
            log.warning(
                "Kafka has no topic %s, or does not show it: it is stored from the moment it is there",
                ", ".join(map(repr, self.missing)),
            )
        elif found and not first:
            log.info("from now on %s is stored", ", ".join(map(repr, sorted(found))))

    def _is_time(self) -> bool:
        return self._looked_at is None or self._clock() - self._looked_at >= LOOK_EVERY_S
