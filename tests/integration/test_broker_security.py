"""A wrong password, certificate or protocol is reported by its name, on Apache Kafka."""

from __future__ import annotations

import asyncio
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
from streams.intake.broker import partition_counts
from streams.kafka.diagnosis import diagnose
from streams.kafka.errors import BrokerTrouble
from tests.consumers.warning_events import life
from tests.paths import ROOT
from tests.servers import Server, ServerAbsent
from tests.token_endpoint import TokenEndpoint

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


@pytest.fixture(scope="module")
def endpoint(listeners: dict[str, Any]) -> Iterator[TokenEndpoint]:
    """Yield a token endpoint whose tokens the listeners take."""
    with TokenEndpoint.of(listeners) as found:
        yield found


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
    ("SSL", "SSL", {"ssl_cafile": ""}, "CERTIFICATE", "not trusted: self-signed certificate in"),
    ("SSL", "SSL", {"ssl_cafile": "@stranger"}, "CERTIFICATE", "not trusted: self-signed certificate in"),
    ("SSL", "SSL", {"ssl_cafile": "/no/such.pem"}, "CERTIFICATE", "/no/such.pem cannot be read"),
    ("EXPIRED", "SSL", {}, "CERTIFICATE", "certificate has expired; the broker needs one that is valid now"),
    ("ELSEWHERE", "SSL", {}, "CERTIFICATE", "IP address mismatch"),
    ("CLIENT", "SSL", {}, "CERTIFICATE", "it asks for a client certificate"),
    ("CLIENT", "SSL", {"ssl_certfile": "@expired_client"}, "CERTIFICATE", "not take the client certificate"),
    ("CLIENT", "SSL", {"ssl_certfile": "@foreign_client"}, "CERTIFICATE", "not take the client certificate"),
    ("CLIENT", "SSL", {"ssl_certfile": "@locked_client"}, "CERTIFICATE", "the key has a password: set"),
    (
        "CLIENT",
        "SSL",
        {"ssl_certfile": "@locked_client", "ssl_password": "wrong"},
        "CERTIFICATE",
        "the password does not open the key",
    ),
    ("CLIENT", "SSL", {"ssl_certfile": "@ca"}, "CERTIFICATE", "no certificate and its key in PEM format"),
    ("CLIENT", "SSL", {"ssl_certfile": "/no/such.pem"}, "CERTIFICATE", "No such file or directory"),
    ("SSL", "PLAINTEXT", {}, "PROTOCOL", "encrypted, but security_protocol is PLAINTEXT: use SSL"),
    ("SASL_SSL", "SASL_PLAINTEXT", {}, "PROTOCOL", "security_protocol is SASL_PLAINTEXT: use SASL_SSL"),
    ("PLAINTEXT", "SSL", {}, "PROTOCOL", "is not encrypted, but security_protocol is SSL: use PLAINTEXT"),
    ("SASL_PLAINTEXT", "PLAINTEXT", {}, "PROTOCOL", "asks for a user and a password"),
    ("SASL_SSL", "SSL", {}, "PROTOCOL", "security_protocol is SSL: use SASL_SSL"),
    ("PLAINTEXT", "SASL_PLAINTEXT", {}, "PROTOCOL", "no password, but security_protocol is SASL_PLAINTEXT"),
]  # fmt: skip


CLIENTS = {
    "client": {"ssl_certfile": "@client"},
    "locked": {"ssl_certfile": "@locked_client", "ssl_password": "@key_password"},
    "two files": {"ssl_certfile": "@client", "ssl_keyfile": "@client"},
}


@pytest.mark.parametrize("changes", CLIENTS.values(), ids=CLIENTS)
def test_a_client_with_its_certificate_gets_in(listeners: dict[str, Any], changes: dict[str, str]) -> None:
    security = options(listeners, "SSL", **{k: listeners[v.removeprefix("@")] for k, v in changes.items()})
    address = listeners["addresses"]["CLIENT"]
    assert diagnose(address, security) is None
    admin = Admin(Cluster(address, security))
    admin.create(f"of-{len(changes)}-{len(security)}", 1, 1, {})  # as user CN=lapwing, who may
    assert isinstance(admin.partitions(), dict)
    admin.close()
    assert isinstance(asyncio.run(partition_counts(address, security)), dict)


