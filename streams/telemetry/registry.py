"""The one registry of a process: its own metrics, its build, and what the operating system counts of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.process_collector import ProcessCollector

from streams.telemetry.health import Check, always
from streams.telemetry.metric import FigureCollector, Kind, Metric, Readings

BUILD: Final = Metric(
    "lapwing_build_info",
    Kind.INFO,
    "The version of Lapwing that runs, and which of its processes this is.",
    ("version", "process"),
)
HEALTHY: Final = Metric(
    "lapwing_healthy", Kind.GAUGE, "1 while the loop of the process turns, as /healthz has it with reasons."
)
READY: Final = Metric(
    "lapwing_ready", Kind.GAUGE, "1 while the process can do its work, as /readyz has it with reasons."
)


def build_version() -> str:
    """Return the version that is installed."""
    try:
        return version("lapwing")
    except PackageNotFoundError:  # run from its source without being installed
        return "unknown"


def registry_of(
    process: str,
    metrics: Sequence[Metric],
    read: Callable[[], Readings],
    healthy: Check = always,
    ready: Check = always,
) -> CollectorRegistry:
    """Return the registry of a process; a scrape asks it for its figures, and how it is."""

    def itself() -> Readings:
        alive = not healthy()
        return {
            BUILD: {(build_version(), process): 1.0},
            HEALTHY: {(): float(alive)},
            READY: {(): float(alive and not ready())},
        }

    registry = CollectorRegistry()
    registry.register(FigureCollector((BUILD, HEALTHY, READY), itself))
    registry.register(FigureCollector(metrics, read))
    ProcessCollector(registry=registry)
    return registry
