"""Generated customers who fit conditions, checked by the program that evaluates rules."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.core.analysis.cases import Want
from streams.core.analysis.intervals import Interval, is_whole, range_of
from streams.core.analysis.satisfiable import Box, feasible
from streams.core.conditions import tree as c
from streams.core.conditions.compiler import Program
from streams.core.events.topics import Topic
from streams.core.features.catalogue import CATALOGUE, CLASSES, DTYPES
from streams.core.features.relations import AT_LEAST, KNOWN_WITH, ORDERED, RATIOS, WINDOWS
from streams.core.steps import Value

TRIES: Final = 1500
"""Customers generated for each case of the conditions."""
CASES: Final = 12
"""Cases that are tried, the first ones."""

_QUIET: Final = 0.1
_MISSING: Final = 0.3
"""Shares of the generated customers for whom a topic is quiet, and a feature missing by itself."""
_SPREAD: Final = (0.0, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 20.0, 30.0, 45.0, 60.0, 90.0, 150.0, 400.0)


def example(conditions: Sequence[c.Condition]) -> dict[str, Value] | None:
    """Return features of a customer for whom all conditions are true, or `None` where none was found."""
    read = list(dict.fromkeys(name for condition in conditions for name in c.features_of(condition)))
    names = _with_what_they_need(read)
    program = Program(list(conditions))
    for number, box in enumerate(feasible(*((condition, Want.TRUE) for condition in conditions))):
        if number >= CASES:
            return None
        columns = _generated(box, names, conditions, np.random.default_rng(number))
        frame = pl.DataFrame({name: _series(name, columns[name]) for name in names})
        true = (program.run(frame) == 1).all(axis=0) & _consistent(columns)
        found = np.flatnonzero(true)
        if len(found):
            numbers = [
                np.abs(np.nan_to_num(columns[name][found])) for name in read if DTYPES[name] is not pl.String
            ]
            plainest = int(found[np.argmin(np.sum(numbers, axis=0))]) if numbers else int(found[0])
            row = frame.row(plainest, named=True)
            return {name: row[name] for name in read}
    return None


def _with_what_they_need(read: Sequence[str]) -> list[str]:
    """Return features and all those that they depend on, so that this can be checked."""
    names = dict.fromkeys(read)
    for name in list(names):
        names |= dict.fromkeys(KNOWN_WITH.get(name, ()))
    for name in list(names):
        names |= dict.fromkeys(other for other, _ in AT_LEAST.get(name, ()))
    return [*names, *(["tenure_days"] if "tenure_days" not in names else [])]


def _generated(
    box: Box, names: Sequence[str], conditions: Sequence[c.Condition], rng: np.random.Generator
) -> dict[str, NDArray[Any]]:
    """Return (TRIES,) values of each feature within its interval; missing is NaN, or an empty word."""
    words = _words(conditions)
    quiet = {topic: rng.random(TRIES) < _QUIET for topic in Topic}
    quiet |= {topic: np.full(TRIES, topic in box.quiet) for topic in box.quiet | box.alive}
    columns: dict[str, NDArray[Any]] = {}
    for name in names:
        if DTYPES[name] is pl.String:
            columns[name] = rng.choice(np.array(words, dtype=np.object_), TRIES)
        else:
            columns[name] = _numbers(box.interval(name), name, rng)
        missing = np.any([quiet[topic] for topic in CATALOGUE[name].reads] or [np.zeros(TRIES, bool)], axis=0)
        if name in box.missing and CATALOGUE[name].may_be_missing:
            missing[:] = True
        elif name not in box.known and CATALOGUE[name].may_be_missing:
            missing |= rng.random(TRIES) < _MISSING
        columns[name] = np.where(missing, "" if DTYPES[name] is pl.String else np.nan, columns[name])
    return columns | _derived(columns, rng)


def _derived(columns: Mapping[str, NDArray[Any]], rng: np.random.Generator) -> dict[str, NDArray[Any]]:
    """Return the ratios of others, or the others by a ratio."""
    made: dict[str, NDArray[Any]] = {}
    with np.errstate(all="ignore"):
        for name, (over, under) in RATIOS.items():
            if name not in columns:
                continue
            above, below = columns[over], columns[under]
            quotient = np.where(below > 0, above / below, np.nan)
            if not is_whole(over):
                # Half of the time the quotient is kept, and what stands above it follows.
                keep = (rng.random(TRIES) < 0.5) & (below > 0)
                made[over] = np.where(keep, columns[name] * below, above)
                quotient = np.where(keep, made[over] / below, quotient)
            made[name] = quotient
    return made


def _numbers(interval: Interval, name: str, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return numbers of an interval, most of them at or near its ends, where thresholds are."""
    low = (
        interval.low
        if math.isfinite(interval.low)
        else (interval.high if math.isfinite(interval.high) else 0) - 500
    )
    high = interval.high if math.isfinite(interval.high) else low + 1000
    near = min(1.0, high - low) / 100
    inside = [low, high, low + near, high - near, low + 1, high - 1]
    inside += [low + step for step in _SPREAD] + [
        low + (high - low) * share for share in (0.1, 0.25, 0.5, 0.75)
    ]
    if is_whole(name):
        inside = [float(round(value)) for value in inside]
    fitting = [value for value in inside if value in interval] or [low]
    return rng.choice(np.array(fitting, dtype=np.float64), TRIES)


def _words(conditions: Sequence[c.Condition]) -> list[str]:
    found = list(CLASSES) + [word for condition in conditions for word in _words_of(condition)]
    return [*dict.fromkeys(found), "another", ""]


def _words_of(node: Any) -> list[str]:
    if isinstance(node, c.WordTest):
        if node.test in ("like", "ilike"):
            return [node.words[0].replace("%", "").replace("_", "x")]
        return list(node.words)
    if isinstance(node, tuple):
        return [word for part in node for word in _words_of(part)]
    names = getattr(node, "__dataclass_fields__", {})
    return [word for name in names for word in _words_of(getattr(node, name))]


def _series(name: str, values: NDArray[Any]) -> pl.Series:
    if DTYPES[name] is pl.String:
        return pl.Series(name, [word or None for word in values.tolist()], dtype=pl.String)
    series = pl.Series(name, values.astype(np.float64), nan_to_null=True)
    return series.cast(pl.Int64) if DTYPES[name] is pl.Int64 else series


def _consistent(columns: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
    """Return (TRIES,) whether all that is known of the features holds."""
    good = np.ones(TRIES, dtype=np.bool_)
    with np.errstate(all="ignore"):
        for name, values in columns.items():
            if DTYPES[name] is pl.String:
                continue
            interval = range_of(name)
            good &= np.isnan(values) | ((values >= interval.low) & (values <= interval.high))
            for other, least in AT_LEAST.get(name, ()):
                if other in columns:
                    good &= np.isnan(values) | (columns[other] >= least)
            for other in KNOWN_WITH.get(name, ()):
                good &= np.isnan(values) | ~np.isnan(columns[other])
        for fact in ORDERED:
            if fact.low in columns and fact.high in columns:
                low, high = columns[fact.low], columns[fact.high]
                good &= ~(low >= high if fact.strictly else low > high)
        for window in WINDOWS:
            if window.count in columns and window.since in columns:
                count, since = columns[window.count], columns[window.since]
                good &= ~((count >= 1) & ~(since <= window.longest_ago))
                good &= ~((count < 1) & (since <= window.surely_inside))
    return good
