"""The metrics of an intake: what came, what became of it, and what is under way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from consumers.ingest.hooks import Hooks, Result
from consumers.ingest.intake import STUCK_S as STUCK_S
from streams.telemetry.health import Check
from streams.telemetry.histogram import HistogramFigures
from streams.telemetry.metric import Metric, Readings, counter, gauge, histogram
from streams.telemetry.snapshots import Snapshots

HOOKS = counter(
    "hooks", "Webhook deliveries by what they came to; docs/ingest.md has the results.", "source", "result"
)
HOOK_SECONDS = histogram("hook_seconds", "How long answers to webhooks took.", "source")
HOOK_BYTES = counter(
    "hook_bytes", "Bytes of the bodies of webhooks that were signed as they should be.", "source"
)
HOOK_RECORDS = counter("hook_records", "Records from webhooks that the broker has acknowledged.", "topic")
HOOK_REFUSALS = counter(
    "hook_refusals", "What of webhooks could not be an event, by the reason.", "source", "reason"
)
UNDER_WAY = gauge("hooks_under_way", "Deliveries that were taken on and are not written yet.")
HELD_BYTES = gauge("hooks_held_bytes", "Bytes of bodies that are read or held now.")
BROKER_ERRORS = counter("hook_broker_errors", "How often the broker could not be reached or refused.")
CONNECTED = gauge("hooks_broker_connected", "1 while deliveries can be written.")
BROKEN = gauge("hooks_inputs_broken", "1 while inputs.yaml is wrong and the one of before is in force.")
SOURCES = gauge("hooks_sources", "Sources of inputs.yaml that webhooks are taken from.")

METRICS: Final = tuple(value for value in list(globals().values()) if isinstance(value, Metric))


@dataclass(frozen=True, slots=True)
class IngestFigures:
    """What an intake has done since it started."""

    hooks: list[tuple[str, str, int]]
    """Source, result and how many."""
    hook_seconds: dict[str, HistogramFigures]
    """By source."""
    hook_bytes: dict[str, int]
    """By source."""
    records: dict[str, int]
    """By topic."""
    refusals: list[tuple[str, str, int]]
    """Source, reason and how many."""
    under_way: int
    held_bytes: int
    broker_errors: int
    trouble: str | None
    """Why nothing can be written now."""
    inputs_broken: bool
    sources: int


def ingest_snapshots(also: Sequence[Check] = ()) -> Snapshots[IngestFigures]:
    """Return what keeps an intake's newest figures for its endpoint; `also` are signs of life of threads."""
    return Snapshots("intake", METRICS, readings, not_ready, stuck_s=STUCK_S, also=also)


def figures(hooks: Hooks) -> IngestFigures:
    """Return what was counted until now."""
    requests, intake = hooks.figures(), hooks.intake
    # Those of which there is none too: Prometheus sees no increase in what begins with one.
    none = {(name, result.value): 0 for name in hooks.sources.current() for result in Result}
    return IngestFigures(
        hooks=[(*what, count) for what, count in sorted({**none, **requests.requests}.items())],
        hook_seconds=requests.seconds,
        hook_bytes=requests.bytes,
        records=dict(intake.records),
        refusals=[(*what, count) for what, count in sorted(intake.refusals.items())],
        under_way=intake.under_way,
        held_bytes=hooks.admission.bytes,
        broker_errors=intake.broker_errors,
        trouble=intake.trouble,
        inputs_broken=hooks.sources.broken,
        sources=len(hooks.sources.current()),
    )


def not_ready(figures: IngestFigures) -> Sequence[str]:
    """Return why deliveries cannot be taken now."""
    return [] if figures.trouble is None else [figures.trouble]


def readings(figures: IngestFigures) -> Readings:
    """Return the values of all metrics."""
    return {
        HOOKS: {(source, result): count for source, result, count in figures.hooks},
        HOOK_SECONDS: {(source,): found for source, found in figures.hook_seconds.items()},
        HOOK_BYTES: {(source,): count for source, count in figures.hook_bytes.items()},
        HOOK_RECORDS: {(topic,): count for topic, count in figures.records.items()},
        HOOK_REFUSALS: {(source, reason): count for source, reason, count in figures.refusals},
        UNDER_WAY: {(): figures.under_way},
        HELD_BYTES: {(): figures.held_bytes},
        BROKER_ERRORS: {(): figures.broker_errors},
        CONNECTED: {(): float(figures.trouble is None)},
        BROKEN: {(): float(figures.inputs_broken)},
        SOURCES: {(): figures.sources},
    }