def test_the_host_name_is_checked_unless_that_is_switched_off(listeners: dict[str, Any]) -> None:
    security: dict[str, str | bool] = {**options(listeners, "SSL"), "ssl_check_hostname": False}
    address = listeners["addresses"]["ELSEWHERE"]
    assert diagnose(address, security) is None
    Admin(Cluster(address, security)).close()
    assert isinstance(asyncio.run(partition_counts(address, security)), dict)


@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL"])
def test_who_has_a_token_gets_in(listeners: dict[str, Any], endpoint: TokenEndpoint, protocol: str) -> None:
    address, security = listeners["addresses"][protocol], token_options(listeners, protocol, endpoint)
    endpoint.reset()
    assert diagnose(address, security) is None
    admin = Admin(Cluster(address, security))
    assert isinstance(admin.partitions(), dict)
    admin.close()
    assert isinstance(asyncio.run(partition_counts(address, security)), dict)
    assert endpoint.asked <= 1  # a process fetches one for all of its connections


def token_options(
    listeners: dict[str, Any], protocol: str, endpoint: TokenEndpoint, **changes: str
) -> dict[str, str]:
    own = {
        "sasl_mechanism": "OAUTHBEARER",
        "sasl_plain_username": "",
        "sasl_plain_password": "",
        "sasl_oauth_token_url": endpoint.url,
        "sasl_oauth_client_id": endpoint.client_id,
        "sasl_oauth_client_secret": endpoint.client_secret,
    }
    return options(listeners, protocol, **{**own, **changes})


WRONG_TOKENS = [
    # of the endpoint, of the client, trouble, words
    (
        {},
        {"sasl_oauth_client_secret": "wrong"},
        "DENIED",
        "client 'lapwing': HTTP 401, invalid_client",
    ),
    ({}, {"sasl_oauth_token_url": "http://127.0.0.1:1/token"}, "ABSENT", "does not answer: "),
    ({"audience": "others"}, {"sasl_oauth_scope": "a"}, "DENIED", "refuses the token of client 'lapwing'"),
    ({"issuer": "https://x"}, {"sasl_oauth_scope": "b"}, "DENIED", "refuses the token of client 'lapwing'"),
    ({"life_s": -60}, {"sasl_oauth_scope": "c"}, "DENIED", "refuses the token of client 'lapwing'"),
    ({"status": 503}, {"sasl_oauth_scope": "d"}, "ABSENT", "gives no token now: HTTP 503"),
]


@pytest.mark.parametrize(("bent", "changes", "trouble", "words"), WRONG_TOKENS, ids=lambda v: str(v)[:40])
def test_who_has_no_token_or_a_wrong_one_is_given_the_cause(
    listeners: dict[str, Any],
    endpoint: TokenEndpoint,
    bent: dict[str, Any],
    changes: dict[str, str],
    trouble: str,
    words: str,
) -> None:
    endpoint.reset(**bent)
    address = listeners["addresses"]["SASL_SSL"]
    security = token_options(listeners, "SASL_SSL", endpoint, **changes)
    found = diagnose(address, security)
    assert found is not None
    assert found.trouble is BrokerTrouble[trouble]
    assert words in found.text
    for attempt in (
        lambda: Admin(Cluster(address, security)),
        lambda: asyncio.run(partition_counts(address, security)),
    ):
        with pytest.raises(BrokerError) as caught:
            attempt()
        assert words in str(caught.value)
        assert "wrong" not in str(caught.value)
    endpoint.reset()


@pytest.mark.parametrize("protocol", RIGHT)
def test_who_is_right_gets_in_and_nothing_is_wrong(listeners: dict[str, Any], protocol: str) -> None:
    address, security = listeners["addresses"][protocol], options(listeners, protocol)
    assert isinstance(asyncio.run(partition_counts(address, security)), dict)
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
    changes = {k: listeners.get(v.removeprefix("@"), v) if v[:1] == "@" else v for k, v in changes.items()}
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
