"""The metrics of a sink, made from its figures, and whether it is ready."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from consumers.database import metrics as database_metrics
from consumers.database.timing import DatabaseFigures
from streams.telemetry.metric import Metric, Readings, absent_or, counter, gauge
from streams.telemetry.process_metrics import ASSIGNED, LAG, SILENCE
from streams.telemetry.snapshots import Snapshots

STUCK_S: Final = 300.0
"""A transaction of tens of thousands of records into a large store takes its time."""
SILENT_S: Final = 15.0
"""For so long the broker may answer no heartbeat; one is sent every three seconds."""

RECORDS = counter("sink_records", "Records that came, by what became of them.", "kind", "result")
STORED_AT = gauge("sink_stored_timestamp_seconds", "When records were last stored.")
MEMBER = gauge("group_member", "1 where the group has given this process its share of the topics.")

METRICS: Final = (
    *(value for value in list(globals().values()) if isinstance(value, Metric)),
    *database_metrics.METRICS,
)


@dataclass(frozen=True, slots=True)
class SinkFigures:
    """What a sink has done since it started, and how far it is."""

    records: dict[str, dict[str, int]]
    """By kind: what became of how many."""
    stored_at: float | None
    """When records were last stored, seconds since the epoch."""
    lag: dict[str, int]
    """By `topic/partition`."""
    member: bool
    """Whether the group has given it its share."""
    broker_silent_s: float | None
    """How long the broker has answered no heartbeat; `None` before the first."""
    database: DatabaseFigures


def sink_snapshots() -> Snapshots[SinkFigures]:
    """Return what keeps a sink's newest figures for its endpoint."""
    return Snapshots("sink", METRICS, readings, not_ready, stuck_s=STUCK_S)


def not_ready(figures: SinkFigures) -> Sequence[str]:
    """Return why nothing is stored now."""
    reasons = list(database_metrics.not_ready(figures.database))
    if figures.broker_silent_s is not None and figures.broker_silent_s > SILENT_S:
        reasons.append(f"the broker has not answered for {figures.broker_silent_s:.0f} s")
    elif not figures.member:
        reasons.append("the group has not given it its share of the topics")
    return reasons


def readings(figures: SinkFigures) -> Readings:
    """Return the values of all metrics."""
    places = {place: place.rpartition("/") for place in figures.lag}
    return {
        RECORDS: {
            (kind, result): count
            for kind, results in figures.records.items()
            for result, count in results.items()
        },
        STORED_AT: absent_or(figures.stored_at),
        MEMBER: {(): float(figures.member)},
        SILENCE: absent_or(figures.broker_silent_s),
        ASSIGNED: {(): len(figures.lag)},
        LAG: {(places[place][0], places[place][2]): lag for place, lag in figures.lag.items()},
        **database_metrics.readings(figures.database),
    }
