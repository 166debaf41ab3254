"""Reasons: groups of inputs that raise a customer's score above the mean, in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from streams.core.steps import Reason, Value


class Group(StrEnum):
    """What the inputs of a group are about."""

    ACTIVITY = "activity"
    SPEND = "spend"
    RHYTHM = "rhythm"
    SERVICE = "service"
    RETURNS = "returns"
    CONTRACT = "contract"
    TENURE = "tenure"
    PROFILE = "profile"


class _Input(Protocol):
    """What a reason needs to know of an input."""

    @property
    def feature(self) -> str: ...

    @property
    def group(self) -> Group: ...

    @property
    def needs(self) -> str | None: ...


TEXTS: Final = {
    "orders_7d": "{} orders in 7 days",
    "orders_30d": "{} orders in 30 days",
    "orders_90d": "{} orders in 90 days",
    "orders_prev_30d": "{} orders in the 30 days before the last 30",
    "orders_total": "{} orders in all",
    "logins_7d": "{} logins in 7 days",
    "logins_30d": "{} logins in 30 days",
    "logins_90d": "{} logins in 90 days",
    "logins_prev_30d": "{} logins in the 30 days before the last 30",
    "logins_total": "{} logins in all",
    "complaints_90d": "{} complaints in 90 days",
    "complaints_total": "{} complaints in all",
    "open_complaints": "{} open complaints",
    "returns_90d": "{} returns in 90 days",
    "active_weeks_12": "orders in {} of the last 12 weeks",
    "active_weeks_26": "orders in {} of the last 26 weeks",
    "spend_30d": "{:,.0f} spent in 30 days",
    "spend_90d": "{:,.0f} spent in 90 days",
    "spend_prev_30d": "{:,.0f} spent in the 30 days before the last 30",
    "spend_total": "{:,.0f} spent in all",
    "tenure_days": "a customer for {:.0f} days",
    "days_since_order": "{:.0f} days since the last order",
    "days_since_login": "{:.0f} days since the last login",
    "days_since_complaint": "{:.0f} days since the last complaint",
    "order_gap_mean": "an order every {:.0f} days",
    "order_gap_std": "gaps between orders that vary by {:.0f} days",
    "last_gap": "{:.0f} days between the last two orders",
    "overdue": "silent for {:.1f} times the usual gap",
    "order_trend": "{:.1f} times the orders of the 30 days before",
    "login_trend": "{:.1f} times the logins of the 30 days before",
    "spend_trend": "{:.1f} times the spend of the 30 days before",
    "complaint_rate_90d": "{:.2f} complaints per order",
    "return_rate_90d": "{:.2f} returns per order",
    "handling_satisfaction_90d": "satisfaction of {:.1f} with resolved complaints",
    "feedback_mean_90d": "survey answers of {:.0%}",
    "days_to_contract_end": "{:.0f} days to the end of the contract",
    "customer_class": "a customer of class {}",
    "segment": "a customer of segment {}",
    "region": "a customer of region {}",
    "origin": "a customer of origin {}",
    "p_alive": "a chance of {:.0%} to be active still, by the rhythm of before",
    "p_silent": "a chance of {:.0%} of silence, by the rhythm of before",
}
"""Each feature's value in words."""


def reasons(
    inputs: Sequence[_Input], shares: NDArray[np.float64], value: Callable[[str, int], Value], limit: int
) -> list[tuple[Reason, ...]]:
    """Return for each row the groups that raise its score most, largest first, each by its largest input.

    `shares` (n, m) are those of the inputs, less their mean; `value` gives a feature by its name and the row.
    A group is no reason where all that raises the score in it is missing, or of a thing of which the customer
    has none: then it is the same for most.
    """
    groups: dict[Group, list[int]] = {}
    for place, each in enumerate(inputs):
        groups.setdefault(each.group, []).append(place)
    members = list(groups.items())
    sums = [_sum_of(shares, places).tolist() for _, places in members]
    made = []
    for row, own in enumerate(shares.tolist()):
        found: list[Reason] = []
        of_groups = [of_group[row] for of_group in sums]
        raising = [number for number, share in enumerate(of_groups) if share > 0]
        for number in sorted(raising, key=lambda n: -of_groups[n]):
            if len(found) == limit:
                break
            group, places = members[number]
            for place in sorted([n for n in places if own[n] > 0], key=lambda n: -own[n]):
                each = inputs[place]
                known = value(each.feature, row)
                if known is not None and (each.needs is None or _is_positive(value(each.needs, row))):
                    text = TEXTS[each.feature].format(known)
                    found.append(Reason(each.feature, of_groups[number], known, group.value, text))
                    break
        made.append(tuple(found))
    return made


def _sum_of(shares: NDArray[np.float64], places: Sequence[int]) -> NDArray[np.float64]:
    """Return the sums (n,) of some columns of (n, m) shares, added up from the first to the last."""
    total = shares[:, places[0]].copy()
    for place in places[1:]:
        total += shares[:, place]
    return total


def _is_positive(value: Value) -> bool:
    return isinstance(value, int | float) and value > 0
