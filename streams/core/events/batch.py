"""Events as columns: the only form in which the core sees them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
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
    ANSWERED = 3


RAISED: Final = (ComplaintStatus.OPENED, ComplaintStatus.REOPENED)
"""What counts as a complaint; the others say how it is handled."""


@dataclass(frozen=True, slots=True)
class ProfileRecord:
    """A profile record; an absent field is `None` and clears that of an older record."""

    customer_class: str | None = None
    segment: str | None = None
    region: str | None = None
    origin: str | None = None
    signed_up_at: int | None = None
    """Microseconds since the epoch, UTC."""
    contract_ends_at: int | None = None
    """Microseconds since the epoch, UTC."""
    do_not_contact: bool = False
    account_owner: str | None = None


@dataclass(frozen=True, slots=True)
class ActionRecord:
    """What the retention team did about a warning, or to win a customer back."""

    warning_id: str | None
    kind: str
    result: str | None = None
    reasons: tuple[str, ...] = ()
    cost: tuple[tuple[str, int], ...] = ()
    """Items by name, each with millionths of the currency."""
    actor: str | None = None
    until: int | None = None
    """Microseconds since the epoch, UTC: when an acknowledgement lapses or a snooze ends."""
    play: str | None = None
    corrects: str | None = None
    """The event id of an earlier action of the same actor."""


@dataclass(frozen=True, slots=True)
class ClosureRecord:
    """The customer left expressly."""

    reason: str | None = None
    churn_type: str | None = None


@dataclass(frozen=True, slots=True)
class LabelsRecord:
    """Where an order or a complaint belongs; a complaint has neither channel nor currency."""

    channel: str | None
    category: str | None
    currency: str | None = None
    """In capitals."""


@dataclass(frozen=True, slots=True)
class Batch:
    """`n` events as columns, in any order.

    Object columns hold `str` (`customer_id`, `event_id`), `str | None` (`complaint_id`) and
    `Profile | Action | Closure | Labels | None` (`record`).
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
    offset: NDArray[np.int64]
    """(n,) the record's place in its topic and partition; -1 where there is none."""

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
        """Return the positions of the rows in total order: time, topic, event id, customer.

        `instant` (n,) takes the place of the event time where it is given. Rows alike in all four (a repeated
        event) go by their other fields, so that the order does not depend on the one in which they came.
        """
        # A topic fits three bits, and an instant of the year 9999 in microseconds leaves five.
        key = (self.at if instant is None else instant) * 8 + self.topic
        order = np.arange(len(key)) if np.all(key[1:] >= key[:-1]) else np.argsort(key, kind="stable")
        key = key[order]
        same = key[1:] == key[:-1]
        tied = np.zeros(len(key), dtype=np.bool_)
        tied[1:] |= same
        tied[:-1] |= same
        places = np.flatnonzero(tied)
        if not len(places):
            return order
        rows = order[places]
        ranks: list[tuple[Any, ...]] = list(
            zip(
                key[places].tolist(),
                self.event_id[rows].tolist(),
                self.customer_id[rows].tolist(),
                strict=True,
            )
        )
        if len(set(ranks)) < len(ranks):
            ranks = [(*rank, self._rest(row)) for rank, row in zip(ranks, rows.tolist(), strict=True)]
        order[places] = rows[sorted(range(len(ranks)), key=ranks.__getitem__)]
        return order

    def _rest(self, row: int) -> tuple[Any, ...]:
        """Return a row's fields beside its time, topic and ids, as something that can be compared."""
        return (
            int(self.status[row]),
            int(self.amount[row]),
            int(self.satisfaction[row]),
            self.complaint_id[row] or "",
            repr(self.record[row]),
        )

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
    "offset": (np.int64, -1),
}
"""Name of each column, its dtype and the value of a row that has none."""


Record = ProfileRecord | ActionRecord | ClosureRecord | LabelsRecord
_RECORDS: Final = {
    "profile": ProfileRecord,
    "action": ActionRecord,
    "closure": ClosureRecord,
    "labels": LabelsRecord,
}
_KINDS: Final = {record: kind for kind, record in _RECORDS.items()}


_ADDED: Final = ("play", "corrects", "account_owner")
"""Fields that records got later: left out where they are empty, so that hashes of before still hold."""


def record_json(record: Record | None) -> str | None:
    """Return a record as text."""
    if record is None:
        return None
    values = {k: v for k, v in asdict(record).items() if v is not None or k not in _ADDED}
    if isinstance(record, ActionRecord):
        # Without items, or with the one that a plain number is, as it was before there were items.
        plain = [name for name, _ in record.cost] in ([], ["other"])
        values["cost"] = (record.cost[0][1] if record.cost else None) if plain else dict(record.cost)
    return json.dumps([_KINDS[type(record)], values])


def read_record(text: str | None) -> Record | None:
    """Return the record that `record_json` wrote."""
    if text is None:
        return None
    kind, values = json.loads(text)
    if kind == "action":
        cost = values["cost"]
        items = {} if cost is None else cost if isinstance(cost, dict) else {"other": cost}
        values |= {"reasons": tuple(values["reasons"]), "cost": tuple(items.items())}
    record: Record = _RECORDS[kind](**values)
    return record
