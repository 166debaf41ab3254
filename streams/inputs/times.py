"""Texts become instants: RFC 3339, counts from the epoch, or a form such as `%d.%m.%Y %H:%M`.

A local time that a clock shows twice, when it is put back, is the first of the two. One that it never shows,
when it is put forward, is counted on from before: 02:30 becomes 03:30, as java.time has it. So no hour of the
year loses records.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.contract.instants import LAST_US, read_instants

RFC3339: Final = "rfc3339"
EPOCHS: Final[dict[str, int]] = {
    "epoch_s": 1_000_000,
    "epoch_ms": 1_000,
    "epoch_us": 1,
    "epoch_days": 86_400_000_000,
}
"""What one of a count from the epoch is, in microseconds."""
NAMED_FORMATS: Final = (RFC3339, *EPOCHS)

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_NAMES: Final = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)


def _in_any_case(words: Sequence[str]) -> str:
    """Return what words look like in ASCII letters of any case."""
    return "|".join("".join(f"[{letter.upper()}{letter}]" for letter in word) for word in words)


_DIRECTIVES: Final[dict[str, str]] = {
    "Y": "[0-9]{4}",
    "y": "[0-9]{2}",
    "m": "1[0-2]|0[1-9]|[1-9]",
    "d": "3[0-1]|[1-2][0-9]|0[1-9]|[1-9]",
    "H": "2[0-3]|[0-1][0-9]|[0-9]",
    "I": "1[0-2]|0[1-9]|[1-9]",
    "M": "[0-5][0-9]|[0-9]",
    "S": "[0-5][0-9]|[0-9]",
    "f": "[0-9]{1,9}",
    "b": _in_any_case(_MONTHS),
    "B": _in_any_case(_MONTH_NAMES),
    "p": _in_any_case(("am", "pm")),
    "z": "[Zz]|[+-][0-9]{2}:?[0-5][0-9]",
}
"""What each part of a form looks like; months are English."""
_DAY_OF: Final = (("Y", "y"), ("m", "b", "B"), ("d",))
_STEP_SECONDS: Final = 30
"""No zone changes its offset within half a minute of local time: all did so at whole ones since 1970."""


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """A form in which times are written."""

    name: str
    """As it stands in the mapping."""
    pattern: str = ""
    """For a form with directives: what it looks like."""
    parts: tuple[str, ...] = ()
    """The directives in their order, which are the groups of the pattern."""

    @property
    def is_local(self) -> bool:
        """Whether its times name no offset from UTC, so that they need a zone."""
        return bool(self.parts) and "z" not in self.parts


def parse_time_format(given: str) -> TimeFormat:
    """Return a form of times, or raise `ValueError` with what is wrong.

    >>> parse_time_format("%d.%m.%Y").parts
    ('d', 'm', 'Y')
    """
    if given in NAMED_FORMATS:
        return TimeFormat(given)
    if "%" not in given:
        msg = f"must be {', '.join(NAMED_FORMATS)} or a form such as %d.%m.%Y %H:%M, not {given!r}"
        raise ValueError(msg)
    pattern, parts, at = "", [], 0
    while at < len(given):
        letter = given[at]
        if letter != "%":
            pattern += re.escape(letter) if letter.isascii() else letter
            at += 1
            continue
        part = given[at + 1 : at + 2]
        at += 2
        if part == "%":
            pattern += "%"
        elif part not in _DIRECTIVES:
            msg = f"has %{part}, which is none of {', '.join('%' + each for each in _DIRECTIVES)}"
            raise ValueError(msg)
        elif part in parts:
            msg = f"has %{part} twice"
            raise ValueError(msg)
        else:
            parts.append(part)
            pattern += f"({_DIRECTIVES[part]})"
    for names in _DAY_OF:
        if sum(name in parts for name in names) != 1:
            msg = f"needs {' or '.join('%' + name for name in names)}, once: {given!r}"
            raise ValueError(msg)
    if ("I" in parts) != ("p" in parts) or ("I" in parts and "H" in parts):
        msg = "has %I or %p: both belong together, and without %H"
        raise ValueError(msg)
    return TimeFormat(given, f"^(?:{pattern})$", tuple(parts))


def instants_of(
    texts: pl.Series, formats: Sequence[TimeFormat], zone: str | None
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the instants (n,) that texts are, by the first of the forms that each has, in microseconds.

    Then where (n,) one was found, and where (n,) the one that was found lies before 1970 or after 9999.
    """
    n = len(texts)
    at = np.zeros(n, dtype=np.int64)
    found = np.zeros(n, dtype=np.bool_)
    outside = np.zeros(n, dtype=np.bool_)
    left = texts.is_not_null().to_numpy()
    for each in formats:
        places = np.flatnonzero(left)
        if not len(places):
            break
        some = texts if len(places) == n else texts.gather(places)
        us, good, far = _read(some, each, zone)
        at[places[good]] = us[good]
        found[places[good]] = True
        outside[places[far]] = True
        left[places[good | far]] = False
    return at, found, outside


