"""What a message says beside the warning itself, as data: each language has its own words for it.

The column `note` of notices and messages holds it as JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec


class DeferredNote(msgspec.Struct, frozen=True, tag="deferred"):
    """The message is late."""

    since: datetime
    why: str
    """A `MuteReason`."""
    silence: str | None = None
    """What the author of the silence wrote as its reason."""


class FlappingNote(msgspec.Struct, frozen=True, tag="flapping"):
    """The warning opens again and again, and the next notice comes when it has stopped."""

    times: int
    days: float


Note = DeferredNote | FlappingNote

_decode: Final = msgspec.json.Decoder(tuple[Note, ...]).decode


def encode_notes(notes: Sequence[Note]) -> str | None:
    """Return notes as they are stored; none are `None`."""
    return msgspec.json.encode(notes).decode() if notes else None


def with_note(stored: str | None, note: Note) -> str:
    """Return stored notes with one more."""
    before = decode_notes(stored)
    if any(isinstance(each, str) for each in before):
        return stored or ""  # of an earlier version, which has sentences
    return msgspec.json.encode([*before, note]).decode()


def decode_notes(stored: str | None) -> tuple[Note | str, ...]:
    """Return stored notes; what an earlier version wrote is the sentence itself.

    >>> decode_notes("Deferred since yesterday")
    ('Deferred since yesterday',)
    """
    if not stored:
        return ()
    try:
        return _decode(stored)
    except msgspec.MsgspecError:
        return (stored,)
