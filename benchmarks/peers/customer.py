"""What is kept of one customer, and the features that the shipped rules and the model read.

A customer is a dict of JSON values, so that any state store takes it. Sums are kept by day and added up at
each event in one pass over the days on which the customer did something. Only the standard library.
"""

from __future__ import annotations

from datetime import datetime
from math import nan
from typing import Any, Final

DAY: Final = 86_400.0
"""Seconds."""
HELD_DAYS: Final = 90
PRIOR_ORDERS, PRIOR_RATE = 5.0, 0.02

Customer = dict[str, Any]
Event = dict[str, Any]
Features = dict[str, float]
"""NaN for what is missing."""

ORDERS, CENTS, LOGINS, COMPLAINTS, RETURNS, RATINGS, RATING_SUM = range(1, 8)
"""Places in a day's row; the first is the day."""


def new_customer(at: float) -> Customer:
    """Return a customer of whom nothing was known before `at`, seconds since the epoch."""
    return {
        "days": [],
        "first_at": at,
        "orders": 0,
        "logins": 0,
        "complaints": 0,
        "spend": 0.0,
        "last_order": None,
        "last_login": None,
        "last_complaint": None,
        "first_order_day": None,
        "last_order_day": None,
        "order_days": 0,
        "open_complaints": {},
        "causes": {},
        "warning": None,
    }


def instant(event: Event) -> float:
    """Return when the event happened, seconds since the epoch."""
    return datetime.fromisoformat(event["occurred_at"]).timestamp()


def take_order(customer: Customer, event: Event, at: float) -> None:
    """Take an order in."""
    row = _day(customer, at)
    if (event.get("status") or "placed") != "placed":
        row[RETURNS] += 1
        row[CENTS] -= event["amount"]
        customer["spend"] -= event["amount"]
        return
    row[ORDERS] += 1
    row[CENTS] += event["amount"]
    customer["orders"] += 1
    customer["spend"] += event["amount"]
    customer["last_order"] = at
    if customer["last_order_day"] != row[0]:
        customer["last_order_day"] = row[0]
        customer["order_days"] += 1
        if customer["first_order_day"] is None:
            customer["first_order_day"] = row[0]


def take_login(customer: Customer, event: Event, at: float) -> None:
    """Take a login in."""
    _day(customer, at)[LOGINS] += 1
    customer["logins"] += 1
    customer["last_login"] = at


def take_complaint(customer: Customer, event: Event, at: float) -> None:
    """Take a complaint in."""
    row = _day(customer, at)
    if event.get("status") == "resolved":
        customer["open_complaints"].pop(event["complaint_id"], None)
        if event.get("satisfaction"):
            row[RATINGS] += 1
            row[RATING_SUM] += event["satisfaction"]
        return
    row[COMPLAINTS] += 1
    customer["complaints"] += 1
    customer["last_complaint"] = at
    customer["open_complaints"].setdefault(event["complaint_id"], at)


TAKE: Final = {"orders": take_order, "logins": take_login, "complaints": take_complaint}
"""By topic."""


def _day(customer: Customer, at: float) -> list[float]:
    """Return the row of sums of the day of `at`, and forget the days that no window holds any more."""
    today = int(at // DAY)
    days: list[list[float]] = customer["days"]
    if days and days[-1][0] == today:
        return days[-1]
    while days and days[0][0] <= today - HELD_DAYS:
        days.pop(0)
    for row in reversed(days):
        if row[0] == today:
            return row
        if row[0] < today:
            break
    row = [today, 0, 0.0, 0, 0, 0, 0, 0]
    days.append(row)
    if len(days) > 1 and days[-2][0] > today:
        days.sort()
    return row


def features(customer: Customer, at: float) -> Features:
    """Return the features of a customer at `at`; what is not known is NaN."""
    today = int(at // DAY)
    orders_30d = orders_prev = orders_90d = logins_30d = logins_prev = 0.0
    spend_30d = spend_prev = spend_90d = complaints_90d = returns_90d = ratings = rating_sum = 0.0
    for day, orders, spend, logins, complaints, returns, rated, rating in customer["days"]:
        age = today - day
        if age >= HELD_DAYS:
            continue
        orders_90d += orders
        spend_90d += spend
        complaints_90d += complaints
        returns_90d += returns
        ratings += rated
        rating_sum += rating
        if age < 30:
            orders_30d += orders
            spend_30d += spend
            logins_30d += logins
        elif age < 60:
            orders_prev += orders
            spend_prev += spend
            logins_prev += logins
    since_order = _since(at, customer["last_order"])
    gap = nan
    if customer["order_days"] > 1:
        gap = (customer["last_order_day"] - customer["first_order_day"]) / (customer["order_days"] - 1)
    opened = customer["open_complaints"]
    return {
        "orders_30d": orders_30d,
        "orders_90d": orders_90d,
        "orders_prev_30d": orders_prev,
        "orders_total": customer["orders"],
        "spend_30d": spend_30d,
        "spend_90d": spend_90d,
        "spend_total": customer["spend"],
        "logins_30d": logins_30d,
        "logins_prev_30d": logins_prev,
        "logins_total": customer["logins"],
        "complaints_90d": complaints_90d,
        "complaints_total": customer["complaints"],
        "returns_90d": returns_90d,
        "days_since_order": since_order,
        "days_since_login": _since(at, customer["last_login"]),
        "days_since_complaint": _since(at, customer["last_complaint"]),
        "tenure_days": (at - customer["first_at"]) / DAY,
        "order_gap_mean": gap,
        "overdue": since_order / gap if gap else nan,
        "order_trend": orders_30d / orders_prev if orders_prev else nan,
        "login_trend": logins_30d / logins_prev if logins_prev else nan,
        "spend_trend": spend_30d / spend_prev if spend_prev else nan,
        "complaint_rate_90d": (complaints_90d + PRIOR_ORDERS * PRIOR_RATE) / (orders_90d + PRIOR_ORDERS),
        "return_rate_90d": returns_90d / orders_90d if orders_90d else nan,
        "handling_satisfaction_90d": rating_sum / ratings if ratings else nan,
        "open_complaints": len(opened),
        "oldest_open_complaint_days": (at - min(opened.values())) / DAY if opened else nan,
    }


def _since(at: float, then: float | None) -> float:
    return nan if then is None else (at - then) / DAY
