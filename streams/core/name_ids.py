"""Ids that follow from a name alone: the same name always gives the same one."""

from __future__ import annotations

from hashlib import sha1
from typing import Final
from uuid import UUID

_VARIANT: Final = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


def name_id(namespace: UUID, name: str) -> str:
    """Return `str(uuid5(namespace, name))`, four times as fast.

    >>> name_id(UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8"), "python.org")
    '886313e1-3b8a-5372-9b90-0c9aee199e5d'
    """
    digest = sha1(namespace.bytes + name.encode(), usedforsecurity=False).hexdigest()
    return (
        f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{_VARIANT[digest[16]]}{digest[17:20]}-{digest[20:32]}"
    )
