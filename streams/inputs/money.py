"""How many digits the smallest unit of a currency is away from the whole one, as ISO 4217 has it.

Babel knows which currencies there are and were; its digits are those that people write (a Serbian price has
none), so they are not the ones that payment services count in.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from babel.core import get_global

USUAL_DIGITS: Final = 2
_OTHER_DIGITS: Final[dict[str, int]] = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF"), 0),
    **dict.fromkeys(("UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}


@cache
def _currencies() -> frozenset[str]:
    return frozenset(get_global("all_currencies"))


def has_minor_units(currency: str) -> bool:
    """Return whether this is a currency of ISO 4217, today's or one of before.

    >>> has_minor_units("EUR"), has_minor_units("euro")
    (True, False)
    """
    return currency in _currencies()


def minor_digits(currency: str) -> int | None:
    """Return the digits after the point of an amount in a currency; `None` where there is no such currency.

    >>> minor_digits("EUR"), minor_digits("JPY"), minor_digits("KWD"), minor_digits("dollar")
    (2, 0, 3, None)
    """
    return _OTHER_DIGITS.get(currency, USUAL_DIGITS) if currency in _currencies() else None
