"""The metrics of a process's database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from consumers.database.timing import DatabaseFigures
from streams.telemetry.metric import Labels, Metric, Value, counter, gauge, histogram

SECONDS = histogram(
    "database_seconds", "How long transactions lasted, waiting for their turn included.", "operation"
)
ERRORS = counter("database_errors", "Transactions that the database did not take.")
AWAY = gauge("database_away", "1 while the database cannot be reached, is locked or full.")

METRICS: Final = tuple(value for value in list(globals().values()) if isinstance(value, Metric))


def readings(figures: DatabaseFigures) -> dict[Metric, dict[Labels, Value]]:
    """Return the values of all metrics."""
    return {
        SECONDS: {(operation,): found for operation, found in figures.seconds.items()},
        ERRORS: {(): figures.errors},
        AWAY: {(): float(figures.away)},
    }


def not_ready(figures: DatabaseFigures) -> Sequence[str]:
    """Return why nothing can be read and written now."""
    return ("the database cannot be reached, is locked or full",) if figures.away else ()
