"""A worker's metrics are its statistics, all of them and nothing else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import pytest

from streams.contract.rejected import RefusalReason
from streams.core.events.topics import Topic
from streams.telemetry.histogram import Histogram
from streams.telemetry.metric import MOST_VALUES
from streams.worker.delivery import OutgoingRecord
from streams.worker.metrics import METRICS, not_ready, readings, worker_snapshots
from streams.worker.pipeline import Pipeline
from streams.worker.settings import WorkerSettings
from streams.worker.stats import Stats
from tests.figures import assert_bounded, assert_metrics_are_figures, assert_names_follow_the_conventions
from tests.figures import text as of

NOW = 2_000_000_000.0


def busy() -> Histogram:
    histogram = Histogram((1.0,))
    histogram.observe(0.5)
    return histogram


FULL: dict[str, Any] = {
    "events": 5,
    "steps": 4,
    "refused": 3,
    "refused_by_reason": {"not_json": 3},
    "late": 1,
    "repeats": 1,
    "erased": 1,
    "ignored_actions": 1,
    "forgotten": 3,
    "unknown_words": {"region": 2},
    "reread": 1,
    "lag": {"orders/0": 3, "logins/0": 0},
    "behind": ["orders/0"],
    "open_transactions": ["orders/0"],
    "schema_wait": ["orders/0"],
    "stalled": {"orders/0": 40.0},
    "checkpoints": 2,
    "checkpoints_failed": 1,
    "checkpoint_pause_s": 0.5,
    "rule_set": "abc",
    "rule_sets": {"0": "abc"},
    "rules_adopted": 1,
    "rules_refused": 1,
    "rules_differ": {"0": "abc", "segments/0": "def"},
    "rule_mistakes": ("rules.yaml:3: no",),
    "inputs": "fed",
    "inputs_by_partition": {"0": "fed"},
    "inputs_adopted": 1,
    "inputs_refused": 1,
    "input_mistakes": ("inputs.yaml:3: no",),
    "inputs_restart": ("shop",),
    "passed_by_topic": {"shop": 7},
    "models": {"0": "v1"},
    "models_ready": {"0": True},
    "models_missing": {"0": "30 customers"},
    "opened": {"late": {"active": 2}},
    "events_by_topic": {"orders": 5},
    "late_by_topic": {"orders": 1},
    "repeats_by_topic": {"orders": 1},
    "refused_by_topic": {"orders": {"not_json": 3}},
    "openings": [("late", "high", "active", 2)],
    "customers": 9,
    "open_warnings": {"high": 1},
    "sweeps": 3,
    "sweep_seconds": busy().figures(),
    "produce_to_warning_seconds": busy().figures(),
    "outgoing": 2,
    "outgoing_since": NOW - 1,
    "checkpoint_seconds": busy().figures(),
    "checkpoint_at": {"0": NOW - 20},
    "checkpoint_bytes": {"0": 1_000},
    "event_time": {"0": NOW - 5},
    "event_time_by_topic": {"orders/0": NOW - 6},
    "quiet": {"orders/0": True},
    "model_quality": {"0": {"auc": 0.7}},
    "assigned": [0],
    "loading": ["orders/1"],
    "broker_silent_s": 40.0,
}
SUMS = {
    "events": "events_by_topic",
    "late": "late_by_topic",
    "repeats": "repeats_by_topic",
    "refused": "refused_by_topic",
    "refused_by_reason": "refused_by_topic",
}
"""Figures that are sums of another one, which has the metric."""
WORDS = {"models_missing": "models_ready"}
"""Figures in words, where a metric has the same as a number."""


def empty() -> Stats:
    async def send(records: Sequence[OutgoingRecord]) -> list[Any]:
        return []

    settings = WorkerSettings("none:1", {Topic.ORDERS: "orders"})
    return Pipeline(settings, lambda number: pytest.fail("no partition"), send).stats()


def text(stats: Stats) -> str:
    return of(METRICS, readings(stats, NOW))


def full() -> Stats:
    return Stats(**FULL)


def test_each_figure_is_in_a_metric_and_each_metric_is_of_a_figure() -> None:
    assert_metrics_are_figures(METRICS, lambda stats: readings(stats, NOW), full(), empty(), SUMS | WORDS)


def test_the_figures_as_json_are_those_of_the_metrics() -> None:
    snapshots = worker_snapshots(wall=lambda: NOW)
    snapshots.take(full())
    shown = json.loads(snapshots.probes().answer("/status")[2])
    assert shown.keys() - {"written_at"} == {field.name for field in fields(Stats)}
    assert shown["lag"] == FULL["lag"]
    assert (
        b'lapwing_lag_records{partition="0",topic="orders"} 3.0' in snapshots.probes().answer("/metrics")[2]
    )


def test_values_stand_under_the_names_that_are_documented() -> None:
    shown = text(full()).splitlines()
    for line in (
        'lapwing_events_total{topic="orders"} 5.0',
        'lapwing_events_refused_total{reason="not_json",topic="orders"} 3.0',
        'lapwing_events_refused_total{reason="no_value",topic="orders"} 0.0',
        'lapwing_awaited{partition="0",topic="orders"} 1.0',
        'lapwing_awaited{partition="0",topic="logins"} 0.0',
        'lapwing_stalled{partition="0"} 1.0',
        'lapwing_event_time_delay_seconds{partition="0"} 5.0',
        'lapwing_topic_event_time_delay_seconds{partition="0",topic="orders"} 6.0',
        'lapwing_produce_to_warning_seconds_bucket{le="1.0"} 1.0',
        'lapwing_rule_openings_total{rule="late",status="active",tier="high"} 2.0',
        'lapwing_warnings_open{tier="high"} 1.0',
        'lapwing_checkpoint_timestamp_seconds{partition="0"} 1.99999998e+09',
        'lapwing_rule_set_info{partition="0",rule_set="abc"} 1.0',
        'lapwing_rule_set_differs{partition="segments/0"} 1.0',
        "lapwing_rule_files_refused 1.0",
        'lapwing_records_passed_total{topic="shop"} 7.0',
        'lapwing_inputs_info{inputs="fed",partition="0"} 1.0',
        "lapwing_inputs_file_refused 1.0",
        "lapwing_inputs_restart_needed 1.0",
        'lapwing_model_info{partition="0",version="v1"} 1.0',
        'lapwing_model_quality{measure="auc",partition="0"} 0.7',
        'lapwing_source_quiet{partition="0",source="orders"} 1.0',
    ):
        assert line in shown, line


def test_names_follow_the_conventions_and_each_has_a_help() -> None:
    assert_names_follow_the_conventions(METRICS)


def test_no_label_grows_beyond_its_bound() -> None:
    rules = [(f"rule-{i:05}", "high", "active", 2) for i in range(10_000)]
    lifetime = {rule: {"active": 1} for rule, *_ in rules}
    garbage = {"orders": {reason.value: 1 for reason in RefusalReason}}
    stats = replace(full(), openings=rules, opened=lifetime, refused_by_topic=garbage)
    found = readings(stats, NOW)
    assert_bounded(found)
    by_name = {metric.name: values for metric, values in found.items()}
    openings: Any = by_name["lapwing_rule_openings_total"]
    assert sum(openings.values()) == 20_000
    assert openings["other", "high", "active"] == 2 * (10_000 - MOST_VALUES)


@pytest.mark.parametrize(
    ("changed", "reasons"),
    [
        ({"assigned": None}, ["the group has not assigned partitions yet"]),
        ({"assigned": []}, []),
        ({"loading": ["a/1", "b/1", "a/10"]}, ["the states of 2 partitions are being loaded"]),
        ({"broker_silent_s": 31.0}, ["the broker has not answered for 31 s"]),
        ({"broker_silent_s": 30.0}, []),
    ],
)
def test_it_is_ready_once_its_partitions_are_there_and_the_broker_answers(
    changed: dict[str, Any], reasons: list[str]
) -> None:
    well = {"assigned": [0], "loading": [], "broker_silent_s": None}
    assert not_ready(replace(full(), **{**well, **changed})) == reasons


async def test_a_pipeline_without_partitions_is_not_ready() -> None:
    await asyncio.sleep(0)
    assert not_ready(empty()) == ["the group has not assigned partitions yet"]
