"""Certificates for a node and its clients, made anew for each run."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LIFE: Final = timedelta(days=30)
ADDRESS: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Authority:
    """Who signs certificates."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        """The certificate that clients trust."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _builder(
    name: str, issuer: str, key: ec.EllipticCurvePrivateKey, begins: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + LIFE)
    )


def make_authority(name: str) -> Authority:
    """Make an authority that no other one has signed."""
    key = _key()
    builder = _builder(name, name, key, datetime.now(UTC) - timedelta(hours=1))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return Authority(builder.sign(key, hashes.SHA256()), key)


def write_certificate(
    path: Path,
    authority: Authority,
    name: str,
    *,
    host: str = ADDRESS,
    expired: bool = False,
    password: str = "",
) -> Path:
    """Write a key and its certificate, signed by `authority`, to a PEM file; return the file."""
    begins = datetime.now(UTC) - (LIFE * 2 if expired else timedelta(hours=1))
    key = _key()
    issuer = authority.certificate.subject.rfc4514_string().removeprefix("CN=")
    try:
        names: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        names = x509.DNSName(host)
    builder = _builder(name, issuer, key, begins)
    builder = builder.add_extension(x509.SubjectAlternativeName([names]), critical=False)
    certificate = builder.sign(authority.key, hashes.SHA256())
    hidden = (
        serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        hidden or serialization.NoEncryption(),
    )
    path.touch(0o600)
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM) + authority.pem)
    return path
