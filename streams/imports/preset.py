"""Mappings of well-known exports that come with Lapwing."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from streams.errors import EventFileError

PRESETS: Final = (
    "cdnow",
    "ga4",
    "magento-orders",
    "online-retail-ii",
    "shopify-orders",
    "stripe-events",
    "woocommerce-orders",
)
"""Their names."""


def preset(name: str) -> bytes:
    """Return the inputs.yaml of a preset; raise `EventFileError` where there is none of this name."""
    if name not in PRESETS:
        msg = f"there is no preset {name!r}; there are {', '.join(PRESETS)}"
        raise EventFileError(msg)
    return (files("streams.imports") / "presets" / f"{name}.yaml").read_bytes()
