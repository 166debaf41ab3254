"""Listeners of a node that ask for a password, a token or a certificate, encrypt, or several of these.

Who has no access control list gets nothing, but for `lapwing` and whoever comes by the open listeners.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from joserfc.jwk import KeySet, RSAKey

from scripts.foreground import free_ports
from scripts.kafka.certificates import make_authority, write_certificate

PROTOCOLS: Final = {
    "SASL_PLAINTEXT": "SASL_PLAINTEXT",
    "SSL": "SSL",
    "SASL_SSL": "SASL_SSL",
    "CLIENT": "SSL",
    "EXPIRED": "SSL",
    "ELSEWHERE": "SSL",
}
"""The security protocol by listener. `CLIENT` asks clients for a certificate; that of `EXPIRED` has expired,
and that of `ELSEWHERE` is for another host."""
SCRAM: Final = ("SCRAM-SHA-256", "SCRAM-SHA-512")
MECHANISMS: Final = ("PLAIN", *SCRAM, "OAUTHBEARER")
USER: Final = "lapwing"
PASSWORD: Final = "right"
KEY_PASSWORD: Final = "keypass-1"
ISSUER: Final = "https://id.example"
AUDIENCE: Final = "kafka"
OAUTH: Final = "org.apache.kafka.common.security.oauthbearer"


@dataclass(frozen=True, slots=True)
class SecureListeners:
    """Where the listeners are, and what a client needs to get in."""

    addresses: dict[str, str]
    """The address by listener."""
    ca: str
    """A PEM file with the authority that has signed the node's certificates."""
    stranger: str
    """Another authority: who trusts only this one must refuse the node."""
    client: str
    """A PEM file with a certificate of `user` and its key."""
    locked_client: str
    """The same with a key that `key_password` opens."""
    expired_client: str
    foreign_client: str
    """Signed by the other authority."""
    token_key: str
    """A file with the key that tokens are signed with."""
    user: str = USER
    password: str = PASSWORD
    key_password: str = KEY_PASSWORD
    issuer: str = ISSUER
    audience: str = AUDIENCE
    users: dict[str, str] = field(default_factory=dict)
    """Further users with their passwords (PLAIN), who may do what access control lists allow."""

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_text(json.dumps(asdict(self)))

    def properties(self, folder: Path) -> dict[str, object]:
        """Return what `server.properties` needs beside the listeners' names."""
        values: dict[str, object] = {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": folder / "broker.pem",
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": self.ca,
            "listener.name.client.ssl.client.auth": "required",
            "listener.name.expired.ssl.keystore.location": folder / "expired.pem",
            "listener.name.expired.ssl.keystore.type": "PEM",
            "listener.name.elsewhere.ssl.keystore.location": folder / "elsewhere.pem",
            "listener.name.elsewhere.ssl.keystore.type": "PEM",
            "sasl.enabled.mechanisms": ",".join(MECHANISMS),
            "sasl.oauthbearer.jwks.endpoint.url": (folder / "tokens.json").as_uri(),
            "sasl.oauthbearer.expected.issuer": self.issuer,
            "sasl.oauthbearer.expected.audience": self.audience,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": f"User:ANONYMOUS;User:{self.user};User:CN={self.user}",
        }
        known = {self.user: self.password, **self.users}
        plain = "org.apache.kafka.common.security.plain.PlainLoginModule required "
        plain += " ".join(f'user_{name}="{password}"' for name, password in known.items())
        scram = "org.apache.kafka.common.security.scram.ScramLoginModule required"
        for listener in ("sasl_plaintext", "sasl_ssl"):
            place = f"listener.name.{listener}"
            values[f"{place}.plain.sasl.jaas.config"] = f"{plain};"
            for mechanism in SCRAM:
                values[f"{place}.{mechanism.lower()}.sasl.jaas.config"] = f"{scram};"
            values |= {
                f"{place}.oauthbearer.sasl.jaas.config": f"{OAUTH}.OAuthBearerLoginModule required;",
                f"{place}.oauthbearer.sasl.server.callback.handler.class": (
                    f"{OAUTH}.OAuthBearerValidatorCallbackHandler"
                ),
                # A connection lasts as long as its token at most.
                f"{place}.oauthbearer.connections.max.reauth.ms": 3_600_000,
            }
        return values

    @property
    def java_options(self) -> list[str]:
        """Return what the JVM has to be told: where keys of tokens may be read."""
        place = Path(self.token_key).with_name("tokens.json").as_uri()
        return [f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={place}"]

    @property
    def credentials(self) -> list[str]:
        """Return the arguments with which the storage is formatted, so that it knows the user."""
        login = f"[name={self.user},password={self.password}]"
        return [word for name in SCRAM for word in ("--add-scram", f"{name}={login}")]


def make_secure(folder: Path, users: Sequence[str] = ()) -> SecureListeners:
    """Choose ports and make certificates and keys in `folder`; return the listeners."""
    authority, stranger = make_authority("authority"), make_authority("stranger")
    for name, each in (("ca", authority), ("stranger", stranger)):
        (folder / f"{name}.pem").write_bytes(each.pem)
    write_certificate(folder / "broker.pem", authority, "broker")
    write_certificate(folder / "expired.pem", authority, "broker", expired=True)
    write_certificate(folder / "elsewhere.pem", authority, "broker", host="elsewhere.example")
    client = write_certificate(folder / "client.pem", authority, USER)
    locked = write_certificate(folder / "locked.pem", authority, USER, password=KEY_PASSWORD)
    old = write_certificate(folder / "old-client.pem", authority, USER, expired=True)
    foreign = write_certificate(folder / "foreign-client.pem", stranger, USER)
    key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
    (folder / "tokens.json").write_text(json.dumps(KeySet([key]).as_dict(private=False)))
    (folder / "token-key.json").write_text(json.dumps(key.as_dict(private=True)))
    ports = free_ports(len(PROTOCOLS))
    return SecureListeners(
        addresses={name: f"127.0.0.1:{port}" for name, port in zip(PROTOCOLS, ports, strict=True)},
        ca=str(folder / "ca.pem"),
        stranger=str(folder / "stranger.pem"),
        client=str(client),
        locked_client=str(locked),
        expired_client=str(old),
        foreign_client=str(foreign),
        token_key=str(folder / "token-key.json"),
        users={name: f"{name}-password" for name in users},
    )
