"""Metrics as a process declares them, and as Prometheus reads them.

A process lists its metrics once, so that the endpoint, its documentation and the tests know the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from streams.telemetry.histogram import HistogramFigures

PREFIX: Final = "lapwing_"
OTHERS: Final = "other"
"""The label of what a bounded label leaves out."""
MOST_VALUES: Final = 1_000
"""Values of one label whose values people choose, such as the ids of rules."""

Labels = tuple[str, ...]
Value = float | HistogramFigures


class Kind(StrEnum):
    """What Prometheus may do with a metric."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric's name, what it means, and the names of its labels."""

    name: str
    """With the ending that Prometheus gives it: `_total` of a counter, `_info` of an info."""
    kind: Kind
    help: str
    labels: Labels = ()

    def family(self, values: Mapping[Labels, Value]) -> Family:
        """Return the metric with its values, by their labels."""
        if self.kind is Kind.HISTOGRAM:
            histogram = HistogramMetricFamily(self.name, self.help, labels=self.labels)
            for labels, value in values.items():
                assert isinstance(value, HistogramFigures)
                histogram.add_metric(labels, value.cumulated(), value.sum)
            return histogram
        if self.kind is Kind.INFO:
            info = InfoMetricFamily(self.name.removesuffix("_info"), self.help, labels=self.labels)
            for labels in values:
                info.add_metric(labels, {})
            return info
        counts = self.kind is Kind.COUNTER
        family = (CounterMetricFamily if counts else GaugeMetricFamily)(
            self.name, self.help, labels=self.labels
        )
        for labels, value in values.items():
            assert isinstance(value, int | float)
            family.add_metric(labels, value)
        return family


Readings = Mapping[Metric, Mapping[Labels, Value]]
"""The values of metrics at one moment; one that is left out has none now."""


class FigureCollector(Collector):
    """Turns the figures that a process has anyway into metrics, each time somebody asks for them."""

    def __init__(self, metrics: Sequence[Metric], read: Callable[[], Readings]) -> None:
        self._metrics = metrics
        self._read = read

    def describe(self) -> Iterable[Family]:
        """Return the metrics without their values, so that no name is taken twice."""
        return [metric.family({}) for metric in self._metrics]

    def collect(self) -> Iterable[Family]:
        """Return the metrics as they are now."""
        readings = self._read()
        return [metric.family(readings.get(metric, {})) for metric in self._metrics]


def counter(name: str, text: str, *labels: str) -> Metric:
    """Return a counter, by its name without prefix and ending."""
    return Metric(f"{PREFIX}{name}_total", Kind.COUNTER, text, labels)


def gauge(name: str, text: str, *labels: str) -> Metric:
    """Return a gauge, by its name without prefix."""
    return Metric(f"{PREFIX}{name}", Kind.GAUGE, text, labels)


def histogram(name: str, text: str, *labels: str) -> Metric:
    """Return a histogram of seconds, by its name without prefix."""
    return Metric(f"{PREFIX}{name}", Kind.HISTOGRAM, text, labels)


def info(name: str, text: str, *labels: str) -> Metric:
    """Return an info, which says something by its labels, by its name without prefix and ending."""
    return Metric(f"{PREFIX}{name}_info", Kind.INFO, text, labels)


def absent_or(value: float | None) -> dict[Labels, Value]:
    """Return the one value of a metric without labels, or none."""
    return {} if value is None else {(): value}


def flags(everything: Iterable[Labels], on: set[Labels]) -> dict[Labels, Value]:
    """Return 1 for those labels that are among `on`, 0 for the others."""
    return {labels: float(labels in on) for labels in everything}
