"""The broker of the tests: the embedded one, or Apache Kafka with `--broker kafka`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lapwing.demo.broker import EmbeddedBroker, broker_binary
from streams.errors import DemoError
from tests.servers import Server


@pytest.fixture(scope="session")
def broker(request: pytest.FixtureRequest) -> Iterator[str]:
    """Yield the address, `host:port`, of a broker for the session; tests on it use topics of their own."""
    if request.config.getoption("--broker") == "kafka":
        server: Server = request.getfixturevalue("kafka_server")
        yield server.address
        return
    try:
        broker_binary()
    except DemoError as reason:
        pytest.skip(str(reason))
    with EmbeddedBroker() as embedded:
        yield embedded.address
