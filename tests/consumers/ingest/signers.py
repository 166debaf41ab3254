"""Deliveries as their senders make them: the body and the headers with its signature."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime

from standardwebhooks.webhooks import Webhook

NOW_S = 1_767_225_600.0
SECRETS = {
    "shopify": "made-up-secret-of-shopify",
    "woocommerce": "made-up-secret-of-woo",
    "stripe": "whsec_made_up_of_stripe",
    "signed": "whsec_" + base64.b64encode(b"k" * 32).decode(),
}
OTHER = {
    **dict.fromkeys(SECRETS, "another-made-up-secret"),
    "signed": "whsec_" + base64.b64encode(b"j" * 32).decode(),
}

Signer = Callable[..., dict[str, str]]


def _mac(secret: str, signed: bytes) -> hmac.HMAC:
    return hmac.new(secret.encode(), signed, hashlib.sha256)


def shopify(
    body: bytes, secret: str, *, id_: str = "d-1", topic: str = "orders/paid", **_: object
) -> dict[str, str]:
    return {
        "x-shopify-hmac-sha256": base64.b64encode(_mac(secret, body).digest()).decode(),
        "x-shopify-webhook-id": id_,
        "x-shopify-topic": topic,
        "x-shopify-shop-domain": "made-up.example.org",
    }


def woocommerce(
    body: bytes, secret: str, *, id_: str = "d-1", topic: str = "order.updated", **_: object
) -> dict[str, str]:
    return {
        "x-wc-webhook-signature": base64.b64encode(_mac(secret, body).digest()).decode(),
        "x-wc-webhook-delivery-id": id_,
        "x-wc-webhook-topic": topic,
        "x-wc-webhook-source": "https://made-up.example.org/",
    }


def stripe(body: bytes, secret: str, *, at_s: float = NOW_S, **_: object) -> dict[str, str]:
    time = str(int(at_s))
    mac = _mac(secret, f"{time}.".encode() + body).hexdigest()
    return {"stripe-signature": f"t={time},v1={mac},v0={'0' * 64}"}


def signed(body: bytes, secret: str, *, id_: str = "d-1", at_s: float = NOW_S, **_: object) -> dict[str, str]:
    at = datetime.fromtimestamp(int(at_s), UTC)
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(int(at_s)),
        # The library signs text.
        "webhook-signature": Webhook(secret).sign(id_, at, body.decode()),
    }


SIGNERS: dict[str, Signer] = {
    "shopify": shopify,
    "woocommerce": woocommerce,
    "stripe": stripe,
    "signed": signed,
}