_Read = tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]


def _read(texts: pl.Series, form: TimeFormat, zone: str | None) -> _Read:
    """Return instants (n,), where (n,) there are some, and where (n,) they lie outside of the range."""
    if form.name == RFC3339:
        us, good = read_instants(texts.to_list())
        return us, good, np.zeros(len(good), dtype=np.bool_)
    if form.parts:
        return _read_form(texts, form, zone)
    return _read_count(texts, EPOCHS[form.name])


def _read_count(texts: pl.Series, unit_us: int) -> _Read:
    """Read counts from the epoch; what is finer than a microsecond is cut off."""
    n = len(texts)
    # Up to 18 digits fit into 64 bits; more are out of every range.
    whole = texts.str.contains(r"^[+-]?[0-9]{1,18}$")
    counts = texts.set(~whole, None).cast(pl.Int64, strict=False)
    count = counts.fill_null(0).to_numpy()
    good = whole.to_numpy() & counts.is_not_null().to_numpy()
    far = good & ((count < 0) | (count > LAST_US // unit_us))
    us = np.where(good & ~far, count, 0) * unit_us
    for i in np.flatnonzero(~good).tolist():
        text = texts[i]
        if (read := count_us(text, unit_us)) is not None:
            inside = 0 <= read <= LAST_US
            us[i], good[i], far[i] = (read if inside else 0), inside, not inside
    return us.astype(np.int64).reshape(n), good & ~far, far


def count_us(text: str, unit_us: int) -> int | None:
    """Return a count from the epoch in microseconds, `None` where it is no number of up to 40 digits.

    >>> count_us("1.5", 1_000_000), count_us("1e3", 1)
    (1500000, None)
    """
    found = re.fullmatch(r"([+-]?)([0-9]{1,40})(?:\.([0-9]{1,40}))?", text)
    if found is None:
        return None
    sign, whole, decimals = found.groups()
    us = int(whole) * unit_us + (int(decimals) * unit_us // 10 ** len(decimals) if decimals else 0)
    return -us if sign == "-" else us


def _read_form(texts: pl.Series, form: TimeFormat, zone: str | None) -> _Read:
    """Read dates and times of a form."""
    n = len(texts)
    groups = texts.str.extract_groups(form.pattern)
    parts = dict(zip(form.parts, groups.struct.unnest().get_columns(), strict=True))
    matched = parts[form.parts[0]].is_not_null().to_numpy()

    def number(part: str) -> NDArray[np.int64]:
        if part not in parts:
            return np.zeros(n, dtype=np.int64)
        found: NDArray[np.int64] = parts[part].cast(pl.Int64, strict=False).fill_null(0).to_numpy()
        return found

    year = number("Y")
    if "y" in parts:
        short = number("y")
        year = np.where(short < 69, 2000 + short, 1900 + short)
    month = number("m")
    for part, names in (("b", _MONTHS), ("B", _MONTH_NAMES)):
        if part in parts:
            small = parts[part].str.to_lowercase()
            month = small.replace_strict(names, range(1, 13), default=0, return_dtype=pl.Int64).to_numpy()
    day, hour = number("d"), number("H")
    if "I" in parts:
        afternoon = (parts["p"].str.to_lowercase() == "pm").fill_null(False).to_numpy()
        hour = number("I") % 12 + np.where(afternoon, 12, 0)
    month = np.where(matched, month, 1)
    # Day 0 and year 0 are no days of the calendar; NumPy would count on from them.
    first = (np.maximum(year, 1) - 1970) * 12 + month - 1
    months = first.astype("datetime64[M]")
    start = months.astype("datetime64[D]").astype(np.int64)
    length = (months + 1).astype("datetime64[D]").astype(np.int64) - start
    good = matched & (year >= 1) & (day >= 1) & (day <= length)
    seconds = (start + day - 1) * 86_400 + hour * 3_600 + number("M") * 60 + number("S")
    micros = np.zeros(n, dtype=np.int64)
    if "f" in parts:
        micros = (
            parts["f"]
            .str.pad_end(6, "0")
            .str.slice(0, 6)
            .cast(pl.Int64, strict=False)
            .fill_null(0)
            .to_numpy()
        )
    if "z" in parts:
        seconds = seconds - _offsets(parts["z"])
    elif zone is not None:
        seconds = seconds - _zone_offsets(seconds, good, zone)
    us = seconds * 1_000_000 + micros
    far = good & ((us < 0) | (us > LAST_US))
    return np.where(good & ~far, us, 0), good & ~far, far


def _offsets(written: pl.Series) -> NDArray[np.int64]:
    """Return offsets from UTC (n,) in seconds."""
    minutes = written.str.replace(":", "", literal=True)
    hours = minutes.str.slice(1, 2).cast(pl.Int64, strict=False).fill_null(0).to_numpy()
    rest = minutes.str.slice(3, 2).cast(pl.Int64, strict=False).fill_null(0).to_numpy()
    west = written.str.starts_with("-").fill_null(False).to_numpy()
    found: NDArray[np.int64] = np.where(west, -1, 1) * (hours * 3_600 + rest * 60)
    return found


def _zone_offsets(seconds: NDArray[np.int64], good: NDArray[np.bool_], zone: str) -> NDArray[np.int64]:
    """Return the offsets (n,) in seconds of local times (n,) in seconds since 1970-01-01 of that clock."""
    steps, back = np.unique(np.where(good, seconds, 0) // _STEP_SECONDS, return_inverse=True)
    offsets = np.array([zone_offset(zone, step * _STEP_SECONDS) for step in steps.tolist()], dtype=np.int64)
    found: NDArray[np.int64] = offsets[back]
    return found


@lru_cache(maxsize=65_536)
def zone_offset(zone: str, local_seconds: int) -> int:
    """Return the offset in seconds of a local time: the first of two, that of before where there is none."""
    local = datetime(1970, 1, 1, tzinfo=ZoneInfo(zone))
    try:
        offset = (local + timedelta(seconds=local_seconds)).utcoffset()
    except OverflowError:
        return 0
    assert offset is not None
    return round(offset.total_seconds())


def written_instants(us: NDArray[np.int64], found: NDArray[np.bool_]) -> pl.Series:
    """Return instants (n,) as RFC 3339 texts in UTC, null where (n,) there is none."""
    column = pl.Series(us).cast(pl.Datetime("us"))
    whole = not (us % 1_000_000).any()
    texts = column.dt.to_string("%Y-%m-%dT%H:%M:%SZ" if whole else "%Y-%m-%dT%H:%M:%S%.6fZ")
    return texts if found.all() else texts.set(pl.Series(~found), None)
