"""The shop's events as columns, before they become JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streams.core.events.topics import Topic

CATEGORIES: Final = ("product", "service", "price", "delivery", "channel", "other")
CHANNELS: Final = ("web", "app", "shop")


@dataclass(frozen=True, slots=True)
class Events:
    """`n` events; a `code` is a position in `CHANNELS` (logins) or `CATEGORIES` (complaints)."""

    topic: NDArray[np.int8]
    """(n,) a `Topic`."""
    at: NDArray[np.int64]
    """(n,) event time, microseconds since the epoch, UTC, in whole milliseconds."""
    customer: NDArray[np.int64]
    """(n,) position in the population."""
    number: NDArray[np.int64]
    """(n,) position in the whole stream, which gives the event's id; -1 before it is in order."""
    status: NDArray[np.int8]
    """(n,) an `OrderStatus` or `ComplaintStatus`; 0 elsewhere."""
    cents: NDArray[np.int64]
    """(n,) an order's amount."""
    ref: NDArray[np.int64]
    """(n,) number of the event that placed the order or opened the complaint; -1 where it is this event."""
    code: NDArray[np.int8]
    satisfaction: NDArray[np.int8]
    """(n,) 1 to 5 where given with a resolved complaint, else 0."""

    def __len__(self) -> int:
        return len(self.at)

    @classmethod
    def of(cls, topic: Topic, at: NDArray[np.int64], customer: NDArray[Any], **columns: Any) -> Events:
        """Return events of one topic, each further column given or neutral."""
        n = len(at)
        full = {name: np.broadcast_to(columns.get(name, neutral), n) for name, neutral in NEUTRAL.items()}
        return cls(
            topic=np.full(n, topic, np.int8),
            at=at // 1000 * 1000,
            customer=customer.astype(np.int64),
            **{name: column.astype(DTYPES[name]) for name, column in full.items()},
        )

    def take(self, rows: NDArray[Any]) -> Events:
        """Return the rows at the positions, or of the mask, `rows`."""
        return Events(*(getattr(self, f.name)[rows] for f in fields(self)))

    @staticmethod
    def concat(parts: Sequence[Events]) -> Events:
        """Return the rows of all `parts`, one after the other."""
        return Events(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Events)))

    def in_order(self, first_number: int) -> Events:
        """Return the events by time, topic and customer, numbered from `first_number` on."""
        rows = np.lexsort((self.customer, self.topic, self.at))
        ordered = self.take(rows)
        number = first_number + np.arange(len(ordered), dtype=np.int64)
        columns = {f.name: getattr(ordered, f.name) for f in fields(Events)}
        columns |= {"number": number, "ref": np.where(ordered.ref < 0, number, ordered.ref)}
        return Events(**columns)


NEUTRAL: Final = {"number": -1, "status": 0, "cents": 0, "ref": -1, "code": 0, "satisfaction": 0}
DTYPES: Final[dict[str, Any]] = {
    "number": np.int64,
    "status": np.int8,
    "cents": np.int64,
    "ref": np.int64,
    "code": np.int8,
    "satisfaction": np.int8,
}
