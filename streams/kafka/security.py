"""How to get in to a broker: the options that a user may set, and the encryption that they ask for."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from streams.errors import BrokerError

Security = Mapping[str, str | bool]
"""kafka-python's options by name, and those of the token endpoint."""
SECURITY_KEYS: Final = frozenset(
    {
        "security_protocol",
        "sasl_mechanism",
        "sasl_plain_username",
        "sasl_plain_password",
        "sasl_kerberos_service_name",
        "sasl_kerberos_domain_name",
        "sasl_oauth_token_url",
        "sasl_oauth_client_id",
        "sasl_oauth_client_secret",
        "sasl_oauth_scope",
        "sasl_oauth_cafile",
        "ssl_cafile",
        "ssl_certfile",
        "ssl_keyfile",
        "ssl_password",
        "ssl_check_hostname",
        "ssl_crlfile",
    }
)
"""The names in `Security`."""


class CertificateFileError(BrokerError):
    """A file with certificates or a key cannot be used."""


def is_encrypted(security: Security) -> bool:
    """Return whether the connection is encrypted."""
    return "SSL" in str(security.get("security_protocol", ""))


def uses_sasl(security: Security) -> bool:
    """Return whether a client authenticates with SASL."""
    return str(security.get("security_protocol", "")).startswith("SASL")


def without_files(security: Security) -> dict[str, str | bool]:
    """Return the options without those that only `tls_context` and `token_source` read."""
    return {name: value for name, value in security.items() if not name.startswith(("ssl_", "sasl_oauth_"))}


def tls_context(security: Security) -> ssl.SSLContext | None:
    """Return what a connection is encrypted with, if it is: TLS 1.2 or newer, checking the certificate."""
    if not is_encrypted(security):
        return None
    cafile = security.get("ssl_cafile")
    try:
        context = ssl.create_default_context(cafile=str(cafile) if cafile else None)
    except OSError as error:
        msg = f"the certificates in ssl_cafile {cafile} cannot be read: {error.strerror or error}"
        raise CertificateFileError(msg) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = bool(security.get("ssl_check_hostname", True))
    _load_own(context, security)
    if crlfile := security.get("ssl_crlfile"):
        try:
            context.load_verify_locations(str(crlfile))
        except OSError as error:
            msg = (
                f"the revoked certificates in ssl_crlfile {crlfile} cannot be read: {error.strerror or error}"
            )
            raise CertificateFileError(msg) from error
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    return context


def _load_own(context: ssl.SSLContext, security: Security) -> None:
    """Take the client's own certificate and key, where there are any."""
    certfile, keyfile = security.get("ssl_certfile"), security.get("ssl_keyfile")
    if not certfile:
        return
    # Without a password OpenSSL would ask for it on the terminal; with an empty one it does not.
    password = str(security.get("ssl_password", ""))
    try:
        context.load_cert_chain(str(certfile), str(keyfile) if keyfile else None, password)
    except OSError as error:
        named = f"ssl_certfile {certfile}" + (f" with ssl_keyfile {keyfile}" if keyfile else "")
        why = _why(error, Path(str(keyfile or certfile)), has_password=bool(password))
        msg = f"the client certificate of {named} cannot be used: {why}"
        raise CertificateFileError(msg) from error


def _why(error: OSError, key: Path, *, has_password: bool) -> str:
    if not isinstance(error, ssl.SSLError):
        return error.strerror or str(error)
    if error.reason == "KEY_VALUES_MISMATCH":
        return "the key is that of another certificate"
    # OpenSSL gives the same reason for all that follows.
    with suppress(OSError):
        if "ENCRYPTED" in key.read_text(errors="replace"):
            if has_password:
                return "the password does not open the key"
            return "the key has a password: set LAPWING_SSL_KEY_PASSWORD"
    return "they hold no certificate and its key in PEM format"
