"""What is known of the features beforehand: the values each can take, and how they hang together."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import polars as pl

from streams.core.analysis.intervals import Interval
from streams.core.features.catalogue import CATALOGUE

CLASSES: Final = ("key", "ordinary", "small", "problem")
"""What the contract accepts as `customer_class`; other words are the business's own."""

_UNBOUNDED: Final = frozenset(
    {
        "spend_7d",
        "spend_30d",
        "spend_90d",
        "spend_prev_30d",
        "spend_total",
        "spend_trend",
        "days_to_contract_end",
    }
)
_BOUNDED: Final = {
    "churn_probability": Interval(0, 1),
    "feedback_mean_90d": Interval(0, 1),
    "handling_satisfaction_90d": Interval(1, 5),
    "order_gap_mean": Interval(1, math.inf),
}


def range_of(name: str) -> Interval:
    """Return the values that a feature can take where it is known."""
    if name in _BOUNDED:
        return _BOUNDED[name]
    return Interval(-math.inf, math.inf) if name in _UNBOUNDED else Interval(0, math.inf)


def is_whole(name: str) -> bool:
    """Return whether a feature is a count."""
    return name in CATALOGUE and CATALOGUE[name].dtype is pl.Int64


def always_known(name: str) -> bool:
    """Return whether a feature is never missing, whatever source is quiet."""
    feature = CATALOGUE.get(name)
    return feature is not None and not feature.may_be_missing and not feature.reads


@dataclass(frozen=True, slots=True)
class NotAbove:
    """Where both are known, `low` is no greater than `high`; less, where `strictly`."""

    low: str
    high: str
    strictly: bool = False


@dataclass(frozen=True, slots=True)
class Defined:
    """Where it is known, a feature is another one over a third."""

    name: str
    above: str
    below: str


@dataclass(frozen=True, slots=True)
class CountWindow:
    """A count of the last days, and how long ago the newest of what it counts was."""

    count: str
    since: str
    days: int

    @property
    def longest_ago(self) -> float:
        """With one counted the newest lies no further back; days of 25 hours are allowed for."""
        return self.days + 1.0

    @property
    def surely_inside(self) -> float:
        """With the newest no further back, one is counted."""
        return self.days - 2.0


def _ordered() -> Iterator[NotAbove]:
    for thing, windows in (("orders", (7, 30, 90)), ("logins", (7, 30, 90)), ("complaints", (30, 90))):
        names = [*(f"{thing}_{days}d" for days in windows), f"{thing}_total"]
        # All pairs, for a link between two windows is seen only where both are read.
        yield from (NotAbove(low, high) for low, high in combinations(names, 2))
        yield from (NotAbove(f"{thing}_prev_30d", f"{thing}_{high}") for high in ("90d", "total"))
    for thing in ("order", "login", "complaint"):
        yield NotAbove(f"days_since_{thing}", "tenure_days")
        yield NotAbove(f"days_since_any_{thing}", f"days_since_{thing}")
    for thing in ("order", "login"):
        waiting = f"complaint_without_{thing}_days"
        yield NotAbove("days_since_complaint", waiting)
        yield NotAbove(waiting, f"days_since_{thing}", strictly=True)
        yield NotAbove(waiting, "tenure_days")
    yield NotAbove("oldest_open_complaint_days", "tenure_days")
    yield NotAbove("overdue", "days_since_order")  # the mean gap is a day at the least


ORDERED: Final[tuple[NotAbove, ...]] = tuple(_ordered())
DEFINED: Final[tuple[Defined, ...]] = (
    Defined("overdue", "days_since_order", "order_gap_mean"),
    Defined("order_trend", "orders_30d", "orders_prev_30d"),
    Defined("login_trend", "logins_30d", "logins_prev_30d"),
    Defined("spend_trend", "spend_30d", "spend_prev_30d"),
    Defined("return_rate_90d", "returns_90d", "orders_90d"),
)
WINDOWS: Final[tuple[CountWindow, ...]] = tuple(
    CountWindow(f"{thing}s_{days}d", f"days_since_{thing}", days)
    for thing, windows in (("order", (7, 30, 90)), ("login", (7, 30, 90)), ("complaint", (30, 90)))
    for days in windows
)
AT_LEAST: Final[dict[str, tuple[tuple[str, float], ...]]] = {
    "days_since_order": (("orders_total", 1),),
    "days_since_login": (("logins_total", 1),),
    "days_since_complaint": (("complaints_total", 1),),
    "complaint_without_order_days": (("complaints_total", 1),),
    "complaint_without_login_days": (("complaints_total", 1),),
    "order_gap_mean": (("orders_total", 2),),
    "overdue": (("orders_total", 2),),
    "order_trend": (("orders_prev_30d", 1),),
    "login_trend": (("logins_prev_30d", 1),),
    "return_rate_90d": (("orders_90d", 1),),
    "oldest_open_complaint_days": (("open_complaints", 1),),
}
"""Where the feature is known, others are no less than so much."""
KNOWN_WITH: Final[dict[str, tuple[str, ...]]] = {
    **{defined.name: (defined.above, defined.below) for defined in DEFINED},
    "complaint_without_order_days": ("days_since_complaint",),
    "complaint_without_login_days": ("days_since_complaint",),
}
"""Where the feature is known, these are."""


def one_of(name: str) -> tuple[str, ...] | None:
    """Return the words that a word feature can be; `None` where any can come."""
    return CLASSES if name == "customer_class" else None
