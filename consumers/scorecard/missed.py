"""Who left without a warning, and of which customers that happens most."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import polars as pl

from consumers.scorecard.facts import LAPSED
from streams.contract.instants import format_instant
from streams.share import Share

BY: Final = ("customer_class", "segment", "value")
UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class MissedGroup:
    """The customers of one class, segment or value band who left."""

    value: str | None
    """`None` where it is not known."""
    missed: int
    lost: int
    missed_in_all: int
    value_missed: float
    """The sum of the value of those missed, where it is known."""
    value_known: int
    low: float | None = None
    high: float | None = None
    """Of a band of value: it holds values in [low, high), `None` is without end."""

    @property
    def rate(self) -> Share:
        """Return which share of the group's losses was missed."""
        return Share(self.missed, self.lost)

    @property
    def share(self) -> Share:
        """Return which share of all that were missed is the group's."""
        return Share(self.missed, self.missed_in_all)

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        return {
            "value": self.value,
            "missed_of_lost": self.rate.as_dict(),
            "share_of_missed": self.share.as_dict(),
            "value_missed": self.value_missed,
            "value_known_n": self.value_known,
        }


@dataclass(frozen=True, slots=True)
class MissedCustomer:
    """A customer who left without a warning; held-out customers are counted and not listed."""

    customer_id: str
    at: int
    lapsed: bool
    """By silence, not by a closure."""
    customer_class: str | None
    segment: str | None
    region: str | None
    value: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        own = {name: getattr(self, name) for name in self.__slots__}
        return {**own, "at": format_instant(self.at)}


@dataclass(frozen=True, slots=True)
class Missed:
    """The losses of a period without a warning."""

    all: MissedGroup
    groups: dict[str, tuple[MissedGroup, ...]]
    """By class, segment and band of value; bands are quarters of the losses whose value is known."""
    customers: tuple[MissedCustomer, ...]
    """Those worth most first."""
    not_listed: int
    """Missed customers who are held out."""

    def as_dict(self, most: int) -> dict[str, Any]:
        """Return the figures as plain JSON values, and as many customers as are asked for."""
        return {
            "all": self.all.as_dict(),
            "by": {name: [group.as_dict() for group in groups] for name, groups in self.groups.items()},
            "customers": [each.as_dict() for each in self.customers[:most]],
            "held_out_not_listed": self.not_listed,
        }


def missed_of(losses: pl.DataFrame) -> Missed:
    """Return who of the losses, as `LOSS_SCHEMA`, was missed."""
    losses = losses.with_columns(missed=pl.col("warned_id").is_null())
    gone = losses.filter("missed")
    shown = gone.filter(~pl.col("holdout")).sort(
        ["value", "at", "customer_id"], descending=[True, True, False], nulls_last=True
    )
    return Missed(
        all=_group(None, losses, len(gone)),
        groups={
            "customer_class": _by(losses, "customer_class", len(gone)),
            "segment": _by(losses, "segment", len(gone)),
            "value": _by_value(losses, len(gone)),
        },
        customers=tuple(
            MissedCustomer(
                row["customer_id"],
                row["at"],
                row["type"] == LAPSED,
                row["customer_class"],
                row["segment"],
                row["region"],
                row["value"],
            )
            for row in shown.iter_rows(named=True)
        ),
        not_listed=len(gone) - len(shown),
    )


def _group(value: str | None, rows: pl.DataFrame, missed_in_all: int) -> MissedGroup:
    own = rows.filter("missed")
    known = own["value"].drop_nulls()
    return MissedGroup(value, len(own), len(rows), missed_in_all, float(known.sum()), len(known))


def _by(losses: pl.DataFrame, column: str, missed_in_all: int) -> tuple[MissedGroup, ...]:
    parts = losses.partition_by(column, as_dict=True)
    groups = [_group(word, rows, missed_in_all) for (word,), rows in parts.items()]
    return tuple(sorted(groups, key=lambda g: (-g.missed, -g.lost, g.value is None, g.value or "")))


def _by_value(losses: pl.DataFrame, missed_in_all: int) -> tuple[MissedGroup, ...]:
    known = losses["value"].drop_nulls().to_numpy()
    bounds = value_bounds(known.tolist())
    groups = []
    for number, name in enumerate(band_names(bounds)):
        low = -np.inf if number == 0 else bounds[number - 1]
        high = np.inf if number == len(bounds) else bounds[number]
        inside = losses.filter((pl.col("value") >= low) & (pl.col("value") < high))
        ends = (
            None if number == 0 else bounds[number - 1],
            None if number == len(bounds) else bounds[number],
        )
        groups.append(replace(_group(name, inside, missed_in_all), low=ends[0], high=ends[1]))
    rest = losses.filter(pl.col("value").is_null())
    found = [*groups] if len(known) else []
    return (*found, *([_group(None, rest, missed_in_all)] if len(rest) else []))


def value_bounds(values: Sequence[float]) -> list[float]:
    """Return the quartiles that part values into bands, each once; none where all are alike."""
    if not values:
        return []
    found = np.unique(np.quantile(values, (0.25, 0.5, 0.75))).tolist()
    return [bound for bound in found if bound > min(values)]


def band_names(bounds: Sequence[float]) -> list[str]:
    """Return the bands in words.

    >>> band_names([10.0, 2500.5])
    ['below 10.00', '10.00 to 2,500.50', '2,500.50 and more']
    """
    if not bounds:
        return ["all"]
    shown = [f"{bound:,.2f}" for bound in bounds]
    between = [f"{low} to {high}" for low, high in itertools.pairwise(shown)]
    return [f"below {shown[0]}", *between, f"{shown[-1]} and more"]
