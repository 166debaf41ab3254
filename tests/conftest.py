"""Which broker the tests run on, and the servers they share."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from streams.telemetry.logs import OWN
from tests.paths import ROOT
from tests.schedule import ON_BROKER, ByUnit, spread, unit

DEPENDENCIES_OWN = (
    # kafka-python reads its message schemas with functions that Python 3.11 and 3.12 call deprecated.
    "ignore:(read|open)_text is deprecated:DeprecationWarning",
    # Dashboards in the older form, which every Grafana reads: the newer one needs Grafana 12.
    "ignore:Prefer using dashboardv2.Dashboard instead:DeprecationWarning",
    # Apprise looks for a module that Python 3.13 has no more.
    "ignore:'imghdr' is deprecated:DeprecationWarning",
    # kafka-python leaves the sockets of its failed attempts at an absent broker to the garbage collector.
    "ignore:Exception ignored in. <socket.socket .*laddr=.'0.0.0.0':pytest.PytestUnraisableExceptionWarning",
)
"""Warnings of libraries about themselves; all others are errors."""

# A slow machine is no mistake: examples have no deadline, and the suite as a whole has its timeouts.
hypothesis.settings.register_profile("lapwing", deadline=None)
hypothesis.settings.load_profile("lapwing")

pytest_plugins = [
    *("tests.brokers", "tests.databases", "tests.kafka_server", "tests.postgres", "tests.printing"),
    "tests.prometheus",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--broker",
        choices=("embedded", "kafka"),
        default="embedded",
        help="the broker of the `broker` fixture; tests marked `kafka` run on `kafka` only",
    )


def pytest_configure(config: pytest.Config) -> None:
    sys.path.insert(0, str(ROOT))  # `scripts` is tested and not installed
    for warning in DEPENDENCIES_OWN:
        config.addinivalue_line("filterwarnings", warning)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the files without a test on a broker where only those on Kafka are asked for."""
    if config.getoption("markexpr") != "kafka" or collection_path.suffix != ".py":
        return None
    return None if collection_path.relative_to(ROOT).as_posix().startswith(ON_BROKER) else True


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what runs on the broker as `kafka` where that is Kafka; skip what needs Kafka where it is not."""
    on_kafka = config.getoption("--broker") == "kafka"
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if on_kafka and "broker" in fixtures:
            item.add_marker(pytest.mark.kafka)
        if on_kafka and item.get_closest_marker("any_broker"):
            item.add_marker(pytest.mark.skip(reason="shows the same on every broker: make test"))
        if not on_kafka and item.get_closest_marker("kafka"):
            item.add_marker(pytest.mark.skip(reason="needs Apache Kafka: make test-kafka"))
        needs_broker = "broker" in fixtures or item.get_closest_marker("kafka")
        if needs_broker and not item.nodeid.startswith(ON_BROKER):
            msg = f"{item.nodeid} runs on a broker: its folder belongs in ON_BROKER of tests/schedule.py"
            raise pytest.UsageError(msg)
        if "postgres_url" in fixtures:
            item.add_marker(pytest.mark.postgres)
    if hasattr(config, "workerinput"):  # of xdist
        items[:] = spread(items, lambda item: unit(item.nodeid.partition("::")[0]), _waits)


@pytest.fixture(autouse=True)
def levels_of_own_logs() -> Iterator[None]:
    """Undo what a command that ran in the test's process made of the log's levels."""
    yield
    for name in OWN:
        logging.getLogger(name).setLevel(logging.NOTSET)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByUnit | None:
    """Give each process whole files, and those that share a stack to one."""
    return ByUnit(config, log) if config.getvalue("dist") == "loadfile" else None


def _waits(item: pytest.Item) -> bool:
    """Return whether a test mostly waits: for a broker, a database server, processes."""
    fixtures = getattr(item, "fixturenames", ())
    return "integration" in item.path.parts or "broker" in fixtures or "postgres_url" in fixtures
