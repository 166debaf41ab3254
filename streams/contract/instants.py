"""Instants on the wire: RFC 3339 strings with an offset, read to the microsecond.

Read are `T`, `t` or a space between date and time, `Z`, `z` or an offset, and any number of decimals of a
second. An offset may lack the colon that RFC 3339 demands: `-0500` is what `strftime` writes, and means one
thing only. Decimals past the sixth are cut off, never rounded: an instant is not moved into the second after
it. A second of 60 and an hour of 24 are refused, as hardly any reader takes them; so is what lies before 1970
or, in UTC, after the year 9999.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
LAST_US: Final = (datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC) - EPOCH) // MICROSECOND
"""The last instant that can be read, microseconds since the epoch."""

FORM: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-])([0-9]{2}):?([0-9]{2}))"
)


class NotAnInstant(ValueError):
    """The text is no RFC 3339 time with an offset; the message says what is wrong, with an example."""


class InstantOutOfRange(ValueError):
    """The instant lies before 1970 or after 9999."""


def read_instant(text: str) -> datetime:
    """Return the instant that `text` names, in UTC.

    >>> read_instant("2024-02-29 12:00:00.1234567+0530").isoformat()
    '2024-02-29T06:30:00.123456+00:00'
    """
    found = FORM.fullmatch(text)
    if found is None:
        raise NotAnInstant(_wrong_form(text))
    year, month, day, hour, minute, second, decimals, sign, offset_hours, offset_minutes = found.groups()
    offset = timedelta(hours=int(offset_hours or 0), minutes=int(offset_minutes or 0))
    if int(offset_hours or 0) > 23 or int(offset_minutes or 0) > 59:
        msg = "its offset should be at most 23:59, as in 2025-01-05T10:00:00-05:00"
        raise NotAnInstant(msg)
    if year == "0000":
        raise InstantOutOfRange
    microsecond = int((decimals or "")[:6].ljust(6, "0"))
    try:
        local = datetime(
            int(year), int(month), int(day), int(hour), int(minute), int(second), microsecond, tzinfo=UTC
        )
    except ValueError:
        msg = "there is no such day or time of day; hours go to 23, minutes and seconds to 59"
        raise NotAnInstant(msg) from None
    try:
        instant = local + offset if sign == "-" else local - offset
    except OverflowError:
        raise InstantOutOfRange from None
    if instant < EPOCH:
        raise InstantOutOfRange
    return instant


def instant_us(given: str | datetime) -> int:
    """Return an instant, as a message or a database has it, in microseconds since the epoch."""
    return to_us(given if isinstance(given, datetime) else read_instant(given))


_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = rf"{_DATE}[Tt ][0-9]{{2}}:[0-9]{{2}}"
_FORMS: Final = (
    (
        r".*[\u2010-\u2015\u2212].*",
        "dates and offsets have the plain hyphen, as in 2025-01-05T10:00:00-05:00",
    ),
    (rf"{_DATE}", "it has no time of day: write one, as in 2025-01-05T10:00:00-05:00"),
    (rf"{_TIME}(?:[Zz]|[+-][0-9]{{2}}:?[0-9]{{2}})?", "it has no seconds, as in 2025-01-05T10:00:00-05:00"),
    (
        rf"{_TIME}:[0-9]{{2}}(?:\.[0-9]+)?\s+(?:[Zz]|[+-][0-9]{{2}}:?[0-9]{{2}})",
        "its offset should follow the time without a blank, as in 2025-01-05 10:00:00-05:00",
    ),
    (
        rf"{_TIME}:[0-9]{{2}}(?:\.[0-9]+)?",
        "it has no offset from UTC: write Z or one such as -05:00, as in 2025-01-05T10:00:00-05:00",
    ),
    (
        rf"{_TIME}:[0-9]{{2}}(?:\.[0-9]+)?[+-][0-9]{{1,2}}(?::[0-9])?",
        "its offset should have hours and minutes, as in 2025-01-05T10:00:00-05:00",
    ),
    (
        rf"{_TIME}:[0-9]{{2}}(?:\.[0-9]+)?\s*\[?[A-Za-z][A-Za-z_/]+\]?",
        "it names a zone: write Z or an offset from UTC, as in 2025-01-05T10:00:00-05:00",
    ),
    (
        rf"{_TIME}:[0-9]{{2}}(?:\.[0-9]+)?(?:[Zz]|[+-][0-9]{{2}}:?[0-9]{{2}}).+",
        "it should end with its offset, as in 2025-01-05T10:00:00-05:00",
    ),
    (rf"{_TIME}:[0-9]{{2}},[0-9]+.*", "decimals of a second follow a point, as in 2025-01-05T10:00:00.5Z"),
    (
        r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}[Tt ][0-9]{1,2}:.*",
        "month, day and hour have two digits, as in 2025-01-05T10:00:00-05:00",
    ),
    (r"-?[0-9]+(?:\.[0-9]+)?", "a number counts from an epoch: write a time, as in 2025-01-05T10:00:00Z"),
)
"""What is near to an instant, and what is wrong with it."""


def _wrong_form(text: str) -> str:
    """Return what is wrong with a text that does not have the form of an instant."""
    trimmed = text.strip()
    if trimmed != text and FORM.fullmatch(trimmed):
        return "there are blanks around it"
    for form, wrong in _FORMS:
        if re.fullmatch(form, trimmed):
            return wrong
    return "write it as in 2025-01-05T10:00:00-05:00"


def to_us(instant: datetime) -> int:
    """Return `instant` in microseconds since the epoch."""
    return (instant - EPOCH) // MICROSECOND


@lru_cache(maxsize=4096)
def format_instant(us: int) -> str:
    """Return the RFC 3339 text of an instant: UTC with `Z`, microseconds only where they are not zero.

    >>> format_instant(1_298_937_600_000_000)
    '2011-03-01T00:00:00Z'
    """
    return (EPOCH + timedelta(microseconds=us)).isoformat().removesuffix("+00:00") + "Z"


_MONTH_STARTS: Final[NDArray[np.int64]] = (
    np.arange("0000-01", "10000-02", dtype="datetime64[M]").astype("datetime64[D]").astype(np.int64)
)
"""(120001,) days from the epoch to the first of each month since January of the year 0."""
_LONGEST: Final = 64
"""Texts longer than this are left to the caller: no clock writes them."""


def read_instants(texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the instants of `texts` in microseconds (n,), and where they could be read (n,).

    What `read_instant` reads is read alike here, except texts of absurd length, which are not read.
    """
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    at = np.zeros(len(texts), dtype=np.int64)
    readable = np.zeros(len(texts), dtype=np.bool_)
    for length in np.unique(lengths).tolist():
        if not 20 <= length <= _LONGEST:
            continue
        rows = np.flatnonzero(lengths == length)
        same = texts if len(rows) == len(texts) else [texts[i] for i in rows.tolist()]
        # One byte a character: a character outside ASCII becomes `?`, which fits nowhere in an instant.
        codes = np.frombuffer("".join(same).encode("ascii", "replace"), dtype=np.uint8)
        at[rows], readable[rows] = _read_equally_long(codes.reshape(len(rows), length))
    return at, readable


