"""Tokens of a token endpoint, and every answer that is none."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from streams.errors import BrokerError
from streams.kafka import tokens
from streams.kafka.tokens import (
    ClientCredentials,
    TokenEndpointAway,
    TokenRefused,
    TokenSource,
    fetch_token,
    token_source,
)
from tests.token_endpoint import TokenEndpoint


@pytest.fixture(scope="module")
def running() -> Iterator[TokenEndpoint]:
    key = RSAKey.generate_key(2048, {"kid": "one"})
    with TokenEndpoint(key, "https://id.example", "kafka", client_id="ann:/ü") as endpoint:
        yield endpoint


@pytest.fixture
def endpoint(running: TokenEndpoint) -> TokenEndpoint:
    running.reset()
    return running


def credentials(endpoint: TokenEndpoint, **changes: str) -> ClientCredentials:
    own = {
        "token_url": endpoint.url,
        "client_id": endpoint.client_id,
        "client_secret": endpoint.client_secret,
    }
    return ClientCredentials(**{**own, **changes})


def test_a_token_and_its_life_are_what_the_endpoint_gives(endpoint: TokenEndpoint) -> None:
    token, life_s = fetch_token(credentials(endpoint, scope="kafka read"))
    assert token.count(".") == 2
    assert life_s == 3600
    assert endpoint.scopes == ["kafka read"]


def test_a_token_is_used_for_most_of_its_life(
    endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(tokens, "monotonic", lambda: now[0])
    source = TokenSource(credentials(endpoint))
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: source.token(), range(50)))) == 1
    assert endpoint.asked == 1
    now[0] = 0.79 * 3600
    source.token()
    assert endpoint.asked == 1
    now[0] = 0.81 * 3600
    source.token()
    assert endpoint.asked == 2
    source.forget()
    source.token()
    assert endpoint.asked == 3


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        ((400, {"error": "invalid_scope"}), TokenRefused, "refuses client 'ann:/ü': HTTP 400, invalid_scope"),
        ((401, {"error": "a \x1b[31m long text"}), TokenRefused, "HTTP 401"),
        ((302, {}), TokenRefused, "HTTP 302"),
        ((429, {}), TokenEndpointAway, "gives no token now: HTTP 429"),
        ((500, {}), TokenEndpointAway, "gives no token now: HTTP 500"),
        ((200, {}), TokenRefused, "answers without a bearer token"),
        ((200, {"access_token": "a\x01b"}), TokenRefused, "answers without a bearer token"),
        ((200, {"access_token": "a", "token_type": "mac"}), TokenRefused, "answers without a bearer token"),
        ((200, {"access_token": "a" * 70_000}), TokenRefused, "answers without a bearer token"),
    ],
)
def test_every_other_answer_is_an_error_in_one_line(
    endpoint: TokenEndpoint,
    monkeypatch: pytest.MonkeyPatch,
    answer: tuple[int, dict[str, Any]],
    kind: type[BrokerError],
    says: str,
) -> None:
    monkeypatch.setattr(endpoint, "answer", lambda *_: answer)
    with pytest.raises(kind) as caught:
        fetch_token(credentials(endpoint))
    text = str(caught.value)
    assert says in text
    assert endpoint.client_secret not in text
    assert text.isprintable()


@pytest.mark.parametrize(
    ("life", "used"), [(None, 60.0), ("x", 60.0), (True, 60.0), (-1, 60.0), (1e300, 60.0), (300, 300.0)]
)
def test_a_life_that_is_none_is_a_short_one(
    endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch, life: object, used: float
) -> None:
    monkeypatch.setattr(endpoint, "answer", lambda *_: (200, {"access_token": "a", "expires_in": life}))
    assert fetch_token(credentials(endpoint)) == ("a", used)


def test_an_endpoint_that_is_away_is_one_that_may_come_back(endpoint: TokenEndpoint) -> None:
    with pytest.raises(TokenEndpointAway, match=r"does not answer: .*refused"):
        fetch_token(credentials(endpoint, token_url="http://127.0.0.1:1/token"))
    with pytest.raises(TokenEndpointAway, match="does not answer"):  # it has no certificate
        fetch_token(credentials(endpoint, token_url=endpoint.url.replace("http:", "https:")))


def test_the_secret_is_in_no_repr(endpoint: TokenEndpoint) -> None:
    assert endpoint.client_secret not in repr(credentials(endpoint))


def test_all_connections_of_a_process_share_a_source() -> None:
    given = {
        "sasl_mechanism": "OAUTHBEARER",
        "sasl_oauth_token_url": "https://id.example/token",
        "sasl_oauth_client_id": "lapwing",
        "sasl_oauth_client_secret": "s",
    }
    assert token_source(given) is token_source(dict(given))
    assert token_source({**given, "sasl_oauth_client_id": "b"}) is not token_source(given)
    assert token_source({**given, "sasl_mechanism": "PLAIN"}) is None
    assert token_source({"sasl_mechanism": "OAUTHBEARER"}) is None
