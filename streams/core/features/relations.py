"""How the features of one customer at one instant depend on each other; their ranges are in the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Final


@dataclass(frozen=True, slots=True)
class NotAbove:
    """Where both are known, `low` is at most `high`, and less than it where `strictly`."""

    low: str
    high: str
    strictly: bool = False


@dataclass(frozen=True, slots=True)
class CountWindow:
    """A count of the last days, and the feature that holds how long ago the newest one was."""

    count: str
    since: str
    days: int

    @property
    def longest_ago(self) -> float:
        """Return how long ago the newest can be where one is counted; days of 25 hours are allowed for."""
        return self.days + 1.0

    @property
    def surely_inside(self) -> float:
        """Return how long ago the newest may be so that it is counted for certain."""
        return self.days - 2.0


def _ordered() -> Iterator[NotAbove]:
    for thing, windows in (("orders", (7, 30, 90)), ("logins", (7, 30, 90)), ("complaints", (30, 90))):
        names = [*(f"{thing}_{days}d" for days in windows), f"{thing}_total"]
        # All pairs: only those are used of which a condition reads both.
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
    yield NotAbove("active_weeks_12", "active_weeks_26")
    yield NotAbove("oldest_open_complaint_days", "tenure_days")
    yield NotAbove("overdue", "days_since_order")  # the mean gap is at least a day


ORDERED: Final[tuple[NotAbove, ...]] = tuple(_ordered())
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
    "last_gap": (("orders_total", 2),),
    "order_gap_std": (("orders_total", 3),),
    "order_trend": (("orders_prev_30d", 1),),
    "login_trend": (("logins_prev_30d", 1),),
    "return_rate_90d": (("orders_90d", 1),),
    "oldest_open_complaint_days": (("open_complaints", 1),),
    "value": (("orders_total", 1),),
    "value_at_risk": (("orders_total", 1),),
}
"""Where the feature is known, these are at least so much."""
KNOWN_WITH: Final[dict[str, tuple[str, ...]]] = {
    "complaint_without_order_days": ("days_since_complaint",),
    "complaint_without_login_days": ("days_since_complaint",),
    "value": ("days_since_order",),
    "value_at_risk": ("churn_probability", "value"),
}
"""Where the feature is known, these are; a ratio is known where both of its features are."""
