"""Listeners of a node that ask for a password, encrypt, or both, with a certificate made for this node."""

from __future__ import annotations

import json
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from scripts.debian import require
from scripts.kafka.node import free_ports

PROTOCOLS: Final = ("SASL_PLAINTEXT", "SSL", "SASL_SSL")
MECHANISMS: Final = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
USER: Final = "lapwing"
PASSWORD: Final = "right"
STORE_PASSWORD: Final = "changeit"


@dataclass(frozen=True, slots=True)
class SecureListeners:
    """Where the listeners are, and what a client needs to get in."""

    addresses: dict[str, str]
    """The address by security protocol."""
    ca: str
    """A PEM file with the node's certificate, which no other authority has signed."""
    stranger: str
    """A PEM file with another certificate: who trusts only this one must refuse the node."""
    user: str = USER
    password: str = PASSWORD

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_text(json.dumps(asdict(self)))

    def properties(self, keystore: Path) -> dict[str, object]:
        """Return what `server.properties` needs beside the listeners' names."""
        jaas = "org.apache.kafka.common.security.plain.PlainLoginModule required"
        values: dict[str, object] = {
            "ssl.keystore.location": keystore,
            "ssl.keystore.password": STORE_PASSWORD,
            "ssl.keystore.type": "PKCS12",
            "sasl.enabled.mechanisms": ",".join(MECHANISMS),
        }
        for protocol in ("sasl_plaintext", "sasl_ssl"):
            values[f"listener.name.{protocol}.plain.sasl.jaas.config"] = (
                f'{jaas} user_{self.user}="{self.password}";'
            )
            for mechanism in ("scram-sha-256", "scram-sha-512"):
                scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
                values[f"listener.name.{protocol}.{mechanism}.sasl.jaas.config"] = scram
        return values

    @property
    def credentials(self) -> list[str]:
        """Return the arguments with which the storage is formatted, so that it knows the user."""
        login = f"[name={self.user},password={self.password}]"
        return [word for name in MECHANISMS[1:] for word in ("--add-scram", f"{name}={login}")]


def make_secure(folder: Path) -> tuple[SecureListeners, Path]:
    """Choose ports and make certificates in `folder`; return the listeners and the node's key store."""
    keystore, ca = _certificate(folder, "broker")
    _, stranger = _certificate(folder, "stranger")
    ports = free_ports(len(PROTOCOLS))
    addresses = {name: f"127.0.0.1:{port}" for name, port in zip(PROTOCOLS, ports, strict=True)}
    return SecureListeners(addresses, str(ca), str(stranger)), keystore


def _certificate(folder: Path, name: str) -> tuple[Path, Path]:
    keytool = require("keytool", "default-jre-headless")
    store, pem = folder / f"{name}.p12", folder / f"{name}.pem"
    store.unlink(missing_ok=True)
    common = ["-alias", name, "-keystore", str(store), "-storepass", STORE_PASSWORD]
    make = ["-genkeypair", "-keyalg", "RSA", "-storetype", "PKCS12", "-dname", "CN=127.0.0.1"]
    subprocess.run(
        [keytool, *make, "-ext", "SAN=IP:127.0.0.1", "-validity", "30", *common],
        check=True,
        capture_output=True,
    )
    subprocess.run(
        [keytool, "-exportcert", "-rfc", "-file", str(pem), *common], check=True, capture_output=True
    )
    return store, pem
