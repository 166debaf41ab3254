"""A shop of any size, made from a seed: its events and the truth about its customers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from streams.simulate.events import Events
from streams.simulate.population import Population, draw_population
from streams.simulate.records import frame_of
from streams.simulate.seasons import midnights, seasons
from streams.simulate.timeline import CustomerTimeline, generator
from streams.simulate.truth import truth_of

FRAME_ROWS: Final = 50_000
"""Days are gathered until a frame has this many rows, so that small shops do not pay for frames of ten."""


@dataclass(frozen=True)
class Shop:
    """A shop watched for some days; all that happens there follows from these values.

    >>> shop = Shop(customers=100, days=30, seed=1, start=date(2024, 1, 1))
    >>> sum(len(frame) for frame in shop.frames()) == sum(len(frame) for frame in shop.frames(1))
    True
    """

    customers: int
    days: int
    seed: int = 1
    start: date = date(2024, 1, 1)
    time_zone: str = "UTC"

    @cached_property
    def population(self) -> Population:
        """The customers and what each of them will do."""
        return draw_population(generator(self.seed, 0, 0), self.customers, self.days)

    def events(self) -> Iterator[Events]:
        """Yield each day's events in event-time order, as columns; memory does not grow with the days."""
        instants = midnights(self.start, self.days, ZoneInfo(self.time_zone))
        return iter(CustomerTimeline(self.population, instants, seasons(self.start, self.days), self.seed))

    def frames(self, rows: int = FRAME_ROWS) -> Iterator[pl.DataFrame]:
        """Yield the events in order as frames of whole days, each but the last of at least `rows` rows."""
        gathered: list[Events] = []
        count = 0
        for events in self.events():
            gathered.append(events)
            count += len(events)
            if count >= rows:
                yield frame_of(Events.concat(gathered), self.population)
                gathered, count = [], 0
        if count:
            yield frame_of(Events.concat(gathered), self.population)

    def truth(self) -> pl.DataFrame:
        """Return what each customer is like, a row each, as `truth_of` says."""
        return truth_of(self.population, midnights(self.start, self.days, ZoneInfo(self.time_zone)))
