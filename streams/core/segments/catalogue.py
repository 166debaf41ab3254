"""The catalogue of segment rules: what they read of a segment at the end of a day (docs/segments.md)."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.core.conditions.columns import RuleColumns, WordCodes
from streams.core.events.topics import Topic
from streams.core.segments.counts import COUNTS
from streams.core.steps import Value

WINDOW_DAYS: Final = 35
"""Local days that are looked at: the last 7 and the 28 before."""

ORDERS, COMPLAINTS = Topic.ORDERS, Topic.COMPLAINTS
_WINDOWS: Final = {"7d": slice(0, 7), "28d": slice(0, 28), "prev_28d": slice(7, 35)}
"""Days by their age: the day that has just ended is 0."""
_TEXTS: Final = {
    "7d": "in the last 7 days",
    "28d": "in the last 28 days",
    "prev_28d": "in the 28 days before the last 7",
}
_READS: Final = {
    "orders": (ORDERS,),
    "complaints": (COMPLAINTS,),
    "active_days": (COMPLAINTS, Topic.LOGINS, ORDERS),
    "complainers": (COMPLAINTS,),
}
"""Measure -> the topics without which it is missing, in the order of `COUNTS`."""

Column = NDArray[Any]


@dataclass(frozen=True, slots=True)
class SegmentFeature:
    """One column of the catalogue."""

    name: str
    definition: str
    compute: Callable[[SegmentFeatures], Column]
    reads: tuple[Topic, ...] = ()
    """The topics without which it is missing."""
    history_days: int = 0
    """Days that must be known, or it is missing."""
    dtype: type[pl.DataType] = pl.Float64
    low: float = -math.inf
    """The least value that it can have where it is known."""
    high: float = math.inf
    """The greatest one."""
    ratio: tuple[str, str] | None = None
    """Where it is a ratio of two others, these: missing where the second one is not positive."""
    can_fall: bool = True
    """Whether it can become less than it was."""
    words: tuple[str, ...] | None = None
    """The words that it can be; `None` where any can come, and for numbers."""

    @property
    def may_be_missing(self) -> bool:
        """Return whether it is missing at times when its topics are not quiet."""
        return (
            self.history_days > 0 or self.dtype is pl.Float64
        )  # every number that is no count is a quotient


class SegmentFeatures:
    """The features of `s` segments of one dimension at the end of a day, each computed once."""

    def __init__(
        self,
        values: list[str],
        counts: NDArray[np.int64],
        shop: NDArray[np.int64],
        *,
        known_days: int,
        quiet: Collection[str] = (),
    ) -> None:
        self.values = values
        """(s,) the segments' values."""
        self.counts = counts
        """(s, WINDOW_DAYS, 4) by age in days and `COUNTS`."""
        self.shop = shop
        """(WINDOW_DAYS, 4) the same of the whole shop."""
        self.known_days = known_days
        self.quiet = frozenset(quiet)
        self._computed: dict[str, Column] = {}

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, name: str) -> Column:
        """Return a feature's column, (s,): integers, floats with NaN for missing, or words."""
        values = self._computed.get(name)
        if values is None:
            feature = SEGMENT_CATALOGUE[name]
            values = feature.compute(self)
            if self.known_days < feature.history_days or any(t.label in self.quiet for t in feature.reads):
                values = np.full(len(self), np.nan)
            self._computed[name] = values
        return values

    def frame(self, names: tuple[str, ...]) -> pl.DataFrame:
        """Return the features `names` as a frame of `len(self)` rows; missing is null."""
        columns = {}
        for name in names:
            values = self[name]
            dtype = SEGMENT_CATALOGUE[name].dtype
            series = pl.Series(name, values.tolist() if dtype is pl.String else values, nan_to_null=True)
            columns[name] = series.cast(dtype)
        return pl.DataFrame(columns)

    def columns(self, names: tuple[str, ...]) -> RuleColumns:
        """Return the features `names` as conditions read them."""
        read: dict[str, Column | WordCodes] = {}
        for name in names:
            is_word = SEGMENT_CATALOGUE[name].dtype is pl.String
            read[name] = WordCodes(list(self.values), np.arange(len(self))) if is_word else self[name]
        return RuleColumns(len(self), read)

    def value(self, name: str, row: int) -> Value:
        """Return one feature of one segment as a plain value, `None` where it is missing."""
        value, dtype = self[name][row], SEGMENT_CATALOGUE[name].dtype
        if dtype is pl.String:
            return str(value)
        if np.isnan(value):
            return None
        return int(value) if dtype is pl.Int64 else float(value)

    def sums(self, measure: int, window: str, *, shop: bool = False) -> NDArray[np.int64]:
        """Return the sums of a count over a window, (s,)."""
        if shop:
            total = self.shop[_WINDOWS[window], measure].sum()
            return np.full(len(self), total, dtype=np.int64)
        summed: NDArray[np.int64] = self.counts[:, _WINDOWS[window], measure].sum(axis=1)
        return summed


