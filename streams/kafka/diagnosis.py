"""Why a client cannot get in to a broker, found by asking the broker with plain sockets.

The clients see only that a connection was closed. This asks as a client would, step by step, and reports the
first step that fails: the name, the port, the encryption, the password.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import socket
import ssl
import struct
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Final

from streams.kafka.errors import BrokerTrouble

TIMEOUT_S: Final = 3.0
API_VERSIONS: Final = 18
METADATA: Final = 3
SASL_HANDSHAKE: Final = 17
SASL_AUTHENTICATE: Final = 36
UNSUPPORTED_MECHANISM: Final = 33
ILLEGAL_STATE: Final = 34
LARGEST: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is wrong, and how to put it right, in one line."""

    trouble: BrokerTrouble
    text: str


class _Refused(Exception):
    """A step failed."""

    def __init__(self, trouble: BrokerTrouble, text: str) -> None:
        super().__init__(text)
        self.trouble = trouble


class _Closed(Exception):
    """The broker closed the connection, or answered what is no answer."""


def diagnose(servers: str, security: Mapping[str, str | bool]) -> Diagnosis | None:
    """Return why nobody gets in, or `None` where one of the brokers lets such a client in.

    `security` are kafka-python's options. Of several brokers the first that answers at all is reported.
    """
    found: list[Diagnosis] = []
    for server in servers.split(","):
        host, _, port = server.strip().rpartition(":")
        try:
            _enter(host.strip("[]"), int(port), security)
        except _Refused as refused:
            found.append(Diagnosis(refused.trouble, f"Kafka at {server.strip()}: {refused}"))
        except (_Closed, OSError, ValueError):
            return None
        else:
            return None
    return next((each for each in found if each.trouble is not BrokerTrouble.ABSENT), found[0])


def _enter(host: str, port: int, security: Mapping[str, str | bool]) -> None:
    """Go in as a client does. Raises `_Refused` at the first step that fails."""
    protocol = str(security.get("security_protocol", "PLAINTEXT"))
    encrypts = protocol.endswith("SSL")
    context = _context(security) if encrypts else None
    plain = _connect(host, port)
    with closing(_encrypted(plain, context, host, port, protocol) if context else plain) as stream:
        try:
            _ask(stream, API_VERSIONS, b"")
        except _Closed:
            if not encrypts and _speaks_tls(host, port):
                text = f"the listener is encrypted, but security_protocol is {protocol}: use "
                text += "SASL_SSL" if protocol.startswith("SASL") else "SSL or SASL_SSL"
                raise _Refused(BrokerTrouble.PROTOCOL, text) from None
            raise
        if protocol.startswith("SASL"):
            _log_in(stream, security, protocol)
            return
        try:
            _ask(stream, METADATA, struct.pack(">i", 0))
        except _Closed:
            text = f"the listener asks for a user and a password, but security_protocol is {protocol}: use "
            raise _Refused(
                BrokerTrouble.PROTOCOL, text + ("SASL_SSL" if encrypts else "SASL_PLAINTEXT")
            ) from None


def _connect(host: str, port: int) -> socket.socket:
    try:
        return socket.create_connection((host, port), timeout=TIMEOUT_S)
    except socket.gaierror:
        raise _Refused(BrokerTrouble.ABSENT, f"there is no host {host!r}") from None
    except OSError as error:
        why = "no answer" if isinstance(error, TimeoutError) else (error.strerror or str(error)).lower()
        text = f"no broker answers ({why}): start it, or name another with --broker HOST:PORT"
        raise _Refused(BrokerTrouble.ABSENT, text) from None


def _context(security: Mapping[str, str | bool]) -> ssl.SSLContext:
    cafile = security.get("ssl_cafile")
    try:
        context = ssl.create_default_context(cafile=str(cafile) if cafile else None)
    except (OSError, ssl.SSLError) as error:
        text = f"the certificates in ssl_cafile {cafile} cannot be read: {error.strerror or error}"
        raise _Refused(BrokerTrouble.CERTIFICATE, text) from None
    context.check_hostname = bool(security.get("ssl_check_hostname", True))
    return context


