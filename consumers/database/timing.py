"""How long the transactions of a process last, and whether the database can be reached."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from consumers.database.many_rows import RowRefused
from consumers.loop import Retryable
from streams.errors import StoreError
from streams.telemetry.histogram import Histogram, HistogramFigures


class Operation(StrEnum):
    """What a transaction is for."""

    READ = "read"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class DatabaseFigures:
    """What was measured until now."""

    seconds: dict[str, HistogramFigures]
    """By operation: how long transactions lasted, waiting for their turn included."""
    errors: int
    """Transactions that the database did not take."""
    away: bool
    """Whether the last one failed because the database cannot be reached, is locked or full."""


class DatabaseTiming:
    """Measures transactions; several threads may have one open."""

    def __init__(self) -> None:
        self._seconds = {operation: Histogram() for operation in Operation}
        self._errors = 0
        self._away = False

    @contextmanager
    def of(self, operation: Operation) -> Iterator[None]:
        """Measure a transaction."""
        begun = time.perf_counter()
        try:
            yield
        except RowRefused:
            self._away = False  # it answered
            raise
        except StoreError as error:
            self._errors += 1
            self._away = isinstance(error, Retryable)
            raise
        else:
            self._away = False
        finally:
            self._seconds[operation].observe(time.perf_counter() - begun)

    def figures(self) -> DatabaseFigures:
        """Return what was measured."""
        seconds = {operation.value: found.figures() for operation, found in self._seconds.items()}
        return DatabaseFigures(seconds, self._errors, self._away)
