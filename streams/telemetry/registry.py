"""The one registry of a process: its own metrics, its build, and what the operating system counts of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.process_collector import ProcessCollector

from streams.telemetry.metric import FigureCollector, Kind, Metric, Readings

BUILD: Final = Metric(
    "lapwing_build_info",
    Kind.INFO,
    "The version of Lapwing that runs, and which of its processes this is.",
    ("version", "process"),
)


def build_version() -> str:
    """Return the version that is installed."""
    try:
        return version("lapwing")
    except PackageNotFoundError:  # run from its source without being installed
        return "unknown"


def registry_of(process: str, metrics: Sequence[Metric], read: Callable[[], Readings]) -> CollectorRegistry:
    """Return the registry of a process: `read` is asked for its figures whenever somebody scrapes."""
    registry = CollectorRegistry()
    build: Readings = {BUILD: {(build_version(), process): 1.0}}
    registry.register(FigureCollector((BUILD,), lambda: build))
    registry.register(FigureCollector(metrics, read))
    ProcessCollector(registry=registry)
    return registry
