"""Texts become numbers and booleans: only what is plainly one, and in the one form that the mapping says."""

from __future__ import annotations

import math
import re
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.inputs.contract_fields import Kind

_PLAIN: Final = r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,4})?"
_FORMS: Final[dict[str | None, str]] = {
    None: _PLAIN,
    "point": r"[+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?",
    "comma": r"[+-]?(?:[0-9]{1,3}(?:\.[0-9]{3})+|[0-9]+)(?:,[0-9]+)?",
}
"""What a number looks like: plain, or with a point or a comma before its decimals and the other between
thousands."""
_WORDS: Final[dict[str | None, str]] = {
    None: "is no number",
    "point": "is no number with a decimal point, such as 1,234.50",
    "comma": "is no number with a decimal comma, such as 1.234,50",
}
_BOOLEANS: Final = {"true": True, "false": False}


def not_a_number(decimal: str | None) -> str:
    """Return what is wrong with a text that is no number of this form."""
    return _WORDS[decimal]


def number_of(text: str, decimal: str | None = None) -> float | None:
    """Return the number that a text is, `None` where it is none or too large for one.

    >>> number_of("1.234,50", "comma"), number_of("1,5"), number_of("1e999")
    (1234.5, None, None)
    """
    if re.fullmatch(_FORMS[decimal], text) is None:
        return None
    number = float(_plain(text, decimal))
    return number if math.isfinite(number) else None


def _plain(text: str, decimal: str | None) -> str:
    if decimal == "comma":
        return text.replace(".", "").replace(",", ".")
    return text.replace(",", "") if decimal == "point" else text


def numbers_of(texts: pl.Series, decimal: str | None = None) -> tuple[pl.Series, NDArray[np.bool_]]:
    """Return the numbers (n,) that texts are, null where they are none, and where (n,) a text is wrong."""
    plain = texts
    if decimal == "comma":
        plain = texts.str.replace_all(".", "", literal=True).str.replace_all(",", ".", literal=True)
    elif decimal == "point":
        plain = texts.str.replace_all(",", "", literal=True)
    # Polars reads the same digits to the same float as Python does, but takes more forms for a number.
    right = texts.str.contains(f"^(?:{_FORMS[decimal]})$")
    numbers = plain.set(~right.fill_null(False), None).cast(pl.Float64, strict=False)
    numbers = numbers.set(numbers.is_infinite().fill_null(False), None)
    return numbers, wrong_places(texts, numbers)


def boolean_of(text: str) -> bool | None:
    """Return what `true` or `false` in any case says, `None` for any other text."""
    return _BOOLEANS.get(text.lower())


def booleans_of(texts: pl.Series) -> tuple[pl.Series, NDArray[np.bool_]]:
    """Return the booleans (n,) that texts are, null where they are none, and where (n,) a text is wrong."""
    small = texts.str.to_lowercase()
    found = small.replace_strict(
        list(_BOOLEANS), list(_BOOLEANS.values()), default=None, return_dtype=pl.Boolean
    )
    return found, wrong_places(texts, found)


def wrong_places(given: pl.Series, found: pl.Series) -> NDArray[np.bool_]:
    """Return where (n,) something was given and nothing could be made of it."""
    wrong: NDArray[np.bool_] = (given.is_not_null() & found.is_null()).to_numpy()
    return wrong


def typed_value(kind: Kind, text: str) -> str | float | bool | None:
    """Return a value that is written in a mapping as a field takes it, `None` where it cannot."""
    if kind is Kind.BOOLEAN:
        return boolean_of(text)
    if kind in (Kind.NUMBER, Kind.WHOLE):
        number = number_of(text)
        return int(number) if kind is Kind.WHOLE and number is not None and number.is_integer() else number
    return text


def as_json_numbers(numbers: pl.Series, kind: Kind) -> pl.Series:
    """Return numbers (n,) as the contract has them: without a point where a field takes whole ones."""
    if kind is Kind.WHOLE:
        whole: Any = numbers.cast(pl.Int64, strict=False)
        if (whole.cast(pl.Float64) == numbers).all():
            return whole  # type: ignore[no-any-return]  # a series
    return numbers
