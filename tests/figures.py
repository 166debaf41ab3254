"""Whether the metrics of a process are its figures, all of them and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from prometheus_client import generate_latest

from streams.telemetry.metric import MOST_VALUES, Kind, Metric, Readings
from streams.telemetry.registry import registry_of


def text(metrics: Sequence[Metric], readings: Readings) -> str:
    """Return what is scraped of a process's own metrics."""
    lines = generate_latest(registry_of("worker", metrics, lambda: readings)).decode().splitlines()
    return "\n".join(line for line in lines if line.startswith("lapwing_"))


def assert_metrics_are_figures(
    metrics: Sequence[Metric],
    readings: Callable[[Any], Readings],
    full: Any,
    none: Any,
    same_as: Mapping[str, str] | None = None,
) -> None:
    """Check that every figure changes a metric and every metric has a value, by figures that differ in all.

    `same_as` names, of figures that are a sum or the words of another one, the one that has the metric.
    """
    shown = text(metrics, readings(full))
    for field in fields(full):
        assert getattr(none, field.name) != getattr(full, field.name), field.name
        name = (same_as or {}).get(field.name, field.name)
        changed = replace(full, **{name: getattr(none, name)})
        assert text(metrics, readings(changed)) != shown, field.name
    found = readings(full)
    assert [metric.name for metric in metrics if not found.get(metric)] == []
    assert set(found) == set(metrics)


def assert_names_follow_the_conventions(metrics: Sequence[Metric]) -> None:
    names = [metric.name for metric in metrics]
    assert len(names) == len(set(names))
    for metric in metrics:
        assert re.fullmatch(r"lapwing_[a-z]+(_[a-z]+)*", metric.name)
        assert metric.help.endswith("."), metric.name
        assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER)
        assert metric.name.endswith("_info") == (metric.kind is Kind.INFO)
        assert metric.kind is not Kind.HISTOGRAM or metric.name.endswith("_seconds")


def assert_bounded(readings: Readings) -> None:
    for metric, values in readings.items():
        assert len(values) <= MOST_VALUES + 1, metric.name
