from __future__ import annotations

from datetime import UTC, datetime

from consumers.muting.notes import DeferredNote, FlappingNote, decode_notes, encode_notes, with_note

LATE = DeferredNote(datetime(2026, 3, 2, 12, tzinfo=UTC), "silence", "why")


def test_what_is_stored_is_read_again() -> None:
    stored = encode_notes([FlappingNote(3, 10.0)])
    assert decode_notes(stored) == (FlappingNote(3, 10.0),)
    assert decode_notes(with_note(stored, LATE)) == (FlappingNote(3, 10.0), LATE)
    assert decode_notes(with_note(None, LATE)) == (LATE,)


def test_without_notes_nothing_is_stored() -> None:
    assert encode_notes([]) is None
    assert decode_notes(None) == ()


def test_the_sentence_of_an_earlier_version_stays_alone() -> None:
    before = "Deferred since 2026-03-02 12:00 UTC: quiet hours"
    assert decode_notes(before) == (before,)
    assert with_note(before, LATE) == before
