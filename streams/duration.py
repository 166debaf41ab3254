"""Durations as people write them: `250ms`, `30s`, `10m`, `12h`, `2d`, `1w`; inside, whole microseconds."""

from __future__ import annotations

import difflib
import re
from typing import Final

UNITS: Final[dict[str, int]] = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
    "w": 604_800_000_000,
}
"""Microseconds in one of each unit; a day here is 24 hours."""

LONGEST: Final = 36_525 * UNITS["d"]
"""A hundred years: a longer duration is a slip of the pen."""

_NAMES: Final = {
    "second": UNITS["s"], "sec": UNITS["s"], "minute": UNITS["m"], "min": UNITS["m"], "hour": UNITS["h"],
    "hr": UNITS["h"], "day": UNITS["d"], "week": UNITS["w"], "month": 30 * UNITS["d"],
    "year": 365 * UNITS["d"], "millisecond": UNITS["ms"],
}  # fmt: skip
"""Names that people use; a month and a year have no one length, so they are guesses only."""
_LOOSE_TERM: Final = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*([^\W\d_]+)")
_LOOSE: Final = re.compile(rf"\s*{_LOOSE_TERM.pattern}(?:[\s,]*{_LOOSE_TERM.pattern})*\s*")
_TERM: Final = re.compile(r"(\d+)(us|ms|[smhdw])")
_WHOLE: Final = re.compile(r"(?:\d+(?:us|ms|[smhdw]))+")
_HINT: Final = "write a whole number and a unit, such as 250ms, 30s, 10m, 12h, 2d or 1w"


def parse_duration(text: str | int) -> int:
    """Return the microseconds that `text` stands for; terms may follow one another, the larger unit first.

    Zero needs no unit; any other bare number is refused, because its unit would be a guess.

    >>> parse_duration("250ms"), parse_duration("1d12h"), parse_duration(0)
    (250000, 129600000000, 0)

    Raises `ValueError` with a line that says what to write.
    """
    if isinstance(text, bool) or not isinstance(text, str | int):
        msg = f"{text!r} is not a duration: {_HINT}"
        raise ValueError(msg)
    written = str(text).strip()
    if written == "0":
        return 0
    if _WHOLE.fullmatch(written) is None or not written.isascii():
        msg = f"{written!r} is not a duration: {_HINT}"
        raise ValueError(msg)
    total, previous = 0, LONGEST
    for number, unit in _TERM.findall(written):
        if UNITS[unit] >= previous:
            msg = f"{written!r} is not a duration: its units must go from larger to smaller"
            raise ValueError(msg)
        previous = UNITS[unit]
        if len(number) > len(str(LONGEST)):
            msg = f"{written[:40]!r} is longer than a hundred years"
            raise ValueError(msg)
        total += int(number) * UNITS[unit]
    if total > LONGEST:
        msg = f"{written!r} is longer than a hundred years"
        raise ValueError(msg)
    return total


def closest_duration(text: str) -> str | None:
    """Return the duration that was most likely meant by a text that is none, `None` where that is open.

    >>> closest_duration("3 dayz"), closest_duration("1.5 hours"), closest_duration("2 months")
    ('3d', '1h30m', '60d')
    >>> closest_duration("10"), closest_duration("soon")
    (None, None)
    """
    if _LOOSE.fullmatch(text) is None:
        return None
    us = 0.0
    for number, word in _LOOSE_TERM.findall(text):
        unit = _closest_unit(word.casefold())
        if unit is None:
            return None
        us += float(number) * unit
    return format_duration(round(us)) if 0 < us <= LONGEST else None


def _closest_unit(word: str) -> int | None:
    """Return the microseconds of the unit that a word most likely names."""
    singular = word.removesuffix("s")
    for name in (word, singular):
        if name in UNITS or name in _NAMES:
            return UNITS.get(name) or _NAMES[name]
    near = difflib.get_close_matches(singular, _NAMES, n=1, cutoff=0.6)
    return _NAMES[near[0]] if near else None


def format_duration(us: int) -> str:
    """Return the shortest way to write `us` microseconds, which `parse_duration` reads back as the same.

    >>> format_duration(172_800_000_000), format_duration(5_400_000_000), format_duration(0)
    ('2d', '1h30m', '0')
    """
    if us == 0:
        return "0"
    if us % UNITS["w"] == 0:
        return f"{us // UNITS['w']}w"
    text = ""
    for unit in ("d", "h", "m", "s", "ms", "us"):
        count, us = divmod(us, UNITS[unit])
        if count:
            text += f"{count}{unit}"
    return text
