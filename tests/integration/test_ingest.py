"""`lapwing ingest` as a process, with a real broker behind it and HTTP before it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lapwing.demo.broker import EmbeddedBroker, free_port
from streams.contract.rejected import RefusalReason, read_rejected_headers
from streams.core.events.partitioner import murmur2
from tests.consumers.ingest.signers import OTHER, SECRETS, signed
from tests.integration.metrics_endpoint import WITHIN_S, Watched, lint, watched
from tests.integration.test_metrics import command, own_broker
from tests.integration.workers import consume, make_topics
from tests.lapwing.hook_samples import mappings

pytestmark = [pytest.mark.any_broker, pytest.mark.timeout(300)]

SECRET = SECRETS["signed"]
LOGIN = {"type": "login", "user": {"id": "secret-customer"}, "at": "2024-01-01T10:00:00Z"}


class Place:
    """An installation with an intake, and the sender of its webhooks."""

    def __init__(self, broker: str, folder: Path) -> None:
        self.inputs = folder / "inputs.yaml"
        self.inputs.write_text(mappings()["signed"])
        self.address = f"127.0.0.1:{free_port()}"
        words, self.environ = command(
            broker,
            folder,
            "ingest",
            inputs=str(self.inputs),
            ingest_listen=self.address,
            ingest_secrets=f"app={SECRET}",
        )
        self.lapwing = words[:-1]
        self.logins = self.environ["LAPWING_LOGINS"]
        self.rejected = f"{self.environ['LAPWING_APP']}.rejected"

    @contextmanager
    def intake(self) -> Iterator[Watched]:
        with watched([*self.lapwing, "ingest"], self.environ) as process:
            process.wait_for(lambda: process.get("/readyz") == (200, "ready\n"))
            yield process

    def post(
        self, content: object = LOGIN, id_: str = "d-1", secret: str = SECRET, source: str = "app"
    ) -> tuple[int, str, http.client.HTTPMessage]:
        body = json.dumps(content).encode()
        connection = http.client.HTTPConnection(self.address, timeout=30)
        try:
            headers = signed(body, secret, id_=id_, at_s=time.time())
            connection.request("POST", f"/hooks/{source}", body, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())["result"], answer.headers
        finally:
            connection.close()


@pytest.fixture
def place(broker: str, tmp_path: Path) -> Place:
    return Place(broker, tmp_path)


def test_a_delivery_is_on_its_topic_when_it_is_answered(broker: str, place: Place, promtool: Path) -> None:
    with place.intake() as intake:
        assert place.post()[:2] == (200, "taken")
        (record,) = consume(broker, place.logins, 1)
        assert (record.key, record.partition) == (
            b"secret-customer",
            int(murmur2([b"secret-customer"])[0] & 0x7FFFFFFF) % 2,
        )
        value: dict[str, Any] = json.loads(record.value)
        assert (value["event_id"], value["customer_id"]) == ("d-1", "secret-customer")
        assert place.post()[:2] == (200, "repeat")
        assert place.post(secret=OTHER["signed"])[:2] == (401, "signature")
        assert place.post(source="nobody")[:2] == (404, "unknown")
        wrong = {**LOGIN, "at": "soon"}
        assert place.post(wrong, "d-2")[:2] == (200, "refused")
        (bad,) = consume(broker, place.rejected, 1)
        assert json.loads(bad.value) == wrong
        rejection = read_rejected_headers(bad.headers)
        assert (rejection.topic, rejection.reason) == ("hooks/app", RefusalReason.WRONG_VALUE)
        intake.wait_for(lambda: intake.values("lapwing_hooks_total", source="app", result="refused") == [1])
        assert intake.values("lapwing_hooks_total", source="app", result="taken") == [1]
        assert intake.values("lapwing_hooks_total", source="other", result="unknown") == [1]
        assert intake.values("lapwing_hook_records_total", topic=place.logins) == [1]
        assert intake.values("lapwing_hooks_broker_connected") == [1]
        text = intake.get("/metrics")[1]
        assert lint(promtool, text) == ""
        assert "secret-customer" not in text
        assert intake.get("/healthz") == (200, "healthy\n")
    assert intake.process.returncode == 0
    assert "secret-customer" not in "".join(intake.log)
    assert SECRET not in "".join(intake.log)


def test_a_delivery_that_comes_again_after_a_restart_is_one_event_to_a_worker(place: Place) -> None:
    with place.intake():
        assert place.post()[:2] == (200, "taken")
    with place.intake():
        assert place.post()[:2] == (200, "taken")
        assert place.post({**LOGIN, "at": "2024-01-01T11:00:00Z"}, "d-2")[:2] == (200, "taken")
    with watched([*place.lapwing, "worker"], place.environ) as worker:
        worker.wait_for(lambda: sum(worker.values("lapwing_events_total", topic=place.logins)) == 2)
        worker.wait_for(lambda: sum(worker.values("lapwing_events_repeated_total")) == 1)


def test_without_a_broker_senders_are_asked_to_come_again_and_then_it_goes_on(tmp_path: Path) -> None:
    with own_broker() as broker:
        address = broker.address
        place = Place(address, tmp_path)
        with place.intake() as intake:
            assert place.post()[:2] == (200, "taken")
            os.kill(broker.pid, signal.SIGKILL)
            status, result, headers = place.post(id_="d-2")
            assert (status, headers["Retry-After"]) == (503, "30")
            assert result in ("away", "late")
            intake.wait_for(lambda: intake.get("/readyz")[0] == 503)
            assert place.post(id_="d-2")[:2] == (503, "away")
            assert intake.get("/healthz") == (200, "healthy\n")
            broker.close()
            with EmbeddedBroker(int(address.rpartition(":")[2])):
                # It kept everything in memory: without its topics nothing can be written either.
                intake.wait_for(lambda: intake.get("/readyz")[0] == 200)
                assert place.post(id_="d-2")[:2] == (503, "away")
                make_topics(address, [place.logins, place.rejected], 2)
                deadline = time.monotonic() + WITHIN_S
                while place.post(id_="d-2")[:2] != (200, "taken"):
                    assert time.monotonic() < deadline
                    time.sleep(0.5)
                records = consume(address, place.logins, 1)
                assert {json.loads(record.value)["event_id"] for record in records} == {"d-2"}


def test_a_change_of_the_file_is_adopted_and_a_wrong_one_is_not(broker: str, place: Place) -> None:
    good = place.inputs.read_text()
    with place.intake() as intake:
        place.inputs.write_text("version: 1\nsources: {")
        intake.wait_for(lambda: intake.values("lapwing_hooks_inputs_broken") == [1])
        assert place.post()[:2] == (200, "taken")
        place.inputs.write_text(
            good.replace("customer_id: user.id", "customer_id: {path: user.id, prefix: new-}")
        )
        intake.wait_for(lambda: intake.values("lapwing_hooks_inputs_broken") == [0])
        assert place.post(id_="d-2")[:2] == (200, "taken")
    customers = {json.loads(record.value)["customer_id"] for record in consume(broker, place.logins, 2)}
    assert customers == {"secret-customer", "new-secret-customer"}
