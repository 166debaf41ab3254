from __future__ import annotations

import pytest

from consumers.ingest.senders import LONGEST, SENDERS, SHOPIFY, STRIPE, WOOCOMMERCE
from tests.consumers.ingest.signers import SECRETS, SIGNERS


def test_a_delivery_is_named_by_what_its_sender_keeps_when_it_tries_again() -> None:
    for word in ("shopify", "woocommerce", "signed"):
        sender = SENDERS[word]
        about = sender.about(SIGNERS[word](b"{}", SECRETS[word], id_="d-7"))
        assert sender.delivery_id(about, {"id": "of the body"}) == "d-7"
    assert STRIPE.delivery_id({}, {"id": "evt_1"}) == "evt_1"
    wrong: tuple[object, ...] = ({}, {"id": 7}, [])
    assert [STRIPE.delivery_id({}, each) for each in wrong] == ["", "", ""]


def test_headers_are_handed_on_by_our_names_and_cut() -> None:
    headers = SIGNERS["shopify"](b"{}", "x", topic="t" * 1000)
    about = SHOPIFY.about(headers)
    assert about == {"id": "d-1", "topic": "t" * LONGEST, "shop": "made-up.example.org"}
    assert WOOCOMMERCE.about({}) == {}


@pytest.mark.parametrize(
    ("body", "headers", "is_ping"),
    [
        (b"webhook_id=42", {}, True),
        (b"webhook_id=42", {"x-wc-webhook-signature": "x"}, False),
        (b"webhook_id=42&more=1", {}, False),
        (b"webhook_id=", {}, False),
        (b"{}", {}, False),
    ],
)
def test_woocommerce_asks_unsigned_whether_somebody_answers(
    body: bytes, headers: dict[str, str], is_ping: bool
) -> None:
    assert WOOCOMMERCE.is_ping(body, headers) is is_ping
    assert not SHOPIFY.is_ping(body, headers)


def test_shopify_says_of_a_test_that_it_is_one() -> None:
    assert SHOPIFY.is_test({"x-shopify-test": "true"})
    assert not SHOPIFY.is_test({"x-shopify-test": "false"})
    assert not SHOPIFY.is_test({})
    assert not STRIPE.is_test({"x-shopify-test": "true"})
