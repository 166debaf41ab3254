"""The cases, each a list of plain facts, in which a condition is true, false or missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import product
from typing import Final

from streams.core.conditions import tree as c

MOST: Final = 1000
"""Cases of a condition that are looked at; one with more counts as able to have any verdict."""


class TooManyCases(Exception):
    """A condition has more cases than are looked at."""


class Want(Enum):
    """The verdict that a condition is to have."""

    TRUE = "true"
    FALSE = "false"
    MISSING = "missing"
    NOT_TRUE = "not true"
    NOT_FALSE = "not false"

    @property
    def mirrored(self) -> Want:
        """The verdict that the condition under a NOT must have."""
        return _MIRRORED[self]


_MIRRORED: Final = {
    Want.TRUE: Want.FALSE,
    Want.FALSE: Want.TRUE,
    Want.MISSING: Want.MISSING,
    Want.NOT_TRUE: Want.NOT_FALSE,
    Want.NOT_FALSE: Want.NOT_TRUE,
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two numbers, both known, of which the comparison holds; `<>` is one of the operators."""

    op: str
    left: c.Numeric
    right: c.Numeric


@dataclass(frozen=True, slots=True)
class OneOf:
    """A known number that is, or is not, one of some values."""

    of: c.Numeric
    values: tuple[float, ...]
    among: bool


@dataclass(frozen=True, slots=True)
class Known:
    """A number that is known, or missing."""

    of: c.Numeric
    known: bool


@dataclass(frozen=True, slots=True)
class WordVerdict:
    """The verdict of a test on a word: true, false or, for a missing word, `None`."""

    test: c.WordTest
    verdict: bool | None


Fact = Comparison | OneOf | Known | WordVerdict
Case = tuple[Fact, ...]

_OPPOSITE: Final = {"<": ">=", "<=": ">", "=": "<>", ">=": "<", ">": "<="}


def cases(condition: c.Condition, want: Want) -> list[Case]:
    """Return cases of which one must hold where the condition is as wanted; raise `TooManyCases`."""
    return _Splitter().cases(condition, want)


_TRUTHS: Final[dict[Want, tuple[bool, ...]]] = {
    Want.TRUE: (True,),
    Want.FALSE: (False,),
    Want.MISSING: (),
    Want.NOT_TRUE: (False,),
    Want.NOT_FALSE: (True,),
}
"""The certain verdicts that fit."""


class _Splitter:
    """One condition being split; each part is split once for each verdict, however often it is needed."""

    def __init__(self) -> None:
        self._split_parts: dict[tuple[c.Condition, Want], list[Case]] = {}

    def cases(self, condition: c.Condition, want: Want) -> list[Case]:
        """Return the cases of a part."""
        found = self._split_parts.get((condition, want))
        if found is None:
            found = self._split_parts[condition, want] = self._split(condition, want)
        return found

    def _split(self, condition: c.Condition, want: Want) -> list[Case]:
        match condition:
            case c.Constant(value):
                fits = value in _TRUTHS[want]
                return [()] if fits else []
            case c.Null():
                return [()] if want in (Want.MISSING, Want.NOT_TRUE, Want.NOT_FALSE) else []
            case c.Not(of):
                return self.cases(of, want.mirrored)
            case c.And(left, right):
                return self._and(left, right, want)
            case c.Or(left, right):
                # By De Morgan, which holds in three-valued logic too.
                return self._and(c.Not(left), c.Not(right), want.mirrored)
            case c.IsMissing(of):
                return self._is_missing(of, missing=True in _TRUTHS[want]) if want is not Want.MISSING else []
            case c.Coalesce(of):
                return self._first_known(of, want)
            case c.CaseCondition(when, then, otherwise):
                there = both([self.cases(when, Want.TRUE), self.cases(then, want)])
                return [*there, *both([self.cases(when, Want.NOT_TRUE), self.cases(otherwise, want)])]
            case c.Compare(op, left, right):
                missing: list[Case] = [(Known(left, known=False),), (Known(right, known=False),)]
                return _leaf(
                    (Comparison(op, left, right),), (Comparison(_OPPOSITE[op], left, right),), missing, want
                )
            case c.InList(of, values):
                among, apart = OneOf(of, values, among=True), OneOf(of, values, among=False)
                return _leaf((among,), (apart,), [(Known(of, known=False),)], want)
            case c.WordTest():
                true, false, unknown = ((WordVerdict(condition, each),) for each in (True, False, None))
                return _leaf(true, false, [unknown], want)

    def _and(self, left: c.Condition, right: c.Condition, want: Want) -> list[Case]:
        match want:
            case Want.TRUE | Want.NOT_FALSE:
                return both([self.cases(left, want), self.cases(right, want)])
            case Want.FALSE | Want.NOT_TRUE:
                return _either(self.cases(left, want), self.cases(right, want))
        unknown = both([self.cases(left, Want.MISSING), self.cases(right, Want.NOT_FALSE)])
        return _either(unknown, both([self.cases(left, Want.NOT_FALSE), self.cases(right, Want.MISSING)]))

    def _is_missing(self, of: c.Numeric | c.Condition, *, missing: bool) -> list[Case]:
        if isinstance(of, c.NUMERIC):
            return [(Known(of, known=not missing),)]
        if missing:
            return self.cases(of, Want.MISSING)
        return _either(self.cases(of, Want.TRUE), self.cases(of, Want.FALSE))

    def _first_known(self, of: tuple[c.Condition, ...], want: Want) -> list[Case]:
        before = [self.cases(each, Want.MISSING) for each in of]
        if want is Want.MISSING:
            return both(before)
        certain = Want.TRUE if True in _TRUTHS[want] else Want.FALSE
        found = [both([*before[:i], self.cases(each, certain)]) for i, each in enumerate(of)]
        return _either(*found, *([both(before)] if want in (Want.NOT_TRUE, Want.NOT_FALSE) else []))


def both(parts: Sequence[list[Case]]) -> list[Case]:
    """Return the cases in which all parts hold."""
    count = 1
    for part in parts:
        count *= len(part)
    if count > MOST:
        raise TooManyCases
    joined = (tuple(dict.fromkeys(fact for case in several for fact in case)) for several in product(*parts))
    return list(dict.fromkeys(joined))


def _either(*parts: list[Case]) -> list[Case]:
    joined = list(dict.fromkeys(case for part in parts for case in part))
    if len(joined) > MOST:
        raise TooManyCases
    return joined


def _leaf(true: Case, false: Case, missing: list[Case], want: Want) -> list[Case]:
    certain = [true] if True in _TRUTHS[want] else [false] if False in _TRUTHS[want] else []
    return [*certain, *(missing if want not in (Want.TRUE, Want.FALSE) else [])]
