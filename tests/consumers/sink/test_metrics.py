from __future__ import annotations

from dataclasses import replace

from consumers.database.timing import DatabaseFigures
from consumers.sink.metrics import METRICS, SinkFigures, not_ready, readings, sink_snapshots
from streams.telemetry.histogram import Histogram
from tests.figures import assert_metrics_are_figures, assert_names_follow_the_conventions, text

AWAY = DatabaseFigures({"read": Histogram().figures()}, 2, away=True)
THERE = DatabaseFigures({}, 0, away=False)
FULL = SinkFigures(
    records={"warnings": {"stored": 3, "repeats": 1}},
    stored_at=2e9,
    lag={"churn-warnings/0": 4},
    member=True,
    broker_silent_s=40.0,
    database=AWAY,
)
NONE = SinkFigures(records={}, stored_at=None, lag={}, member=False, broker_silent_s=None, database=THERE)


def test_each_figure_is_in_a_metric_and_each_metric_is_of_a_figure() -> None:
    assert_metrics_are_figures(METRICS, readings, FULL, NONE)
    assert_names_follow_the_conventions(METRICS)
    shown = text(METRICS, readings(FULL)).splitlines()
    assert 'lapwing_sink_records_total{kind="warnings",result="stored"} 3.0' in shown
    assert 'lapwing_lag_records{partition="0",topic="churn-warnings"} 4.0' in shown


def test_it_is_ready_with_its_share_of_the_topics_a_broker_and_a_database() -> None:
    well = replace(NONE, member=True)
    assert not_ready(well) == []
    assert not_ready(replace(well, broker_silent_s=40.0)) == ["the broker has not answered for 40 s"]
    assert not_ready(NONE) == ["the group has not given it its share of the topics"]
    assert not_ready(replace(well, database=AWAY)) == ["the database cannot be reached, is locked or full"]


def test_its_endpoint_shows_the_newest() -> None:
    snapshots = sink_snapshots()
    snapshots.take(FULL)
    assert b"lapwing_sink_stored_timestamp_seconds 2e+09" in snapshots.probes().answer("/metrics")[2]
