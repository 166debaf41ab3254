"""Whether a webhook is from whom it says: the signature over the body's own bytes, in constant time.

Each scheme is a function of the body, the headers, the keys that are valid now (two while one takes the
other's place) and the clock, in seconds since the epoch.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final

TOLERANCE_S: Final = 300
"""How far a signed time may lie from the clock: what is older may be a recording that is played again."""
MOST_SIGNATURES: Final = 16
"""Looked at in one header."""
_PREFIX: Final = "whsec_"


class Verdict(StrEnum):
    """What a signature says."""

    GOOD = "good"
    MISSING = "missing"
    """There is none, or a header that belongs to it is not there."""
    MALFORMED = "malformed"
    """The header is not of the form that the sender writes."""
    WRONG = "wrong"
    """It is of another key or another body."""
    EXPIRED = "expired"
    """It is right, and its time lies too far from the clock."""


def shopify(body: bytes, headers: Mapping[str, str], keys: Sequence[bytes], now_s: float) -> Verdict:
    """Judge Shopify's: the body's HMAC in base64."""
    return _of_body("x-shopify-hmac-sha256", body, headers, keys)


def woocommerce(body: bytes, headers: Mapping[str, str], keys: Sequence[bytes], now_s: float) -> Verdict:
    """Judge WooCommerce's: the body's HMAC in base64."""
    return _of_body("x-wc-webhook-signature", body, headers, keys)


def stripe(body: bytes, headers: Mapping[str, str], keys: Sequence[bytes], now_s: float) -> Verdict:
    """Judge Stripe's: `t=SECONDS,v1=HEX`, several v1 while its key changes; other schemes are passed over."""
    header = headers.get("stripe-signature")
    if not header:
        return Verdict.MISSING
    fields = [each.strip().partition("=") for each in header.split(",")]
    times = [value for name, _, value in fields if name == "t"]
    given = [value for name, _, value in fields if name == "v1" and value]
    if len(times) != 1 or not _is_time(times[0]) or not 0 < len(given) <= MOST_SIGNATURES:
        return Verdict.MALFORMED
    signed = times[0].encode() + b"." + body
    expected = [_hmac(key, signed).hex() for key in keys]
    return _timely(times[0], now_s) if _any_equal(expected, given) else Verdict.WRONG


def standard(body: bytes, headers: Mapping[str, str], keys: Sequence[bytes], now_s: float) -> Verdict:
    """Judge that of the Standard Webhooks: `v1,BASE64` of id, time and body, several with spaces between."""
    id_, time, header = (headers.get(f"webhook-{name}") for name in ("id", "timestamp", "signature"))
    if not (id_ and time and header):
        return Verdict.MISSING
    fields = [each.partition(",") for each in header.split()]
    given = [value for scheme, _, value in fields if scheme == "v1" and value]
    if not _is_time(time) or not 0 < len(given) <= MOST_SIGNATURES:
        return Verdict.MALFORMED
    signed = _bytes(id_) + b"." + time.encode() + b"." + body
    expected = [_base64(_hmac(key, signed)) for key in keys]
    return _timely(time, now_s) if _any_equal(expected, given) else Verdict.WRONG


def text_key(secret: str) -> bytes:
    """Return the key of a secret that is used as it is written."""
    return secret.encode()


def standard_key(secret: str) -> bytes:
    """Return the key of `whsec_BASE64`; raises `ValueError` where it is none."""
    unpadded = secret.removeprefix(_PREFIX).rstrip("=")
    try:
        key = base64.b64decode(unpadded + "=" * (-len(unpadded) % 4), validate=True)
    except binascii.Error:
        key = b""
    if not 24 <= len(key) <= 64:
        msg = "it is not whsec_ and the base64 of 24 to 64 bytes"
        raise ValueError(msg)
    return key


def _of_body(name: str, body: bytes, headers: Mapping[str, str], keys: Sequence[bytes]) -> Verdict:
    given = headers.get(name)
    if not given:
        return Verdict.MISSING
    expected = [_base64(_hmac(key, body)) for key in keys]
    return Verdict.GOOD if _any_equal(expected, [given.strip()]) else Verdict.WRONG


def _any_equal(expected: Iterable[str], given: Sequence[str]) -> bool:
    found = False
    for right in expected:
        for each in given:
            # All are compared: how long it takes says nothing about which was right.
            found |= hmac.compare_digest(right.encode(), _bytes(each))
    return found


def _hmac(key: bytes, signed: bytes) -> bytes:
    return hmac.digest(key, signed, hashlib.sha256)


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def _bytes(text: str) -> bytes:
    """Return a header's own bytes; servers read them as Latin-1."""
    return text.encode("latin-1", "replace")


def _is_time(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 12


def _timely(time: str, now_s: float) -> Verdict:
    return Verdict.GOOD if abs(now_s - int(time)) <= TOLERANCE_S else Verdict.EXPIRED
