"""What a rule may state: a small tree of numbers, words and conditions over one customer's features.

There is deliberately nothing here that could look at another customer, at a clock or at chance, so a
verdict depends on one row of features and on nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Number:
    """A finite number written in a rule."""

    value: float


@dataclass(frozen=True, slots=True)
class Null:
    """`NULL`: a number or a condition that is missing."""


@dataclass(frozen=True, slots=True)
class NumericFeature:
    """A feature that is a number."""

    name: str


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Two numbers joined by `+`, `-`, `*`, `/` or `%`; what is not a finite number is missing."""

    op: str
    left: Numeric
    right: Numeric


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """`abs`, `ceil`, `floor`, `round`, `sign` or `sqrt` of a number."""

    function: str
    of: Numeric
    decimals: int = 0


@dataclass(frozen=True, slots=True)
class Pick:
    """The first known of numbers (`coalesce`), or the `greatest` or `least`: missing where any of them is."""

    how: str
    of: tuple[Numeric, ...]


@dataclass(frozen=True, slots=True)
class CaseNumber:
    """`CASE` that gives a number; a missing condition goes to `otherwise`."""

    when: Condition
    then: Numeric
    otherwise: Numeric


@dataclass(frozen=True, slots=True)
class Word:
    """A word written in a rule."""

    value: str


@dataclass(frozen=True, slots=True)
class WordFeature:
    """A feature that is a word."""

    name: str


@dataclass(frozen=True, slots=True)
class Folded:
    """A word in lower or upper case."""

    upper: bool
    of: Text


@dataclass(frozen=True, slots=True)
class WordOrDefault:
    """A word, or `default` where it is missing."""

    of: Text
    default: str


@dataclass(frozen=True, slots=True)
class WordTest:
    """A word feature compared with words that the rule gives.

    `test` is a comparison operator, `in`, `starts`, `ends`, `missing`, or `like` or `ilike` with a pattern
    and, where there is one, its escape character.
    """

    of: Text
    test: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Constant:
    """`TRUE` or `FALSE`."""

    value: bool


@dataclass(frozen=True, slots=True)
class Compare:
    """Two numbers compared by `<`, `<=`, `=`, `>=` or `>`; missing where either is."""

    op: str
    left: Numeric
    right: Numeric


@dataclass(frozen=True, slots=True)
class InList:
    """A number that is one of several."""

    of: Numeric
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class IsMissing:
    """A number or a condition that is missing; itself never missing."""

    of: Numeric | Condition


@dataclass(frozen=True, slots=True)
class And:
    """Both: false where either is false, missing where that depends on what is missing."""

    left: Condition
    right: Condition


@dataclass(frozen=True, slots=True)
class Or:
    """Either: true where one is true, missing where that depends on what is missing."""

    left: Condition
    right: Condition


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite: missing stays missing."""

    of: Condition


@dataclass(frozen=True, slots=True)
class Coalesce:
    """`COALESCE` of conditions: the first that is not missing."""

    of: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class CaseCondition:
    """`CASE` that gives a condition; a missing `when` goes to `otherwise`."""

    when: Condition
    then: Condition
    otherwise: Condition


Numeric = Number | Null | NumericFeature | Arithmetic | FunctionCall | Pick | CaseNumber
Text = WordFeature | Folded | WordOrDefault
Condition = (
    Constant | Null | Compare | InList | IsMissing | WordTest | And | Or | Not | Coalesce | CaseCondition
)
Node = Numeric | Text | Word | Condition

NUMERIC: Final = (Number, Null, NumericFeature, Arithmetic, FunctionCall, Pick, CaseNumber)
TEXT: Final = (WordFeature, Folded, WordOrDefault)
CONDITION: Final = (
    Constant, Null, Compare, InList, IsMissing, WordTest, And, Or, Not, Coalesce, CaseCondition,
)  # fmt: skip
"""The same as classes for `isinstance`; `Null` is a number or a condition as its place demands."""


def parts(condition: Condition, joint: type[And] | type[Or]) -> list[Condition]:
    """Return the conditions that a chain of `AND`, or of `OR`, joins; itself where it is no such chain."""
    if isinstance(condition, joint):
        return [*parts(condition.left, joint), *parts(condition.right, joint)]
    return [condition]


def features_of(node: Any) -> Iterator[str]:
    """Yield the names of the features a tree reads, in the order of reading, repeats included."""
    if isinstance(node, NumericFeature | WordFeature):
        yield node.name
    elif isinstance(node, tuple):
        for part in node:
            yield from features_of(part)
    elif is_dataclass(node):
        for field in fields(node):
            yield from features_of(getattr(node, field.name))
