"""Deliveries as shops and payment services send them, made up and cut to what matters."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.consumers.ingest.signers import SECRETS, SIGNERS
from tests.paths import ROOT

PAGE: Final = ROOT / "docs" / "ingest.md"


def mappings() -> dict[str, str]:
    """Return the files of inputs on the page, by the word of their sender."""
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return {re.findall(r"webhook: (\w+)", block)[0]: block for block in blocks}


SHOPIFY_ORDER: Final[dict[str, Any]] = {
    "id": 820982911946154508,
    "admin_graphql_api_id": "gid://shopify/Order/820982911946154508",
    "cancelled_at": None,
    "created_at": "2026-01-05T11:00:00-05:00",
    "currency": "USD",
    "customer": {"id": 115310627314723954, "email": "jon@example.com"},
    "email": "jon@example.com",
    "line_items": [{"id": 866550311766439020, "price": "199.00", "quantity": 1}],
    "total_price": "398.00",
}
WOO_ORDER: Final[dict[str, Any]] = {
    "id": 727,
    "status": "processing",
    "currency": "EUR",
    "date_created": "2026-01-05T17:00:00",
    "date_created_gmt": "2026-01-05T16:00:00",
    "date_modified_gmt": "2026-01-06T08:30:00",
    "total": "29.35",
    "customer_id": 26,
    "billing": {"first_name": "Jon", "email": "jon@example.com"},
    "line_items": [{"id": 315, "name": "Woo Single #1", "quantity": 2, "total": "6.00"}],
}
STRIPE_EVENT: Final[dict[str, Any]] = {
    "id": "evt_1NG8Du2eZvKYlo2CUI79vXWy",
    "object": "event",
    "created": 1767628800,
    "livemode": False,
    "type": "charge.succeeded",
    "data": {
        "object": {
            "id": "ch_3MmlLrLkdIwHu7ix0snN0B15",
            "object": "charge",
            "amount": 1099,
            "currency": "jpy",
            "customer": "cus_9s6XKzkNRiz8i3",
        }
    },
}
LOGIN: Final[dict[str, Any]] = {
    "type": "login",
    "user": {"id": "u-7"},
    "at": "2026-01-05T16:00:00Z",
    "device": "app",
}


@dataclass(frozen=True)
class Sample:
    """A delivery, and the event that it becomes."""

    word: str
    content: Mapping[str, Any]
    event: Mapping[str, Any] | None
    """`None` where nothing becomes of it."""
    how: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        """Return the body as it is sent."""
        return json.dumps(self.content).encode()

    def headers(self, secret: str | None = None, **how: Any) -> dict[str, str]:
        """Return its headers with the signature."""
        return SIGNERS[self.word](self.body, secret or SECRETS[self.word], **{**self.how, **how})


AT: Final = "2026-01-05T16:00:00Z"
SAMPLES: Final = (
    Sample(
        "shopify",
        SHOPIFY_ORDER,
        {
            "customer_id": "shopify-115310627314723954",
            "occurred_at": AT,
            "order_id": "820982911946154508",
            "amount": 398.0,
            "currency": "USD",
            "status": "placed",
        },
        {"topic": "orders/paid"},
    ),
    Sample(
        "shopify",
        {**SHOPIFY_ORDER, "cancelled_at": "2026-01-07T00:00:00Z"},
        {"occurred_at": "2026-01-07T00:00:00Z", "status": "cancelled"},
        {"topic": "orders/cancelled"},
    ),
    Sample("shopify", {**SHOPIFY_ORDER, "customer": None}, None, {"topic": "orders/paid"}),
    Sample("shopify", SHOPIFY_ORDER, None, {"topic": "products/update"}),
    Sample(
        "woocommerce",
        WOO_ORDER,
        {
            "customer_id": "woo-26",
            "occurred_at": AT,
            "order_id": "727",
            "amount": 29.35,
            "currency": "EUR",
        },
        {"topic": "order.created"},
    ),
    Sample(
        "woocommerce",
        {**WOO_ORDER, "status": "refunded"},
        {"occurred_at": "2026-01-06T08:30:00Z", "status": "returned"},
        {"topic": "order.updated"},
    ),
    Sample("woocommerce", WOO_ORDER, None, {"topic": "order.updated"}),
    Sample("woocommerce", {**WOO_ORDER, "customer_id": 0}, None, {"topic": "order.created"}),
    Sample("woocommerce", {"id": 727}, None, {"topic": "order.deleted"}),
    Sample(
        "stripe",
        STRIPE_EVENT,
        {
            "event_id": "evt_1NG8Du2eZvKYlo2CUI79vXWy",
            "customer_id": "cus_9s6XKzkNRiz8i3",
            "occurred_at": AT,
            "order_id": "ch_3MmlLrLkdIwHu7ix0snN0B15",
            "amount": 1099.0,  # yen have no smaller unit
            "currency": "JPY",
        },
    ),
    Sample("stripe", {**STRIPE_EVENT, "type": "customer.created"}, None),
    Sample(
        "signed",
        LOGIN,
        {"event_id": "d-1", "customer_id": "u-7", "occurred_at": AT, "channel": "app"},
    ),
)
"""Each kind of delivery that the page's mappings take, and some that they leave out."""
