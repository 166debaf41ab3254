"""The endpoints of processes that run: what Prometheus scrapes, and when they are alive and ready."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lapwing.demo.broker import EmbeddedBroker, broker_binary, free_port
from lapwing.settings.values import PREFIX
from streams.contract.examples import WARNING_EXAMPLE
from streams.core.engine_io import Output
from streams.core.events.batch import Batch
from streams.core.events.topics import Topic
from streams.errors import DemoError
from streams.telemetry.snapshots import Snapshots
from streams.worker.metrics import METRICS, not_ready, readings
from tests.integration.metrics_endpoint import WITHIN_S, lint, watched
from tests.integration.test_worker_command import RULES, arguments
from tests.integration.workers import RecordingEngine, Sent, event, produce, running, settings_on

ON_ANY_PORT = ("--metrics-listen", "127.0.0.1:0")


@contextmanager
def own_broker() -> Iterator[EmbeddedBroker]:
    """Yield a broker that a test may stop."""
    try:
        broker_binary()
    except DemoError as reason:
        pytest.skip(str(reason))
    with EmbeddedBroker() as own:
        yield own


TOPICS = (
    *("orders", "logins", "complaints", "feedback", "profiles", "actions", "closures"),
    *("warnings_topic", "control_topic", "audit_topic", "segment_warnings_topic", "outcomes_topic"),
    *("census_topic", "scores_topic", "silences_topic"),
)


def command(broker: str, folder: Path, *words: str, **settings: str) -> tuple[list[str], dict[str, str]]:
    """Return a command with topics of its own, which are there, and its environment."""
    app = f"t{uuid.uuid4().hex[:8]}"
    rules = folder / "rules.yaml"
    rules.write_text(RULES)
    given = {
        **{name: f"{app}-{name.replace('_', '-')}" for name in TOPICS},
        "app": app,
        "broker": broker,
        "rules": str(rules),
        "session_timeout": "6s",
        "checkpoints": str(folder / "checkpoints"),
        "database": f"sqlite:///{folder}/shop.db",
        "metrics_listen": "127.0.0.1:0",
        **settings,
    }
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith(PREFIX)},
        **{f"{PREFIX}{name.upper()}": value for name, value in given.items()},
    }
    lapwing = [sys.executable, "-m", "lapwing"]
    subprocess.run(
        [*lapwing, "topics", "--partitions", "2"],
        check=True,
        env=environ,
        stdout=subprocess.DEVNULL,
        timeout=60,
    )
    return [*lapwing, *words], environ


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


@pytest.mark.any_broker
def test_a_worker_whose_engine_hangs_is_not_healthy_until_it_goes_on(broker: str) -> None:
    settings, hanging, release = settings_on(broker, 1), threading.Event(), threading.Event()

    class Hanging(RecordingEngine):
        def step(self, batch: Batch) -> Output:
            hanging.set()
            release.wait(30)
            return super().step(batch)

    snapshots = Snapshots("worker", METRICS, lambda stats: readings(stats, 0.0), not_ready, stuck_s=2.0)
    probes = snapshots.probes()
    with running(settings, lambda number: Hanging()) as worker:
        worker.on_stats = snapshots.take
        worker.wait_until(lambda: probes.answer("/readyz")[0] == 200)
        orders = settings.topics[Topic.ORDERS]
        produce(broker, [Sent(orders, b"k", event(Topic.ORDERS, "e1", "k", "2024-01-01T00:00:00Z"))])
        assert hanging.wait(WITHIN_S)
        worker.wait_until(lambda: probes.answer("/healthz")[0] == 503)
        assert b"the loop of the worker has not turned for " in probes.answer("/healthz")[2]
        assert b"lapwing_healthy 0.0" in probes.answer("/metrics")[2]
        release.set()
        worker.wait_until(lambda: probes.answer("/healthz")[0] == 200)


def test_a_worker_whose_broker_is_away_is_alive_and_not_ready(tmp_path: Path) -> None:
    with own_broker() as own:
        settings = settings_on(own.address)
        with watched(arguments(settings, tmp_path, *ON_ANY_PORT)) as worker:
            worker.wait_for(lambda: worker.get("/readyz")[0] == 200)
            own.close()
            worker.wait_for(lambda: worker.get("/readyz")[0] == 503)
            assert "the broker has not answered for " in worker.get("/readyz")[1]
            assert worker.get("/healthz") == (200, "healthy\n")


def test_a_sink_shows_what_it_stores_and_that_its_broker_is_away(tmp_path: Path, promtool: Path) -> None:
    with own_broker() as own:
        words, environ = command(own.address, tmp_path, "sink")
        topic = environ["LAPWING_WARNINGS_TOPIC"]
        warning = json.dumps({**WARNING_EXAMPLE, "source": f"/lapwing/{environ['LAPWING_APP']}"}).encode()
        produce(own.address, [Sent(topic, b"c", warning), Sent(topic, b"c", b"garbage")])
        with watched(words, environ) as sink:
            sink.wait_for(lambda: sink.values("lapwing_sink_records_total", result="unreadable") == [1])
            sink.wait_for(lambda: sink.get("/readyz") == (200, "ready\n"))
            text = sink.get("/metrics")[1]
            assert lint(promtool, text) == ""
            assert sink.values("lapwing_sink_records_total", result="stored") == [1]
            assert sink.values("lapwing_lag_records", topic=topic) == [0, 0]
            assert sink.values("lapwing_database_seconds_count", operation="write")[0] > 0
            assert sink.status()["records"]["warnings"]["stored"] == 1
            own.close()
            sink.wait_for(lambda: sink.get("/readyz")[0] == 503)
            assert sink.get("/healthz") == (200, "healthy\n")


@pytest.mark.any_broker
def test_a_notifier_shows_what_came_of_its_deliveries(broker: str, tmp_path: Path, promtool: Path) -> None:
    url = f"desk=json://127.0.0.1:{free_port()}"  # where nobody listens
    words, environ = command(broker, tmp_path, "sink", "--no-follow", notify_urls=url)
    warning = json.dumps({**WARNING_EXAMPLE, "source": f"/lapwing/{environ['LAPWING_APP']}"}).encode()
    produce(broker, [Sent(environ["LAPWING_WARNINGS_TOPIC"], b"c", warning)])
    subprocess.run(words, check=True, env=environ, capture_output=True, timeout=60)
    with watched([*words[:-2], "notify"], environ) as notifier:
        notifier.wait_for(lambda: notifier.values("lapwing_deliveries_total", result="failed") == [1])
        assert notifier.get("/readyz") == (200, "ready\n")
        assert lint(promtool, notifier.get("/metrics")[1]) == ""
        assert notifier.values("lapwing_channel_paused", channel="desk") == [1]
        assert notifier.values("lapwing_outbox_waiting") == [1]
        assert "json://" not in notifier.get("/metrics")[1] + notifier.get("/status")[1]


def test_a_learner_shows_how_far_it_is(broker: str, tmp_path: Path, promtool: Path) -> None:
    words, environ = command(broker, tmp_path, "learn", learner="shared")
    with watched(words, environ) as learner:
        learner.wait_for(lambda: learner.values("lapwing_learner_active") == [1])
        learner.wait_for(lambda: learner.get("/readyz") == (200, "ready\n"))
        assert learner.values("lapwing_model_ready") == [0]
        assert lint(promtool, learner.get("/metrics")[1]) == ""
        produce(broker, [Sent(f"{environ['LAPWING_APP']}-samples", b"0", b"garbage", 0)])
        learner.wait_for(lambda: learner.values("lapwing_samples_refused_total") == [1])


@pytest.mark.any_broker
def test_a_desk_shows_its_requests_on_a_port_of_its_own(broker: str, tmp_path: Path, promtool: Path) -> None:
    at = f"127.0.0.1:{free_port()}"
    words, environ = command(broker, tmp_path, "desk", desk_listen=at)
    with watched(words, environ) as desk:
        desk.wait_for(lambda: desk.get("/readyz") == (200, "ready\n"))
        assert not desk.url.endswith(at.rpartition(":")[2])
        for path in ("/customers/someone", "/metrics"):  # people's port shows no metrics
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(f"http://{at}{path}", timeout=10)
        desk.wait_for(lambda: sum(desk.values("lapwing_requests_total", status="404")) == 2)
        text = desk.get("/metrics")[1]
        assert lint(promtool, text) == ""
        assert "someone" not in text
        assert desk.get("/healthz") == (200, "healthy\n")
