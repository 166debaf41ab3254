"""The endpoints of processes that run: what Prometheus scrapes, and when they are alive and ready."""

from __future__ import annotations

from pathlib import Path

import pytest

from lapwing.demo.broker import EmbeddedBroker, broker_binary
from streams.core.events.topics import Topic
from streams.errors import DemoError
from tests.integration.metrics_endpoint import lint, watched
from tests.integration.test_worker_command import RULES, arguments
from tests.integration.workers import Sent, event, produce, settings_on

ON_ANY_PORT = ("--metrics-listen", "127.0.0.1:0")


def test_promtool_finds_what_breaks_the_conventions(promtool: Path) -> None:
    assert "no help text" in lint(promtool, "# TYPE lapwing_sent counter\nlapwing_sent 1\n")


def test_a_worker_shows_what_it_does(broker: str, tmp_path: Path, promtool: Path) -> None:
    settings = settings_on(broker)
    orders = settings.topics[Topic.ORDERS]
    value = event(Topic.ORDERS, "e1", "someone", "2024-01-01T00:00:00Z")
    produce(broker, [Sent(orders, b"someone", value), Sent(orders, b"someone", b"garbage")])
    (tmp_path / "rules.yaml").write_text(RULES)
    with watched(arguments(settings, tmp_path, *ON_ANY_PORT)) as worker:
        worker.wait_for(lambda: worker.values("lapwing_produce_to_warning_seconds_count") == [1])
        worker.wait_for(lambda: worker.get("/readyz")[0] == 200)
        assert worker.get("/healthz") == (200, "healthy\n")
        text = worker.get("/metrics")[1]
        assert lint(promtool, text) == ""
        assert "someone" not in text
        assert worker.values("lapwing_events_total", topic=orders) == [1]
        assert worker.values("lapwing_events_refused_total", topic=orders, reason="not_json") == [1]
        assert worker.values("lapwing_rule_openings_total", rule="any", tier="low") == [1]
        assert worker.values("lapwing_warnings_open", tier="low") == [1]
        assert len(worker.values("lapwing_lag_records")) == 6
        assert worker.values("lapwing_customers") == [1]
        assert worker.values("lapwing_build_info", process="worker") == [1]
        (took,) = worker.values("lapwing_produce_to_warning_seconds_sum")
        assert 0 < took < 60
        shown = worker.status()
        assert (shown["events"], shown["steps"], shown["refused"]) == (1, 1, 1)
    assert worker.process.returncode == 0


def test_a_worker_whose_broker_is_away_is_alive_and_not_ready(tmp_path: Path) -> None:
    try:
        broker_binary()
    except DemoError as reason:
        pytest.skip(str(reason))
    with EmbeddedBroker() as own:
        settings = settings_on(own.address)
        with watched(arguments(settings, tmp_path, *ON_ANY_PORT)) as worker:
            worker.wait_for(lambda: worker.get("/readyz")[0] == 200)
            own.close()
            worker.wait_for(lambda: worker.get("/readyz")[0] == 503)
            assert "the broker has not answered for " in worker.get("/readyz")[1]
            assert worker.get("/healthz") == (200, "healthy\n")
