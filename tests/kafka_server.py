"""A real Apache Kafka for the session, from the jars that `make test-kafka` keeps between runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers import Server, ServerAbsent


@pytest.fixture(scope="session")
def kafka_server() -> Iterator[Server]:
    """Yield a running Apache Kafka; skip where it cannot be had."""
    try:
        server = Server("kafka")
    except ServerAbsent as reason:
        pytest.skip(f"no Apache Kafka: {reason}")
    yield server
    server.stop()
