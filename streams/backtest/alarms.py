"""Alarms: what one rule raised, or the warnings that several rules together are to a customer."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from streams.backtest.churns import Churns
from streams.backtest.timeline import CustomerInstants
from streams.core.events.calendar import ALWAYS

Instants = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Alarms:
    """(k,) alarms by customer and time; those of one customer do not overlap."""

    customer: NDArray[np.int64]
    opened_at: Instants
    closed_at: Instants
    """`ALWAYS` while it is open."""
    tier: NDArray[np.int8]
    """The highest it had."""
    first_tier: NDArray[np.int8]
    """The one it opened with."""
    already_lost: NDArray[np.bool_]
    """Whether the customer was not active when it opened."""

    def __len__(self) -> int:
        return len(self.customer)

    def take(self, rows: NDArray[np.bool_]) -> Alarms:
        """Return the alarms of the mask `rows`."""
        return Alarms(*(getattr(self, f.name)[rows] for f in fields(self)))

    def first_in(self, churns: Churns, customers: int) -> NDArray[np.int64]:
        """Return for each (n,) churn the first alarm open in [last order, known), -1 where none was."""
        if not len(self):
            return np.full(len(churns), -1)
        ends = CustomerInstants.of(self.customer, self.closed_at, customers)
        # Of the alarms that do not end before the last order or with it, the first begins first.
        place = ends.after(churns.customer, churns.last_order)
        there = place < ends.starts[churns.customer + 1]
        found = np.where(there, ends.source[np.minimum(place, len(self) - 1)], -1)
        late = self.opened_at[found] >= churns.known_at
        return np.where(late, -1, found)


@dataclass(frozen=True, slots=True)
class Moves:
    """(k,) openings and closings of causes, in the order in which the evaluations made them."""

    rule: NDArray[np.int32]
    customer: NDArray[np.int64]
    at: Instants
    evaluation: NDArray[np.int64]
    """Numbers evaluations: what happens in one of them is one step of the customer's warning."""
    opened: NDArray[np.bool_]
    already_lost: NDArray[np.bool_]
    """Of openings, whether the customer was not active then."""

    def together(self, tiers: dict[int, int]) -> Alarms:
        """Return the warnings that rules, each with its tier, make together: open while any cause is."""
        rows = np.flatnonzero(np.isin(self.rule, list(tiers)))
        # Stable: in the order of evaluations, which is that of time, within each customer.
        rows = rows[np.argsort(self.customer[rows], kind="stable")]
        customer, evaluation, opened = self.customer[rows], self.evaluation[rows], self.opened[rows]
        n = len(rows)
        if not n:
            none = np.empty(0, dtype=np.int64)
            no_tier = none.astype(np.int8)
            return Alarms(none, none, none, no_tier, no_tier, none.astype(np.bool_))
        new_customer = _begins(customer)
        open_causes = np.cumsum(np.where(opened, 1, -1))
        before_customer = (open_causes - np.where(opened, 1, -1))[new_customer]
        open_causes -= before_customer[np.cumsum(new_customer) - 1]
        step = new_customer | _begins(evaluation)
        first = np.flatnonzero(step)
        last = np.append(first[1:], n) - 1
        after = open_causes[last]
        before = np.where(new_customer[first], 0, np.concatenate([[0], after[:-1]]))
        opens, closes = (before == 0) & (after > 0), (before > 0) & (after == 0)
        begin = first[opens]
        tier = np.zeros(int(max(tiers)) + 1, dtype=np.int8)
        tier[list(tiers)] = list(tiers.values())
        tier_of = np.where(opened, tier[self.rule[rows]], 0).astype(np.int8)
        highest = np.maximum.reduceat(tier_of, begin)
        at_opening = np.maximum.reduceat(tier_of, first)[opens]
        at = self.at[rows]
        closed_at = np.full(len(begin), ALWAYS, dtype=np.int64)
        # A warning is closed by the first closing step after its opening one, if its customer has one.
        ends = first[closes]
        place = np.searchsorted(ends, begin, side="right")
        known = place < len(ends)
        known[known] = customer[ends[place[known]]] == customer[begin[known]]
        closed_at[known] = at[ends[place[known]]]
        lost = self.already_lost[rows][begin]
        return Alarms(customer[begin].astype(np.int64), at[begin], closed_at, highest, at_opening, lost)


def _begins(values: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say of each (n,) value whether it differs from the one before it."""
    result = np.ones(len(values), dtype=np.bool_)
    result[1:] = values[1:] != values[:-1]
    return result
