"""Generated customers who fit conditions, checked by the program that evaluates rules."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.core.analysis.cases import Want
from streams.core.analysis.intervals import Interval
from streams.core.analysis.knowledge import CUSTOMERS, Knowledge
from streams.core.analysis.satisfiable import Box, feasible
from streams.core.conditions import tree as c
from streams.core.conditions.compiler import Program
from streams.core.events.topics import Topic
from streams.core.steps import Value

TRIES: Final = 1500
"""Customers generated for each case of the conditions."""
CASES: Final = 12
"""Cases that are tried, the first ones."""

_QUIET: Final = 0.1
_MISSING: Final = 0.3
"""Shares of the generated customers for whom a topic is quiet, and a feature missing by itself."""
_SPREAD: Final = (0.0, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 20.0, 30.0, 45.0, 60.0, 90.0, 150.0, 400.0)


def example(conditions: Sequence[c.Condition], about: Knowledge = CUSTOMERS) -> dict[str, Value] | None:
    """Return features of a customer for whom all conditions are true, or `None` where none was found."""
    read = list(dict.fromkeys(name for condition in conditions for name in c.features_of(condition)))
    names = _with_what_they_need(read, about)
    program = Program(list(conditions))
    boxes = feasible(*((condition, Want.TRUE) for condition in conditions), about=about)
    for number, box in enumerate(boxes):
        if number >= CASES:
            return None
        customers = _Customers(box, names, conditions, np.random.default_rng(number))
        found = np.flatnonzero((program.run(customers.frame()) == 1).all(axis=0) & customers.consistent())
        if len(found):
            row = customers.frame().row(customers.plainest(found, read), named=True)
            return {name: row[name] for name in read}
    return None


def _with_what_they_need(read: Sequence[str], about: Knowledge) -> list[str]:
    """Return features and all those that they depend on, so that this can be checked."""
    names = dict.fromkeys(read)
    waiting = list(names)
    for name in waiting:
        waiting += [other for other in about.known_beside(name) if other not in names]
        names |= dict.fromkeys(about.known_beside(name))
    for name in list(names):
        names |= dict.fromkeys(other for other, _ in about.at_least.get(name, ()))
    return list(names | dict.fromkeys(sorted(about.always_known)))


class _Customers:
    """(TRIES,) values of each feature within its interval; missing is NaN, or an empty word."""

    def __init__(
        self, box: Box, names: Sequence[str], conditions: Sequence[c.Condition], rng: np.random.Generator
    ) -> None:
        self.about: Final = box.about
        self._rng = rng
        quiet = {topic: rng.random(TRIES) < _QUIET for topic in Topic}
        quiet |= {topic: np.full(TRIES, topic in box.quiet) for topic in box.quiet | box.alive}
        self.columns: dict[str, NDArray[Any]] = {}
        for name in names:
            if self.about.is_word(name):
                values = rng.choice(np.array(self._words(name, conditions), dtype=np.object_), TRIES)
            else:
                values = self._numbers(box.interval(name), name)
            feature, missing = self.about.catalogue.get(name), np.zeros(TRIES, dtype=np.bool_)
            for topic in () if feature is None else feature.reads:
                missing |= quiet[topic]
            if feature is not None and feature.may_be_missing and name not in box.known:
                missing |= name in box.missing or rng.random(TRIES) < _MISSING
            self.columns[name] = np.where(missing, "" if self.about.is_word(name) else np.nan, values)
        self.columns |= self._ratios()

    def frame(self) -> pl.DataFrame:
        """Return the customers as conditions read them."""
        return pl.DataFrame({name: self._series(name, values) for name, values in self.columns.items()})

    def plainest(self, found: NDArray[np.int64], read: Sequence[str]) -> int:
        """Return which of some customers has the smallest numbers."""
        numbers = [
            np.abs(np.nan_to_num(self.columns[name][found])) for name in read if not self.about.is_word(name)
        ]
        return int(found[np.argmin(np.sum(numbers, axis=0))]) if numbers else int(found[0])

    def consistent(self) -> NDArray[np.bool_]:
        """Return (TRIES,) whether all that is known of the features holds."""
        good = np.ones(TRIES, dtype=np.bool_)
        numbers = {n: values for n, values in self.columns.items() if not self.about.is_word(n)}
        with np.errstate(all="ignore"):
            for name, values in numbers.items():
                interval = self.about.range_of(name)
                good &= np.isnan(values) | ((values >= interval.low) & (values <= interval.high))
                for other, least in self.about.at_least.get(name, ()):
                    if other in numbers:
                        good &= np.isnan(values) | (numbers[other] >= least)
                for other in self.about.known_beside(name):
                    good &= np.isnan(values) | ~np.isnan(numbers[other])
            for fact in self.about.ordered:
                if fact.low in numbers and fact.high in numbers:
                    low, high = numbers[fact.low], numbers[fact.high]
                    good &= ~(low >= high if fact.strictly else low > high)
            for window in self.about.windows:
                if window.count in numbers and window.since in numbers:
                    count, since = numbers[window.count], numbers[window.since]
                    good &= ~((count >= 1) & ~(since <= window.longest_ago))
                    good &= ~((count < 1) & (since <= window.surely_inside))
        return good

    def _ratios(self) -> Mapping[str, NDArray[Any]]:
        """Return the ratios of others, or the others by a ratio."""
        made: dict[str, NDArray[Any]] = {}
        with np.errstate(all="ignore"):
            for name, (over, under) in self.about.ratios.items():
                if name not in self.columns:
                    continue
                above, below = made.get(over, self.columns[over]), made.get(under, self.columns[under])
                quotient = np.where(below > 0, above / below, np.nan)
                if not self.about.is_whole(over) and over not in self.about.ratios:
                    # Half of the time the quotient is kept, and what stands above it follows.
                    keep = (self._rng.random(TRIES) < 0.5) & (below > 0)
                    made[over] = np.where(keep, self.columns[name] * below, above)
                    quotient = np.where(keep, made[over] / below, quotient)
                made[name] = quotient
        return made

    def _numbers(self, interval: Interval, name: str) -> NDArray[np.float64]:
        """Return numbers of an interval, most of them at or near its ends, where thresholds are."""
        end = interval.high if math.isfinite(interval.high) else 0.0
        low = interval.low if math.isfinite(interval.low) else end - 500
        high = interval.high if math.isfinite(interval.high) else low + 1000
        near = min(1.0, high - low) / 100
        inside = [low, high, low + near, high - near, low + 1, high - 1]
        inside += [low + step for step in _SPREAD]
        inside += [low + (high - low) * share for share in (0.1, 0.25, 0.5, 0.75)]
        if self.about.is_whole(name):
            inside = [float(round(value)) for value in inside]
        fitting = [value for value in inside if value in interval] or [low]
        return self._rng.choice(np.array(fitting, dtype=np.float64), TRIES)

    def _words(self, name: str, conditions: Sequence[c.Condition]) -> list[str]:
        """Return the words that a feature can be, and those of the conditions."""
        known = self.about.catalogue[name].words
        written = [word for condition in conditions for word in _words_of(condition)]
        return [*dict.fromkeys([*known, ""] if known is not None else [*written, "another", ""])]

    def _series(self, name: str, values: NDArray[Any]) -> pl.Series:
        if self.about.is_word(name):
            return pl.Series(name, [word or None for word in values.tolist()], dtype=pl.String)
        series = pl.Series(name, values.astype(np.float64), nan_to_null=True)
        return series.cast(pl.Int64) if self.about.is_whole(name) else series


def _words_of(node: Any) -> list[str]:
    if isinstance(node, c.WordTest):
        if node.test in ("like", "ilike"):
            return [node.words[0].replace("%", "").replace("_", "x")]
        return list(node.words)
    if isinstance(node, tuple):
        return [word for part in node for word in _words_of(part)]
    names = getattr(node, "__dataclass_fields__", {})
    return [word for name in names for word in _words_of(getattr(node, name))]
