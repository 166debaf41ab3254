"""Which parts of a condition hold for one customer, and how far the others are from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, cast

import numpy as np
import polars as pl

from streams.core.conditions import tree as c
from streams.core.conditions.compiler import Program
from streams.core.conditions.distance import MIRRORED, OPPOSITE, Distances, is_threshold, target
from streams.core.conditions.format import text
from streams.core.steps import Value


class Verdict(StrEnum):
    """The verdict of a condition for a customer."""

    TRUE = "true"
    FALSE = "false"
    MISSING = "missing"


VERDICTS: Final = {1: Verdict.TRUE, 0: Verdict.FALSE, -1: Verdict.MISSING}
"""By their numbers in a column of verdicts."""


class Join(StrEnum):
    """How the parts of a part belong together."""

    ALL = "all of"
    ANY = "any of"
    NONE = ""
    """It has no parts: it is a comparison, or shown as a whole."""


@dataclass(frozen=True, slots=True)
class Part:
    """A condition, or a part of one, with its verdict for a customer."""

    text: str
    """As SQL, negated where the condition negates it."""
    verdict: Verdict
    join: Join = Join.NONE
    parts: tuple[Part, ...] = ()
    feature: str = ""
    """The side that is measured, as SQL; a feature's name in most rules. Empty where nothing is compared."""
    value: Value = None
    """What that side is for the customer; `None` where it is missing."""
    op: str = ""
    threshold: Value = None
    """What it is compared with, for the customer; `None` where it is missing or a list."""
    values: tuple[tuple[str, Value], ...] = ()
    """Every feature it reads and its value."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Return the features it reads that are missing."""
        return tuple(name for name, value in self.values if value is None)


@dataclass(frozen=True, slots=True)
class Gap:
    """A comparison, or another part, that keeps a condition from having the wanted verdict."""

    feature: str
    """The side to be changed, as SQL; a feature's name in most rules."""
    value: Value
    op: str
    """What must hold between value and threshold; empty where no comparison does."""
    threshold: Value
    change: float | None
    """What must be added to the value; `None` where no change of a number helps, or none is known."""
    distance: float
    """As in `streams.core.conditions.distance`: infinite where no change helps, NaN where missing."""
    missing: tuple[str, ...] = ()
    """The missing features that it depends on."""


