"""Sign-in at an OpenID provider, and every way in which an answer is not to be believed."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx2
import pytest
from fastapi.testclient import TestClient
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey

from consumers.database.database import Database
from consumers.desk.app import create_app
from consumers.desk.desk import Desk
from consumers.desk.pages.sign_in import ATTEMPT_COOKIE
from consumers.desk.people.access import Access, AccessTerms
from consumers.desk.people.audit import AuditFilter
from consumers.desk.people.oidc import CALLBACK, OidcProvider, OidcTerms, SignInRefused
from consumers.desk.people.person import Person, Role
from tests.consumers.desk.desks import STAFF, Staff, desk_over, member

ISSUER = "https://id.example"
DESK = "https://desk.example"
TERMS = OidcTerms(ISSUER, "desk", DESK, "a secret of the desk")
Claims = dict[str, Any]


@dataclass
class FakeProvider:
    """A provider that keeps to the protocol, unless a test bends what it says."""

    claims: Claims = field(default_factory=lambda: {"email": "Ann@Shop.example", "email_verified": True})
    bend_metadata: Callable[[Claims], Any] = lambda metadata: metadata
    bend_claims: Callable[[Claims], Claims] = lambda claims: claims
    bend_token: Callable[[str], str] = lambda token: token
    userinfo: Claims | None = None
    client_secret: str | None = TERMS.client_secret
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    signed_with: Any = None
    algorithm: str = "RS256"
    asked: dict[str, dict[str, str]] = field(default_factory=dict)
    """What browsers asked for, by the code they were given."""
    requests: list[str] = field(default_factory=list)

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request.url.path)
        match request.url.path:
            case "/.well-known/openid-configuration":
                metadata = {
                    "issuer": ISSUER,
                    "authorization_endpoint": f"{ISSUER}/authorize",
                    "token_endpoint": f"{ISSUER}/token",
                    "jwks_uri": f"{ISSUER}/keys",
                } | ({"userinfo_endpoint": f"{ISSUER}/me"} if self.userinfo is not None else {})
                return httpx2.Response(200, json=self.bend_metadata(metadata))
            case "/keys":
                return httpx2.Response(200, json=KeySet([self.key]).as_dict(private=False))
            case "/me":
                assert request.headers["authorization"] == "Bearer access"
                return httpx2.Response(200, json=self.userinfo)
            case "/token":
                return self._token(request)
        return httpx2.Response(404)

    def authorize(self, url: str) -> dict[str, str]:
        """Return what a browser comes back with that was sent to `url`, whose person agreed."""
        assert url.startswith(f"{ISSUER}/authorize?")
        asked = dict(parse_qsl(urlsplit(url).query))
        assert asked["redirect_uri"] == DESK + CALLBACK
        assert (asked["response_type"], asked["client_id"]) == ("code", "desk")
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = f"code-{len(self.asked)}"
        self.asked[code] = asked
        return {"code": code, "state": asked["state"]}

    def _token(self, request: httpx2.Request) -> httpx2.Response:
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        asked = self.asked.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or challenge != asked["code_challenge"]:
            return httpx2.Response(400, json={"error": "invalid_grant"})
        if self.client_secret is None:
            assert form["client_id"] == "desk"
        else:
            basic = base64.b64encode(f"desk:{self.client_secret}".encode()).decode()
            assert request.headers["authorization"] == f"Basic {basic}"
        assert form["redirect_uri"] == asked["redirect_uri"]
        now = int(time.time())
        claims = {
            "iss": ISSUER, "sub": "4711", "aud": "desk", "iat": now, "exp": now + 300,
            "nonce": asked["nonce"], **self.claims,
        }  # fmt: skip
        header = {"alg": self.algorithm, "kid": self.key.kid}
        signed = jwt.encode(
            header, self.bend_claims(claims), self.signed_with or self.key, algorithms=[self.algorithm]
        )
        token = {"access_token": "access", "token_type": "Bearer", "id_token": self.bend_token(signed)}
        return httpx2.Response(200, json=token)


def provider(fake: FakeProvider, terms: OidcTerms = TERMS) -> OidcProvider:
    return OidcProvider(terms, httpx2.MockTransport(fake))


def came_back(fake: FakeProvider, terms: OidcTerms = TERMS, secret: str = "attempt") -> tuple[str, str]:
    oidc = provider(fake, terms)
    found = oidc.identity(secret, fake.authorize(oidc.authorization_url(secret)))
    return found.kind, found.value


def test_the_provider_says_who_somebody_is() -> None:
    assert came_back(FakeProvider()) == ("email", "ann@shop.example")
    other = OidcTerms(ISSUER, "desk", DESK, TERMS.client_secret, "sub")
    assert came_back(FakeProvider(claims={}), other) == ("subject", "4711")
    public = OidcTerms(ISSUER, "desk", DESK)
    assert came_back(FakeProvider(client_secret=None), public) == ("email", "ann@shop.example")


def test_what_the_token_does_not_say_is_asked_for() -> None:
    said = {"sub": "4711", "email": "ann@shop.example", "email_verified": True}
    assert came_back(FakeProvider(claims={}, userinfo=said)) == ("email", "ann@shop.example")
    with pytest.raises(SignInRefused, match="another one"):
        came_back(FakeProvider(claims={}, userinfo={**said, "sub": "4712"}))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"iss": "https://evil.example"}, "cannot be believed"),
        ({"aud": "another"}, "cannot be believed"),
        ({"aud": ["another", "desk"], "azp": "another"}, "cannot be believed"),
        ({"aud": ["another", "desk"]}, ""),
        ({"nonce": "of another attempt"}, "cannot be believed"),
        ({"nonce": None}, "cannot be believed"),
        ({"exp": 1_000_000_000}, "cannot be believed"),
        ({"iat": 4_000_000_000}, "cannot be believed"),
        ({"nbf": 4_000_000_000}, "cannot be believed"),
        ({"sub": None}, "cannot be believed"),
        ({"exp": None}, "cannot be believed"),
        ({"email_verified": False}, "verified"),
        ({"email_verified": "true"}, "verified"),
        ({"email_verified": None}, "verified"),
        ({"email": None}, "does not say"),
        ({"email": ""}, "does not say"),
        ({"email": ["ann@shop.example"]}, "does not say"),
    ],
)
def test_a_token_for_somebody_or_something_else_is_refused(change: Claims, says: str) -> None:
    def bend(claims: Claims) -> Claims:
        merged = {**claims, **change}
        return {name: value for name, value in merged.items() if value is not None}

    fake = FakeProvider(bend_claims=bend)
    if not says:
        with pytest.raises(SignInRefused, match="azp"):
            came_back(fake)
        return
    with pytest.raises(SignInRefused, match=says):
        came_back(fake)


def test_a_token_that_others_signed_is_refused() -> None:
    another = RSAKey.generate_key(2048, {"kid": "one"})
    with pytest.raises(SignInRefused, match="cannot be believed"):
        came_back(FakeProvider(signed_with=another))
    shared = OctKey.import_key("a secret of the desk, long enough for it")
    with pytest.raises(SignInRefused, match="cannot be believed"):
        came_back(FakeProvider(signed_with=shared, algorithm="HS256"))

    def unsigned(token: str) -> str:
        head = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
        return f"{head}.{token.split('.')[1]}."

    for bend in (unsigned, lambda token: token[:-4] + "AAAA", lambda token: "", lambda token: "nonsense"):
        with pytest.raises(SignInRefused, match="cannot be believed"):
            came_back(FakeProvider(bend_token=bend))


def test_an_answer_of_another_attempt_is_refused_before_anything_is_asked() -> None:
    fake = FakeProvider()
    oidc = provider(fake)
    answer = fake.authorize(oidc.authorization_url("mine"))
    before = len(fake.requests)
    for secret, given in (
        ("yours", answer),
        ("mine", {"code": "x"}),
        ("", answer),
        ("mine", {**answer, "state": ""}),
    ):
        with pytest.raises(SignInRefused, match="another attempt"):
            oidc.identity(secret, given)
    assert len(fake.requests) == before
    with pytest.raises(SignInRefused, match="another provider"):
        oidc.identity("mine", {**answer, "iss": "https://evil.example"})
    assert oidc.identity("mine", {**answer, "iss": ISSUER}).value == "ann@shop.example"


def test_a_code_is_of_use_once_and_to_the_browser_that_asked_alone() -> None:
    fake = FakeProvider()
    oidc = provider(fake)
    answer = fake.authorize(oidc.authorization_url("mine"))
    oidc.identity("mine", answer)
    with pytest.raises(SignInRefused, match="invalid_grant"):
        oidc.identity("mine", answer)
    stolen = fake.authorize(oidc.authorization_url("yours"))
    mine = fake.authorize(oidc.authorization_url("mine"))
    with pytest.raises(SignInRefused, match="invalid_grant"):
        oidc.identity("mine", {"code": stolen["code"], "state": mine["state"]})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"issuer": "https://evil.example"}, "another provider"),
        ({"token_endpoint": "http://id.example/token"}, "no address by https"),
        ({"jwks_uri": "file:///etc/passwd"}, "no address by https"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "no address by https"),
    ],
)
def test_a_provider_that_is_another_is_not_asked(change: Claims, says: str) -> None:
    fake = FakeProvider(bend_metadata=lambda metadata: {**metadata, **change})
    with pytest.raises(SignInRefused, match=says):
        provider(fake).authorization_url("attempt")


def test_a_provider_that_is_away_is_said() -> None:
    def away(request: httpx2.Request) -> httpx2.Response:
        msg = "no route"
        raise httpx2.ConnectError(msg)

    for answer in (
        away,
        lambda request: httpx2.Response(500),
        lambda request: httpx2.Response(200, text="<html>"),
    ):
        oidc = OidcProvider(TERMS, httpx2.MockTransport(answer))
        with pytest.raises(SignInRefused, match="does not answer as it should"):
            oidc.authorization_url("attempt")


def test_new_keys_are_fetched_and_the_rest_is_not_asked_each_time() -> None:
    fake = FakeProvider()
    oidc = provider(fake)
    for _ in range(2):
        oidc.identity("a", fake.authorize(oidc.authorization_url("a")))
    assert fake.requests.count("/.well-known/openid-configuration") == fake.requests.count("/keys") == 1
    fake.key = RSAKey.generate_key(2048, {"kid": "two"})
    oidc.identity("a", fake.authorize(oidc.authorization_url("a")))
    assert fake.requests.count("/keys") == 2


@pytest.fixture
def desk(database: Database) -> Desk:
    return desk_over(database, staff=Staff())


def with_provider(desk: Desk, fake: FakeProvider, staff: Staff) -> TestClient:
    terms = AccessTerms(base_url=DESK)
    desk.access = Access(desk.database, desk.clock.wall, terms, staff, oidc=provider(fake))
    return TestClient(create_app(desk), base_url=DESK)


def test_a_browser_goes_to_the_provider_and_comes_back_signed_in(desk: Desk) -> None:
    fake, staff = FakeProvider(), Staff()
    client = with_provider(desk, fake, staff)
    assert "/sign-in/oidc?next=" in client.get("/sign-in").text
    sent = client.get("/sign-in/oidc", params={"next": "/?tier=high"}, follow_redirects=False)
    assert sent.status_code == 303
    cookie = next(each for each in sent.headers.get_list("set-cookie") if each.startswith(ATTEMPT_COOKIE))
    assert "HttpOnly; Max-Age=600; Path=/sign-in; SameSite=lax; Secure" in cookie
    answer = fake.authorize(sent.headers["location"])
    back = client.get(CALLBACK, params=answer, follow_redirects=False)
    assert (back.status_code, back.headers["location"]) == (303, "/?tier=high")
    assert ">ann ·" in client.get("/").text
    assert [(each.person, each.what, each.detail["by"]) for each in desk.audit.page(AuditFilter(), 9)] == [
        ("ann", "session.begin", "oidc")
    ]
    again = client.get(CALLBACK, params=answer, follow_redirects=False)
    assert again.status_code == 403
    staff.become(*(member(each, email=f"new-{each.name}@shop.example") for each in STAFF))
    assert client.get("/", follow_redirects=False).status_code == 303


def test_who_is_not_in_the_people_file_stays_outside(desk: Desk) -> None:
    fake = FakeProvider(claims={"email": "<b>eve</b>@shop.example", "email_verified": True})
    client = with_provider(desk, fake, Staff())
    sent = client.get("/sign-in/oidc", params={"next": "https://evil.example"}, follow_redirects=False)
    back = client.get(CALLBACK, params=fake.authorize(sent.headers["location"]))
    assert back.status_code == 403
    assert "&lt;b&gt;eve&lt;/b&gt;@shop.example does not work at this desk" in back.text
    assert client.get("/", follow_redirects=False).status_code == 303
    assert [each.what for each in desk.audit.page(AuditFilter(), 9)] == ["session.refuse"]


def test_a_refusal_of_the_provider_is_shown_and_counted(desk: Desk) -> None:
    fake = FakeProvider()
    client = with_provider(desk, fake, Staff())
    codes = []
    for _ in range(12):
        sent = client.get("/sign-in/oidc", follow_redirects=False)
        state = fake.authorize(sent.headers["location"])["state"]
        answer = {"state": state, "error": "access_denied", "error_description": "<i>no</i>"}
        refused = client.get(CALLBACK, params=answer)
        codes.append(refused.status_code)
        assert "<i>no</i>" not in refused.text
    assert codes == [403] * 10 + [429] * 2


def test_an_address_is_never_taken_for_a_subject(database: Database) -> None:
    """Somebody who chooses their own user name at the provider could choose an address."""
    fake = FakeProvider(claims={"preferred_username": "olga@shop.example"})
    desk = desk_over(database, staff=Staff())
    terms = OidcTerms(ISSUER, "desk", DESK, TERMS.client_secret, "preferred_username")
    staff = Staff(member(Person("olga", Role.OPERATOR)))
    desk.access = Access(
        desk.database, desk.clock.wall, AccessTerms(base_url=DESK), staff, oidc=provider(fake, terms)
    )
    client = TestClient(create_app(desk), base_url=DESK)
    sent = client.get("/sign-in/oidc", follow_redirects=False)
    back = client.get(CALLBACK, params=fake.authorize(sent.headers["location"]))
    assert back.status_code == 403


def test_without_a_provider_there_is_no_such_page(desk: Desk) -> None:
    client = TestClient(create_app(desk), base_url=DESK)
    assert client.get("/sign-in/oidc").status_code == 404
    assert client.get(CALLBACK, params={"state": "x"}).status_code == 404
