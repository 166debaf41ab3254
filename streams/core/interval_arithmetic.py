"""Arithmetic of intervals, rounded outwards: what an expression can be where its parts lie in theirs."""

from __future__ import annotations

import math
from typing import Final

from streams.core.intervals import Interval

ALL: Final = Interval()


def point(of: Interval) -> float | None:
    """Return the only number in an interval, where there is but one."""
    return of.low if of.low == of.high and not of.empty else None


def join(one: Interval, other: Interval) -> Interval:
    """Return the least interval around both."""
    low, low_open = min((one.low, one.low_open), (other.low, other.low_open))
    high, shut = max((one.high, not one.high_open), (other.high, not other.high_open))
    return Interval(low, high, low_open, not shut)


def whole(of: Interval) -> Interval:
    """Return the least interval around the whole numbers of one."""
    low = math.ceil(of.low) if math.isfinite(of.low) else of.low
    high = math.floor(of.high) if math.isfinite(of.high) else of.high
    low += low == of.low and of.low_open and math.isfinite(low)
    high -= high == of.high and of.high_open and math.isfinite(high)
    return Interval(low, high)


def plus(one: Interval, other: Interval) -> Interval:
    """Return where a sum lies."""
    return _outward(one.low + other.low, one.high + other.high, exact=_exact(one, other))


def minus(one: Interval, other: Interval) -> Interval:
    """Return where a difference lies."""
    return plus(one, other.scaled(-1))


def times(one: Interval, other: Interval) -> Interval:
    """Return where a product lies."""
    ends = [_product(a, b) for a in (one.low, one.high) for b in (other.low, other.high)]
    return _outward(min(ends), max(ends), exact=_exact(one, other))


def over(one: Interval, other: Interval) -> Interval:
    """Return where a quotient lies."""
    if other.empty or 0 in (other.low, other.high) or 0 in other:
        if other.low == 0 and other.high > 0 and one.low >= 0:
            # Of two that are not negative, the quotient is none less than the least over the greatest.
            return _outward(one.low / other.high if math.isfinite(other.high) else 0.0, math.inf)
        return ALL
    return times(one, _outward(*sorted((1 / other.low, 1 / other.high))))


def _product(a: float, b: float) -> float:
    return 0.0 if a == 0 or b == 0 else a * b


def _exact(*intervals: Interval) -> bool:
    """Return whether sums and products of the ends are not rounded: whole numbers, or infinite."""
    ends = [end for interval in intervals for end in (interval.low, interval.high)]
    return all(math.isinf(end) or (end.is_integer() and abs(end) < 2**26) for end in map(float, ends))


def _outward(low: float, high: float, *, exact: bool = False) -> Interval:
    """Return an interval that holds whatever rounding made of its ends."""
    low = -math.inf if math.isnan(low) else low
    high = math.inf if math.isnan(high) else high
    if exact:
        return Interval(low, high)
    return Interval(math.nextafter(low, -math.inf), math.nextafter(high, math.inf))
