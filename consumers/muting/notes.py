"""What a message says beside the warning itself, as data: each language has its own words for it.

The column `note` of notices and messages holds it as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class DeferredNote:
    """The message is late."""

    since: datetime
    why: str
    """A `MuteReason`."""
    silence: str | None = None
    """What the author of the silence wrote as its reason."""


@dataclass(frozen=True, slots=True)
class FlappingNote:
    """The warning opens again and again, and the next notice comes when it has stopped."""

    times: int
    days: float


Note = DeferredNote | FlappingNote


def encode_notes(notes: Sequence[Note]) -> str | None:
    """Return notes as they are stored; none are `None`."""
    return json.dumps([_as_json(note) for note in notes], ensure_ascii=False) if notes else None


def with_note(stored: str | None, note: Note) -> str | None:
    """Return stored notes with one more; the sentence of an earlier version stays alone."""
    before = decode_notes(stored)
    notes = [each for each in before if not isinstance(each, str)]
    return stored if len(notes) < len(before) else encode_notes([*notes, note])


def decode_notes(stored: str | None) -> tuple[Note | str, ...]:
    """Return stored notes; what an earlier version wrote is the sentence itself.

    >>> decode_notes("Deferred since yesterday")
    ('Deferred since yesterday',)
    """
    if not stored:
        return ()
    try:
        return tuple(_note(each) for each in json.loads(stored))
    except (ValueError, TypeError, KeyError):
        return (stored,)


def _as_json(note: Note) -> dict[str, Any]:
    if isinstance(note, DeferredNote):
        return {
            "type": "deferred",
            "since": note.since.isoformat(),
            "why": note.why,
            "silence": note.silence,
        }
    return {"type": "flapping", "times": note.times, "days": note.days}


def _note(found: dict[str, Any]) -> Note:
    if found["type"] == "deferred":
        return DeferredNote(datetime.fromisoformat(found["since"]), found["why"], found["silence"])
    return FlappingNote(found["times"], found["days"])
