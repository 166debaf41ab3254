"""What a connection is encrypted with, and what is wrong with the files for it."""

from __future__ import annotations

import ssl

import pytest

from scripts.kafka.certificates import make_authority, write_certificate
from streams.errors import BrokerError
from streams.kafka.security import SECURITY_KEYS, Security, tls_context, without_files


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("certificates")
    authority = make_authority("authority")
    (folder / "ca").write_bytes(authority.pem)
    (folder / "junk").write_text("hello")
    for name, password in {"own": "", "other": "", "locked": "a password"}.items():
        write_certificate(folder / name, authority, name, password=password)
    return {path.name: str(path) for path in folder.iterdir()} | {"absent": str(folder / "absent")}


def options(files: dict[str, str], **given: str) -> Security:
    return {"security_protocol": "SSL", **{name: files.get(value, value) for name, value in given.items()}}


def test_an_open_connection_needs_no_context(files: dict[str, str]) -> None:
    for protocol in ("PLAINTEXT", "SASL_PLAINTEXT"):
        assert tls_context({"security_protocol": protocol, "ssl_cafile": files["absent"]}) is None
    assert tls_context({}) is None


@pytest.mark.parametrize("protocol", ["SSL", "SASL_SSL"])
def test_the_certificate_and_the_host_are_checked(files: dict[str, str], protocol: str) -> None:
    given: dict[str, str | bool] = {"security_protocol": protocol, "ssl_cafile": files["ca"]}
    context = tls_context(given)
    assert context is not None
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    lax = tls_context({**given, "ssl_check_hostname": False})
    assert lax is not None
    assert (lax.verify_mode, lax.check_hostname) == (ssl.CERT_REQUIRED, False)


def test_a_certificate_of_the_client_s_own_is_taken(files: dict[str, str]) -> None:
    for given in (
        {"ssl_certfile": "own"},
        {"ssl_certfile": "own", "ssl_keyfile": "own"},
        {"ssl_certfile": "locked", "ssl_password": "a password"},
    ):
        assert tls_context(options(files, ssl_cafile="ca", **given)) is not None


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"ssl_cafile": "absent"}, "ssl_cafile {absent} cannot be read: No such file"),
        ({"ssl_cafile": "junk"}, "ssl_cafile {junk} cannot be read: "),
        ({"ssl_crlfile": "absent"}, "ssl_crlfile {absent} cannot be read: No such file"),
        ({"ssl_certfile": "absent"}, "ssl_certfile {absent} cannot be used: No such file"),
        ({"ssl_certfile": "own", "ssl_keyfile": "other"}, "the key is that of another certificate"),
        ({"ssl_certfile": "locked"}, "the key has a password: set LAPWING_SSL_KEY_PASSWORD"),
        ({"ssl_certfile": "locked", "ssl_password": "hunter2"}, "the password does not open the key"),
        ({"ssl_certfile": "ca"}, "no certificate and its key in PEM format"),
        ({"ssl_certfile": "own", "ssl_keyfile": "junk"}, "no certificate and its key in PEM format"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(files: dict[str, str], given: dict[str, str], says: str) -> None:
    with pytest.raises(BrokerError) as caught:
        tls_context(options(files, **given))
    assert says.format_map(files) in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_what_only_lapwing_reads_is_not_handed_to_the_clients() -> None:
    given = dict.fromkeys(SECURITY_KEYS, "x")
    assert set(without_files(given)) == {
        "security_protocol",
        "sasl_mechanism",
        "sasl_plain_username",
        "sasl_plain_password",
        "sasl_kerberos_service_name",
        "sasl_kerberos_domain_name",
    }
