from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.registry import Collector

from streams.telemetry.histogram import Histogram
from streams.telemetry.metric import FigureCollector, Kind, Metric, Readings

SENT = Metric("lapwing_sent_total", Kind.COUNTER, "What was sent.", ("topic",))
OPEN = Metric("lapwing_open", Kind.GAUGE, "What is open.")
TOOK = Metric("lapwing_took_seconds", Kind.HISTOGRAM, "How long it took.")
RUNS = Metric("lapwing_runs_info", Kind.INFO, "What runs.", ("version",))
ALL = (SENT, OPEN, TOOK, RUNS)


def text(collector: Collector) -> list[str]:
    registry = CollectorRegistry()
    registry.register(collector)
    lines = generate_latest(registry).decode().splitlines()
    return [line for line in lines if not line.startswith("# ")]


def test_values_are_read_at_each_scrape_and_written_by_their_kind() -> None:
    histogram, sent = Histogram((1.0,)), 0

    def read() -> Readings:
        nonlocal sent
        sent += 1
        return {
            SENT: {("orders",): sent},
            OPEN: {(): 2.5},
            TOOK: {(): histogram.figures()},
            RUNS: {("1",): 1.0},
        }

    collector = FigureCollector(ALL, read)
    histogram.observe(0.5)
    histogram.observe(3)
    assert text(collector) == [
        'lapwing_sent_total{topic="orders"} 1.0',
        "lapwing_open 2.5",
        'lapwing_took_seconds_bucket{le="1.0"} 1.0',
        'lapwing_took_seconds_bucket{le="+Inf"} 2.0',
        "lapwing_took_seconds_count 2.0",
        "lapwing_took_seconds_sum 3.5",
        'lapwing_runs_info{version="1"} 1.0',
    ]
    assert text(collector)[0] == 'lapwing_sent_total{topic="orders"} 2.0'


def test_a_metric_without_a_value_is_left_out() -> None:
    assert text(FigureCollector(ALL, dict)) == []


def test_no_name_is_taken_twice() -> None:
    registry = CollectorRegistry()
    registry.register(FigureCollector((SENT,), dict))
    with pytest.raises(ValueError, match="Duplicated timeseries"):
        registry.register(FigureCollector((SENT,), dict))
