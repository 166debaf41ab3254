"""LIKE and ILIKE against a slow twin that tries every way to divide a word."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from streams.core.conditions.patterns import like

LETTERS = "aAbxß\u1e9esS\u03c3\u03c2\u03a3\u0130i%_!\n\ufb01"


def twin(pattern: str, escape: str | None, word: str, *, ignore_case: bool) -> bool:
    """Return whether a pattern fits a word, trying every part on every piece of it."""
    parts: list[str | None] = []  # None is one character, "" any number, other text itself
    rest = iter(pattern)
    for each in rest:
        if each == escape:
            parts.append(next(rest))
        elif each in "_%":
            parts.append(None if each == "_" else "")
        else:
            parts.append(each)
    runs: list[str | None] = []
    for part in parts:
        if part and runs and runs[-1]:
            runs[-1] += part
        else:
            runs.append(part)
    return _fits(runs, word, ignore_case)


def _fits(runs: list[str | None], word: str, ignore_case: bool) -> bool:
    fold = str.casefold if ignore_case else str
    if not runs:
        return not word
    first, rest = runs[0], runs[1:]
    if first is None:
        return bool(word) and _fits(rest, word[1:], ignore_case)
    return any(
        (first == "" or fold(word[:size]) == fold(first)) and _fits(rest, word[size:], ignore_case)
        for size in range(len(word) + 1)
    )


@settings(max_examples=1000)
@given(st.text(LETTERS, max_size=7), st.text(LETTERS, max_size=7), st.booleans(), st.booleans())
@example("%s", "ß", False, True)
@example("s_", "ß", False, True)
@example("%ß%", "xSSx", False, True)
@example("a%%b", "ab", False, False)
def test_a_pattern_fits_what_it_fits_for_the_twin(
    pattern: str, word: str, has_escape: bool, ignore_case: bool
) -> None:
    escape = "!" if has_escape else None
    try:
        fits = like(pattern, escape, ignore_case=ignore_case)
    except ValueError:
        bare = pattern.replace("!!", "")
        assert any(bare[at : at + 2] not in ("!%", "!_") for at, each in enumerate(bare) if each == "!")
        return
    assert fits(word) == twin(pattern, escape, word, ignore_case=ignore_case)


@pytest.mark.parametrize(
    ("pattern", "word", "expected"),
    [
        ("NORTH%", "north-east", True),
        ("%ÉTÉ", "l'été", True),
        ("stra_e", "Straße", True),
        ("straße", "STRASSE", True),
        ("stra_e", "STRASSE", False),  # two letters there
        ("ὀδυσσεύς", "ὈΔΥΣΣΕΎΣ", True),
        ("", "", True),
        ("%", "", True),
        ("_", "", False),
        ("a\\%", "a\\b", True),  # a backslash is no escape unless ESCAPE names it
    ],
)
def test_ilike_follows_unicode(pattern: str, word: str, expected: bool) -> None:
    assert like(pattern, ignore_case=True)(word) is expected


@pytest.mark.parametrize(
    ("pattern", "escape"), [("a!", "!"), ("a!b", "!"), ("a", ""), ("a", "!!"), ("%a", "%")]
)
def test_a_wrong_escape_is_refused(pattern: str, escape: str) -> None:
    with pytest.raises(ValueError, match=r"escape|ESCAPE"):
        like(pattern, escape)


def test_an_escape_may_be_a_wildcard_itself() -> None:
    assert like("%%a", "%")("%a")
    assert not like("%%a", "%")("ba")
