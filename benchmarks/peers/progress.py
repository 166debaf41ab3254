"""How far a peer is: a line of JSON now and then, as `lapwing worker --stats` writes it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Final

EVERY_S: Final = 0.5
LOOK_EVERY: Final = 64
"""Events between two looks at the clock."""


class Progress:
    """Counts events and writes to a file how many there were."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8", buffering=1)
        self._told = 0.0
        self.events = 0
        self.warnings = 0

    def add(self, warned: bool) -> None:
        """Count an event."""
        self.events += 1
        self.warnings += warned
        if self.events % LOOK_EVERY == 0 and time.monotonic() - self._told >= EVERY_S:
            self._told = time.monotonic()
            self._file.write(json.dumps({"events": self.events, "steps": self.warnings}) + "\n")
