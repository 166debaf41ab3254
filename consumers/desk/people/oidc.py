"""Sign-in at an OpenID provider: where to send a browser, and who came back.

Authlib does the OAuth of it (PKCE, the exchange of the code) and checks the ID token; it is imported when a
provider is set only, as it is an extra.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from streams.errors import DeskError

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

ALGORITHMS: Final = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"),
)
"""By which a token may be signed: with the provider's own key alone, never with a secret that is shared."""
CALLBACK: Final = "/sign-in/oidc/back"
_METADATA: Final = "/.well-known/openid-configuration"
_FRESH_S: Final = 3600.0
_TIMEOUT_S: Final = 10.0
_LEEWAY_S: Final = 60
_ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class SignInRefused(DeskError):
    """The provider did not say who somebody is, or cannot be believed."""


@dataclass(frozen=True, slots=True)
class OidcTerms:
    """A provider, as the settings have it."""

    issuer: str
    client_id: str
    base_url: str
    """Of the desk, as people see it: the provider sends them back there."""
    client_secret: str | None = None
    claim: str = "email"
    """Which says who somebody is."""

    @property
    def redirect_uri(self) -> str:
        """Where the provider sends people back to."""
        return self.base_url + CALLBACK


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is to the provider."""

    kind: str
    """`email` or `subject`: by which of them the people file knows them."""
    value: str


class OidcProvider:
    """An OpenID provider; one for a process."""

    def __init__(
        self,
        terms: OidcTerms,
        transport: Any = None,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        try:
            import authlib.integrations.httpx_client  # type: ignore[import-untyped]  # ships no types
        except ModuleNotFoundError as error:
            msg = f"sign-in at an OpenID provider needs {error.name}: pip install 'lapwing[oidc]'"
            raise DeskError(msg) from error
        self._clients = authlib.integrations.httpx_client
        self.terms = terms
        self._transport = transport
        self._monotonic = monotonic
        self._now = now
        self._metadata: Mapping[str, Any] = {}
        self._keys: KeySet | None = None
        self._read_at = -_FRESH_S

    def authorization_url(self, secret: str) -> str:
        """Return where to send a browser that is known by a secret of this one attempt."""
        with self._client() as client:
            metadata = self._discovered(client)
            url, _ = client.create_authorization_url(
                metadata["authorization_endpoint"],
                state=_derived("state", secret),
                nonce=_derived("nonce", secret),
                code_verifier=_derived("verifier", secret),
            )
        return str(url)

    def identity(self, secret: str, answer: Mapping[str, str]) -> Identity:
        """Return who came back with an answer of the provider; raises `SignInRefused`."""
        if not hmac.compare_digest(answer.get("state", "").encode(), _derived("state", secret).encode()):
            msg = "the answer belongs to another attempt: sign in again"
            raise SignInRefused(msg)
        if "error" in answer:
            msg = f"the provider refuses: {answer.get('error_description') or answer['error']}"[:300]
            raise SignInRefused(msg)
        with self._client() as client:
            metadata = self._discovered(client)
            if answer.get("iss", metadata["issuer"]) != metadata["issuer"]:
                msg = "the answer is of another provider"
                raise SignInRefused(msg)
            token = self._asked(
                lambda: client.fetch_token(
                    metadata["token_endpoint"],
                    grant_type="authorization_code",
                    code=answer.get("code", ""),
                    code_verifier=_derived("verifier", secret),
                )
            )
            claims = self._checked(client, token, _derived("nonce", secret))
            if self.terms.claim not in claims and "userinfo_endpoint" in metadata:
                more = self._asked(lambda: _document(client.get(metadata["userinfo_endpoint"])))
                if more.get("sub") != claims["sub"]:
                    msg = "what the provider says of the person is about another one"
                    raise SignInRefused(msg)
                claims = {**more, **claims}
        return self._named(claims)

    def _named(self, claims: Mapping[str, Any]) -> Identity:
        value = claims.get(self.terms.claim)
        if not isinstance(value, str) or not value.strip():
            msg = f"the provider does not say the person's {self.terms.claim}"
            raise SignInRefused(msg)
        if self.terms.claim != "email":
            return Identity("subject", value)
        if claims.get("email_verified") is not True:
            msg = "the provider has not verified the person's address"
            raise SignInRefused(msg)
        return Identity("email", value.strip().casefold())

    def _client(self) -> Any:
        terms = self.terms
        return self._clients.OAuth2Client(
            terms.client_id,
            terms.client_secret,
            token_endpoint_auth_method="client_secret_basic" if terms.client_secret else "none",
            scope="openid email profile",
            redirect_uri=terms.redirect_uri,
            code_challenge_method="S256",
            timeout=_TIMEOUT_S,
            **({"transport": self._transport} if self._transport is not None else {}),
        )

    def _discovered(self, client: Any) -> Mapping[str, Any]:
        """Return what the provider says of itself, read again each hour."""
        if self._monotonic() - self._read_at >= _FRESH_S:
            metadata = self._asked(
                lambda: _document(client.request("GET", self.terms.issuer + _METADATA, withhold_token=True))
            )
            _check_metadata(metadata, self.terms.issuer)
            self._metadata, self._keys = metadata, None
            self._read_at = self._monotonic()
        return self._metadata

    def _checked(self, client: Any, token: Mapping[str, Any], nonce: str) -> dict[str, Any]:
        """Return the claims of a token once they are known to be the provider's, and for this attempt."""
        from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]  # ships no types
        from joserfc import jwt
        from joserfc.errors import InvalidKeyIdError, JoseError
        from joserfc.jws import JWSRegistry

        registry = JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
        text = str(token.get("id_token", ""))
        try:
            if self._keys is None:
                self._keys = self._fetched_keys(client)
            try:
                read = jwt.decode(text, self._keys, registry=registry)
            except InvalidKeyIdError:  # the provider has changed its keys
                self._keys = self._fetched_keys(client)
                read = jwt.decode(text, self._keys, registry=registry)
            claims = CodeIDToken(
                read.claims,
                read.header,
                {
                    "iss": {"essential": True, "value": self._metadata["issuer"]},
                    "aud": {"essential": True, "value": self.terms.client_id},
                    "nonce": {"essential": True, "value": nonce},
                },
                {
                    "nonce": nonce,
                    "client_id": self.terms.client_id,
                    "access_token": token.get("access_token"),
                },
            )
            claims.validate(now=int(self._now()), leeway=_LEEWAY_S)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            msg = f"the provider's token cannot be believed: {error}"
            raise SignInRefused(msg) from error
        return dict(claims)

    def _fetched_keys(self, client: Any) -> KeySet:
        from joserfc.jwk import KeySet

        uri = self._metadata["jwks_uri"]
        found = self._asked(lambda: _document(client.request("GET", uri, withhold_token=True)))
        return KeySet.import_key_set(found)

    def _asked(self, ask: Callable[[], Any]) -> Any:
        import httpx2
        from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]  # ships no types

        try:
            return ask()
        except (httpx2.HTTPError, AuthlibBaseError, ValueError) as error:
            msg = f"the provider does not answer as it should: {type(error).__name__}: {error}"[:300]
            raise SignInRefused(msg) from error


def _derived(what: str, secret: str) -> str:
    """Return a value of one attempt that only its browser can show to know, and nothing has to keep."""
    return hashlib.sha256(f"oidc {what}:{secret}".encode()).hexdigest()


def _document(response: Any) -> dict[str, Any]:
    response.raise_for_status()
    found = response.json()
    if not isinstance(found, dict):
        msg = "no JSON object"
        raise ValueError(msg)
    return found


def _check_metadata(metadata: Mapping[str, Any], issuer: str) -> None:
    named = metadata.get("issuer")
    if not isinstance(named, str) or named.rstrip("/") != issuer:
        msg = f"{issuer} says that it is {named!r}: desk_oidc_issuer names another provider"
        raise SignInRefused(msg)
    for name in _ENDPOINTS:
        url = urlsplit(str(metadata.get(name, "")))
        if url.scheme != "https" and not (url.scheme == "http" and issuer.startswith("http://")):
            msg = f"the provider's {name} is no address by https"
            raise SignInRefused(msg)
