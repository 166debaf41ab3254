"""The same words in every language."""

from __future__ import annotations

from dataclasses import fields

from consumers.notify.routes import LANGUAGES
from consumers.notify.templates import KINDS, Templates
from consumers.notify.words import CHINESE, ENGLISH, WORDS, filters_of
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
