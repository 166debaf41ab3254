"""What a customer who stays is worth: expected order days times the spend of one, times the margin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ValueTerms:
    """The settings that a value depends on."""

    horizon_days: float = 365.0
    prior_orders: float = 3.0
    """How many order days the population's mean spend weighs as much as."""
    margins: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """The margin by class; of a class that is not named it is 1, and the value is revenue."""
    unknown_margin: float = 1.0
    """Of customers without a class."""
    referral: float = 0.0
    """What a customer brings in through others, as a share of their own value."""

    def margin(self, customer_class: str | None) -> float:
        """Return the margin of a class."""
        return self.unknown_margin if customer_class is None else self.margins.get(customer_class, 1.0)

    @property
    def one_margin(self) -> float | None:
        """Return the margin of all customers, `None` where it depends on the class."""
        known = {1.0, *self.margins.values()} if len(self.margins) < 4 else {*self.margins.values()}
        known.add(self.unknown_margin)
        return known.pop() if len(known) == 1 else None


@dataclass(frozen=True, slots=True)
class ValueModel:
    """What values are computed from, as at the last fit of the buying model."""

    r: float
    alpha: float
    """Of the buying model, fitted on orders."""
    mean_spend: float
    """The population's net spend over its order days."""

    def order_days_a_day(self, x: Floats, age: Floats) -> Floats:
        """Return the expected order days a day of customers who stay, (n,).

        `x` (n,) are the order days after the first, `age` (n,) the local days since that.
        """
        rate: Floats = (self.r + x) / (self.alpha + age)
        return rate

    def order_day_spend(self, spend: Floats, order_days: NDArray[np.integer], prior_orders: float) -> Floats:
        """Return the mean spend of an order day of each customer, (n,), drawn towards the population's."""
        with np.errstate(invalid="ignore", divide="ignore"):
            mean: Floats = (prior_orders * self.mean_spend + np.maximum(spend, 0.0)) / (
                prior_orders + order_days
            )
        return mean

    def state(self) -> list[float]:
        """Return the three numbers."""
        return [self.r, self.alpha, self.mean_spend]
