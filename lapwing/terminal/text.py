"""The one guard of the terminal: text of customers and files loses what a terminal would obey."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""Return `text` with a blank for each character that is no part of a line: control codes, line breaks.

    Escape sequences lose the character that makes them one, and text that turns the direction of writing
    loses that.

    >>> printable("C\x1b[31m1\n")
    'C [31m1 '
    """
    return text if text.isprintable() else "".join(each if each.isprintable() else " " for each in text)
