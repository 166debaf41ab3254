"""The value of the customers at the rows of a view, and what it is fitted on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streams.core.decision.value import ValueModel
from streams.core.events.batch import MILLION
from streams.core.events.topics import Topic
from streams.core.features.buying_model import BuyingModel
from streams.core.features.rhythm import fit_customers, histories, thing_of
from streams.core.features.view import View

Floats = NDArray[np.float64]
Positions = NDArray[np.int64]


def values(view: View, positions: Positions | None = None) -> Floats:
    """Return the value of each row's customer, (n,), or of the (k,) `positions` alone; NaN is missing."""
    customers = view.customers
    model, terms = customers.value_model, customers.value_terms
    if model is None:
        return _missing(view, positions)
    known = histories(view, "order", positions)
    days = model.order_days_a_day(known.x, known.T) * terms.horizon_days
    found: Floats = (
        days * order_day_spend(view, positions) * _margins(view, positions) * (1.0 + terms.referral)
    )
    return found


def order_day_spend(view: View, positions: Positions | None = None) -> Floats:
    """Return the mean spend of an order day of each row's customer; NaN while orders are quiet."""
    model = view.customers.value_model
    if model is None:
        return _missing(view, positions)
    spend = _column(view, "spend_total", positions) / MILLION
    days = _column(view, "order_days", positions)
    found = model.order_day_spend(spend, days, view.customers.value_terms.prior_orders)
    return np.where(_quiet(view, Topic.ORDERS, positions), np.nan, found)


@dataclass(frozen=True, slots=True)
class ValueParts:
    """The factors of one customer's value."""

    order_days_a_day: float
    horizon_days: float
    order_day_spend: float
    margin: float
    referral: float


def value_parts(view: View, position: int) -> ValueParts | None:
    """Return the factors of the value at one row, `None` where it is missing."""
    customers, row = view.customers, np.array([position], dtype=np.int64)
    model, terms = customers.value_model, customers.value_terms
    if model is None or np.isnan(values(view, row)[0]):
        return None
    known = histories(view, "order", row)
    return ValueParts(
        float(model.order_days_a_day(known.x, known.T)[0]),
        terms.horizon_days,
        float(order_day_spend(view, row)[0]),
        float(np.broadcast_to(_margins(view, row), 1)[0]),
        terms.referral,
    )


def _margins(view: View, positions: Positions | None) -> Floats | float:
    """Return each row's margin; where it depends on the class, it is missing while profiles are quiet."""
    terms = view.customers.value_terms
    if (margin := terms.one_margin) is not None:
        return margin
    by_code = np.array([terms.margin(word) for word in view.customers.words])
    found = by_code[_column(view, "customer_class", positions)]
    return np.where(_quiet(view, Topic.PROFILES, positions), np.nan, found)


def _column(view: View, name: str, positions: Positions | None) -> NDArray[Any]:
    return view.column(name) if positions is None else view.values(name, positions)


def _quiet(view: View, topic: Topic, positions: Positions | None) -> NDArray[np.bool_] | bool:
    quiet = view.quiet.get(topic, False)
    return quiet if positions is None or isinstance(quiet, bool) else quiet[positions]


def _missing(view: View, positions: Positions | None) -> Floats:
    return np.full(len(view) if positions is None else len(positions), np.nan)


def fit_value(view: View, buying: BuyingModel | None, horizon_days: float) -> ValueModel | None:
    """Return what values are computed from, of a sweep's customers; `None` where too few have ordered.

    `buying` is what was fitted there on activity: where that is orders, it is the model.
    """
    if thing_of(view.customers.activity) != "order":
        buying = fit_customers(view, horizon_days, "order")
    if buying is None:
        return None
    spend = view.column("spend_total")
    # In two halves, for all of it together may be more than 64 bits hold.
    total = (int((spend >> 32).sum()) << 32) + int((spend & 0xFFFFFFFF).sum())
    return ValueModel(buying.r, buying.alpha, total / MILLION / int(view.column("order_days").sum()))
