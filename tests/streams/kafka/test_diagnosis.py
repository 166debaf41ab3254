"""What can be found without a broker; with one it is tested in tests/integration/test_broker_security.py."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.kafka.diagnosis import diagnose
from streams.kafka.errors import BrokerTrouble


@pytest.fixture
def nobody() -> Iterator[str]:
    """Yield an address that is taken and on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


def test_a_broker_that_is_not_there_is_named_with_the_reason(nobody: str) -> None:
    found = diagnose(nobody, {})
    assert found is not None
    assert found.trouble is BrokerTrouble.ABSENT
    assert found.text == (
        f"Kafka at {nobody}: no broker answers (connection refused): start it, or name another with "
        "--broker HOST:PORT"
    )


def test_a_host_that_does_not_exist_is_named() -> None:
    found = diagnose("nowhere.invalid:9092", {})
    assert found is not None
    assert (found.trouble, found.text) == (
        BrokerTrouble.ABSENT,
        "Kafka at nowhere.invalid:9092: there is no host 'nowhere.invalid'",
    )


@pytest.mark.parametrize(("content", "why"), [(None, "No such file"), ("no certificate", "certificate")])
def test_certificates_that_cannot_be_read_are_named(
    tmp_path: Path, nobody: str, content: str | None, why: str
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    found = diagnose(nobody, {"security_protocol": "SSL", "ssl_cafile": str(file)})
    assert found is not None
    assert found.trouble is BrokerTrouble.CERTIFICATE
    assert f"the certificates in ssl_cafile {file} cannot be read" in found.text
    assert why.lower() in found.text.lower()


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n", b"\0\0\0\2ab", b"\x7f\xff\xff\xff"])
def test_a_server_that_is_no_broker_gives_no_diagnosis(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for _ in range(2):  # the question, and the attempt to encrypt
                connection, _ = server.accept()
                with connection:
                    connection.recv(1_000)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        assert diagnose(f"127.0.0.1:{server.getsockname()[1]}", {}) is None
        thread.join(10)
