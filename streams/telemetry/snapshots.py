"""The newest figures of a process: its loop hands them over, the endpoint reads them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Generic, TypeVar

from streams.telemetry.endpoint import Probes
from streams.telemetry.health import STUCK_S, Check, Heartbeat
from streams.telemetry.metric import Metric, Readings
from streams.telemetry.registry import registry_of

F = TypeVar("F")


class Snapshots(Generic[F]):
    """Keeps the newest figures that the loop of a process took of itself, a frozen dataclass.

    That the loop takes them, about once a second, is also the sign that it turns.
    """

    def __init__(
        self,
        process: str,
        metrics: Sequence[Metric],
        readings: Callable[[F], Readings],
        not_ready: Callable[[F], Sequence[str]],
        *,
        stuck_s: float = STUCK_S,
        also: Sequence[Check] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take what figures mean; a loop that hands over none for `stuck_s` is stuck.

        `also` are the signs of life of other threads.
        """
        self.process = process
        self._metrics = metrics
        self._readings = readings
        self._not_ready = not_ready
        self._also = also
        self._newest: F | None = None
        self.on_first: Callable[[], None] | None = None
        """Called when the first figures come: the process has begun its work."""
        self.heartbeat = Heartbeat(f"the loop of the {process}", stuck_s, clock)

    def take(self, figures: F) -> None:
        """Take the figures of now."""
        first, self._newest = self._newest is None, figures
        self.heartbeat.beat()
        if first and self.on_first is not None:
            self.on_first()

    def probes(self) -> Probes:
        """Return what an endpoint asks."""
        healthy, ready = self._stuck, self._reasons
        registry = registry_of(self.process, self._metrics, self._read, healthy, ready)
        return Probes(registry, healthy, ready, self._status)

    def _stuck(self) -> Sequence[str]:
        # What it does before it begins its work, such as migrations, may take as long as it takes.
        if self._newest is None:
            return ()
        return [reason for check in (self.heartbeat.reasons, *self._also) for reason in check()]

    def _read(self) -> Readings:
        newest = self._newest
        return {} if newest is None else self._readings(newest)

    def _reasons(self) -> Sequence[str]:
        newest = self._newest
        return (f"the {self.process} is starting",) if newest is None else self._not_ready(newest)

    def _status(self) -> Mapping[str, Any]:
        newest = self._newest
        return {} if newest is None else as_json(newest)


def as_json(figures: Any) -> dict[str, Any]:
    """Return figures as plain JSON values, with the time at which they are written."""
    return {"written_at": round(time.time(), 3), **asdict(figures)}
