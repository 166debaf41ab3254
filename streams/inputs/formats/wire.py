"""The header that serializers for a schema registry write before each record: a zero and the schema's id."""

from __future__ import annotations

from typing import Final

from streams.contract.rejected import RefusalReason
from streams.inputs.formats.reading import Refused

HEADER: Final = 5
"""Bytes: the magic byte and the id, big-endian."""


def schema_id(value: bytes) -> int | None:
    """Return the id of the schema that a record was written with, or `None` where it has no such header.

    >>> schema_id(bytes([0, 0, 0, 1, 4]) + b"...")
    260
    """
    if len(value) < HEADER or value[0] != 0:
        return None
    return int.from_bytes(value[1:HEADER], "big")


def no_header() -> Refused:
    """Return the refusal of a record without the header."""
    return Refused(
        RefusalReason.UNREADABLE,
        "the record does not begin with a schema's id (a zero byte and four more), as serializers for a "
        "schema registry write it",
    )
