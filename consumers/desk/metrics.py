"""The metrics of a desk: what its requests took and what came of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from consumers.database import metrics as database_metrics
from consumers.database.timing import DatabaseFigures
from streams.telemetry.health import Check
from streams.telemetry.histogram import HistogramFigures
from streams.telemetry.metric import Metric, Readings, absent_or, counter, gauge, histogram
from streams.telemetry.snapshots import Snapshots

STUCK_S: Final = 60.0

REQUESTS = counter("requests", "Requests, by what was answered.", "route", "method", "status")
REQUEST_SECONDS = histogram(
    "request_seconds", "How long answers took; streams, which go on, are left out.", "route"
)
SIGN_INS_REFUSED = counter("signins_refused", "Attempts to sign in that were refused.", "reason")
STREAMS = gauge("live_streams", "Browsers that are shown what happens as it happens.")
WARNINGS_LISTED = gauge("queue_warnings", "Open warnings that the desk has read; absent before it has.")

METRICS: Final = (
    *(value for value in list(globals().values()) if isinstance(value, Metric)),
    *database_metrics.METRICS,
)


@dataclass(frozen=True, slots=True)
class DeskFigures:
    """What a desk has done since it started."""

    requests: list[tuple[str, str, str, int]]
    """Route, method, status, and how many."""
    request_seconds: dict[str, HistogramFigures]
    """By route."""
    signins_refused: dict[str, int]
    """By reason."""
    live_streams: int
    open_warnings: int | None
    """`None` before they have been read."""
    database: DatabaseFigures


def desk_snapshots(also: Sequence[Check] = ()) -> Snapshots[DeskFigures]:
    """Return what keeps a desk's newest figures for its endpoint; `also` are signs of life of its threads."""
    return Snapshots("desk", METRICS, readings, not_ready, stuck_s=STUCK_S, also=also)


def not_ready(figures: DeskFigures) -> Sequence[str]:
    """Return why pages cannot be shown now."""
    reasons = list(database_metrics.not_ready(figures.database))
    if figures.open_warnings is None:
        reasons.append("the open warnings have not been read yet")
    return reasons


def readings(figures: DeskFigures) -> Readings:
    """Return the values of all metrics."""
    return {
        REQUESTS: {(route, method, status): count for route, method, status, count in figures.requests},
        REQUEST_SECONDS: {(route,): found for route, found in figures.request_seconds.items()},
        SIGN_INS_REFUSED: {(reason,): count for reason, count in figures.signins_refused.items()},
        STREAMS: {(): figures.live_streams},
        WARNINGS_LISTED: absent_or(figures.open_warnings),
        **database_metrics.readings(figures.database),
    }
