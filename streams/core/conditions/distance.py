"""How far rows of features are from making a condition true, or false.

The distance of a comparison is the change that its left side needs, as a share of the size of the threshold
(of 1 where the threshold is 0): `overdue >= 3` at 2.4 is 0.2 away. The threshold is the side that reads no
feature, else the right one. A strict comparison needs the next number that a float can be, and a count the
next whole one. Of an AND the distance is that of its farthest part, of an OR that
of its nearest: parts count as if each could be moved alone. It is 0 exactly where the condition holds.

What no change of a number can cause is infinitely far: another word, a known number that should be missing.
What depends on a missing value has no distance (NaN): an AND of it with something infinitely far is
infinitely far, an OR with something that has a distance is as far as that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.core.conditions import tree as c
from streams.core.conditions.compiler import ROWS_AT_ONCE, Program, Step

Floats = NDArray[np.float64]
Pair = tuple[Any, Any]
"""(n,) or scalar distances of a condition to true and to false, `_UNKNOWN` for those that are missing."""

_UNKNOWN: Final = float(np.finfo(np.float64).max)
"""Farther than any distance and nearer than what is impossible, so that minimum and maximum need no more."""
_IMPOSSIBLE: Final = float("inf")
MIRRORED: Final = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<=", "<>": "<>"}
OPPOSITE: Final = {"=": "<>", "<": ">=", "<=": ">", ">": "<=", ">=": "<", "<>": "="}


class Distances(Program):
    """Conditions compiled into the distances of rows from making them true, and from making them false."""

    def __init__(self, conditions: Sequence[c.Condition]) -> None:
        super().__init__([])
        self._pairs = [self._distance(condition) for condition in conditions]

    def to_true(self, frame: pl.DataFrame) -> Floats:
        """Return (conditions, n) distances to true of a frame of n rows, NaN where missing."""
        return self._distances(frame, 0)

    def to_false(self, frame: pl.DataFrame) -> Floats:
        """Return (conditions, n) distances to false, NaN where missing."""
        return self._distances(frame, 1)

    def _distances(self, frame: pl.DataFrame, side: int) -> Floats:
        result = np.empty((len(self._pairs), frame.height))
        with np.errstate(all="ignore"):
            for begin in range(0, frame.height, ROWS_AT_ONCE):
                part = slice(begin, begin + ROWS_AT_ONCE)
                registers = self._registers(frame[part])
                for place, pair in enumerate(self._pairs):
                    result[place, part] = registers[pair][side]
        result[result == _UNKNOWN] = np.nan
        return result

    def _distance(self, node: c.Condition) -> int:
        return self._place("distance", node, self._distance_step)

    def _distance_step(self, node: c.Condition) -> Step:
        match node:
            case c.Compare(op, left, right):
                return self._comparison(op, left, right)
            case c.InList(of, values):
                return self._among(of, values)
            case c.And(left, right):
                i, j = self._distance(left), self._distance(right)
                return lambda r, frame: (np.maximum(r[i][0], r[j][0]), np.minimum(r[i][1], r[j][1]))
            case c.Or(left, right):
                i, j = self._distance(left), self._distance(right)
                return lambda r, frame: (np.minimum(r[i][0], r[j][0]), np.maximum(r[i][1], r[j][1]))
            case c.Not(of):
                i = self._distance(of)
                return lambda r, frame: (r[i][1], r[i][0])
            case c.Coalesce(of):
                return _first_known([self._distance(each) for each in of])
            case c.CaseCondition(when, then, otherwise):
                return _branch(self._distance(when), self._distance(then), self._distance(otherwise))
            case c.IsMissing():
                i = self._truth(node)
                # No change of a number makes a known one missing; a missing one may become known.
                return lambda r, frame: _pair(r[i], _IMPOSSIBLE, _UNKNOWN)
            case c.WordTest() | c.Constant() | c.Null():
                i = self._truth(node)
                return lambda r, frame: _pair(r[i], _IMPOSSIBLE, _IMPOSSIBLE)

    def _comparison(self, op: str, left: c.Numeric, right: c.Numeric) -> Step:
        if is_threshold(left) and not is_threshold(right):
            op, left, right = MIRRORED[op], right, left
        i, j, whole = self._number(left), self._number(right), _whole(left)

        def step(r: list[Any], frame: pl.DataFrame) -> Pair:
            value, threshold = r[i][0], r[j][0]
            unknown = np.isnan(value) | np.isnan(threshold)
            to_true = _share(value, op, threshold, whole(frame))
            to_false = _share(value, OPPOSITE[op], threshold, whole(frame))
            return np.where(unknown, _UNKNOWN, to_true), np.where(unknown, _UNKNOWN, to_false)

        return step

    def _among(self, of: c.Numeric, values: tuple[float, ...]) -> Step:
        i, whole = self._number(of), _whole(of)

        def step(r: list[Any], frame: pl.DataFrame) -> Pair:
            value = r[i][0]
            to_each = np.stack([_share(value, "=", np.float64(each), whole(frame)) for each in values])
            nearest = to_each.min(axis=0)
            away = np.where(nearest > 0, 0.0, _share(value, "<>", value, whole(frame)))
            unknown = np.isnan(value)
            return np.where(unknown, _UNKNOWN, nearest), np.where(unknown, _UNKNOWN, away)

        return step


def target(op: str, threshold: Any, value: Any, whole: bool) -> Any:
    """Return the number nearest to `value`, where `op` does not hold, at which it holds; NaN for none."""
    match op:
        case ">=":
            return np.ceil(threshold) if whole else threshold
        case "<=":
            return np.floor(threshold) if whole else threshold
        case ">":
            return np.floor(threshold) + 1 if whole else np.nextafter(threshold, np.inf)
        case "<":
            return np.ceil(threshold) - 1 if whole else np.nextafter(threshold, -np.inf)
        case "<>":
            return value + 1 if whole else np.nextafter(value, np.inf)
    return np.where(np.floor(threshold) == threshold, threshold, np.nan) if whole else threshold


def share(value: Any, needed: Any, threshold: Any) -> Any:
    """Return the difference between `value` and the `needed` one as a share of the threshold's size."""
    size = np.abs(threshold)
    way = np.abs(needed - value) / np.where(size == 0, 1.0, size)
    # A step of one float may be lost in the quotient, but it is not nothing.
    return np.clip(way, np.nextafter(0.0, 1.0), _UNKNOWN / 2)


