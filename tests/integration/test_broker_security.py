"""A wrong password, certificate or protocol is reported by its name, on Apache Kafka."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from consumers import WarningStream
from consumers.broker.client import Admin, Cluster, Producer
from lapwing.cli import lapwing
from streams.errors import BrokerError, LapwingError
from streams.kafka.diagnosis import diagnose
from streams.kafka.errors import BrokerTrouble
from tests.consumers.warning_events import life
from tests.paths import ROOT
from tests.servers import Server, ServerAbsent

pytestmark = [
    pytest.mark.kafka,
    # kafka-python leaves the sockets of failed handshakes to the garbage collector.
    pytest.mark.filterwarnings("ignore:Exception ignored in. <(ssl.SSLSocket|socket.socket)"),
]


@pytest.fixture(scope="module")
def listeners(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Yield where the listeners are, by security protocol, and the secrets."""
    folder = tmp_path_factory.mktemp("secure")
    file = folder / "secure.json"
    try:
        server = Server("kafka", "--data", str(folder / "data"), "--secure", str(file), "--heap", "512m")
    except ServerAbsent as reason:
        pytest.skip(f"no Apache Kafka: {reason}")
    described = json.loads(file.read_text())
    yield described | {"addresses": described["addresses"] | {"PLAINTEXT": server.address}}
    server.stop()


def options(listeners: dict[str, Any], protocol: str, **changes: str) -> dict[str, str]:
    """Return the right options for a protocol, with `changes`; an empty one is left out."""
    right = {"security_protocol": protocol}
    if "SASL" in protocol:
        right |= {"sasl_plain_username": listeners["user"], "sasl_plain_password": listeners["password"]}
        right["sasl_mechanism"] = "PLAIN"
    if protocol.endswith("SSL"):
        right["ssl_cafile"] = listeners["ca"]
    return {k: v for k, v in {**right, **changes}.items() if v}


WRONG_SCRAM = {"sasl_mechanism": "SCRAM-SHA-512", "sasl_plain_password": "wrong"}
RIGHT = ["PLAINTEXT", "SASL_PLAINTEXT", "SSL", "SASL_SSL"]
WRONG = [
    # listener, protocol of the client, changes, trouble, words
    ("SASL_PLAINTEXT", "SASL_PLAINTEXT", {"sasl_plain_password": "wrong"}, "DENIED", "user 'lapwing'"),
    ("SASL_SSL", "SASL_SSL", {"sasl_plain_password": "wrong"}, "DENIED", "refuses user 'lapwing'"),
    ("SASL_SSL", "SASL_SSL", {"sasl_plain_username": "nobody"}, "DENIED", "refuses user 'nobody'"),
    ("SASL_SSL", "SASL_SSL", WRONG_SCRAM, "DENIED", "SCRAM-SHA-512"),
    ("SASL_SSL", "SASL_SSL", {"sasl_mechanism": "GSSAPI"}, "DENIED", "does not take sasl_mechanism GSSAPI"),
    ("SSL", "SSL", {"ssl_cafile": ""}, "CERTIFICATE", "certificate is not trusted: self-signed"),
    ("SSL", "SSL", {"ssl_cafile": "stranger"}, "CERTIFICATE", "certificate is not trusted: self-signed"),
    ("SSL", "SSL", {"ssl_cafile": "/no/such.pem"}, "CERTIFICATE", "/no/such.pem cannot be read"),
    ("SSL", "PLAINTEXT", {}, "PROTOCOL", "encrypted, but security_protocol is PLAINTEXT: use SSL"),
    ("SASL_SSL", "SASL_PLAINTEXT", {}, "PROTOCOL", "security_protocol is SASL_PLAINTEXT: use SASL_SSL"),
    ("PLAINTEXT", "SSL", {}, "PROTOCOL", "is not encrypted, but security_protocol is SSL: use PLAINTEXT"),
    ("SASL_PLAINTEXT", "PLAINTEXT", {}, "PROTOCOL", "asks for a user and a password"),
    ("SASL_SSL", "SSL", {}, "PROTOCOL", "security_protocol is SSL: use SASL_SSL"),
    ("PLAINTEXT", "SASL_PLAINTEXT", {}, "PROTOCOL", "no password, but security_protocol is SASL_PLAINTEXT"),
]  # fmt: skip


