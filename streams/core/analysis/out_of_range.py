"""Numbers and words in a condition that the feature beside them can never be."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from streams.core.analysis.knowledge import CUSTOMERS, Knowledge
from streams.core.conditions import tree as c
from streams.core.conditions.format import number_text
from streams.core.conditions.parser import closest


@dataclass(frozen=True, slots=True)
class OutOfRange:
    """A number or a word that a feature never is."""

    feature: str
    written: str
    range: str
    """What the feature can be, for people."""
    hint: str | None = None
    """The likely right number or word."""

    def __str__(self) -> str:
        hint = f"; did you mean {self.hint}?" if self.hint else ""
        return f"{self.feature} is {self.range}, never {self.written}{hint}"


def out_of_range(node: Any, about: Knowledge = CUSTOMERS) -> Iterator[OutOfRange]:
    """Yield what a condition compares its features with outside of their ranges, in the order of reading.

    >>> from streams.core.conditions.parser import parse_condition
    >>> from streams.core.features.catalogue import DTYPES
    >>> print(*out_of_range(parse_condition("overdue > 2 AND churn_probability >= 70", DTYPES)))
    churn_probability is between 0 and 1, never 70; did you mean 0.7?
    """
    match node:
        case c.Compare(_, left, c.Number(value)) | c.Compare(_, c.Number(value), left):
            yield from _numbers(left, (value,), about)
        case c.InList(of, values):
            yield from _numbers(of, values, about)
        case c.WordTest(c.WordFeature(name), "=" | "in", words) if name in about.catalogue:
            known = about.catalogue[name].words
            for word in words:
                if known is not None and word not in known:
                    yield OutOfRange(name, repr(word), f"one of {', '.join(known)}", closest(word, known))
    if isinstance(node, tuple):
        for part in node:
            yield from out_of_range(part, about)
    elif is_dataclass(node):
        for field in fields(node):
            yield from out_of_range(getattr(node, field.name), about)


def range_text(name: str, about: Knowledge = CUSTOMERS) -> str:
    """Return the range of a feature for people.

    >>> range_text("churn_probability"), range_text("orders_30d"), range_text("spend_30d")
    ('between 0 and 1', 'at least 0', 'any number')
    """
    interval = about.range_of(name)
    if math.isinf(interval.low):
        return "any number" if math.isinf(interval.high) else f"at most {number_text(interval.high)}"
    if math.isinf(interval.high):
        return f"at least {number_text(interval.low)}"
    return f"between {number_text(interval.low)} and {number_text(interval.high)}"


def _numbers(of: c.Numeric, values: tuple[float, ...], about: Knowledge) -> Iterator[OutOfRange]:
    match of:
        case c.NumericFeature(name) | c.Pick("coalesce", (c.NumericFeature(name), c.Number())):
            interval = about.range_of(name)
            for value in values:
                if value not in interval:
                    share = value / 100
                    is_percentage = interval.high <= 1 and share in interval
                    hint = number_text(share) if is_percentage else None
                    yield OutOfRange(name, number_text(value), range_text(name, about), hint)
