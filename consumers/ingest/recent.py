"""Deliveries that were taken lately: one that comes again is answered at once.

A convenience and no guarantee: it is bounded and gone with the process. What makes a repeat harmless is that
it becomes an event with the same `event_id`, which a worker drops.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Final

MOST: Final = 20_000


def digest(source: str, delivery_id: str, body: bytes) -> bytes:
    """Return what a delivery is remembered by.

    The body is part of it: WooCommerce makes its ids of the second, so that two deliveries may have the same,
    and other senders do not sign them.
    """
    found = hashlib.sha256()
    for part in (source.encode(), delivery_id.encode(), body):
        found.update(len(part).to_bytes(8, "big") + part)
    return found.digest()[:16]


class Recent:
    """Remembers so many deliveries, and forgets the oldest."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._seen: OrderedDict[bytes, None] = OrderedDict()

    def __contains__(self, key: bytes) -> bool:
        return key in self._seen

    def add(self, key: bytes) -> None:
        """Remember a delivery that was taken."""
        self._seen[key] = None
        self._seen.move_to_end(key)
        while len(self._seen) > self._most:
            self._seen.popitem(last=False)
