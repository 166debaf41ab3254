from __future__ import annotations

from dataclasses import replace

from consumers.database.timing import DatabaseFigures
from consumers.notify.metrics import METRICS, NotifierFigures, not_ready, notifier_snapshots, readings
from streams.telemetry.histogram import Histogram
from tests.figures import assert_metrics_are_figures, assert_names_follow_the_conventions, text

AWAY = DatabaseFigures({"read": Histogram().figures()}, 2, away=True)
THERE = DatabaseFigures({}, 0, away=False)
FULL = NotifierFigures(
    deliveries={"mail": {"sent": 3, "failed": 1}},
    entered=4,
    muted=2,
    waiting=1,
    oldest=2e9,
    lag_steps=5,
    lag_since=1.9e9,
    paused={"mail": True, "chat": True},
    disabled={"mail": True, "chat": False},
    database=AWAY,
)
NONE = NotifierFigures(
    deliveries={},
    entered=0,
    muted=0,
    waiting=None,
    oldest=None,
    lag_steps=None,
    lag_since=None,
    paused={},
    disabled={},
    database=THERE,
)


def test_each_figure_is_in_a_metric_and_each_metric_is_of_a_figure() -> None:
    assert_metrics_are_figures(METRICS, readings, FULL, NONE)
    assert_names_follow_the_conventions(METRICS)
    shown = text(METRICS, readings(FULL)).splitlines()
    assert 'lapwing_deliveries_total{channel="mail",result="sent"} 3.0' in shown
    assert 'lapwing_channel_paused{channel="chat"} 1.0' in shown
    assert 'lapwing_channel_disabled{channel="chat"} 0.0' in shown
    assert 'lapwing_channel_disabled{channel="mail"} 1.0' in shown


def test_it_is_ready_while_there_is_a_database() -> None:
    assert not_ready(NONE) == ()
    assert not_ready(replace(NONE, paused={"mail": True})) == ()
    assert not_ready(FULL) == ("the database cannot be reached, is locked or full",)


def test_its_endpoint_shows_the_newest() -> None:
    snapshots = notifier_snapshots()
    snapshots.take(FULL)
    assert b"lapwing_outbox_oldest_timestamp_seconds 2e+09" in snapshots.probes().answer("/metrics")[2]
