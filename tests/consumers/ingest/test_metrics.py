from __future__ import annotations

from dataclasses import replace

from consumers.ingest.hooks import Hooks, Result
from consumers.ingest.intake import Intake
from consumers.ingest.metrics import METRICS, IngestFigures, figures, not_ready, readings
from consumers.ingest.senders import SENDERS
from streams.telemetry.histogram import Histogram
from tests.consumers.ingest.brokers import REJECTED, StubBroker, StubSources
from tests.figures import assert_metrics_are_figures, assert_names_follow_the_conventions, text

FULL = IngestFigures(
    hooks=[("shop", "taken", 3)],
    hook_seconds={"shop": Histogram().figures()},
    hook_bytes={"shop": 42},
    records={"orders": 3},
    refusals=[("shop", "missing_field", 1)],
    under_way=2,
    held_bytes=10,
    broker_errors=1,
    trouble=None,
    inputs_broken=True,
    sources=4,
)
NONE = IngestFigures(
    hooks=[],
    hook_seconds={},
    hook_bytes={},
    records={},
    refusals=[],
    under_way=0,
    held_bytes=0,
    broker_errors=0,
    trouble="not connected to the broker yet",
    inputs_broken=False,
    sources=0,
)


def test_each_figure_is_in_a_metric_and_each_metric_is_of_a_figure() -> None:
    assert_metrics_are_figures(METRICS, readings, FULL, NONE)
    assert_names_follow_the_conventions(METRICS)
    assert 'lapwing_hooks_total{result="taken",source="shop"} 3.0' in text(METRICS, readings(FULL))


def test_it_is_ready_while_it_can_write() -> None:
    assert not_ready(FULL) == []
    assert not_ready(NONE) == ["not connected to the broker yet"]


def test_an_intake_that_has_begun_has_nothing_yet() -> None:
    hooks = Hooks(StubSources(), Intake(StubBroker().connect, REJECTED))
    none = [(source, result.value, 0) for source in sorted(SENDERS) for result in sorted(Result)]
    assert figures(hooks) == replace(NONE, sources=4, hooks=none)
