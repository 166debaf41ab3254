"""What a play cost on the warnings that count, and what it brought in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from consumers.effects.cohort import SHOWN
from consumers.effects.effect import Effect


@dataclass(frozen=True, slots=True)
class Money:
    """Spent and gained, in the currency of the orders; of the warnings that were not held out."""

    recorded_n: int
    """Warnings with costs on record, in the actions that name them."""
    recorded: float
    planned_n: int
    """Warnings of contacted customers without such: the decision's cost of the play is taken."""
    planned: float
    unknown_n: int
    """Warnings of contacted customers of which neither is known: they count as nothing spent."""
    mean_value: float | None
    """Of a customer who stays, by the decisions."""
    value_n: int
    avoided: float | None
    """Churns: the difference of the shares times the customers not held out."""
    avoided_interval: tuple[float, float] | None

    @property
    def spent(self) -> float:
        """Return what was spent."""
        return self.recorded + self.planned

    @property
    def gained(self) -> float | None:
        """Return the value of the churns that were avoided."""
        return _times(self.avoided, self.mean_value)

    @property
    def gained_interval(self) -> tuple[float, float] | None:
        """Return its 95 % interval: that of the difference, the mean value taken as given."""
        if self.avoided_interval is None or self.mean_value is None:
            return None
        low, high = self.avoided_interval
        return low * self.mean_value, high * self.mean_value

    @property
    def net(self) -> float | None:
        """Return what was gained beyond what was spent."""
        return None if self.gained is None else self.gained - self.spent

    @property
    def net_interval(self) -> tuple[float, float] | None:
        """Return its 95 % interval."""
        if self.gained_interval is None:
            return None
        low, high = self.gained_interval
        return low - self.spent, high - self.spent

    def as_dict(self) -> dict[str, Any]:
        """Return all figures as plain JSON values."""
        return {
            "spent": self.spent,
            "recorded": {"warnings": self.recorded_n, "amount": self.recorded},
            "planned": {"warnings": self.planned_n, "amount": self.planned},
            "unknown_cost": self.unknown_n,
            "mean_value": self.mean_value,
            "value_n": self.value_n,
            "avoided": _with_interval(self.avoided, self.avoided_interval),
            "gained": _with_interval(self.gained, self.gained_interval),
            "net": _with_interval(self.net, self.net_interval),
        }


def money_of(effect: Effect, warnings: pl.DataFrame, recorded: Mapping[str, float]) -> Money:
    """Return what an effect cost and brought in; `recorded` is what was spent by warning."""
    shown = warnings.filter(side=SHOWN)
    if effect.tier is not None:
        shown = shown.filter(tier=effect.tier)
    spent = shown["warning_id"].replace_strict(recorded, default=None, return_dtype=pl.Float64)
    to_plan = shown.filter(spent.is_null() & pl.col("treated"))["planned_cost"]
    difference, n = effect.difference, effect.shown.n
    low, high = difference.limits
    return Money(
        recorded_n=len(spent) - spent.null_count(),
        recorded=float(spent.sum()),
        planned_n=len(to_plan) - to_plan.null_count(),
        planned=float(to_plan.sum()),
        unknown_n=to_plan.null_count(),
        mean_value=_mean(shown["value"]),
        value_n=len(shown) - shown["value"].null_count(),
        avoided=None if difference.value is None else difference.value * n,
        avoided_interval=None if low is None or high is None else (low * n, high * n),
    )


def _mean(column: pl.Series) -> float | None:
    known = column.drop_nulls()
    return float(known.sum()) / len(known) if len(known) else None


def _times(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one * other


def _with_interval(value: float | None, interval: tuple[float, float] | None) -> dict[str, float | None]:
    low, high = interval or (None, None)
    return {"value": value, "low": low, "high": high}
