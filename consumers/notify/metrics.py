"""The metrics of a notifier, made from its figures, and whether it is ready."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from consumers.database import metrics as database_metrics
from consumers.database.timing import DatabaseFigures
from streams.telemetry.metric import Metric, Readings, absent_or, counter, gauge
from streams.telemetry.process_metrics import OUTBOX, OUTBOX_SINCE
from streams.telemetry.snapshots import Snapshots

STUCK_S: Final = 300.0
"""A channel may take its time to answer."""

DELIVERIES = counter("deliveries", "Attempts to send, by what came of them.", "channel", "result")
MUTED = counter("notices_muted", "Notices that were deferred or muted: silenced, flapping, too many.")
ENTERED = counter("deliveries_entered", "Deliveries that were entered in the outbox.")
LAG_STEPS = gauge("lag_steps", "Stored steps of warnings that are not decided on or not in the outbox yet.")
LAG_SINCE = gauge(
    "lag_oldest_timestamp_seconds", "Since when the oldest of these steps waits; absent where none does."
)
PAUSED = gauge(
    "channel_paused",
    "1 while nothing is sent: after a failure, or as the receiver wants no more.",
    "channel",
)
DISABLED = gauge(
    "channel_disabled",
    "1 while nothing is sent as the receiver wants no more; `lapwing notify --enable NAME` ends it.",
    "channel",
)

METRICS: Final = (
    *(value for value in list(globals().values()) if isinstance(value, Metric)),
    *database_metrics.METRICS,
)


@dataclass(frozen=True, slots=True)
class NotifierFigures:
    """What a notifier has done since it started, and what waits."""

    deliveries: dict[str, dict[str, int]]
    """By channel: attempts by what came of them."""
    entered: int
    muted: int
    waiting: int | None
    """Deliveries that are pending, as of a few seconds ago; `None` before that is known."""
    oldest: float | None
    """Since when the oldest of them is due, seconds since the epoch."""
    lag_steps: int | None
    """Stored steps that are not in the outbox yet, as of a few seconds ago."""
    lag_since: float | None
    """Since when the oldest of them waits, seconds since the epoch."""
    paused: dict[str, bool]
    """By channel: whether nothing is sent to it now."""
    disabled: dict[str, bool]
    """By channel: whether its receiver wants no more, and nobody has enabled it since."""
    database: DatabaseFigures


def notifier_snapshots() -> Snapshots[NotifierFigures]:
    """Return what keeps a notifier's newest figures for its endpoint."""
    return Snapshots("notifier", METRICS, readings, not_ready, stuck_s=STUCK_S)


def not_ready(figures: NotifierFigures) -> Sequence[str]:
    """Return why nothing is sent now; a channel that is down holds up no other."""
    return database_metrics.not_ready(figures.database)


def readings(figures: NotifierFigures) -> Readings:
    """Return the values of all metrics."""
    return {
        DELIVERIES: {
            (channel, result): count
            for channel, results in figures.deliveries.items()
            for result, count in results.items()
        },
        MUTED: {(): figures.muted},
        ENTERED: {(): figures.entered},
        PAUSED: {(channel,): float(paused) for channel, paused in figures.paused.items()},
        DISABLED: {(channel,): float(disabled) for channel, disabled in figures.disabled.items()},
        LAG_STEPS: absent_or(figures.lag_steps),
        LAG_SINCE: absent_or(figures.lag_since),
        OUTBOX: absent_or(figures.waiting),
        OUTBOX_SINCE: absent_or(figures.oldest),
        **database_metrics.readings(figures.database),
    }
