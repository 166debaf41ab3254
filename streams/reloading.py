"""Hot reload: what the rule files say is looked at while the worker runs, and taken or refused as a whole."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

from streams.adoptions import refused_notice
from streams.core.steps import Notice
from streams.editions import Editions
from streams.rule_watch import Refusal, RuleWatch
from streams.rulings import Rulings

log = logging.getLogger(__name__)

LOOK_S: Final = 1.0
"""How often the files are looked at."""


class Reloading:
    """A worker's watch over its rule files, and the rules of its partitions."""

    def __init__(
        self, watch: RuleWatch, app: str, worker: str, wall: Callable[[], float] = time.time
    ) -> None:
        self._watch = watch
        self._worker = worker
        self.rulings = Rulings(Editions(watch.edition, watch.catalogue), app, worker, wall)
        self.refused = 0
        """Sets that were refused."""

    @property
    def rule_set(self) -> str:
        """Return the hash of what the files said when they last made a good set."""
        return self.rulings.editions.own.rules.hash

    async def look(self) -> Notice | None:
        """Look at the files; return a notice where what they say is refused."""
        found = await asyncio.to_thread(self._watch.look)
        if found is None:
            return None
        if isinstance(found, Refusal):
            self.refused += 1
            log.error("rule files refused, rule_set=%s stays: %s", self.rule_set, "; ".join(found.mistakes))
            return refused_notice(found.mistakes, self.rule_set, self._worker, self.rulings.now())
        log.info("rule files read rule_set=%s before=%s", found.rules.hash, self.rule_set)
        self.rulings.editions.take(found, self.rulings.now())
        return None