def _read_equally_long(codes: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Read `codes` (n, length): try the endings that an instant of this length may have."""
    length = codes.shape[1]
    # (length, n): each character position in one piece of memory.
    chars = np.ascontiguousarray(codes.T)
    digits = chars - np.uint8(ord("0"))
    month, day = _pair(digits, 5), _pair(digits, 8)
    hour, minute, second = _pair(digits, 11), _pair(digits, 14), _pair(digits, 17)
    good = _all_digits(digits, (0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18))
    good &= (chars[4] == ord("-")) & (chars[7] == ord("-"))
    good &= (chars[10] == ord("T")) | (chars[10] == ord("t")) | (chars[10] == ord(" "))
    good &= (chars[13] == ord(":")) & (chars[16] == ord(":"))
    good &= (month >= 1) & (month <= 12) & (hour <= 23) & (minute <= 59) & (second <= 59)
    months = np.where(good, _number(digits, 0, 4) * 12 + month - 1, 0)
    start = _MONTH_STARTS[months]
    good &= (day >= 1) & (day <= _MONTH_STARTS[months + 1] - start)
    seconds = (start + day - 1) * 86_400 + hour * np.int32(3600) + minute * np.int32(60) + second
    micros = np.zeros(len(good), dtype=np.int32)
    ended = np.zeros(len(good), dtype=np.bool_)
    for tail, here, offset in _endings(chars, digits):
        stop = length - tail
        if stop > 19:
            here &= (chars[19] == ord(".")) & _all_digits(digits, range(20, stop))
            shown = min(stop, 26)
            micros[here] = (_number(digits, 20, shown) * np.int32(10 ** (26 - shown)))[here]
        seconds[here] -= offset[here]
        ended |= here
    at = seconds * 1_000_000 + micros
    good &= ended & (at >= 0) & (at <= LAST_US)
    return at, good


def _endings(
    chars: NDArray[np.uint8], digits: NDArray[np.uint8]
) -> Iterator[tuple[int, NDArray[np.bool_], NDArray[np.int32]]]:
    """Yield each ending that fits: its length, the rows (n,) that have it, their offsets (n,) in seconds."""
    length, n = chars.shape
    zulu = (chars[-1] == ord("Z")) | (chars[-1] == ord("z"))
    if length == 20 or length >= 22:
        yield 1, zulu.copy(), np.zeros(n, dtype=np.int32)
    if zulu.all():
        return
    for tail in (6, 5):  # with and without a colon in the offset
        at = length - tail
        if at != 19 and at < 21:
            continue
        hours, minutes = _pair(digits, at + 1), _pair(digits, length - 2)
        here = (chars[at] == ord("+")) | (chars[at] == ord("-"))
        here &= _all_digits(digits, (at + 1, at + 2, length - 2, length - 1))
        here &= (hours <= 23) & (minutes <= 59)
        if tail == 6:
            here &= chars[length - 3] == ord(":")
        offset = hours * np.int32(3600) + minutes * np.int32(60)
        yield tail, here, np.where(chars[at] == ord("-"), -offset, offset)


def _pair(digits: NDArray[np.uint8], start: int) -> NDArray[np.uint8]:
    """Return the numbers (n,) of the two digits from `start`; without meaning where these are no digits."""
    pair: NDArray[np.uint8] = digits[start] * np.uint8(10) + digits[start + 1]
    return pair


def _number(digits: NDArray[np.uint8], start: int, stop: int) -> NDArray[np.int32]:
    """Return the numbers (n,) that the digits at the positions `start` to `stop` write."""
    number: NDArray[np.int32] = digits[start].astype(np.int32)
    for digit in digits[start + 1 : stop]:
        number *= 10
        number += digit
    return number


def _all_digits(digits: NDArray[np.uint8], positions: Sequence[int]) -> NDArray[np.bool_]:
    """Return where (n,) there are digits at all of `positions`."""
    highest = np.zeros(digits.shape[1], dtype=np.uint8)
    for position in positions:
        np.maximum(highest, digits[position], out=highest)
    return highest <= 9