_HOLDS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "=": np.equal, "<>": np.not_equal, "<": np.less,
    "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal,
}  # fmt: skip


def _share(value: Any, op: str, threshold: Any, whole: bool) -> Any:
    needed = target(op, threshold, value, whole)
    way = np.where(np.isnan(needed), _IMPOSSIBLE, share(value, needed, threshold))
    return np.where(_HOLDS[op](value, threshold), 0.0, way)


def is_threshold(node: c.Numeric) -> bool:
    """Return whether one side of a comparison reads no feature."""
    return next(c.features_of(node), None) is None


def _whole(node: c.Numeric) -> Callable[[pl.DataFrame], bool]:
    """Return the test whether, in a frame, the side of a comparison is a count."""
    if isinstance(node, c.NumericFeature):
        name = node.name
        return lambda frame: frame.schema[name].is_integer()
    return lambda frame: False


def _pair(truth: tuple[Any, Any], to_true: float, to_false: float) -> Pair:
    true, false = truth
    missing = ~(true | false)
    return (
        np.where(true, 0.0, np.where(missing, _UNKNOWN, to_true)),
        np.where(false, 0.0, np.where(missing, _UNKNOWN, to_false)),
    )


def _first_known(places: list[int]) -> Step:
    def step(r: list[Any], frame: pl.DataFrame) -> Pair:
        to_true, to_false = r[places[0]]
        for place in places[1:]:
            unknown = (to_true > 0) & (to_false > 0)
            to_true = np.where(unknown, r[place][0], to_true)
            to_false = np.where(unknown, r[place][1], to_false)
        return to_true, to_false

    return step


def _branch(when: int, then: int, otherwise: int) -> Step:
    def step(r: list[Any], frame: pl.DataFrame) -> Pair:
        to_then = r[when][0]
        to_otherwise = np.where(to_then > 0, 0.0, r[when][1])  # a missing `when` goes there too
        return tuple(
            np.minimum(np.maximum(to_then, r[then][side]), np.maximum(to_otherwise, r[otherwise][side]))
            for side in (0, 1)
        )

    return step
