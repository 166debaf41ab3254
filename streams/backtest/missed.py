"""Who left unwarned, and which rule came nearest to warning of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.backtest.churns import Churns
from streams.backtest.trial import behaviour
from streams.contract.instants import format_instant
from streams.core.conditions.distance import Distances
from streams.core.events.calendar import DAY, NEVER
from streams.core.features.catalogue import DTYPES, Features
from streams.core.rules.rule import Rule
from streams.core.rules.rule_set import compile_rules


@dataclass(frozen=True, slots=True)
class Missed:
    """One churn that nobody was warned of."""

    customer_id: str
    last_order: int
    known_at: int
    rule: str | None
    """The rule that came nearest; `None` where no rule has a distance."""
    at: int | None
    """The sweep at which it did."""
    distance: float | None
    """How far `when` was from true, as a share of its threshold; 0: it was true, but not long enough."""


class Nearest:
    """Looks at every sweep how far each churn in its course is from each rule, and keeps the nearest.

    A churn is in its course from its last order until it is known. How far a rule is:
    `streams.core.conditions.distance`.
    """

    def __init__(self, rules: Sequence[Rule], churns: Churns) -> None:
        self.rules = tuple(sorted(rules, key=lambda rule: rule.id))
        compiled = compile_rules([behaviour(rule, rule.id) for rule in self.rules], DTYPES)
        self._columns = compiled.columns
        self._distances = Distances(compiled.whens)
        self._churns = churns
        self._waiting = np.argsort(churns.last_order, kind="stable")
        """Churns by last order; those before `_begun` have begun."""
        self._begun = 0
        self._current = np.empty(0, dtype=np.int64)
        self.distance = np.full(len(churns), np.inf)
        self.rule = np.full(len(churns), -1)
        self.at = np.full(len(churns), NEVER)

    def look(self, features: Features, causes: NDArray[np.int32]) -> None:
        """Look at the churns in their course at a sweep; who has an open cause has been warned of."""
        at = int(features.view.at[0]) if len(features) else NEVER
        ordered = self._churns.last_order[self._waiting]
        end = int(np.searchsorted(ordered, at, side="left"))
        fresh = self._waiting[self._begun : end]
        self._begun = max(self._begun, end)
        current = np.concatenate([self._current, fresh])
        going_on = (self._churns.known_at[current] > at) & (causes[self._churns.customer[current]] == 0)
        self._current = current = current[going_on]
        if not len(current) or not self.rules:
            return
        frame = _frame(features, self._columns, self._churns.customer[current])
        found = self._distances.to_true(frame)
        found[np.isnan(found)] = np.inf
        nearest = found.argmin(axis=0)
        distance = found[nearest, np.arange(len(current))]
        closer = distance < self.distance[current]
        rows = current[closer]
        self.distance[rows], self.rule[rows], self.at[rows] = distance[closer], nearest[closer], at

    def missed(self, caught: NDArray[np.bool_], ids: Sequence[str]) -> list[Missed]:
        """Return the churns that were not caught, those that came nearest first."""
        rows = np.flatnonzero(~caught)
        rows = rows[np.argsort(self.distance[rows], kind="stable")]
        churns = self._churns
        result = []
        for row in rows.tolist():
            known = np.isfinite(self.distance[row])
            result.append(
                Missed(
                    ids[churns.customer[row]],
                    int(churns.last_order[row]),
                    int(churns.known_at[row]),
                    self.rules[self.rule[row]].id if known else None,
                    int(self.at[row]) if known else None,
                    float(self.distance[row]) if known else None,
                )
            )
        return result


def _frame(features: Features, names: tuple[str, ...], rows: NDArray[np.int64]) -> pl.DataFrame:
    """Return features at some rows as rules read them."""
    return pl.DataFrame([features.series_at(name, rows) for name in names])


def by_rule(missed: Sequence[Missed]) -> list[dict[str, Any]]:
    """Return for each rule how many it came nearest to, and how near, as plain JSON values."""
    distances: dict[str | None, list[float]] = {}
    for each in missed:
        distances.setdefault(each.rule, []).append(np.nan if each.distance is None else each.distance)
    rows = []
    for rule, found in sorted(distances.items(), key=lambda item: (-len(item[1]), item[0] or "")):
        low, median, high = (None,) * 3 if rule is None else np.quantile(found, (0.25, 0.5, 0.75)).tolist()
        within = sum(1 for d in found if d <= 0.1)
        rows.append(
            {"rule": rule, "part": len(found), "whole": len(missed), "within_a_tenth": within,
             "q1": low, "median": median, "q3": high}
        )  # fmt: skip
    return rows


def as_dict(missed: Missed) -> dict[str, Any]:
    """Return one missed churn as plain JSON values."""
    return {
        "customer_id": missed.customer_id,
        "last_order": format_instant(missed.last_order),
        "known_at": format_instant(missed.known_at),
        "nearest_rule": missed.rule,
        "at": None if missed.at is None else format_instant(missed.at),
        "days_after_order": None if missed.at is None else (missed.at - missed.last_order) / DAY,
        "distance": missed.distance,
    }
