"""The metrics of a follower, made from its figures, and whether it is ready."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from streams.telemetry.metric import Metric, Readings, absent_or, counter, gauge, info
from streams.telemetry.process_metrics import ASSIGNED, LAG, SILENCE
from streams.telemetry.snapshots import Snapshots

STUCK_S: Final = 300.0
"""The broker may take its time to acknowledge what is written."""
SILENT_S: Final = 15.0
"""For so long the broker may answer no heartbeat; one is sent every three seconds."""

RECORDS = counter("import_records", "Records that were read from the topics of sources.", "topic")
EVENTS = counter("import_events", "Events that the broker has acknowledged, by their topic.", "topic")
REFUSED = counter("import_refused", "Records that could not be events, by the reason.", "topic", "reason")
PASSED = counter("import_passed", "Records that no filter of the mapping took.", "topic")
WRITTEN_AT = gauge("import_written_timestamp_seconds", "When the broker last acknowledged events.")
MEMBER = gauge("import_member", "1 where the group has given this process its share of the topics.")
WAITING = gauge("import_waiting", "1 while records wait, for the broker or for what they are mapped with.")
REGISTRY_AWAY = gauge(
    "import_registry_away_seconds", "How long records have been waiting for a schema registry that is away."
)
INPUTS_BROKEN = gauge(
    "import_inputs_broken", "1 while the file of inputs cannot be followed and the one of before is in force."
)
INPUTS = info("import_inputs", "The inputs by which records are mapped.", "inputs")
SCHEMAS = gauge("import_schemas", "Schemas of the registry that are known.")

METRICS: Final = tuple(value for value in list(globals().values()) if isinstance(value, Metric))


@dataclass(frozen=True, slots=True)
class FollowFigures:
    """What a follower has done since it started, and how far it is."""

    records: dict[str, int]
    """Read, by topic."""
    events: dict[str, int]
    """Written, by the contract's topic."""
    refused: list[tuple[str, str, int]]
    """Topic, reason and how many."""
    passed: dict[str, int]
    """By topic."""
    written_at: float | None
    """Seconds since the epoch."""
    lag: dict[str, int]
    """By `topic/partition`."""
    member: bool
    """Whether the group has given it its share."""
    broker_silent_s: float | None
    """How long the broker has answered no heartbeat; `None` before the first."""
    waits_for: str | None
    """What keeps records from being written now."""
    inputs: str
    """The hash of the file of inputs in force."""
    inputs_broken: bool
    """Whether the file is another now and cannot be followed."""
    registry_away_s: float | None
    """How long records have been waiting for the registry; `None` without one."""
    schemas: int | None
    """How many are known."""


def follow_snapshots() -> Snapshots[FollowFigures]:
    """Return what keeps a follower's newest figures for its endpoint."""
    return Snapshots("importer", METRICS, readings, not_ready, stuck_s=STUCK_S)


def not_ready(figures: FollowFigures) -> Sequence[str]:
    """Return why nothing is written now."""
    reasons = []
    if figures.broker_silent_s is not None and figures.broker_silent_s > SILENT_S:
        reasons.append(f"the broker has not answered for {figures.broker_silent_s:.0f} s")
    elif not figures.member:
        reasons.append("the group has not given it its share of the topics")
    if figures.waits_for is not None:
        reasons.append(figures.waits_for)
    return reasons


def readings(figures: FollowFigures) -> Readings:
    """Return the values of all metrics."""
    places = {place: place.rpartition("/") for place in figures.lag}
    return {
        RECORDS: {(topic,): count for topic, count in figures.records.items()},
        EVENTS: {(topic,): count for topic, count in figures.events.items()},
        REFUSED: {(topic, reason): count for topic, reason, count in figures.refused},
        PASSED: {(topic,): count for topic, count in figures.passed.items()},
        WRITTEN_AT: absent_or(figures.written_at),
        MEMBER: {(): float(figures.member)},
        WAITING: {(): float(figures.waits_for is not None)},
        INPUTS: {(figures.inputs,): 1.0},
        INPUTS_BROKEN: {(): float(figures.inputs_broken)},
        REGISTRY_AWAY: absent_or(figures.registry_away_s),
        SCHEMAS: absent_or(figures.schemas),
        SILENCE: absent_or(figures.broker_silent_s),
        ASSIGNED: {(): len(figures.lag)},
        LAG: {(places[place][0], places[place][2]): lag for place, lag in figures.lag.items()},
    }
