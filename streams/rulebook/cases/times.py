"""Relative times as cases write them: `0d`, `3d 4h`, `every 7d for 90d`, `by 10d`, `between 9d and 12d`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from streams.duration import format_duration, parse_duration

MOST: Final = 10_000
"""Events that one line of a timeline may stand for."""

_TIME: Final = r"\d[\w ]*?"
_REPEATED: Final = re.compile(
    rf"(?:(?:from )?(?P<start>{_TIME}),? )?every (?P<step>{_TIME})"
    rf"(?:,? (?:for (?P<span>{_TIME})|(?:until|to) (?P<until>{_TIME})|(?P<times>\d+) times))?"
)
_BETWEEN: Final = re.compile(rf"between (?P<low>{_TIME}) and (?P<high>{_TIME})")
_BOUND: Final = re.compile(rf"(?:(?P<word>at|by|not before|after) )?(?P<time>{_TIME})")
_HINT: Final = "write 66d, by 70d, not before 60d or between 60d and 70d"


def parse_time(text: str) -> int:
    """Return a time since the begin of a case in microseconds, or raise `ValueError`.

    >>> parse_time("3d 4h") == parse_time("3d4h"), format_duration(parse_time("36h"))
    (True, '1d12h')
    """
    return parse_duration(re.sub(r"(?<=[a-z]) +(?=\d)", "", text.strip()))


def parse_times(text: str) -> tuple[int, ...]:
    """Return the times that one entry of a timeline stands for, or raise `ValueError`.

    `for` leaves its end out, so that `every 7d for 28d` are four; `until` takes it in.

    >>> [format_duration(at) for at in parse_times("5d every 7d until 19d")]
    ['5d', '12d', '19d']
    >>> len(parse_times("every 7d for 28d")), len(parse_times("1d every 2d 3 times"))
    (4, 3)
    """
    found = _REPEATED.fullmatch(" ".join(text.split()))
    if found is None:
        return (parse_time(text),)
    start = parse_time(found["start"]) if found["start"] else 0
    step = parse_time(found["step"])
    if step == 0:
        msg = f"{text!r} stands still: `every` needs a time above 0"
        raise ValueError(msg)
    if found["times"]:
        count = int(found["times"])
    elif found["span"]:
        count = -(-parse_time(found["span"]) // step)
    elif found["until"]:
        count = (parse_time(found["until"]) - start) // step + 1
    else:
        msg = f"{text!r} does not end: add `for 90d`, `until 90d` or `10 times`"
        raise ValueError(msg)
    if not 0 < count <= MOST:
        msg = f"{text!r} stands for {max(count, 0)} events; it may stand for 1 to {MOST}"
        raise ValueError(msg)
    return tuple(start + n * step for n in range(count))


@dataclass(frozen=True, slots=True)
class Span:
    """The times at which something may happen, both ends included; `None` is without bound."""

    text: str
    low: int | None
    high: int | None

    def __contains__(self, at: int) -> bool:
        return (self.low is None or at >= self.low) and (self.high is None or at <= self.high)

    def __str__(self) -> str:
        return self.text

    @property
    def last(self) -> int:
        """The latest time it names."""
        return max(self.low or 0, self.high or 0)


def parse_span(text: str) -> Span:
    """Return the span that a bound such as `by 10d` names, or raise `ValueError`.

    >>> 5 in parse_span("by 10d"), parse_span("66d").text
    (True, 'at 66d')
    """
    plain = " ".join(text.split())
    try:
        between = _BETWEEN.fullmatch(plain)
        if between is not None:
            low, high = parse_time(between["low"]), parse_time(between["high"])
            if low > high:
                msg = f"{text!r} ends before it begins"
                raise ValueError(msg)
            return Span(f"between {between['low']} and {between['high']}", low, high)
        bound = _BOUND.fullmatch(plain)
        if bound is None:
            raise ValueError
        at = parse_time(bound["time"])
    except ValueError as error:
        raise ValueError(str(error) or f"{text!r} is no time; {_HINT}") from None
    match bound["word"]:
        case "by":
            return Span(plain, None, at)
        case "not before":
            return Span(plain, at, None)
        case "after":
            return Span(plain, at + 1, None)
    return Span(f"at {bound['time']}", at, at)


def shown(at: int) -> str:
    """Return a time as a case writes it.

    >>> shown(parse_time("66d 4h"))
    '66d 4h'
    """
    text = format_duration(at) if at >= 0 else f"-{format_duration(-at)}"
    if text == "0":
        return "0d"
    weeks = re.fullmatch(r"(-?\d+)w", text)
    return f"{int(weeks[1]) * 7}d" if weeks else re.sub(r"(?<=[a-z])(?=\d)", " ", text)
