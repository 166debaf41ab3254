"""Events as columns: the only form in which the core sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

MILLION: Final = 1_000_000
"""Amounts are whole millionths: integer sums do not depend on the order in which they are added."""


class OrderStatus(IntEnum):
    """Codes of `status` on orders."""

    PLACED = 0
    CANCELLED = 1
    RETURNED = 2


class ComplaintStatus(IntEnum):
    """Codes of `status` on complaints."""

    OPENED = 0
    RESOLVED = 1
    REOPENED = 2


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile record; an absent field is `None` and clears what an older record said."""

    customer_class: str | None = None
    segment: str | None = None
    region: str | None = None
    origin: str | None = None
    signed_up_at: int | None = None
    """Microseconds since the epoch, UTC."""
    contract_ends_at: int | None = None
    """Microseconds since the epoch, UTC."""
    do_not_contact: bool = False


@dataclass(frozen=True, slots=True)
class Action:
    """What the retention team did about a warning."""

    warning_id: str
    kind: str
    result: str | None = None
    reasons: tuple[str, ...] = ()
    cost: int | None = None
    """Millionths of the currency."""
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class Closure:
    """The customer left expressly."""

    reason: str | None = None
    churn_type: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """`n` events as columns, in any order.

    Object columns hold `str` (`customer_id`, `event_id`), `str | None` (`complaint_id`) and
    `Profile | Action | Closure | None` (`record`).
    """

    topic: NDArray[np.int8]
    """(n,) a `Topic`."""
    at: NDArray[np.int64]
    """(n,) event time, microseconds since the epoch, UTC."""
    customer_id: NDArray[np.object_]
    event_id: NDArray[np.object_]
    status: NDArray[np.int8]
    """(n,) an `OrderStatus` or `ComplaintStatus`; 0 elsewhere."""
    amount: NDArray[np.int64]
    """(n,) millionths: an order's amount, a feedback's score divided by its scale; 0 elsewhere."""
    complaint_id: NDArray[np.object_]
    satisfaction: NDArray[np.int8]
    """(n,) 1 to 5 with a resolved complaint; 0 where not given."""
    record: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.at)

    @classmethod
    def empty(cls) -> Batch:
        """Return a batch of no events."""
        return cls.of([])

    @classmethod
    def of(cls, rows: Sequence[dict[str, Any]]) -> Batch:
        """Return a batch of `rows`, each a dict of column values (missing ones take their neutral value)."""
        columns: dict[str, Any] = {}
        for name, (dtype, neutral) in COLUMNS.items():
            column = np.empty(len(rows), dtype=dtype)
            for i, row in enumerate(rows):
                column[i] = row.get(name, neutral)
            columns[name] = column
        return cls(**columns)

    def take(self, rows: NDArray[Any] | slice) -> Batch:
        """Return the rows at the positions (or of the mask, or slice) `rows`."""
        return Batch(*(getattr(self, f.name)[rows] for f in fields(self)))

    def order(self, instant: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
        """Return the positions of the rows in the order they are taken, (n,).

        By `instant` (default the event time), then topic, event id and customer id. Strings are compared
        only where instant and topic are equal.
        """
        when = self.at if instant is None else instant
        if len(when) < 2:
            return np.arange(len(when))
        if bool((when[1:] > when[:-1]).all()):
            return np.arange(len(when))
        order = np.lexsort((self.topic, when))
        tied = (when[order[1:]] == when[order[:-1]]) & (self.topic[order[1:]] == self.topic[order[:-1]])
        if tied.any():
            # Runs of equal instant and topic: position of each run's first row and the row after its last.
            edges = np.flatnonzero(np.diff(np.concatenate([[False], tied, [False]]).astype(np.int8)))
            for begin, end in zip(edges[::2].tolist(), (edges[1::2] + 1).tolist(), strict=True):
                run = order[begin:end].tolist()
                run.sort(key=lambda i: (self.event_id[i], self.customer_id[i]))
                order[begin:end] = run
        return order

    @staticmethod
    def concat(batches: Sequence[Batch]) -> Batch:
        """Return the rows of all `batches`, one after the other."""
        if len(batches) == 1:
            return batches[0]
        if not batches:
            return Batch.empty()
        return Batch(*(np.concatenate([getattr(b, f.name) for b in batches]) for f in fields(Batch)))


COLUMNS: Final[dict[str, tuple[Any, Any]]] = {
    "topic": (np.int8, 0),
    "at": (np.int64, 0),
    "customer_id": (np.object_, ""),
    "event_id": (np.object_, ""),
    "status": (np.int8, 0),
    "amount": (np.int64, 0),
    "complaint_id": (np.object_, None),
    "satisfaction": (np.int8, 0),
    "record": (np.object_, None),
}
"""Name of each column, its dtype and the value of a row that has none."""
