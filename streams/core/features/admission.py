"""Which events of a partition count: no repeats, one currency for each customer, no sum that is too large."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streams.core.events.batch import MILLION, Batch
from streams.core.events.dedup import Deduplicator, content_hashes, hash_strings
from streams.core.events.refusal import EventRefusalReason, RefusedEvent, refused_events
from streams.core.events.topics import Topic
from streams.core.features.apply import OrderedEvents
from streams.core.features.customers import Customers
from streams.core.features.vocabulary import CURRENCY, UNKNOWN

LARGEST_SUM: Final = 9 * 10**12 * MILLION
"""What a customer's amounts may add up to, cancelled and returned ones included: less than 64 bits hold."""


@dataclass(slots=True)
class Admitted:
    """The events that count, and what became of the others."""

    events: OrderedEvents
    repeated: NDArray[np.int8]
    """(k,) the topics of the events that were given before, those with another content included."""
    refused: list[RefusedEvent] = field(default_factory=list)


class Admission:
    """Decides, in the order in which events are taken, which of them count.

    What does not count changes nothing. So the result does not depend on how events are cut into batches.
    """

    def __init__(self, customers: Customers, deduplicator: Deduplicator, currency: str | None = None) -> None:
        self.customers = customers
        self.deduplicator = deduplicator
        self.currency = currency
        """That of all orders; without it each customer's first order that names one fixes the customer's."""
        self._most = 0
        """No customer's amounts add up to more than this."""

    def admit(self, events: Batch, instant: NDArray[np.int64]) -> Admitted:
        """Return what counts of events, in the order in which they are taken and judged at (n,) instants."""
        refused: list[RefusedEvent] = []
        named = _currencies(events)
        if named is not None and self.currency is not None:
            wrong = np.array([word not in (None, self.currency) for word in named], dtype=np.bool_)
            events, instant = _without(events, instant, wrong, EventRefusalReason.OTHER_CURRENCY, refused)
        rows = self.customers.index(events.customer_id)
        if named is not None and self.currency is None:
            wrong = self._other_currency(named, rows)
            if wrong.any():
                events, instant = _without(events, instant, wrong, EventRefusalReason.OTHER_CURRENCY, refused)
                rows = rows[~wrong]
        content = content_hashes(events)
        repeats = self.deduplicator.check(
            self.customers.hashes[rows], events.event_id, events.at, instant, content
        )
        repeated = events.topic[~repeats.fresh]
        if len(repeated):
            refused += refused_events(events, np.flatnonzero(repeats.differs), EventRefusalReason.ID_REUSED)
            kept = np.flatnonzero(repeats.fresh)
            events, instant, rows = events.take(kept), instant[kept], rows[kept]
        too_large = self._too_large(events, rows)
        if too_large is not None:
            events, instant = _without(events, instant, too_large, EventRefusalReason.SUM_TOO_LARGE, refused)
            rows = rows[~too_large]
        return Admitted(OrderedEvents(events, instant, rows), repeated, refused)

    def may_count(self, event: Batch, instant: NDArray[np.int64]) -> bool:
        """Return whether a single event is no repeat and in no other currency than that of all orders."""
        named = _currencies(event)
        if named is not None and self.currency is not None and named[0] not in (None, self.currency):
            return False
        hashes = hash_strings(event.customer_id.tolist())
        content = content_hashes(event)
        return bool(self.deduplicator.look(hashes, event.event_id, event.at, instant, content).fresh[0])

    def _other_currency(self, named: Sequence[str | None], rows: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Say of each (n,) event whether it names another currency than its customer's; fix the new ones."""
        wrong = np.zeros(len(rows), dtype=np.bool_)
        places = [i for i, word in enumerate(named) if word is not None]
        codes = np.array([self.customers.code(CURRENCY, named[i]) for i in places], dtype=np.int32)
        owners = rows[places]
        known = self.customers.state[CURRENCY][owners]
        first: dict[int, int] = {}
        for i in np.flatnonzero((known == UNKNOWN) & (codes != UNKNOWN)).tolist():
            known[i] = first.setdefault(int(owners[i]), int(codes[i]))
        self.customers.fix_currencies(first)
        self.customers.vocabulary.note_over(CURRENCY, int(np.count_nonzero(codes == UNKNOWN)))
        # One of more currencies than there can be is no customer's.
        wrong[places] = (known != codes) | (codes == UNKNOWN)
        return wrong

    def _too_large(self, events: Batch, rows: NDArray[np.int32]) -> NDArray[np.bool_] | None:
        """Say of each (n,) event whether its amount is more than can be added; `None` where no one's is."""
        orders = np.flatnonzero(events.topic == Topic.ORDERS)
        if not len(orders):
            return None
        owners, amounts, turnover = rows[orders], events.amount[orders], self.customers.state["turnover"]
        # All that came at once, if it were one customer's, on top of the customer who has the most.
        if self._most + float(amounts.sum(dtype=np.float64)) < LARGEST_SUM:
            np.add.at(turnover, owners, amounts)
            self._most = max(self._most, int(turnover[owners].max()))
            return None
        result = np.zeros(len(events), dtype=np.bool_)
        for order, owner, amount in zip(orders.tolist(), owners.tolist(), amounts.tolist(), strict=True):
            if int(turnover[owner]) + amount > LARGEST_SUM:
                result[order] = True
            else:
                turnover[owner] += amount
        self._most = max(self._most, int(turnover[owners].max()))
        return result if result.any() else None

    def resume(self) -> None:
        """Go on with customers that were restored."""
        self._most = int(self.customers.state["turnover"].max(initial=0))


def _currencies(events: Batch) -> list[str | None] | None:
    """Return the currency that each (n,) event names; `None` where none of them names one."""
    named = [getattr(record, "currency", None) for record in events.record.tolist()]
    return named if any(named) else None


def _without(
    events: Batch,
    instant: NDArray[np.int64],
    wrong: NDArray[np.bool_],
    reason: EventRefusalReason,
    refused: list[RefusedEvent],
) -> tuple[Batch, NDArray[np.int64]]:
    """Return the events that are not `wrong` (n,), and note the others."""
    if not wrong.any():
        return events, instant
    refused += refused_events(events, np.flatnonzero(wrong), reason)
    return events.take(~wrong), instant[~wrong]
