"""The compose file's services as processes here: each gets ready, writes where it may, and ends."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from consumers.broker.client import Admin, Cluster
from lapwing.demo.broker import EmbeddedBroker, broker_binary, free_port
from streams.errors import DemoError
from tests.paths import ROOT
from tests.test_compose import COMPOSE, OURS, SERVICES, filled, prepare

WITHIN_S = 120.0
STAYING = [name for name in OURS if name != "topics"]
pytestmark = [pytest.mark.any_broker, pytest.mark.timeout(400)]


INPUTS = """\
version: 1
sources:
  shop:
    webhook: shopify
    events:
      - to: logins
        fields: {event_id: id, customer_id: customer, occurred_at: {path: at, time: rfc3339}}
"""


class Container:
    """A service's process, with the environment that compose would give it and this machine's paths."""

    def __init__(self, name: str, folder: Path, broker: str, number: int = 1) -> None:
        self.name = f"{name}-{number}"
        self.service: dict[str, Any] = SERVICES[name]
        self.folder = folder / self.name  # stands for the root file system
        self.folder.mkdir()
        self.ports = {port: str(free_port()) for port in ("8085", "8086", "9464")}
        self._places = {"kafka:19092": broker, "0.0.0.0:": "127.0.0.1:"} | self.ports
        for secret in self.service["secrets"]:
            self._places[f"/run/secrets/{secret}"] = str(folder / COMPOSE["secrets"][secret]["file"])
        home = self.folder
        for volume in self.service.get("volumes", []):
            source, place = volume.split(":")[:2]
            if place == "/var/lib/lapwing":
                home = folder / f"volume-{source}"
                home.mkdir(exist_ok=True)
            else:
                self._places[place] = str((folder if "/local/" in source else ROOT) / source)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LAPWING_")}
        environment["LAPWING_RULES"] = str(ROOT / "warning_rules")  # as in the image
        for key, value in self.service["environment"].items():
            environment[key] = self._here(filled(str(value)))
        self._environment = environment
        self._log = (folder / f"{self.name}.log").open("wb+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lapwing", *self.service["command"]],
            cwd=home,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    def _here(self, value: str) -> str:
        for place, here in self._places.items():
            value = value.replace(place, here)
        return value

    def log(self) -> str:
        return Path(str(self._log.name)).read_text(errors="replace")

    def health(self) -> int:
        """Run the service's own health check."""
        kind, command, *arguments = self.service["healthcheck"]["test"]
        assert (kind, command) == ("CMD", "python")
        done = subprocess.run(
            [sys.executable, *map(self._here, arguments)],
            env=self._environment,
            capture_output=True,
            check=False,
        )
        return done.returncode

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + WITHIN_S
        while self.health() != 0:
            assert self.process.poll() is None, self.log()[-3_000:]
            assert time.monotonic() < deadline, f"{self.name} does not get ready:\n{self.log()[-3_000:]}"
            time.sleep(0.5)

    def end(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        finally:
            self._log.close()


@pytest.fixture
def broker() -> Iterator[str]:
    """Yield the address of a broker of its own: compose uses the topics' default names."""
    try:
        broker_binary()
    except DemoError as reason:
        pytest.skip(str(reason))
    with EmbeddedBroker() as embedded:
        yield embedded.address


def test_every_service_gets_ready_and_writes_only_where_its_container_may(
    broker: str, tmp_path: Path
) -> None:
    token = re.findall(r"shown this once: (\w+)", prepare(tmp_path))[0]
    secrets = tmp_path / "deploy" / "local" / "secrets"
    (secrets / "database-url").write_text(f"sqlite:///{tmp_path / 'volume-database.db'}")
    (secrets / "notify-urls").write_text(f"json://127.0.0.1:{free_port()}/hook\n")
    (secrets / "ingest-secrets").write_text("shop=long-enough-to-be-taken\n")
    inputs = secrets.parent / "inputs" / "inputs.yaml"
    inputs.parent.mkdir()
    inputs.write_text(INPUTS)
    (inputs.parent / "follow.yaml").write_text(INPUTS.replace("webhook: shopify", "topic: shop.events"))
    admin = Admin(Cluster(broker))
    admin.create("shop.events", 2, 1, {})
    admin.close()
    topics = Container("topics", tmp_path, broker)
    assert topics.process.wait(WITHIN_S) == 0, topics.log()
    topics.end()
    with contextlib.ExitStack() as stack:
        running = []
        for name in STAYING:
            for number in range(SERVICES[name].get("deploy", {}).get("replicas", 1)):
                container = Container(name, tmp_path, broker, number + 1)
                stack.callback(container.end)
                running.append(container)
                if name == "sink":  # it makes the tables; compose restarts whoever comes before it
                    container.wait_until_ready()
        for container in running:
            container.wait_until_ready()
        desk = next(container for container in running if container.name.startswith("desk"))
        request = urllib.request.Request(
            f"http://127.0.0.1:{desk.ports['8085']}/api/queue", headers={"Authorization": f"Bearer {token}"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status == 200
        ended = {container.name: container.end() for container in running}
    assert set(ended.values()) == {0}, ended
    for container in (topics, *running):
        assert list(container.folder.iterdir()) == [], container.name
    assert {path.name for path in tmp_path.glob("volume-worker/*")} <= {"var"}
    assert token not in "".join(container.log() for container in running)
