from __future__ import annotations

from dataclasses import replace

from streams.telemetry.metric import Readings
from streams.trainer.metrics import METRICS, not_ready, readings, trainer_snapshots
from streams.trainer.run import TrainerStats
from tests.figures import assert_metrics_are_figures, assert_names_follow_the_conventions, text

FULL = TrainerStats(
    active=True,
    offset=9,
    lag=3,
    samples=100,
    excluded=4,
    treated=5,
    repeats=6,
    refused=1,
    champion="slow",
    version="v1",
    ready=True,
    warm_up="ready",
    published=2,
    published_at=2e9,
    quality={"auc": 0.7},
    broker_silent_s=0.1,
)
NONE = TrainerStats(
    active=False,
    offset=0,
    lag=None,
    samples=0,
    excluded=0,
    treated=0,
    repeats=0,
    refused=0,
    champion="first",
    version=None,
    ready=False,
    warm_up="50 customers",
    published=0,
    published_at=None,
    quality={},
    broker_silent_s=None,
)


def shown(stats: TrainerStats) -> Readings:
    return readings(stats, "shop-samples")


def test_each_figure_is_in_a_metric_and_each_metric_is_of_a_figure() -> None:
    assert_metrics_are_figures(METRICS, shown, FULL, NONE, {"warm_up": "ready"})
    assert_names_follow_the_conventions(METRICS)
    assert 'lapwing_lag_records{partition="0",topic="shop-samples"} 3.0' in text(METRICS, shown(FULL))


def test_who_waits_for_another_shows_nothing_of_what_that_one_learned() -> None:
    waiting = text(METRICS, shown(replace(FULL, active=False)))
    assert "lapwing_learner_active 0.0" in waiting
    assert "lapwing_model_samples_total" not in waiting
    assert "lapwing_model_info" not in waiting


def test_it_is_ready_while_the_broker_answers() -> None:
    assert not_ready(FULL) == ()
    assert not_ready(NONE) == ()
    assert not_ready(replace(FULL, broker_silent_s=31.0)) == ("the broker has not answered for 31 s",)


def test_its_endpoint_shows_the_newest() -> None:
    snapshots = trainer_snapshots("shop-samples")
    snapshots.take(FULL)
    assert b"lapwing_model_samples_total 100.0" in snapshots.probes().answer("/metrics")[2]
