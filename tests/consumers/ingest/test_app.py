from __future__ import annotations

from fastapi.testclient import TestClient

from consumers.broker.errors import BrokerAway
from consumers.ingest.app import create_app
from consumers.ingest.hooks import Hooks
from consumers.ingest.intake import Intake
from tests.consumers.ingest.brokers import REJECTED, WITHIN_S, StubBroker, StubSources, until


def test_health_says_no_more_than_it_must() -> None:
    broker = StubBroker(away=BrokerAway("Kafka at 10.0.0.7:9092 cannot be reached"))
    intake = Intake(broker.connect, REJECTED)
    client = TestClient(create_app(Hooks(StubSources(), intake)))
    assert (client.get("/healthz").status_code, client.get("/healthz").text) == (200, "healthy\n")
    assert (client.get("/readyz").status_code, client.get("/readyz").text) == (503, "not ready\n")
    broker.away = None
    intake.start()
    assert broker.connected.wait(WITHIN_S)
    until(lambda: intake.trouble is None)
    assert (client.get("/readyz").status_code, client.get("/readyz").text) == (200, "ready\n")
    intake.stop()


def test_there_is_nothing_else() -> None:
    client = TestClient(create_app(Hooks(StubSources(), Intake(StubBroker().connect, REJECTED))))
    for path in ("/", "/docs", "/openapi.json", "/metrics", "/hooks", "/hooks/signed/more"):
        assert client.get(path).status_code == 404
    assert client.get("/hooks/signed").status_code == 405
    answer = client.post("/hooks/nobody", content=b"{}")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
