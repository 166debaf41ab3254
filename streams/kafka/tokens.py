"""Tokens for SASL/OAUTHBEARER, from an OAuth 2 token endpoint by client credentials (RFC 6749, 4.4)."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass, field
from functools import lru_cache
from time import monotonic
from typing import Any, Final
from urllib.parse import quote_plus

import urllib3

from streams.errors import BrokerError
from streams.kafka.security import Security

TIMEOUT_S: Final = 5.0
LARGEST: Final = 64 * 1024
USED_FOR: Final = 0.8
"""The part of a token's life after which another one is fetched."""
UNSTATED_LIFE_S: Final = 60.0
"""How long a token is used of which the endpoint does not say how long it is good."""
_TOKEN: Final = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
_CODE: Final = re.compile(r"[\w.\-]{1,60}", re.ASCII)


class TokenRefused(BrokerError):
    """The endpoint answers and gives no token."""


class TokenEndpointAway(BrokerError):
    """The endpoint does not answer, or not now."""


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """Who asks which endpoint for tokens."""

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str = ""
    cafile: str = ""


class TokenSource:
    """The token in use; another one is fetched in time. Any thread may ask."""

    def __init__(self, credentials: ClientCredentials) -> None:
        self.client_id = credentials.client_id
        self._credentials = credentials
        self._lock = threading.Lock()
        self._token = ""
        self._good_until = 0.0

    def token(self) -> str:
        """Return a token that is good. Raises `TokenRefused` or `TokenEndpointAway`."""
        with self._lock:
            if not self._token or monotonic() >= self._good_until:
                self._token, life_s = fetch_token(self._credentials)
                self._good_until = monotonic() + life_s * USED_FOR
            return self._token

    def forget(self) -> None:
        """Let the next token be a new one: the broker has refused this one."""
        with self._lock:
            self._token = ""


@lru_cache(maxsize=8)
def _source(credentials: ClientCredentials) -> TokenSource:
    """Return the one source for these credentials: all connections of a process share its token."""
    return TokenSource(credentials)


def token_source(security: Security) -> TokenSource | None:
    """Return where a client gets its tokens from, if it authenticates with any."""
    if security.get("sasl_mechanism") != "OAUTHBEARER" or "sasl_oauth_token_url" not in security:
        return None
    names = ("token_url", "client_id", "client_secret", "scope", "cafile")
    given = {name: str(security.get(f"sasl_oauth_{name}", "")) for name in names}
    return _source(ClientCredentials(**given))


def fetch_token(credentials: ClientCredentials) -> tuple[str, float]:
    """Return a new token and for how many seconds it is good."""
    url = credentials.token_url
    fields = {"grant_type": "client_credentials"}
    if credentials.scope:
        fields["scope"] = credentials.scope
    # RFC 6749, 2.3.1: both parts are encoded as in a form before they are joined.
    login = f"{quote_plus(credentials.client_id)}:{quote_plus(credentials.client_secret)}"
    try:
        with urllib3.PoolManager(retries=False, ca_certs=credentials.cafile or None) as pool:
            answer = pool.request(
                "POST",
                url,
                fields=fields,
                encode_multipart=False,
                headers={**urllib3.make_headers(basic_auth=login), "accept": "application/json"},
                timeout=urllib3.Timeout(total=TIMEOUT_S),
                redirect=False,
                preload_content=False,
            )
            content = answer.read(LARGEST + 1)
            answer.drain_conn() if len(content) <= LARGEST else answer.close()
    except (urllib3.exceptions.HTTPError, OSError) as error:
        msg = f"the token endpoint {url} does not answer: {_why(error)}"
        raise TokenEndpointAway(msg) from error
    found = _object(content)
    if answer.status != 200:
        code = found.get("error")
        why = f"HTTP {answer.status}" + (f", {code}" if _CODE.fullmatch(str(code or "")) else "")
        if answer.status >= 500 or answer.status == 429:
            msg = f"the token endpoint {url} gives no token now: {why}"
            raise TokenEndpointAway(msg)
        msg = f"the token endpoint {url} refuses client {credentials.client_id!r}: {why}"
        raise TokenRefused(msg)
    token, kind = found.get("access_token"), str(found.get("token_type", "bearer"))
    if not isinstance(token, str) or not _TOKEN.fullmatch(token) or kind.lower() != "bearer":
        msg = f"the token endpoint {url} answers without a bearer token"
        raise TokenRefused(msg)
    return token, _life_s(found.get("expires_in"))


def _life_s(given: object) -> float:
    if isinstance(given, int | float) and not isinstance(given, bool) and 0 < given < 10**9:
        return float(given)
    return UNSTATED_LIFE_S


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _why(error: Exception) -> str:
    """Return the cause in a few words: urllib3's own texts have object addresses in them."""
    reason = getattr(error, "reason", None) or error
    text = str(reason).rpartition(">: ")[2] or type(reason).__name__
    return " ".join(text.split())[:200]
