"""Addresses without the secrets in them, for messages, logs and the doctor."""

from __future__ import annotations

import re
from typing import Final

MASK: Final = "****"


def masked(address: str) -> str:
    """Return `address` with its password and whatever parameter holds a secret masked.

    >>> masked("postgresql://lapwing:hunter2@db/lapwing?password=hunter3&sslmode=require")
    'postgresql://lapwing:****@db/lapwing?password=****&sslmode=require'
    """
    text = re.sub(r"(://[^:/@]*:).*@", rf"\1{MASK}@", address)
    return re.sub(r"(?i)((?:password|secret|token|key)=)[^&]*", rf"\1{MASK}", text)
