"""A dry run: what a worker would send is counted, and perhaps written to a file, and goes nowhere else."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import IO, Final

import msgspec

from streams.core.events.topics import REQUIRED
from streams.worker.delivery import OutgoingRecord
from streams.worker.settings import WorkerSettings
from streams.worker.stats import Stats

STILL: Final = 2
"""Reports without a change that make an end, beside the idle time after which engines are flushed."""


class _Data(msgspec.Struct):
    tier: str


class _Step(msgspec.Struct):
    """What is counted of a step on the warnings topic."""

    type: str
    data: _Data


class DryRun:
    """Takes what a worker would send."""

    def __init__(
        self, settings: WorkerSettings, out: IO[bytes] | None = None, *, follow: bool = True
    ) -> None:
        self._settings = settings
        self._out = out
        self._follow = follow
        mapped = {topic for source in settings.sources.values() for topic in source.topics}
        self._least = [*settings.sources, *(topic for topic in REQUIRED if topic not in mapped)]
        """The topics that are read in any case."""
        self._still = 0
        self._decode = msgspec.json.Decoder(_Step).decode
        self.steps: Counter[tuple[str, str]] = Counter()
        """By kind and tier."""
        self.stats: Stats | None = None
        self.stop: asyncio.Event | None = None
        """Set when all that the topics hold was judged, unless the run is to follow them."""

    def note(self, record: OutgoingRecord) -> None:
        """Count a record that would be sent."""
        if record.topic == self._settings.warnings_topic and record.value is not None:
            step = self._decode(record.value)
            self.steps[step.type.rpartition(".")[2], step.data.tier] += 1
            if self._out is not None:
                self._out.write(record.value + b"\n")

    def report(self, stats: Stats) -> None:
        """Keep the worker's statistics, which it reports every second."""
        before, self.stats = self.stats, stats
        topics = {place.rpartition("/")[0] for place in stats.lag}  # optional ones may not be there
        places = len(stats.rule_sets) * max(len(topics), len(self._least))
        at_end = places > 0 and len(stats.lag) == places and not any(stats.lag.values())
        unchanged = before is not None and (before.events, before.steps) == (stats.events, stats.steps)
        self._still = self._still + 1 if at_end and unchanged else 0
        if not self._follow and self.stop is not None and self._still >= STILL + self._settings.pace.idle_s:
            self.stop.set()
