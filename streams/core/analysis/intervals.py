"""Intervals of numbers, arithmetic with them, and where a feature must be for a formula to be in one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from streams.core.conditions import tree as c

Numbers = Callable[[c.Numeric], float | None]
"""The value of a formula for a customer, `None` where it is missing."""


@dataclass(frozen=True, slots=True)
class Interval:
    """The numbers between two bounds, each of which may be open."""

    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False

    @property
    def empty(self) -> bool:
        """Return whether no number lies in it."""
        return self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))

    def __contains__(self, value: float) -> bool:
        above = value > self.low or (value == self.low and not self.low_open)
        return above and (value < self.high or (value == self.high and not self.high_open))

    def meet(self, other: Interval) -> Interval:
        """Return what lies in both.

        >>> Interval(0, 3).meet(Interval(1, 3, high_open=True))
        Interval(low=1, high=3, low_open=False, high_open=True)
        """
        low, high = max(self.low, other.low), min(self.high, other.high)
        low_open = any(i.low_open for i in (self, other) if i.low == low)
        high_open = any(i.high_open for i in (self, other) if i.high == high)
        return Interval(low, high, low_open, high_open)

    def moved(self, by: float) -> Interval:
        """Return it with `by` added."""
        return Interval(self.low + by, self.high + by, self.low_open, self.high_open)

    def scaled(self, by: float) -> Interval:
        """Return it multiplied by what is not 0."""
        if by > 0:
            return Interval(self.low * by, self.high * by, self.low_open, self.high_open)
        return Interval(self.high * by, self.low * by, self.high_open, self.low_open)

    def nearest(self, value: float, whole: bool) -> float | None:
        """Return the number in it nearest to `value`, a whole one where `whole`; `None` if there is none."""
        if value in self:
            return value
        found: float
        if value <= self.low:
            if whole:
                found = math.floor(self.low) + 1 if self.low_open else math.ceil(self.low)
            else:
                found = math.nextafter(self.low, math.inf) if self.low_open else self.low
        elif whole:
            found = math.ceil(self.high) - 1 if self.high_open else math.floor(self.high)
        else:
            found = math.nextafter(self.high, -math.inf) if self.high_open else self.high
        return found if found in self else None


def holding(op: str, threshold: float) -> list[Interval]:
    """Return where a number stands in the relation `op` to a threshold."""
    match op:
        case "<":
            return [Interval(high=threshold, high_open=True)]
        case "<=":
            return [Interval(high=threshold)]
        case ">":
            return [Interval(low=threshold, low_open=True)]
        case ">=":
            return [Interval(low=threshold)]
        case "=":
            return [Interval(threshold, threshold)]
    return [Interval(high=threshold, high_open=True), Interval(low=threshold, low_open=True)]


def solved(node: c.Numeric, name: str, wanted: Interval, numbers: Numbers) -> list[Interval]:
    """Return where the feature `name` must lie for `node` to lie in `wanted`, all other features as they are.

    `name` occurs in `node` once. Empty where there is none, and for what is not solved: a remainder, a
    rounding, a condition that reads the feature.
    """
    if wanted.empty:
        return []
    match node:
        case c.NumericFeature():
            return [wanted]
        case c.Arithmetic(op, left, right):
            inside, other, on_left = (left, right, True) if reads(left, name) else (right, left, False)
            known = numbers(other)
            if known is None:
                return []
            return [
                found
                for piece in _undone(op, known, on_left, wanted)
                for found in solved(inside, name, piece, numbers)
            ]
        case c.FunctionCall("abs", of):
            size = wanted.meet(Interval(low=0.0))
            return solved(of, name, size, numbers) + solved(of, name, size.scaled(-1), numbers)
        case c.FunctionCall("sqrt", of):
            root = wanted.meet(Interval(low=0.0))
            square = Interval(root.low**2, root.high**2, root.low_open, root.high_open)
            return [] if root.empty else solved(of, name, square, numbers)
        case c.Pick(how, of):
            return _picked(how, of, name, wanted, numbers)
    return []


def reads(node: c.Numeric, name: str) -> bool:
    """Return whether a formula reads a feature."""
    return name in c.features_of(node)


def _undone(op: str, known: float, on_left: bool, wanted: Interval) -> list[Interval]:
    """Return where `x` must lie for `x op known`, or `known op x`, to lie in `wanted`."""
    match op:
        case "+":
            return [wanted.moved(-known)]
        case "-":
            return [wanted.moved(known) if on_left else wanted.scaled(-1).moved(known)]
        case "*" if known:
            return [wanted.scaled(1 / known)]
        case "/" if known and on_left:
            return [wanted.scaled(known)]
        case "/" if known:
            return _inverse(wanted.scaled(1 / known))
    return []


def _inverse(wanted: Interval) -> list[Interval]:
    """Return where `x` must lie for `1 / x` to lie in `wanted`; 0 lies nowhere."""
    pieces = []
    for sign in (1.0, -1.0):
        part = wanted.scaled(sign).meet(Interval(low=0.0, low_open=True))
        if not part.empty:
            low = 0.0 if part.high == math.inf else 1 / part.high
            high = math.inf if part.low == 0 else 1 / part.low
            pieces.append(Interval(low, high, part.high_open or low == 0, part.low_open).scaled(sign))
    return pieces


def _picked(
    how: str, of: tuple[c.Numeric, ...], name: str, wanted: Interval, numbers: Numbers
) -> list[Interval]:
    inside = next(each for each in of if reads(each, name))
    others = [numbers(each) for each in of if each is not inside]
    if how == "coalesce":
        before = [numbers(each) for each in of[: of.index(inside)]]
        usable = numbers(inside) is not None and all(value is None for value in before)
        return solved(inside, name, wanted, numbers) if usable else []
    known = [value for value in others if value is not None]
    if numbers(inside) is None or len(known) < len(others):
        return []
    if not known:
        return solved(inside, name, wanted, numbers)
    rest = max(known) if how == "greatest" else min(known)
    if rest in wanted:
        reach = Interval(high=wanted.high, high_open=wanted.high_open)
        if how == "least":
            reach = Interval(low=wanted.low, low_open=wanted.low_open)
        return solved(inside, name, reach, numbers)
    beyond = Interval(low=rest, low_open=True) if how == "greatest" else Interval(high=rest, high_open=True)
    return solved(inside, name, wanted.meet(beyond), numbers)


# -- arithmetic, rounded outwards: where a formula is, by where its parts are -------------------------------

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
    # As floats: products of whole ones overflow to infinity, as those of all others.
    low = float(math.ceil(of.low)) if math.isfinite(of.low) else of.low
    high = float(math.floor(of.high)) if math.isfinite(of.high) else of.high
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
