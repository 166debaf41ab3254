from __future__ import annotations

from dataclasses import replace

from consumers.follow.metrics import METRICS, FollowFigures, follow_snapshots, not_ready, readings
from tests.figures import assert_metrics_are_figures, assert_names_follow_the_conventions, text

FULL = FollowFigures(
    records={"shop.orders": 5},
    events={"orders": 4},
    refused=[("shop.orders", "unreadable", 1)],
    passed={"shop.orders": 2},
    written_at=2e9,
    lag={"shop.orders/0": 4},
    member=True,
    broker_silent_s=40.0,
    waits_for="the schema registry is away",
    inputs="fed",
    inputs_broken=True,
    registry_away_s=3.0,
    schemas=2,
)
NONE = FollowFigures(
    records={},
    events={},
    refused=[],
    passed={},
    written_at=None,
    lag={},
    member=False,
    broker_silent_s=None,
    waits_for=None,
    inputs="",
    inputs_broken=False,
    registry_away_s=None,
    schemas=None,
)


def test_each_figure_is_in_a_metric_and_each_metric_is_of_a_figure() -> None:
    assert_metrics_are_figures(METRICS, readings, FULL, NONE)
    assert_names_follow_the_conventions(METRICS)
    shown = text(METRICS, readings(FULL)).splitlines()
    assert 'lapwing_import_refused_total{reason="unreadable",topic="shop.orders"} 1.0' in shown
    assert 'lapwing_lag_records{partition="0",topic="shop.orders"} 4.0' in shown


def test_it_is_ready_with_its_share_of_the_topics_a_broker_and_nothing_to_wait_for() -> None:
    well = replace(NONE, member=True)
    assert not_ready(well) == []
    assert not_ready(replace(well, broker_silent_s=40.0)) == ["the broker has not answered for 40 s"]
    assert not_ready(NONE) == ["the group has not given it its share of the topics"]
    assert not_ready(replace(well, waits_for="the registry is away")) == ["the registry is away"]


def test_its_endpoint_shows_the_newest() -> None:
    snapshots = follow_snapshots()
    snapshots.take(FULL)
    assert b"lapwing_import_written_timestamp_seconds 2e+09" in snapshots.probes().answer("/metrics")[2]
