"""Text for a terminal: counts with their nouns, and others' text without what a terminal would obey."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it is not one.

    >>> counted(1, "mistake"), counted(1200, "rule")
    ('1 mistake', '1,200 rules')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def printable(text: str) -> str:
    r"""Return `text` with a blank for each character that is no part of a line: control codes, line breaks.

    Escape sequences lose the character that makes them one, and text that turns the direction of writing
    loses that.

    >>> printable("C\x1b[31m1\n")
    'C [31m1 '
    """
    return text if text.isprintable() else "".join(each if each.isprintable() else " " for each in text)
