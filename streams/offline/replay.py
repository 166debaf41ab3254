"""The file driver: a history of events through the same engine as the worker's."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]  # ships no type hints
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # ships no type hints

from streams.core.engine import Engine
from streams.core.engine_io import EventCounts, Output
from streams.core.events.batch import Batch
from streams.core.events.calendar import Calendar
from streams.core.events.partitioner import partitions
from streams.core.events.refusal import RefusedEvent
from streams.core.events.reorder import last_reached
from streams.core.features.catalogue import CATALOGUE, Features
from streams.core.outcomes.outcome import CensusEvent, Outcome
from streams.core.segments.counts import DaySums
from streams.core.segments.engine import SegmentEngine, SegmentStep
from streams.core.steps import OperationsNotice, Step


class SweptFeatures:
    """Observes an engine and keeps the features of every customer at each sweep."""

    def __init__(self) -> None:
        self.frames: list[tuple[int, pl.DataFrame]] = []
        """(instant, a row for each customer) in the order of the sweeps."""

    def swept(self, at: int, features: Features) -> None:
        """Keep the features at a sweep."""
        names = pl.Series("customer_id", features.view.customers.ids[: len(features)], dtype=pl.String)
        self.frames.append((at, features.frame(tuple(CATALOGUE)).insert_column(0, names)))


@dataclass(slots=True)
class Replayed:
    """What a replay did."""

    counts: EventCounts = field(default_factory=EventCounts)
    steps: int = 0
    sweeps: int = 0
    customers: int = 0
    notices: list[OperationsNotice] = field(default_factory=list)
    refused: list[RefusedEvent] = field(default_factory=list)


class FeatureFile:
    """A Parquet file with the feature row of every customer at every sweep, one row group per sweep."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.close()

    def write(self, sweeps: list[tuple[int, pl.DataFrame]]) -> None:
        """Write (instant, customers with their features) of whole sweeps; partitions of one go together."""
        for at in sorted({at for at, _ in sweeps}):
            frame = pl.concat([part for instant, part in sweeps if instant == at])
            instants = pl.Series("at", np.full(len(frame), at, dtype=np.int64)).cast(pl.Datetime("us", "UTC"))
            table = frame.insert_column(1, instants).to_arrow()
            if self._writer is None:
                self._writer = pq.ParquetWriter(self.path, _widely_read(table.schema), compression="zstd")
            self._writer.write_table(table.cast(self._writer.schema))


def _widely_read(schema: pa.Schema) -> pa.Schema:
    """Return the schema with Polars' own string layouts as the strings that every reader knows."""
    strings = (pa.large_string(), pa.string_view())
    return pa.schema([pa.field(f.name, pa.string() if f.type in strings else f.type) for f in schema])


def replay(
    events: Batch,
    engines: list[Engine],
    *,
    until: int | None = None,
    on_steps: Callable[[list[Step]], None],
    features: FeatureFile | None = None,
    progress: Callable[[int, int], None] | None = None,
    segments: SegmentEngine | None = None,
    on_segments: Callable[[list[SegmentStep]], None] = lambda steps: None,
    on_outcomes: Callable[[list[Outcome]], None] = lambda outcomes: None,
    on_census: Callable[[list[CensusEvent]], None] = lambda census: None,
    on_sums: Callable[[DaySums], None] = lambda sums: None,
    on_output: Callable[[int, Output], None] = lambda partition, output: None,
) -> Replayed:
    """Run `events`, in the order of `Batch.order`, through one engine a partition.

    `on_steps` gets the steps in order of time. The last instant is `until`, sweeps up to it included; by
    default it is that of the partition's last customers' event, where a worker's clock would stand, too.
    It goes day by day: at each local midnight all partitions meet, so that memory holds one day's output and
    a sweep is written whole. `on_sums` gets the days' sums of segments, `on_output` all that a partition puts
    out. With `segments`, which judges the sums of `engines`, its steps follow those of the customers of the
    same instant.
    """
    result = Replayed()
    if until is not None:
        events = events.take(slice(0, int(np.searchsorted(events.at, until, side="right"))))
    if not len(events):
        return result
    swept = SweptFeatures()
    if features is not None:
        for engine in engines:
            engine.observe(sweeps=swept)
    partition = partitions(events.customer_id, len(engines))
    ends = [
        until if until is not None else last_reached(events.take(partition == n)) for n in range(len(engines))
    ]
    for begin, end, midnight in _days(events, engines[0].calendar, max(ends)):
        day = events.take(slice(begin, end))
        steps: list[Step] = []
        outcomes: list[Outcome] = []
        census: list[CensusEvent] = []
        for number, engine in enumerate(engines):
            part = day.take(partition[begin:end] == number)
            for output in (
                engine.step_last(part),
                engine.advance(min(midnight, ends[number])),
            ):
                steps += output.steps
                outcomes += output.outcomes
                census += output.census
                result.notices += output.control
                result.refused += output.refused
                result.counts.add(output.counts)
                on_output(number, output)
                for sums in output.sums:
                    on_sums(sums)
                    if segments is not None:
                        segments.take(sums)
        # The order within one instant must not depend on how customers fall on partitions.
        steps.sort(key=lambda step: (step.at, step.customer_id))
        done = 0
        if segments is not None:
            # Whoever has not begun, or will not go on, has nothing to report on these days.
            still = {n for n, e in enumerate(engines) if ends[n] < midnight or e.place[0] is None}
            for at, judged in groupby(segments.judge(still), key=lambda step: step.at):
                before, done = done, bisect_right(steps, at, lo=done, key=lambda step: step.at)
                on_steps(steps[before:done])
                on_segments(list(judged))
        on_steps(steps[done:])
        on_outcomes(sorted(outcomes, key=lambda outcome: (outcome.at, outcome.customer_id)))
        on_census(sorted(census, key=lambda event: event.at))
        result.steps += len(steps)
        if features is not None:
            features.write(swept.frames)
            swept.frames.clear()
        if progress is not None:
            progress(end, len(events))
    result.sweeps = max(engine.sweeps for engine in engines)
    result.customers = sum(engine.customers.count for engine in engines)
    return result


def _days(events: Batch, calendar: Calendar, last: int) -> Iterator[tuple[int, int, int]]:
    """Yield for each local day the positions of its events (begin, end) and the midnight that ends it.

    Days without events are passed over: the midnight is then that before the next event. The last one is
    cut at `last`.
    """
    begin, count = 0, len(events)
    while begin < count:
        midnight = calendar.next_midnight(int(events.at[begin]))
        end = int(np.searchsorted(events.at, midnight, side="left"))
        # All sweeps before the next event's day belong to this turn, those at its first instant too.
        reach = calendar.start(calendar.day(int(events.at[end]))) if end < count else last
        yield begin, end, min(reach, last)
        begin = end
