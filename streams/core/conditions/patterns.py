"""LIKE and ILIKE: patterns that are matched in one pass over a word, whatever the pattern."""

from __future__ import annotations

from collections.abc import Callable

ONE, MANY = "_", "%"


def like(pattern: str, escape: str | None = None, *, ignore_case: bool = False) -> Callable[[str], bool]:
    """Return the test whether a whole word fits a pattern; raise `ValueError` for a wrong escape character.

    As in standard SQL `_` is one character, `%` any number of them, and only what follows the escape
    character stands for itself. Case is ignored by Unicode's full case folding.

    >>> fits = like("x!%%a_", "!")
    >>> fits("x%...ab"), fits("x...ab")
    (True, False)
    >>> like("straße%", ignore_case=True)("STRASSE 5")
    True
    """
    items = _items(pattern, escape)
    if ignore_case or (ONE, False) in items:
        return _Automaton(items, ignore_case).fits
    return _pieces(items)


def _items(pattern: str, escape: str | None) -> list[tuple[str, bool]]:
    """Return the characters of a pattern, each with whether it stands for itself."""
    if escape is not None and len(escape) != 1:
        msg = f"ESCAPE needs one character, not {escape!r}"
        raise ValueError(msg)
    items: list[tuple[str, bool]] = []
    characters = iter(pattern)
    for character in characters:
        if character != escape:
            items.append((character, character not in (ONE, MANY)))
            continue
        escaped = next(characters, "")
        if not escaped or escaped not in (ONE, MANY, escape):
            msg = (
                f"in the pattern {pattern!r} the escape character {escape!r} must stand before _, % or itself"
            )
            raise ValueError(msg)
        items.append((escaped, True))
    return items


def _pieces(items: list[tuple[str, bool]]) -> Callable[[str], bool]:
    """Return the test of a pattern that is texts with any number of characters between them."""
    texts = [""]
    for character, is_literal in items:
        if is_literal:
            texts[-1] += character
        else:
            texts.append("")
    if len(texts) == 1:
        return texts[0].__eq__
    first, *middle, last = texts

    def fits(word: str) -> bool:
        end = len(word) - len(last)
        if not (word.startswith(first) and word.endswith(last)):
            return False
        place = len(first)
        for text in middle:
            # The first place will do: what is left behind it is the most that there can be.
            found = word.find(text, place, max(end, 0))
            if found < 0:
                return False
            place = found + len(text)
        return place <= end

    return fits


class _Automaton:
    """All ways to match a pattern at once: bit i of a number is set where its first i steps are matched."""

    def __init__(self, items: list[tuple[str, bool]], ignore_case: bool) -> None:
        self._fold: Callable[[str], str] = str.casefold if ignore_case else str
        self._literal: dict[str, int] = {}
        """The steps that each character may be, by the character."""
        self._any = 0
        """The steps that any one character may be."""
        self._loops = 0
        """The places where any character may be skipped."""
        steps = 0
        for character, is_literal in items:
            if is_literal:
                for folded in self._fold(character):
                    self._literal[folded] = self._literal.get(folded, 0) | 1 << steps
                    steps += 1
            elif character == ONE:
                self._any |= 1 << steps
                steps += 1
            else:
                self._loops |= 1 << steps
        self._end = steps

    def fits(self, word: str) -> bool:
        places = 1
        for character in word:
            matched = places
            # A character may fold into several; a pattern takes all of them or none.
            for folded in self._fold(character):
                matched = (matched & self._literal.get(folded, 0)) << 1
            places = matched | (places & self._any) << 1 | places & self._loops
            if not places:
                return False
            if places & self._loops >> self._end << self._end:
                return True  # all is matched, and anything may follow
        return bool(places >> self._end & 1)