class CustomerRow:
    """One customer's values, and what numbers and conditions are for them."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self.values = values
        self._frame = pl.DataFrame({name: [value] for name, value in values.items()})

    def verdict(self, condition: c.Condition) -> Verdict:
        """Return the verdict of a condition."""
        return VERDICTS[int(Program([condition]).run(self._frame)[0, 0])]

    def number(self, node: c.Numeric) -> float | None:
        """Return a number, `None` where it is missing."""
        value = float(np.asarray(_Number(node).of(self._frame)).reshape(-1)[0])
        return None if np.isnan(value) else value

    def distance(self, condition: c.Condition, want: bool) -> float:
        """Return how far a condition is from being true, or false."""
        distances = Distances([condition])
        column = distances.to_true(self._frame) if want else distances.to_false(self._frame)
        return float(column[0, 0])

    def known(self, names: Iterator[str]) -> tuple[tuple[str, Value], ...]:
        """Return the named features, each once, with their values."""
        return tuple((name, self.values[name]) for name in dict.fromkeys(names))


class _Number(Program):
    """One number of one frame."""

    def __init__(self, node: c.Numeric) -> None:
        super().__init__([])
        self._wanted = self._number(node)

    def of(self, frame: pl.DataFrame) -> object:
        with np.errstate(all="ignore"):
            return self._registers(frame)[self._wanted][0]


def part(condition: c.Condition, row: CustomerRow) -> Part:
    """Return the parts of a condition, each with its verdict for a customer."""
    return _part(condition, row, want=True)


def gaps(condition: c.Condition, values: Mapping[str, Value], want: bool = True) -> list[Gap]:
    """Return the parts that keep a condition from being true, or false; none where it already is.

    Of parts that must all hold these are all that do not, of alternatives those of the nearest one.
    `values` are those of the features that the condition reads; `None` is missing.
    """
    return _gaps(condition, CustomerRow(values), want)


def _part(node: c.Condition, row: CustomerRow, *, want: bool) -> Part:
    """Return the part that `node` is, or its opposite where not `want`ed."""
    match node:
        case c.Not(of):
            return _part(of, row, want=not want)
        case c.And() | c.Or():
            join = Join.ALL if isinstance(node, c.And) is want else Join.ANY
            parts = tuple(_part(each, row, want=want) for each in _flat(node, type(node)))
            return Part(_text(node, want), _verdict(node, row, want), join, parts)
    values = row.known(c.features_of(node))
    sql, verdict = _text(node, want), _verdict(node, row, want)
    match node:
        case c.Compare(op, left, right):
            op, left, right = _measured(op if want else OPPOSITE[op], left, right)
            value, threshold = row.number(left), row.number(right)
            return Part(sql, verdict, Join.NONE, (), text(left), value, op, threshold, values)
        case c.InList(number):
            op = "IN" if want else "NOT IN"
            return Part(sql, verdict, Join.NONE, (), text(number), row.number(number), op, None, values)
        case c.WordTest(word, test):
            read = row.values[next(c.features_of(word))]
            return Part(sql, verdict, Join.NONE, (), text(word), read, test, None, values)
    return Part(sql, verdict, values=values)


def _gaps(node: c.Condition, row: CustomerRow, want: bool) -> list[Gap]:
    if row.verdict(node) is (Verdict.TRUE if want else Verdict.FALSE):
        return []
    match node:
        case c.Not(of):
            return _gaps(of, row, not want)
        case c.And(left, right) | c.Or(left, right):
            if isinstance(node, c.And) is want:
                return _gaps(left, row, want) + _gaps(right, row, want)
            nearer = min((left, right), key=lambda each: _rank(row.distance(each, want)))
            return _gaps(nearer, row, want)
        case c.Coalesce(of):
            known = [each for each in of if row.verdict(each) is not Verdict.MISSING]
            return _gaps((known or [of[-1]])[0], row, want)
        case c.CaseCondition(when, then, otherwise):
            if row.verdict(when) is Verdict.TRUE:
                there, here = _gaps(then, row, want), _gaps(when, row, False) + _gaps(otherwise, row, want)
            else:
                there, here = _gaps(when, row, True) + _gaps(then, row, want), _gaps(otherwise, row, want)
            return min(
                (there, here), key=lambda each: max((_rank(g.distance) for g in each), default=(0, 0.0))
            )
        case c.Compare(op, left, right):
            return [_gap_of(node, _measured(op if want else OPPOSITE[op], left, right), row, want)]
        case c.InList(number, values):
            value = row.number(number)
            if want:
                choices = [c.Compare("=", number, c.Number(each)) for each in values]
                nearest = min(choices, key=lambda each: _rank(row.distance(each, True)))
                return [_gap_of(node, ("=", number, nearest.right), row, want)]
            return [_gap_of(node, ("<>", number, c.Number(value or 0.0)), row, want)]
        case c.WordTest(word, test, words):
            op = test if want else f"not {test}"
            read = row.values[next(c.features_of(word))]
            return [_plain(node, row, want, text(word), read, op, ", ".join(words) or None)]
    return [_plain(node, row, want, text(node), None, "", None)]


def _gap_of(
    node: c.Condition, comparison: tuple[str, c.Numeric, c.Numeric], row: CustomerRow, want: bool
) -> Gap:
    op, left, right = comparison
    value, threshold = row.number(left), row.number(right)
    change = None
    if value is not None and threshold is not None:
        whole = isinstance(left, c.NumericFeature) and isinstance(row.values[left.name], int)
        needed = float(target(op, np.float64(threshold), np.float64(value), whole))
        change = None if np.isnan(needed) else needed - value
    plain = _plain(node, row, want, text(left), value, op, threshold)
    return Gap(plain.feature, value, op, threshold, change, plain.distance, plain.missing)


def _plain(
    node: c.Condition, row: CustomerRow, want: bool, feature: str, value: Value, op: str, threshold: Value
) -> Gap:
    missing = tuple(name for name, known in row.known(c.features_of(node)) if known is None)
    return Gap(feature, value, op, threshold, None, row.distance(node, want), missing)


def _measured(op: str, left: c.Numeric, right: c.Numeric) -> tuple[str, c.Numeric, c.Numeric]:
    """Return a comparison with the side to be measured on the left."""
    if is_threshold(left) and not is_threshold(right):
        return MIRRORED[op], right, left
    return op, left, right


def _flat(node: c.Condition, kind: type[c.Condition]) -> Iterator[c.Condition]:
    if isinstance(node, kind):
        joined = cast("c.And | c.Or", node)
        yield from _flat(joined.left, kind)
        yield from _flat(joined.right, kind)
    else:
        yield node


def _text(node: c.Condition, want: bool) -> str:
    if not want and isinstance(node, c.Compare):
        return f"{text(node.left, 5)} {OPPOSITE[node.op]} {text(node.right, 5)}"
    return text(node if want else c.Not(node))


def _verdict(node: c.Condition, row: CustomerRow, want: bool) -> Verdict:
    return row.verdict(node if want else c.Not(node))


def _rank(distance: float) -> tuple[int, float]:
    """Return what sorts distances: a number first, then what is missing, then the impossible."""
    if np.isnan(distance):
        return 1, 0.0
    return (2, 0.0) if np.isinf(distance) else (0, distance)
