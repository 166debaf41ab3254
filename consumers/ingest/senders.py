"""Who sends webhooks: how each signs, what its headers say of a delivery, and how it tries the address."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from consumers.ingest import signatures
from consumers.ingest.signatures import Verdict

LONGEST: Final = 200
"""Characters of a header that are handed on."""

Verify = Callable[[bytes, Mapping[str, str], Sequence[bytes], float], Verdict]


@dataclass(frozen=True, slots=True)
class Sender:
    """One kind of sender; `word` is what inputs.yaml calls it."""

    word: str
    verify: Verify
    key: Callable[[str], bytes] = signatures.text_key
    """From a secret as it is written to the key; raises `ValueError`."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """What a mapping can read of them under `_webhook`, by its name there."""
    is_ping: Callable[[bytes, Mapping[str, str]], bool] = lambda body, headers: False
    """Whether an unsigned request only tries whether somebody answers."""
    is_test: Callable[[Mapping[str, str]], bool] = lambda headers: False
    """Whether a delivery is made up, to try the address."""

    def about(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return what the headers say of a delivery, by our names for them; what is absent is left out."""
        found = {name: headers.get(header) for name, header in self.headers.items()}
        return {name: value[:LONGEST] for name, value in found.items() if value}

    def delivery_id(self, about: Mapping[str, str], content: Any) -> str:
        """Return what names the delivery: the same each time it is tried again; empty where nothing does."""
        if self.word == "stripe":
            found = content.get("id") if isinstance(content, dict) else None
            return found[:LONGEST] if isinstance(found, str) else ""
        return about.get("id", "")


def _woocommerce_ping(body: bytes, headers: Mapping[str, str]) -> bool:
    """Return whether WooCommerce asks if somebody answers, as it does unsigned when a webhook is saved."""
    return "x-wc-webhook-signature" not in headers and re.fullmatch(rb"webhook_id=\d{1,20}", body) is not None


def _shopify_test(headers: Mapping[str, str]) -> bool:
    return headers.get("x-shopify-test", "").lower() == "true"


SHOPIFY: Final = Sender(
    "shopify",
    signatures.shopify,
    headers={
        "id": "x-shopify-webhook-id",
        "event_id": "x-shopify-event-id",
        "topic": "x-shopify-topic",
        "shop": "x-shopify-shop-domain",
        "triggered_at": "x-shopify-triggered-at",
    },
    is_test=_shopify_test,
)
WOOCOMMERCE: Final = Sender(
    "woocommerce",
    signatures.woocommerce,
    headers={
        "id": "x-wc-webhook-delivery-id",
        "topic": "x-wc-webhook-topic",
        "shop": "x-wc-webhook-source",
    },
    is_ping=_woocommerce_ping,
)
STRIPE: Final = Sender("stripe", signatures.stripe)
SIGNED: Final = Sender(
    "signed",
    signatures.standard,
    signatures.standard_key,
    headers={"id": "webhook-id", "sent_at": "webhook-timestamp"},
)
SENDERS: Final = {each.word: each for each in (SHOPIFY, WOOCOMMERCE, STRIPE, SIGNED)}
"""By the word in inputs.yaml."""
