"""Why a client cannot get in to a broker, found by asking the broker with plain sockets.

The clients see only that a connection was closed. This asks as a client would, step by step, and reports the
first step that fails: the name, the port, the encryption, the password.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import socket
import ssl
import struct
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Final

from streams.errors import BrokerError
from streams.kafka.errors import BrokerTrouble
from streams.kafka.security import CertificateFileError, Security, tls_context
from streams.kafka.tokens import TokenRefused, token_source

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

    def __init__(self, alert: str = "") -> None:
        super().__init__(alert)
        self.alert = alert
        """What TLS gave as the reason."""


def diagnose(servers: str, security: Security) -> Diagnosis | None:
    """Return why nobody gets in, or `None` where one of the brokers lets such a client in.

    `security` are kafka-python's options. Of several brokers the first that answers at all is reported.
    """
    try:
        context = tls_context(security)
    except CertificateFileError as error:
        return Diagnosis(BrokerTrouble.CERTIFICATE, str(error))
    found: list[Diagnosis] = []
    for server in servers.split(","):
        host, _, port = server.strip().rpartition(":")
        try:
            _enter(host.strip("[]"), int(port), security, context)
        except _Refused as refused:
            found.append(Diagnosis(refused.trouble, f"Kafka at {server.strip()}: {refused}"))
        except (_Closed, OSError, ValueError):
            return None
        else:
            return None
    return next((each for each in found if each.trouble is not BrokerTrouble.ABSENT), found[0])


def _enter(host: str, port: int, security: Security, context: ssl.SSLContext | None) -> None:
    """Go in as a client does. Raises `_Refused` at the first step that fails."""
    protocol = str(security.get("security_protocol", "PLAINTEXT"))
    encrypts = context is not None
    plain = _connect(host, port)
    with closing(_encrypted(plain, context, host, port, security) if context else plain) as stream:
        try:
            _ask(stream, API_VERSIONS, b"")
        except _Closed as closed:
            _check_alert(closed.alert, security)
            if not encrypts and _is_tls(host, port):
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


def _encrypted(
    plain: socket.socket, context: ssl.SSLContext, host: str, port: int, security: Security
) -> socket.socket:
    try:
        return context.wrap_socket(plain, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        plain.close()
        text = f"its certificate is not trusted: {error.verify_message.rstrip('.')}; {_remedy(error)}"
        raise _Refused(BrokerTrouble.CERTIFICATE, text) from None
    except OSError as error:
        plain.close()
        _check_alert(_alert(error), security)
        if _answers_unencrypted(host, port):
            protocol = str(security["security_protocol"])
            text = f"the listener is not encrypted, but security_protocol is {protocol}: use "
            text += "SASL_PLAINTEXT" if protocol.startswith("SASL") else "PLAINTEXT or SASL_PLAINTEXT"
            raise _Refused(BrokerTrouble.PROTOCOL, text) from None
        raise


def _remedy(error: ssl.SSLCertVerificationError) -> str:
    match error.verify_code:
        case 9 | 10:  # not yet valid, expired
            return "the broker needs one that is valid now, or the clock of this machine is off"
        case 62 | 64:  # another host name, another address
            return "name the broker as its certificate does"
        case 3 | 12 | 23:  # no list of revoked certificates, an old one, revoked
            return "see ssl_crlfile"
    return "ssl_cafile must name the authority that signed it"


def _alert(error: OSError) -> str:
    """Return the reason that the other side gave in TLS for closing."""
    reason = error.reason if isinstance(error, ssl.SSLError) else None
    return reason if reason and "_ALERT_" in reason else ""


def _check_alert(alert: str, security: Security) -> None:
    """Raise `_Refused` where the alert is about the client's certificate."""
    why = alert.partition("_ALERT_")[2].replace("_", " ").lower()
    if "certificate" not in why and why not in ("unknown ca", "handshake failure", "decrypt error"):
        return
    if "ssl_certfile" not in security:
        text = f"it asks for a client certificate ({why}): name one with ssl_certfile"
    else:
        text = f"it does not take the client certificate of ssl_certfile ({why}): it may have expired, or be "
        text += "signed by an authority that the broker does not trust"
    raise _Refused(BrokerTrouble.CERTIFICATE, text)


def _is_tls(host: str, port: int) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # nothing is sent through it
    with suppress(OSError, _Refused), closing(_connect(host, port)) as plain:
        context.wrap_socket(plain, server_hostname=host).close()
        return True
    return False


def _answers_unencrypted(host: str, port: int) -> bool:
    with suppress(OSError, _Refused, _Closed), closing(_connect(host, port)) as plain:
        _ask(plain, API_VERSIONS, b"")
        return True
    return False


def _log_in(stream: socket.socket, security: Security, protocol: str) -> None:
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
    if mechanism == "OAUTHBEARER":
        _log_in_with_token(stream, security)
    elif mechanism == "PLAIN":
        _authenticate(stream, f"\0{user}\0{password}".encode(), wrong)
    elif mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
        hashing = hashlib.sha256 if mechanism.endswith("256") else hashlib.sha512
        first = f"n={user.replace('=', '=3D').replace(',', '=2C')},r={secrets.token_urlsafe(18)}"
        challenge = _authenticate(stream, f"n,,{first}".encode(), wrong).decode()
        _authenticate(stream, _scram(hashing, password, first, challenge), wrong)


def _log_in_with_token(stream: socket.socket, security: Security) -> None:
    source = token_source(security)
    if source is None:
        return
    try:
        token = source.token()
    except TokenRefused as error:
        raise _Refused(BrokerTrouble.DENIED, str(error)) from None
    except BrokerError as error:
        raise _Refused(BrokerTrouble.ABSENT, str(error)) from None
    text = f"it refuses the token of client {source.client_id!r}"
    refused = _Refused(BrokerTrouble.DENIED, text)
    answer = _authenticate(stream, f"n,,\x01auth=Bearer {token}\x01\x01".encode(), refused)
    if answer:  # RFC 7628: an error in JSON; the client confirms it, and the broker ends
        source.forget()
        status = re.search(rb'"status"\s*:\s*"([\w. -]{1,60})"', answer)
        why = f" ({status[1].decode()})" if status else ""
        raise _Refused(BrokerTrouble.DENIED, f"{text}{why}: see audience, issuer and scope")


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
    except OSError as error:
        raise _Closed(_alert(error)) from None


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
