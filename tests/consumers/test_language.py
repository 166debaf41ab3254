"""Every text of the desk and of reports in every language."""

import io
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po

from consumers.contract_words import WORDS
from consumers.language import DEFAULT, LANGUAGES, LOCALES, PLACES, catalogue, gettext, language, ngettext
from streams.contract.warnings import AttentionWord, StateWord, TierWord, VerdictWord, WhyWord
from streams.core.events.action_words import RECORD_KINDS, RESULTS, TREATMENT_KINDS, WARNING_KINDS
from tests.paths import ROOT

FOLDERS = [ROOT.joinpath(*place.split(".")) for place in PLACES]
OTHERS = sorted(LANGUAGES.keys() - {DEFAULT})
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2)}
Message = Any
"""A text, or a tuple of its singular and plural."""


def _key(given: Any) -> Message:
    return tuple(given) if isinstance(given, list) else given


def messages() -> dict[Message, list[str]]:
    """Return every text that pages and code show, with its places."""
    found: dict[Message, list[str]] = defaultdict(list)
    for path in sorted(
        [
            ROOT / "consumers" / "contract_words.py",
            *(path for folder in FOLDERS for path in folder.rglob("*")),
        ]
    ):
        method = {".py": "python", ".html": "jinja2.ext:babel_extract"}.get(path.suffix)
        if method is None:
            continue
        options = {"trimmed": "true", "newstyle_gettext": "true", "silent": "false"}
        with path.open("rb") as file:
            for line, message, _comments, _context in extract(method, file, KEYWORDS, (), options):
                found[_key(message)].append(f"{path.relative_to(ROOT)}:{line}")
    return found


MESSAGES = messages()


def test_texts_are_marked_by_names_that_are_looked_for() -> None:
    """What is marked by another name would never be missed."""
    code = [path.read_text() for folder in FOLDERS for path in folder.rglob("*.py")]
    assert [text for text in code if re.search(r"import .*\b(_|n?gettext) as ", text)] == []


def fields(text: str) -> list[str]:
    return sorted(re.findall(r"%\(\w+\)[sd]|%[sd]|\{\w*\}", text))


def translated(name: str) -> Iterator[tuple[Message, tuple[str, ...]]]:
    for message in catalogue(name):
        if message.id:
            texts: Any = message.string
            yield _key(message.id), tuple(texts) if isinstance(texts, tuple | list) else (texts,)


def test_the_pages_have_texts() -> None:
    assert len(MESSAGES) > 50


@pytest.mark.parametrize("name", OTHERS)
def test_every_text_is_translated_and_no_translation_is_left_over(name: str) -> None:
    done = {key: texts for key, texts in translated(name) if all(texts)}
    missing = {message: places[0] for message, places in MESSAGES.items() if message not in done}
    assert missing == {}
    assert [message for message in done if message not in MESSAGES] == []


@pytest.mark.parametrize("name", OTHERS)
def test_translations_are_filled_with_the_same_values(name: str) -> None:
    for message, texts in translated(name):
        original = message[-1] if isinstance(message, tuple) else message
        assert [fields(text) for text in texts] == [fields(original)] * len(texts), message


@pytest.mark.parametrize("name", OTHERS)
def test_a_text_of_several_pages_has_one_translation_and_none_is_left_unsure(name: str) -> None:
    first: dict[Message, Any] = {}
    for path in sorted(path for folder in FOLDERS for path in (folder / "locale" / name).glob("*.po")):
        for message in read_po(io.BytesIO(path.read_bytes()), locale=LOCALES[name]):
            if message.id:
                assert not message.fuzzy, message.id
                assert first.setdefault(_key(message.id), message.string) == message.string, (
                    path,
                    message.id,
                )


def test_every_word_of_the_contract_has_a_text() -> None:
    words = {
        word
        for words in (TierWord, StateWord, AttentionWord, VerdictWord, WhyWord)
        for word in get_args(words)
    }
    words |= {*WARNING_KINDS, *TREATMENT_KINDS, *RECORD_KINDS, *RESULTS}
    words |= {"key", "ordinary", "small", "problem"}
    assert words <= WORDS.keys()


def test_a_text_is_shown_in_the_language_of_the_request() -> None:
    token = language.set("zh")
    try:
        assert gettext("Queue") == "队列"
        assert gettext("no such text") == "no such text"
        assert ngettext("one", "many", 2) == "many"
    finally:
        language.reset(token)
    assert gettext("Queue") == "Queue"
