"""Prometheus for the tests: its tool, and a server that scrapes what a test runs."""

from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.servers import Server, ServerAbsent

SCRAPE_INTERVAL_S = 1


@dataclass(frozen=True, slots=True)
class Series:
    """One series of an answer, with its newest value."""

    labels: Mapping[str, str]
    value: float


class Prometheus:
    """A running server."""

    def __init__(self, server: Server) -> None:
        self.address = server.address
        self.stop = server.stop

    def query(self, expression: str) -> list[Series]:
        """Return what an expression gives now, as a panel or a rule would see it."""
        data = self._get("query", query=expression)
        if data["resultType"] == "scalar":
            return [Series({}, float(data["result"][1]))]
        return [Series(each["metric"], float(each["value"][1])) for each in data["result"]]

    def targets(self) -> dict[str, str]:
        """Return the health of each scrape target by its job."""
        active = self._get("targets", state="active")["activeTargets"]
        return {each["labels"]["job"]: each["health"] for each in active}

    def wait_for(
        self, expression: str, *, until: Callable[[list[Series]], bool] = bool, within_s: float = 60
    ) -> list[Series]:
        """Return the first answer that `until` accepts: by default, any series at all."""
        deadline = time.monotonic() + within_s
        while not until(found := self.query(expression)):
            assert time.monotonic() < deadline, f"{expression} is {found} after {within_s} s"
            time.sleep(SCRAPE_INTERVAL_S / 2)
        return found

    def _get(self, path: str, **parameters: str) -> dict[str, Any]:
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{self.address}/api/v1/{path}?{query}", timeout=10) as answer:
            data: dict[str, Any] = json.load(answer)["data"]
            return data


Scrape: TypeAlias = Callable[[Mapping[str, Sequence[str]]], Prometheus]
"""Starts a server that scrapes the addresses (`host:port`) of each job."""


@pytest.fixture(scope="session")
def promtool() -> Path:
    """Return the path of promtool; skip where it cannot be had."""
    from scripts.debian import Missing  # not to be found before pytest is configured
    from scripts.prometheus import fetch

    try:
        return fetch()
    except Missing as reason:
        pytest.skip(f"no Prometheus: {reason}")


@pytest.fixture(scope="session")
def scrape(promtool: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scrape]:
    """Yield what starts a Prometheus; all are stopped at the end."""
    running: list[Prometheus] = []

    def start(jobs: Mapping[str, Sequence[str]]) -> Prometheus:
        configuration = {
            "global": {"scrape_interval": f"{SCRAPE_INTERVAL_S}s"},
            "scrape_configs": [
                {"job_name": job, "static_configs": [{"targets": list(addresses)}]}
                for job, addresses in jobs.items()
            ],
        }
        file = tmp_path_factory.mktemp("prometheus") / "prometheus.yaml"
        file.write_text(json.dumps(configuration))  # JSON is YAML
        try:
            server = Prometheus(Server("prometheus", str(file)))
        except ServerAbsent as reason:
            pytest.skip(f"no Prometheus: {reason}")
        running.append(server)
        return server

    yield start
    for server in running:
        server.stop()
