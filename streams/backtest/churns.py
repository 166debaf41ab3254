"""Who left, when it was known, and whether an alarm was right.

A customer has churned when no activity, by default an order, follows one for the horizon H, or when a closure
comes first. The meanings stand in `docs/backtest.md`; the slow twin is in `tests/streams/backtest/twin.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streams.backtest.history import History
from streams.core.events.calendar import ALWAYS, NEVER

Instants = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Churns:
    """(k,) times that a customer left; who comes back may leave again."""

    customer: NDArray[np.int64]
    last_order: Instants
    known_at: Instants
    """`last_order` + H, or the closure where one came first."""
    closed: NDArray[np.bool_]
    """(k,) whether it was a closure."""

    def __len__(self) -> int:
        return len(self.customer)

    def take(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Churns:
        """Return the churns of the mask or at the positions `rows`."""
        return Churns(self.customer[rows], self.last_order[rows], self.known_at[rows], self.closed[rows])

    def between(self, since: int, until: int) -> Churns:
        """Return those whose last order and whose being known both lie in [since, until]."""
        return self.take((self.last_order >= since) & (self.known_at <= until))


def churns(history: History, horizon_us: int) -> Churns:
    """Return every churn of a history that is known by its end, by customer and time."""
    orders = history.activity
    customer, last = orders.customer, orders.at
    following = np.full(len(last), ALWAYS, dtype=np.int64)
    same = customer[1:] == customer[:-1]
    following[:-1][same] = last[1:][same]
    silent_from = last + horizon_us
    closure = history.closures.next(customer, last)
    closed = closure <= np.minimum(following, silent_from)
    known_at = np.where(closed, closure, silent_from)
    left = (closed | (following > silent_from)) & (known_at <= history.end)
    return Churns(customer[left], last[left], known_at[left], closed[left])


def outcome(
    history: History, customer: NDArray[np.int64], at: Instants, horizon_us: int
) -> NDArray[np.bool_]:
    """Say of each (n,) customer at an instant whether no order or a closure follows in (at, at + H]."""
    ordered = history.activity.next(customer, at) <= at + horizon_us
    closed = history.closures.next(customer, at) <= at + horizon_us
    return ~ordered | closed


def inactive(
    history: History, customer: NDArray[np.int64], at: Instants, active_within_us: int
) -> NDArray[np.bool_]:
    """Say of each (n,) customer whether it was not active at an instant."""
    last = history.activity.last(customer, at)
    silent = (last == NEVER) | (last + active_within_us <= at)
    lost: NDArray[np.bool_] = silent | (history.closures.last(customer, at) > last)
    return lost
