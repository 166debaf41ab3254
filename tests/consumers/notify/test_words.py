"""The same words in every language."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime

from consumers.muting.notes import DeferredNote, FlappingNote, Note, encode_notes, with_note
from consumers.muting.notice import MuteReason
from consumers.notify.routes import LANGUAGES
from consumers.notify.templates import KINDS, Templates
from consumers.notify.words import CHINESE, ENGLISH, WORDS, filters_of, note_words
from streams.core.decision.decision import VERDICTS
from streams.core.steps import StepKind, Tier


def test_every_language_has_every_word() -> None:
    assert tuple(WORDS) == LANGUAGES
    for words in WORDS.values():
        assert set(words.tiers) == {tier.label for tier in Tier}
        assert set(words.events) == {kind.value for kind in StepKind} | {"overdue", "lapsed"}
        assert all(getattr(words, field.name) for field in fields(words))
    assert not set(CHINESE.events.values()) & set(ENGLISH.events.values())


def test_every_decision_that_is_made_has_its_words() -> None:
    for why, verdict in VERDICTS.items():
        decision = {"verdict": verdict.value, "why": why.value, "net": 5.0, "missing": ["play"]}
        english, chinese = (WORDS[language].verdicts(decision) for language in LANGUAGES)
        assert bool(english) == bool(chinese)
        assert ("5.00" in english) == ("5.00" in chinese)
    kinds = {WORDS["zh"].verdicts({"verdict": "dont", "why": why.value}) for why in VERDICTS}
    assert len(kinds) == 4


def test_every_note_has_its_sentence_in_every_language() -> None:
    at = datetime(2026, 3, 2, 12, tzinfo=UTC)
    late: list[DeferredNote] = [
        DeferredNote(at, reason) for reason in ("silence", "quiet_hours", "fatigue", "flapping")
    ]
    notes: list[Note] = [*late, FlappingNote(3, 10.0)]
    for language in LANGUAGES:
        found = {note_words(encode_notes([note]), language, "UTC") for note in notes}
        assert len(found) == 5
        assert set(WORDS[language].reasons) == {note.why for note in late} <= set(MuteReason)
    stored = with_note(encode_notes([FlappingNote(3, 10.0)]), DeferredNote(at, "silence", "moving\nhouse"))
    assert note_words(stored, "en", "Asia/Shanghai") == (
        "Flapping: it opened 3 times within 10 days. The next notice comes when it has not opened for 10 "
        "days, or is worse. Deferred since 2026-03-02 20:00 Asia/Shanghai: silenced (moving house)"
    )
    assert note_words(stored, "zh", "UTC") == (
        "反复开启：10 天内开启了 3 次。连续 10 天未再开启或情况加重时，才会再次通知。 "
        "自 2026年3月2日 12:00（UTC） 起推迟：已静默（moving house）"
    )


def test_a_sentence_that_an_earlier_version_stored_stays_as_it_is() -> None:
    before = "Deferred since 2026-03-02 12:00 UTC: quiet hours"
    assert note_words(before, "zh", "UTC") == before
    assert with_note(before, FlappingNote(2, 1.0)) == before
    assert note_words(None, "zh", "UTC") is None
    assert encode_notes([]) is None


def test_who_let_it_lapse_is_named() -> None:
    assert "ann" in filters_of("zh", "UTC")["event"]("lapsed", "ann")
    assert filters_of("en", "UTC")["event"]("lapsed") == "needs somebody again"


def test_the_templates_of_the_languages_print_the_same_facts() -> None:
    for kind in KINDS:
        english, chinese = (names(Templates().find(None, language, kind).source) for language in LANGUAGES)
        assert english == chinese, kind


def names(source: str) -> set[str]:
    """Return what a template prints, as it is written."""
    return {part.partition("}}")[0].partition(" or ")[0].strip() for part in source.split("{{")[1:]}
