"""An installation with every process, scraped; the tests of this folder share it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.integration.monitoring.monitored import JOBS, Monitored, monitored
from tests.lapwing.hook_samples import LOGIN
from tests.prometheus import SCRAPE_INTERVAL_S, Scrape


@pytest.fixture(scope="session")
def installation(
    broker: str, scrape: Scrape, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Monitored]:
    """Yield it with a shop of 150 customers, some of whom are warned about."""
    with monitored(tmp_path_factory.mktemp("monitored"), broker, scrape) as running:
        running.prometheus.wait_for("up == 1", until=lambda found: len(found) == len(JOBS))
        # Slowly enough for models to be published and adopted while outcomes still come.
        running.stack.run(*["simulate", "--customers", "150", "--days", "160", "--seed", "3", "--speed", "8"])
        stored = "SELECT count(*) FROM warnings"
        running.stack.wait(lambda: running.stack.stored(stored) > [(0,)], "warnings are stored", 90)
        for number in range(2):
            # A later one would take event time past all that the tests send.
            assert running.deliver(f"well-{number}", {**LOGIN, "at": "2023-06-19T16:00:00Z"}) == 200
            assert running.deliver(f"odd-{number}", {**LOGIN, "at": "soon"}) == 200
            for path in ("/", "/rules", "/nowhere"):
                running.ask(path)
            time.sleep(2 * SCRAPE_INTERVAL_S)  # a rate needs a first value
        yield running