def _ratio(above: Column, below: Column) -> Column:
    result = np.full(len(below), np.nan)
    np.divide(above, below, out=result, where=below > 0)
    return result


def _rate(window: str, *, shop: bool = False) -> Callable[[SegmentFeatures], Column]:
    return lambda f: _ratio(f.sums(1, window, shop=shop), f.sums(0, window, shop=shop))


def _rise(prefix: str = "") -> Callable[[SegmentFeatures], Column]:
    return lambda f: _ratio(f[f"{prefix}complaint_rate_7d"], f[f"{prefix}complaint_rate_prev_28d"])


def rise_z(a: Column, m: Column, b: Column, n: Column) -> Column:
    """Return how many standard errors the rate a / m lies above b / n, NaN where m or n is 0.

    Anscombe (1948), Biometrika 35, 246-254: sqrt(X + 3/8) of a Poisson count has variance 1/4, nearly. As a
    test of two rates: Gu, Ng, Tang and Schucany (2008), Biometrical Journal 50, 283-298.
    """
    known = (m > 0) & (n > 0)
    d = np.where(known, m, 1) / np.where(known, n, 1)
    z = 2 * (np.sqrt(a + 0.375) - np.sqrt(d * (b + 0.375))) / np.sqrt(1 + d)
    return np.where(known, z, np.nan)


def _rise_z(f: SegmentFeatures) -> Column:
    return rise_z(f.sums(1, "7d"), f.sums(0, "7d"), f.sums(1, "prev_28d"), f.sums(0, "prev_28d"))


def _sum(measure: int, window: str, *, shop: bool = False) -> Callable[[SegmentFeatures], Column]:
    return lambda f: f.sums(measure, window, shop=shop)


def _history(window: str) -> int:
    return WINDOW_DAYS if window == "prev_28d" else 0


def _features() -> Iterator[SegmentFeature]:
    assert len(_READS) == len(COUNTS)
    for measure, (name, reads) in enumerate(_READS.items()):
        for window, text in _TEXTS.items():
            definition = {
                "orders": f"placed orders {text}",
                "complaints": f"complaints opened or reopened {text}",
                "active_days": f"customers with an order, login or complaint on each day {text}, added up",
                "complainers": f"customers with a complaint on each day {text}, added up",
            }[name]
            compute = _sum(measure, window)
            yield SegmentFeature(
                f"{name}_{window}", definition, compute, reads, _history(window), pl.Int64, low=0
            )
    both = (COMPLAINTS, ORDERS)
    for window, text in _TEXTS.items():
        definition = f"complaints over orders {text}; missing without orders"
        ratio = (f"complaints_{window}", f"orders_{window}")
        name = f"complaint_rate_{window}"
        yield SegmentFeature(name, definition, _rate(window), both, _history(window), low=0, ratio=ratio)
    definition = "complaint_rate_7d / complaint_rate_prev_28d; missing where either is, or the latter is 0"
    ratio = ("complaint_rate_7d", "complaint_rate_prev_28d")
    yield SegmentFeature("complaint_rise", definition, _rise(), both, WINDOW_DAYS, low=0, ratio=ratio)
    definition = "standard errors by which the rate of the last 7 days lies above that of the 28 before"
    yield SegmentFeature("complaint_rise_z", definition, _rise_z, both, WINDOW_DAYS)
    for name, measure, of in (("orders", 0, (ORDERS,)), ("complaints", 1, (COMPLAINTS,))):
        definition = f"{name} of the whole shop in the last 7 days"
        yield SegmentFeature(
            f"all_{name}_7d", definition, _sum(measure, "7d", shop=True), of, 0, pl.Int64, low=0
        )
    for window in ("7d", "prev_28d"):
        definition = f"complaints over orders of the whole shop {_TEXTS[window]}; missing without orders"
        name = f"all_complaint_rate_{window}"
        yield SegmentFeature(name, definition, _rate(window, shop=True), both, _history(window), low=0)
    definition = (
        "all_complaint_rate_7d / all_complaint_rate_prev_28d; missing where either is, or the latter is 0"
    )
    ratio = ("all_complaint_rate_7d", "all_complaint_rate_prev_28d")
    yield SegmentFeature(
        "all_complaint_rise", definition, _rise("all_"), both, WINDOW_DAYS, low=0, ratio=ratio
    )
    definition = "the segment's value, such as the name of the region"
    yield SegmentFeature("value", definition, lambda f: np.array(f.values, dtype=np.object_), dtype=pl.String)


SEGMENT_CATALOGUE: Final[dict[str, SegmentFeature]] = {feature.name: feature for feature in _features()}
"""Every feature by its name."""

SEGMENT_DTYPES: Final[dict[str, type[pl.DataType]]] = {n: f.dtype for n, f in SEGMENT_CATALOGUE.items()}
"""What segment rules are compiled against."""
