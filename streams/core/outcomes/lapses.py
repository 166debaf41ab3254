"""Who is a customer, who has lapsed, who has closed, and who came back.

A customer is acquired by the first activity, lapses at the first sweep that finds no activity in the window
before it, closes by a closure that no activity follows, and returns by the first activity after either. What
comes late takes effect at the partition's clock, and only where it makes a difference there: a late order
returns a customer only where it makes the customer active, a late closure closes only one who has done
nothing since. Activity that is too old for the state counts in the lifetime totals only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.core.events.batch import ClosureRecord
from streams.core.events.topics import Topic
from streams.core.features.apply import AppliedEvents, OrderedEvents
from streams.core.features.customers import LAST_OF
from streams.core.features.renumbering import Renumbering
from streams.core.features.view import View


class CustomerStatus(IntEnum):
    """Where a customer stands."""

    NEW = 0
    """Without any activity so far."""
    ACTIVE = 1
    LAPSED = 2
    CLOSED = 3


_STATUSES: Final = tuple(CustomerStatus)


class StatusChange(NamedTuple):
    """An event that changed where its customer stands; a tuple, as there are many of them."""

    row: int
    customer: int
    was: CustomerStatus
    becomes: CustomerStatus
    last_before: int
    """The customer's last activity before the event, `NEVER` where there was none."""
    closure: ClosureRecord | None = None


@dataclass(frozen=True, slots=True)
class ActivityRows:
    """What of a pass's events is activity, and what a closure."""

    active: NDArray[np.int64]
    """(k,) positions of activity that the state holds, in the order of the pass."""
    closures: NDArray[np.int64]
    """(k,) positions of closures."""


def last_activity(view: View, activity: tuple[Topic, ...]) -> NDArray[np.int64]:
    """Return the time of the last activity at each row, (n,), `NEVER` where there was none."""
    columns = [view.column(LAST_OF[topic]) for topic in activity]
    return columns[0] if len(columns) == 1 else np.maximum(columns[0], columns[1])


def last_activity_at(
    view: View, activity: tuple[Topic, ...], positions: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the same at the (k,) positions of rows alone."""
    columns = [view.values(LAST_OF[topic], positions) for topic in activity]
    return columns[0] if len(columns) == 1 else np.maximum(columns[0], columns[1])


def is_active(
    at: NDArray[np.int64] | int, last: NDArray[np.int64], closed_at: NDArray[np.int64], active_within: int
) -> NDArray[np.bool_]:
    """Return whether each (n,) customer's last activity lies in (at - active_within, at], not closed since.

    At one instant a closure comes before an order.
    """
    active: NDArray[np.bool_] = (last > at - active_within) & (closed_at <= last)
    return active


class CustomerStatuses:
    """(capacity,) the status of each customer."""

    def __init__(self, activity: tuple[Topic, ...], active_within_us: int) -> None:
        self.activity = activity
        self.active_within_us = active_within_us
        self.status = np.zeros(1024, dtype=np.int8)

    def grow(self, needed: int) -> None:
        """Make room for the first `needed` customers."""
        added = max(needed, 2 * len(self.status)) - len(self.status)
        if needed > len(self.status):
            self.status = np.concatenate([self.status, np.zeros(added, dtype=np.int8)])

    def activity_rows(self, applied: AppliedEvents) -> ActivityRows:
        """Return what of a pass is activity, and what a closure."""
        active = applied.placed if Topic.ORDERS in self.activity else applied.visited
        if len(self.activity) > 1:
            active = applied.placed | applied.visited
        return ActivityRows(np.flatnonzero(active), np.flatnonzero(applied.topic == Topic.CLOSURES))

    def take(self, applied: AppliedEvents, taken: OrderedEvents, rows: ActivityRows) -> list[StatusChange]:
        """Take in the events of a pass and return those that changed a status, in the order of the pass."""
        view = applied.view
        self.grow(view.customers.known)
        customers = view.rows[rows.active]
        candidates = self._candidates(view.rows, customers, rows)
        if not len(candidates):
            return []
        return list(self._walk(applied, taken, candidates, set(rows.closures.tolist())))

    def _candidates(
        self, owners: NDArray[np.int32], customers: NDArray[np.int32], rows: ActivityRows
    ) -> NDArray[np.int64]:
        """Return the positions of events that may change a status, (k,), in the order of the pass."""
        status = self.status[customers]
        new = np.flatnonzero(status == CustomerStatus.NEW)
        # Of a newcomer's activity only the first matters, unless there is a closure beside it.
        first = new[np.flatnonzero(np.diff(customers[new], prepend=-1))]
        away = np.flatnonzero(status > CustomerStatus.ACTIVE)
        chosen = [rows.active[first], rows.active[away], rows.closures]
        if len(rows.closures):
            chosen.append(rows.active[np.isin(customers, owners[rows.closures])])
        found: NDArray[np.int64] = np.unique(np.concatenate(chosen))
        return found

    def _walk(
        self, applied: AppliedEvents, taken: OrderedEvents, candidates: NDArray[np.int64], closures: set[int]
    ) -> Iterator[StatusChange]:
        view, base = applied.view, View(applied.view.customers, applied.view.rows, applied.view.at)
        last = last_activity_at(view, self.activity, candidates)
        closed_at = view.values("closed_at", candidates)
        active = is_active(view.at[candidates], last, closed_at, self.active_within_us)
        starts = candidates == view.start[candidates]
        before = np.where(
            starts,
            last_activity_at(base, self.activity, candidates),
            last_activity_at(view, self.activity, np.maximum(candidates - 1, 0)),
        )
        rows = zip(
            candidates.tolist(),
            view.rows[candidates].tolist(),
            active.tolist(),
            (closed_at > last).tolist(),
            before.tolist(),
            strict=True,
        )
        for row, customer, is_now_active, is_closed, last_before in rows:
            was = _STATUSES[self.status[customer]]
            closure = None
            if row in closures:
                if not is_closed or was not in (CustomerStatus.ACTIVE, CustomerStatus.LAPSED):
                    continue
                becomes = CustomerStatus.CLOSED
                record = taken.events.record[applied.rank[row]]
                closure = record if isinstance(record, ClosureRecord) else ClosureRecord()
            elif was is CustomerStatus.NEW or (was is not CustomerStatus.ACTIVE and is_now_active):
                becomes = CustomerStatus.ACTIVE
            else:
                continue
            self.status[customer] = becomes
            yield StatusChange(row, customer, was, becomes, last_before, closure)

    def lapse(self, at: int, last: NDArray[np.int64], closed_at: NDArray[np.int64]) -> NDArray[np.int64]:
        """Let the active whose last activity lies too far back lapse, and return them, (k,)."""
        count = len(last)
        self.grow(count)
        status = self.status[:count]
        silent = np.flatnonzero((status == CustomerStatus.ACTIVE) & (last <= at - self.active_within_us))
        status[silent] = CustomerStatus.LAPSED
        return silent

    def renumber(self, to: Renumbering) -> None:
        """Forget the customers who leave, and give the others their new rows."""
        self.grow(len(to.stays))
        self.status = to.column(self.status, CustomerStatus.NEW)

    def state(self, known: int) -> NDArray[np.int8]:
        """Return a copy of the statuses of the first `known` customers."""
        self.grow(known)
        return self.status[:known].copy()

    def restore(self, status: NDArray[np.int8]) -> None:
        """Go on from `state`."""
        self.grow(len(status))
        self.status[: len(status)] = status
