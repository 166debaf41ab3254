"""Tables as CSV that a spreadsheet opens without running what stands in them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_AT_ONCE: Final = 500
"""Rows that are sent together."""


def cell(value: Any) -> Any:
    r"""Return what is written for a value: a text that a spreadsheet would run gets an apostrophe before it.

    >>> cell("=1+2"), cell(" @x"), cell(-3.5), cell(None), cell(("a", "b"))
    ("'=1+2", "' @x", -3.5, '', 'a; b')
    """
    if value is None:
        return ""
    if isinstance(value, int | float):
        return value
    text = "; ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) or text.startswith("'") else text


def csv_parts(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Yield a table as CSV, in parts of some hundred rows; its first character says that it is UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text)
    text.write("\ufeff")
    writer.writerow(heads)
    for number, row in enumerate(rows, 1):
        writer.writerow([cell(value) for value in row])
        if number % _AT_ONCE == 0:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()