@pytest.mark.parametrize("protocol", RIGHT)
def test_who_is_right_gets_in_and_nothing_is_wrong(listeners: dict[str, Any], protocol: str) -> None:
    address, security = listeners["addresses"][protocol], options(listeners, protocol)
    assert diagnose(address, security) is None
    admin = Admin(Cluster(address, security))
    assert isinstance(admin.partitions(), dict)
    admin.close()


def test_a_stream_of_warnings_gets_in(listeners: dict[str, Any]) -> None:
    address, security = listeners["addresses"]["SASL_SSL"], options(listeners, "SASL_SSL")
    cluster = Cluster(address, security)
    admin = Admin(cluster)
    admin.create("secured-warnings", 1, 1, {})
    admin.close()
    producer = Producer(cluster)
    for content in (*life("c1")[:2], b"nonsense"):
        producer.send("secured-warnings", b"c1", content)
    producer.flush()
    producer.close()
    with WarningStream(
        address, "secured", topic="secured-warnings", security=security, follow=False
    ) as stream:
        assert stream.run(lambda step: None) == 2
        assert list(stream.open) == ["c1"]
    refused = WarningStream(address, "wrong", security=security | {"sasl_plain_password": "wrong"})
    with pytest.raises(BrokerError, match="refuses user 'lapwing'"), refused:
        pass


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_the_right_scram_password_is_no_trouble(listeners: dict[str, Any], mechanism: str) -> None:
    security = options(listeners, "SASL_SSL", sasl_mechanism=mechanism)
    assert diagnose(listeners["addresses"]["SASL_SSL"], security) is None


@pytest.mark.parametrize(("listener", "protocol", "changes", "trouble", "words"), WRONG)
def test_who_is_wrong_is_given_the_cause(
    listeners: dict[str, Any], listener: str, protocol: str, changes: dict[str, str], trouble: str, words: str
) -> None:
    address = listeners["addresses"][listener]
    changes = {k: listeners["stranger"] if v == "stranger" else v for k, v in changes.items()}
    security = options(listeners, protocol, **changes)
    found = diagnose(address, security)
    assert found is not None
    assert found.trouble is BrokerTrouble[trouble]
    assert words in found.text
    if changes.get("sasl_mechanism") == "GSSAPI":
        return  # the client needs a library for it
    with pytest.raises(BrokerError) as caught:
        Admin(Cluster(address, security))
    assert str(caught.value) == found.text
    assert "wrong" not in str(caught.value)


COMMANDS = [
    ["tail", "--no-follow"],
    ["sink", "--no-follow", "--database", "sqlite://"],
    ["topics", "--check"],
    ["silence", "list"],
    ["rules", "audit"],
    ["worker", "--rules", str(ROOT / "warning_rules")],
]


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda words: words[0])
def test_every_command_reports_the_cause(
    listeners: dict[str, Any], arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "LAPWING_BROKER": listeners["addresses"]["SASL_SSL"],
        "LAPWING_SECURITY_PROTOCOL": "SASL_SSL",
        "LAPWING_SASL_MECHANISM": "PLAIN",
        "LAPWING_SASL_USERNAME": "lapwing",
        "LAPWING_SASL_PASSWORD": "hunter2",
        "LAPWING_SSL_CAFILE": listeners["ca"],
    }.items():
        monkeypatch.setenv(name, value)
    result = CliRunner().invoke(lapwing, arguments)
    assert isinstance(result.exception, LapwingError), result.output
    assert "refuses user 'lapwing' with this password" in str(result.exception)
    assert "hunter2" not in str(result.exception)
