from __future__ import annotations

import shutil
import socket
import ssl
import threading
from collections import namedtuple
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from consumers.broker.records import Record
from lapwing.doctor.check import made
from lapwing.doctor.installation import Installation
from lapwing.doctor.machine import certificates, clocks, disk, files
from lapwing.settings.settings import load_settings

Usage = namedtuple("Usage", "total used free")  # as shutil's


class Machine(Installation):
    """An installation on this machine, with a made-up broker and database."""

    def __init__(
        self, *, ahead: timedelta | None = None, records: Sequence[Record] = (), **settings: object
    ) -> None:
        super().__init__(load_settings(overrides=settings, environ={}))
        self._ahead = ahead
        self._records = records

    def ask_topics(self) -> Mapping[str, int]:
        return {"orders": 1}

    def database_ahead(self) -> timedelta | None:
        return self._ahead

    def newest(self, topics: Collection[str]) -> Sequence[Record]:
        return [record for record in self._records if record.topic in topics]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def found(check: Callable[[Installation], str], installation: Installation) -> tuple[str, str]:
    result = made("it", lambda: check(installation))
    return result.outcome.value, result.detail


def test_files_that_cannot_be_used_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("version: 1\nrules: []\n")
    machine = Machine(rules=str(rules), database=f"sqlite:///{tmp_path}/l.db")
    assert found(files, machine)[0] == "ok"
    asked: list[tuple[str, int]] = []

    def access(path: Path, mode: int) -> bool:  # whoever runs the tests may be root, who may do all
        asked.append((str(path), mode))
        return path != rules

    monkeypatch.setattr("os.access", access)
    outcome, text = found(files, machine)
    assert outcome == "failed"
    assert text.startswith(f"rules: {rules} cannot be read by this user: ")
    assert [path for path, _ in asked] == [str(rules), str(tmp_path), str(tmp_path)]


@pytest.mark.parametrize(
    ("free", "outcome"),
    [
        (50_000_000_000, "ok"),
        (9_999_000_000, "warning"),
        (1_999_000_000, "failed"),
        (90_000_000, "failed"),
    ],
)
def test_disk(free: int, outcome: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(100_000_000_000, 0, free))
    assert found(disk, Machine())[0] == outcome


def test_a_small_disk_has_little_left_below_a_gigabyte(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(2_000_000_000, 0, 900_000_000))
    assert found(disk, Machine())[0] == "warning"


def test_what_is_kept_elsewhere_needs_no_disk_here() -> None:
    machine = Machine(checkpoints="s3://bucket/lapwing", database="postgresql://host/db")
    assert found(disk, machine)[0] == "skipped"


def dated(ahead: timedelta) -> list[Record]:
    at = datetime.now(UTC) + ahead
    return [Record("orders", 0, 5, int(at.timestamp() * 1000), b"k", b"{}", ())]


@pytest.mark.parametrize(
    ("ahead", "record", "outcome", "words"),
    [
        (None, None, "skipped", "there is no clock"),
        (timedelta(seconds=1), timedelta(days=-3), "ok", "no record is dated in the future"),
        (timedelta(seconds=60), None, "warning", "the database's clock is 60 s ahead of this machine's"),
        (timedelta(seconds=-60), None, "warning", "60 s behind this machine's"),
        (None, timedelta(minutes=10), "warning", "the newest record of orders is dated"),
    ],
)
def test_clocks(ahead: timedelta | None, record: timedelta | None, outcome: str, words: str) -> None:
    machine = Machine(ahead=ahead, records=() if record is None else dated(record))
    result = found(clocks, machine)
    assert result[0] == outcome, result
    assert words in result[1]


def certificate(folder: Path, days: int) -> tuple[Path, Path]:
    """Write a certificate of this machine that is valid for so many days, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made_for = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days, hours=1))
        .add_extension(made_for, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / f"{days}.pem", folder / f"{days}.key"
    certificate.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return certificate, private


@contextmanager
def listening(certificate: Path, key: Path) -> Iterator[int]:
    """Yield the port of a server that shows this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("localhost", 0)) as server:

        def serve() -> None:
            try:
                plain, _ = server.accept()
                context.wrap_socket(plain, server_side=True).close()
            except OSError:
                pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(5)


@pytest.mark.parametrize(
    ("days", "own_days", "outcome"), [(90, 90, "ok"), (20, 90, "warning"), (90, 20, "warning")]
)
def test_certificates(tmp_path: Path, days: int, own_days: int, outcome: str) -> None:
    shown, key = certificate(tmp_path, days)
    own, own_key = certificate(tmp_path, own_days) if own_days != days else (shown, key)
    with listening(shown, key) as port:
        machine = Machine(
            broker=f"localhost:{port}",
            security_protocol="SSL",
            ssl_cafile=str(shown),
            ssl_certfile=str(own),
            ssl_keyfile=str(own_key),
        )
        result = found(certificates, machine)
    assert result[0] == outcome, result
    end = (datetime.now(UTC) + timedelta(days=min(days, own_days), hours=1)).strftime("%Y-%m-%d")
    assert end in result[1]
    assert ("our own" in result[1]) == (own_days < 30)


def test_without_encryption_there_is_no_certificate() -> None:
    assert found(certificates, Machine())[0] == "skipped"
