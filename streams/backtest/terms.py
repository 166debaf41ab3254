"""By which settings alarms are judged, and what has matured by an instant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from streams.backtest.history import History
from streams.core.engine_io import EngineSettings
from streams.core.events.calendar import NEVER, Calendar
from streams.core.events.topics import Topic


@dataclass(frozen=True, slots=True)
class JudgeTerms:
    """The engine's settings that decide what became of customers; intervals in microseconds."""

    horizon_us: int
    active_within_us: int
    activity: tuple[Topic, ...]
    quiet_after_us: Mapping[Topic, int]
    calendar: Calendar

    @classmethod
    def of(cls, settings: EngineSettings) -> Self:
        """Return the terms of an engine's settings."""
        return cls(
            settings.horizon_us,
            settings.active_within_us or settings.horizon_us,
            settings.activity,
            settings.quiet_after_us,
            Calendar(settings.time_zone, settings.sweep_every_us),
        )

    def matured_before(self, history: History, until: int) -> int:
        """Return the instant before which a horizon must be over to be known by `until`.

        What has matured is put out at sweeps, and at none at which a topic of activity is quiet.
        """
        sweeps = np.fromiter(self._sweeps(history.begin, until), dtype=np.int64)
        for topic in self.activity:
            if topic in self.quiet_after_us and len(sweeps):
                seen = history.events.at[history.events.topic == topic]
                before = np.searchsorted(seen, sweeps, side="left") - 1
                newest = seen[before] if len(seen) else np.empty(0, dtype=np.int64)
                is_quiet = (
                    (before >= 0) & (newest < sweeps - self.quiet_after_us[topic]) if len(seen) else False
                )
                sweeps = sweeps[~np.broadcast_to(is_quiet, sweeps.shape)]
        return int(sweeps[-1]) if len(sweeps) else NEVER

    def _sweeps(self, begin: int, until: int) -> Iterator[int]:
        sweep = self.calendar.next_midnight(begin)
        while sweep <= until:
            yield sweep
            sweep = self.calendar.next_sweep(sweep)