def _encrypted(
    plain: socket.socket, context: ssl.SSLContext, host: str, port: int, protocol: str
) -> socket.socket:
    try:
        return context.wrap_socket(plain, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        plain.close()
        text = f"its certificate is not trusted: {error.verify_message.rstrip('.')}; "
        text += "ssl_cafile must name the authority that signed it"
        raise _Refused(BrokerTrouble.CERTIFICATE, text) from None
    except OSError:
        plain.close()
        if _speaks_plaintext(host, port):
            text = f"the listener is not encrypted, but security_protocol is {protocol}: use "
            text += "SASL_PLAINTEXT" if protocol.startswith("SASL") else "PLAINTEXT or SASL_PLAINTEXT"
            raise _Refused(BrokerTrouble.PROTOCOL, text) from None
        raise


def _speaks_tls(host: str, port: int) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # nothing is sent through it
    with suppress(OSError, _Refused), closing(_connect(host, port)) as plain:
        context.wrap_socket(plain, server_hostname=host).close()
        return True
    return False


def _speaks_plaintext(host: str, port: int) -> bool:
    with suppress(OSError, _Refused, _Closed), closing(_connect(host, port)) as plain:
        _ask(plain, API_VERSIONS, b"")
        return True
    return False


def _log_in(stream: socket.socket, security: Mapping[str, str | bool], protocol: str) -> None:
    mechanism = str(security.get("sasl_mechanism", "PLAIN"))
    user = str(security.get("sasl_plain_username", ""))
    password = str(security.get("sasl_plain_password", ""))
    answer = _ask(stream, SASL_HANDSHAKE, _text(mechanism), version=1)
    (code,) = struct.unpack_from(">h", answer)
    if code == UNSUPPORTED_MECHANISM:
        offered = ", ".join(_texts(answer[2:])) or "none"
        text = f"it does not take sasl_mechanism {mechanism}; it takes {offered}"
        raise _Refused(BrokerTrouble.DENIED, text)
    if code == ILLEGAL_STATE:
        other = protocol.removeprefix("SASL_")
        text = "the listener asks for no password, but security_protocol is "
        raise _Refused(BrokerTrouble.PROTOCOL, f"{text}{protocol}: use {other}")
    wrong = _Refused(
        BrokerTrouble.DENIED, f"it refuses user {user!r} with this password (sasl_mechanism {mechanism})"
    )
    if mechanism == "PLAIN":
        _authenticate(stream, f"\0{user}\0{password}".encode(), wrong)
    elif mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
        hashing = hashlib.sha256 if mechanism.endswith("256") else hashlib.sha512
        first = f"n={user.replace('=', '=3D').replace(',', '=2C')},r={secrets.token_urlsafe(18)}"
        challenge = _authenticate(stream, f"n,,{first}".encode(), wrong).decode()
        _authenticate(stream, _scram(hashing, password, first, challenge), wrong)


def _scram(hashing: Callable[..., hashlib._Hash], password: str, first: str, challenge: str) -> bytes:
    """Return the client's final message (RFC 5802)."""
    parts = dict(part.split("=", 1) for part in challenge.split(","))
    salt, rounds = base64.b64decode(parts["s"]), int(parts["i"])
    salted = hashlib.pbkdf2_hmac(hashing().name, password.encode(), salt, min(rounds, 1_000_000))
    final = f"c=biws,r={parts['r']}"
    client_key = hmac.digest(salted, b"Client Key", hashing)
    signed = f"{first},{challenge},{final}".encode()
    signature = hmac.digest(hashing(client_key).digest(), signed, hashing)
    proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
    return f"{final},p={base64.b64encode(proof).decode()}".encode()


def _authenticate(stream: socket.socket, token: bytes, wrong: _Refused) -> bytes:
    try:
        answer = _ask(stream, SASL_AUTHENTICATE, struct.pack(">i", len(token)) + token)
    except _Closed:
        raise wrong from None
    (code,) = struct.unpack_from(">h", answer)
    if code:
        raise wrong
    (length,) = struct.unpack_from(">h", answer, 2)
    start = 4 + max(0, length)
    (size,) = struct.unpack_from(">i", answer, start)
    return answer[start + 4 : start + 4 + max(0, size)]


def _ask(stream: socket.socket, key: int, body: bytes, version: int = 0) -> bytes:
    """Send a request and return the body of its answer, as far as it is needed here."""
    request = struct.pack(">hhi", key, version, 1) + _text("lapwing") + body
    try:
        stream.sendall(struct.pack(">i", len(request)) + request)
        (length,) = struct.unpack(">i", _exactly(stream, 4))
        if not 4 <= length <= LARGEST:
            raise _Closed
        return _exactly(stream, length)[4:]
    except OSError:
        raise _Closed from None


def _exactly(stream: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        piece = stream.recv(count - len(found))
        if not piece:
            raise _Closed
        found += piece
    return found


def _text(text: str) -> bytes:
    return struct.pack(">h", len(text.encode())) + text.encode()


def _texts(array: bytes) -> list[str]:
    (count,) = struct.unpack_from(">i", array)
    found, place = [], 4
    for _ in range(min(count, 100)):
        (length,) = struct.unpack_from(">h", array, place)
        found.append(array[place + 2 : place + 2 + length].decode(errors="replace"))
        place += 2 + length
    return found
