"""Worker, learner, sink and commands get in by each mechanism of an Apache Kafka, and stay in."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from consumers.broker.client import Cluster, Producer
from lapwing.settings.settings import Settings, load_settings
from lapwing.settings.values import PREFIX
from streams.core.events.topics import Topic
from tests.integration.test_access import RULES, Installation
from tests.integration.workers import consume, event
from tests.servers import Server, ServerAbsent
from tests.token_endpoint import TokenEndpoint

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.timeout(300),
    # kafka-python leaves the sockets of failed handshakes to the garbage collector.
    pytest.mark.filterwarnings("ignore:Exception ignored in. <(ssl.SSLSocket|socket.socket)"),
]

LIFE_S: Final = 4
"""How long a token is good in the test of its end; a connection lasts no longer."""
CUSTOMERS: Final = 100


@dataclass
class Secured(Installation):
    """Processes that get in by one mechanism."""

    security: dict[str, str] = field(default_factory=dict)

    def environment(self, user: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        own = {"CONFIG": str(self.folder / "lapwing.toml"), "SSL_CAFILE": self.listeners["ca"]}
        given = {f"{PREFIX}{name}": value for name, value in {**own, **self.security}.items()}
        return kept | given | {"PYTHONUNBUFFERED": "1"}

    def stored(self) -> int:
        """Return how many steps of warnings the sink has stored."""
        if not (self.folder / "lapwing.db").exists():
            return 0
        with closing(sqlite3.connect(self.folder / "lapwing.db")) as connection:
            try:
                return int(connection.execute("SELECT count(*) FROM warning_steps").fetchone()[0])
            except sqlite3.OperationalError:
                return 0  # the sink is still making its tables


@dataclass
class Broker:
    """An Apache Kafka, and an endpoint whose tokens it takes."""

    open_address: str
    listeners: dict[str, Any]
    endpoint: TokenEndpoint

    def security(self, mechanism: str) -> dict[str, str]:
        """Return the settings by which a client gets in."""
        if mechanism == "certificate":
            return {
                "BROKER": self.listeners["addresses"]["CLIENT"],
                "SECURITY_PROTOCOL": "SSL",
                "SSL_CERTFILE": self.listeners["client"],
            }
        sasl = {
            "BROKER": self.listeners["addresses"]["SASL_SSL"],
            "SECURITY_PROTOCOL": "SASL_SSL",
            "SASL_MECHANISM": mechanism,
        }
        if mechanism != "OAUTHBEARER":
            login = {"SASL_USERNAME": self.listeners["user"], "SASL_PASSWORD": self.listeners["password"]}
            return sasl | login
        return sasl | {
            "SASL_OAUTH_TOKEN_URL": self.endpoint.url,
            "SASL_OAUTH_CLIENT_ID": self.endpoint.client_id,
            "SASL_OAUTH_CLIENT_SECRET": self.endpoint.client_secret,
        }

    def installation(self, folder: Path, name: str, mechanism: str) -> Secured:
        """Return an installation with topics of its own, which are not there yet."""
        (folder / "rules.yaml").write_text(RULES)
        topics = [topic.label for topic in Topic]
        topics += [each for each in Settings.model_fields if each.endswith("_topic")]
        lines = [f'{each} = "{name}-{each}"' for each in topics]
        (folder / "lapwing.toml").write_text(
            "\n".join(lines) + f'\napp = "{name}"\ndatabase = "sqlite:///{folder / "lapwing.db"}"\n'
            f'rules = "{folder / "rules.yaml"}"\ncheckpoints = "{folder / "checkpoints"}"\n'
            'checkpoint_every = "1s"\nsession_timeout = "6s"\nlearner = "shared"\nhorizon = "14d"\n'
            'decide_every = "1d"\nmin_positives = 5\n'
        )
        settings = load_settings(folder / "lapwing.toml", environ={})
        security = self.security(mechanism)
        return Secured(folder, self.open_address, self.listeners, settings, security=security)


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    folder = tmp_path_factory.mktemp("mechanisms")
    file = folder / "secure.json"
    try:
        server = Server("kafka", "--data", str(folder / "data"), "--secure", str(file), "--heap", "512m")
    except ServerAbsent as reason:
        pytest.skip(f"no Apache Kafka: {reason}")
    listeners = json.loads(file.read_text())
    with TokenEndpoint.of(listeners) as endpoint:
        yield Broker(server.address, listeners, endpoint)
    server.stop()


@pytest.fixture
def installation(secured: Broker, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Secured]:
    mechanism = getattr(request, "param", "OAUTHBEARER")
    secured.endpoint.reset()
    at = secured.installation(tmp_path, f"t{time.monotonic_ns()}", mechanism)
    yield at
    for user in list(at.processes):
        at.processes[user].kill()
        at.processes.pop(user).wait()


@pytest.mark.parametrize("installation", ["SCRAM-SHA-512", "OAUTHBEARER", "certificate"], indirect=True)
def test_every_process_works_over_each_mechanism(installation: Secured) -> None:
    at = installation
    at.run("topics", "topics", "--partitions", "1")
    at.run("source", "simulate", "--customers", "50", "--days", "100")
    at.start("learner", "learn")
    at.start("worker", "worker", "--flush-after", "300ms")
    for topic in (at.settings.warnings_topic, at.settings.models_topic):
        at.wait(partial(consume, at.open_address, topic, 1, 1), topic)
    at.run("sink", "sink", "--no-follow")
    assert at.stored() >= 1
    for user in ("worker", "learner"):
        at.stop(user)
        assert "Traceback" not in at.log(user), at.log(user)[-3_000:]


def test_processes_go_on_when_their_tokens_end(secured: Broker, installation: Secured) -> None:
    at = installation
    at.run("topics", "topics", "--partitions", "1")
    secured.endpoint.reset(life_s=LIFE_S)
    at.start("learner", "learn")
    at.start("worker", "worker", "--flush-after", "300ms")
    at.start("sink", "sink")
    producer = Producer(Cluster(at.open_address))

    def send(number: int) -> None:
        customer = f"c{number}"
        content = event(Topic.ORDERS, f"o{number}", customer, datetime.now(UTC).isoformat())
        producer.send(at.settings.orders, customer.encode(), content)
        producer.flush()

    send(0)
    at.wait(lambda: at.stored() >= 1, "worker and sink are in")
    fetched = secured.endpoint.asked
    for number in range(1, CUSTOMERS):  # over more than four lives of a token
        send(number)
        threading.Event().wait(5 * LIFE_S / CUSTOMERS)
    producer.close()
    at.wait(lambda: at.stored() >= CUSTOMERS, "each warning is stored")
    assert secured.endpoint.asked >= fetched + 4
    for user in ("worker", "sink", "learner"):
        at.stop(user)
        assert "Traceback" not in at.log(user), at.log(user)[-3_000:]
    found = consume(at.open_address, at.settings.warnings_topic, CUSTOMERS + 1, 2)
    assert sorted(record.key.decode() for record in found) == sorted(f"c{n}" for n in range(CUSTOMERS))
