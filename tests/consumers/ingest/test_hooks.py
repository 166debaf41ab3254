from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import msgspec
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from hypothesis import given
from hypothesis import strategies as st

from consumers.broker.errors import BrokerAway
from consumers.ingest.admission import Limits
from consumers.ingest.app import create_app
from consumers.ingest.hooks import STATUS, TRY_AGAIN, Hooks, Result, with_about
from consumers.ingest.intake import Intake
from tests.consumers.ingest.brokers import REJECTED, WITHIN_S, StubBroker, StubSources, until
from tests.consumers.ingest.signers import NOW_S, OTHER, SECRETS, SIGNERS

ORDER = {"id": "evt_1", "customer": "c1"}
LIMITS = Limits(largest=2_000, waiting=3, waiting_bytes=6_000, within_s=WITHIN_S)


class Shop:
    """An intake with a broker of its own, and senders."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.broker = StubBroker()
        self.intake = Intake(self.broker.connect, REJECTED, most=limits.waiting)
        self.hooks = Hooks(StubSources(), self.intake, limits, wall=lambda: NOW_S)
        self.client = TestClient(create_app(self.hooks))
        self.intake.start()
        assert self.broker.connected.wait(WITHIN_S)
        until(lambda: self.intake.trouble is None)

    def post(
        self,
        word: str,
        content: object = ORDER,
        *,
        secret: str | None = None,
        source: str | None = None,
        **how: object,
    ) -> Response:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        headers = SIGNERS[word](body, secret or SECRETS[word], **how)
        return self.client.post(f"/hooks/{source or word}", content=body, headers=headers)

    def results(self) -> dict[tuple[str, str], int]:
        return self.hooks.figures().requests


@pytest.fixture
def shop() -> Iterator[Shop]:
    made = Shop()
    yield made
    made.intake.stop()


def result(response: Response) -> tuple[int, str]:
    return response.status_code, response.json()["result"]


@pytest.mark.parametrize("word", SIGNERS)
def test_a_signed_delivery_is_written_once_however_often_it_comes(shop: Shop, word: str) -> None:
    assert result(shop.post(word)) == (200, "taken")
    assert result(shop.post(word)) == (200, "repeat")
    ((topic, key, value, _),) = shop.broker.records
    assert (topic, key) == ("orders", b"c1")
    assert {name: given for name, given in json.loads(value).items() if name != "_webhook"} == ORDER
    assert shop.results() == {(word, "repeat"): 1, (word, "taken"): 1}


@pytest.mark.parametrize("word", SIGNERS)
def test_a_wrong_signature_is_refused_before_anything_is_read(
    shop: Shop, word: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        assert result(shop.post(word, b"not json", secret=OTHER[word])) == (401, "signature")
        assert result(shop.post(word, {"customer": "secret-c"}, secret=OTHER[word])) == (401, "signature")
    assert shop.broker.records == []
    assert f"source={word}: wrong" in caplog.text
    assert "secret-c" not in caplog.text
    assert shop.hooks.figures().bytes == {}


def test_the_same_id_with_another_body_is_another_delivery(shop: Shop) -> None:
    # As WooCommerce has them, whose ids are of the second.
    assert result(shop.post("woocommerce", {"customer": "c1"})) == (200, "taken")
    assert result(shop.post("woocommerce", {"customer": "c2"})) == (200, "taken")
    assert len(shop.broker.records) == 2


def test_what_the_headers_say_can_be_mapped(shop: Shop) -> None:
    shop.post("shopify", id_="d-9", topic="orders/paid")
    about = json.loads(shop.broker.records[0][2])["_webhook"]
    assert about == {"id": "d-9", "topic": "orders/paid", "shop": "made-up.example.org"}


def test_an_address_that_is_tried_is_answered_and_nothing_is_written(shop: Shop) -> None:
    ping = shop.client.post("/hooks/woocommerce", content=b"webhook_id=7")
    assert result(ping) == (200, "test")
    body = json.dumps(ORDER).encode()
    headers = {**SIGNERS["shopify"](body, SECRETS["shopify"]), "X-Shopify-Test": "true"}
    assert result(shop.client.post("/hooks/shopify", content=body, headers=headers)) == (200, "test")
    unsigned = shop.client.post("/hooks/shopify", content=body, headers={"X-Shopify-Test": "true"})
    assert result(unsigned) == (401, "signature")
    assert result(shop.client.post("/hooks/shopify", content=b"webhook_id=7")) == (401, "signature")
    assert shop.broker.records == []


def test_a_source_that_is_not_there_is_no_label(shop: Shop) -> None:
    for number in range(5):
        assert result(shop.client.post(f"/hooks/made-up-{number}", content=b"{}")) == (404, "unknown")
    assert shop.results() == {("other", "unknown"): 5}


def test_a_body_that_is_too_large_is_refused_whether_it_says_so_or_not(shop: Shop) -> None:
    assert result(shop.post("signed", b"x" * 2_001)) == (413, "too_large")
    parts = shop.client.post("/hooks/signed", content=iter([b"x" * 1_500] * 2))
    assert result(parts) == (413, "too_large")
    assert shop.hooks.admission.bytes == 0


@pytest.mark.parametrize("body", [b"", b"{", b'{"a": \xff}', b"webhook_id=1", b"[" * 1_900])
def test_what_is_signed_and_not_json_is_the_senders_mistake(shop: Shop, body: bytes) -> None:
    headers = SIGNERS["woocommerce"](body, SECRETS["woocommerce"])
    answer = shop.client.post("/hooks/woocommerce", content=body, headers=headers)
    assert result(answer) == (400, "not_json")


def test_what_cannot_be_an_event_is_kept_and_not_sent_again(shop: Shop) -> None:
    assert result(shop.post("signed", {"bad": 1})) == (200, "refused")
    assert result(shop.post("signed", {"bad": 1})) == (200, "repeat")
    assert result(shop.post("signed", {"skip": 1}, id_="d-2")) == (200, "passed")
    assert [topic for topic, *_ in shop.broker.records] == [REJECTED]


def test_without_a_broker_senders_are_asked_to_try_again(shop: Shop) -> None:
    shop.broker.refuses = BrokerAway("Kafka at x cannot be reached")
    answer = shop.post("signed")
    assert result(answer) == (503, "away")
    assert answer.headers["Retry-After"] == "30"
    shop.broker.refuses = None
    until(lambda: shop.broker.connections > 1 and shop.intake.trouble is None)
    assert result(shop.post("signed")) == (200, "taken")


def test_a_broker_that_does_not_answer_in_time_is_not_waited_for() -> None:
    shop = Shop(Limits(within_s=0.0))
    shop.broker.holds = True
    try:
        assert result(shop.post("signed")) == (503, "late")
    finally:
        shop.intake.stop()


def test_beyond_the_limit_senders_are_asked_to_wait(shop: Shop) -> None:
    with shop.hooks.admission.enter(2_000), shop.hooks.admission.enter(2_000):
        answer = shop.client.post("/hooks/signed", content=iter([b"{}"]))
        assert result(answer) == (401, "signature")
        with shop.hooks.admission.enter(1):
            answer = shop.post("signed")
            assert result(answer) == (429, "full")
            assert answer.headers["Retry-After"] == "30"
    assert result(shop.post("signed")) == (200, "taken")


def test_a_defect_is_an_error_that_is_tried_again(shop: Shop) -> None:
    answer = shop.post("signed", {"crash": 1})
    assert result(answer) == (500, "failed")
    assert "Retry-After" in answer.headers


def test_every_result_has_a_status_and_each_that_may_pass_asks_to_try_again() -> None:
    assert set(STATUS) == set(Result)
    assert {each for each in Result if STATUS[each] >= 500 or STATUS[each] == 429} == TRY_AGAIN


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.text(max_size=5).filter(lambda name: name != "_webhook"), json_values, max_size=4),
    st.dictionaries(st.sampled_from(["id", "topic", "shop"]), st.text(max_size=9)),
    st.sampled_from(["", " ", "\n\t "]),
)
def test_what_the_headers_say_is_added_and_nothing_else_changes(
    content: dict[str, object], about: dict[str, str], blank: str
) -> None:
    body = (blank + json.dumps(content).replace("{", "{" + blank, 1) + blank).encode()
    found = msgspec.json.decode(with_about(body, about))
    assert found == ({**content, "_webhook": about} if about else content)
