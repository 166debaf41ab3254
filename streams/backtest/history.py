"""A history: its events without repeats, and what of them decides who left."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streams.backtest.timeline import CustomerInstants
from streams.core.events.batch import Batch, OrderStatus, ProfileRecord
from streams.core.events.dedup import Deduplicator
from streams.core.events.refusal import RefusedEvent
from streams.core.events.reorder import last_reached
from streams.core.events.topics import Topic
from streams.core.features.admission import Admission, Admitted
from streams.core.features.customers import Customers
from streams.errors import BacktestError

_BLOCK = 65_536
"""Events taken at once: columns of this length stay in the processor's cache."""


@dataclass(frozen=True, slots=True)
class Profiles:
    """Class and segment by customer and time."""

    when: CustomerInstants
    records: tuple[ProfileRecord, ...]
    """In the order of the timeline's sources."""

    def at(self, customer: NDArray[np.int64], at: NDArray[np.int64], field: str) -> list[str | None]:
        """Return a field of the profile that each (n,) customer had at an instant."""
        place = self.when.after(customer, at) - 1
        there = place >= self.when.starts[customer]
        words: list[str | None] = [None] * len(customer)
        for row in np.flatnonzero(there).tolist():
            words[row] = getattr(self.records[self.when.source[place[row]]], field)
        return words


@dataclass(frozen=True, slots=True)
class History:
    """Events in total order without repeats; customers are numbered in the order of their first event."""

    events: Batch
    customers: list[str]
    activity: CustomerInstants
    """Placed orders, or what else counts as activity, of several at one instant one."""
    closures: CustomerInstants
    actions: CustomerInstants
    profiles: Profiles
    begin: int
    """The first event."""
    end: int
    """The last instant of which everything is known."""
    repeats: int
    """Events that were left out because they are repeats of others."""
    refused: tuple[RefusedEvent, ...]
    """Events that were left out because the engine would refuse them."""
    counted: tuple[Topic, ...] = (Topic.ORDERS,)
    """The topics of `activity`."""

    @classmethod
    def of(
        cls,
        events: Batch,
        repeat_window_us: int,
        until: int | None = None,
        *,
        currency: str | None = None,
        activity: tuple[Topic, ...] = (Topic.ORDERS,),
    ) -> History:
        """Return the history of events in total order up to `until`, by default the last event.

        `repeat_window_us`, `currency` and `activity` are the engine's settings: what does not count for the
        engine is left out.
        """
        if until is not None:
            events = events.take(slice(0, int(np.searchsorted(events.at, until, side="right"))))
        if not len(events):
            msg = "there is no event to judge rules by" + ("" if until is None else " before --until")
            raise BacktestError(msg)
        index, seen = Customers(), Deduplicator(repeat_window_us)
        admission = Admission(index, seen, currency)
        parts: list[Admitted] = []
        for begin in range(0, len(events), _BLOCK):
            part = events.take(slice(begin, begin + _BLOCK))
            seen.forget(int(part.at[0]))
            parts.append(admission.admit(part, part.at))
        if sum(len(part.events.rows) for part in parts) < len(events):
            events = Batch.concat([part.events.events for part in parts])
        if not len(events):
            msg = "there is no event to judge rules by: all were refused"
            raise BacktestError(msg)
        customer = np.concatenate([part.events.rows for part in parts])
        count = index.known

        def of_rows(rows: NDArray[np.bool_]) -> CustomerInstants:
            chosen = np.flatnonzero(rows)
            return CustomerInstants.of(customer[chosen], events.at[chosen], count)

        def of_topic(topic: Topic) -> CustomerInstants:
            return of_rows(events.topic == topic)

        counted = np.isin(events.topic, activity)
        counted &= (events.topic != Topic.ORDERS) | (events.status == OrderStatus.PLACED)
        records = tuple(
            r for r in events.record[events.topic == Topic.PROFILES] if isinstance(r, ProfileRecord)
        )
        return cls(
            events,
            index.ids,
            _distinct(of_rows(counted), count),
            of_topic(Topic.CLOSURES),
            of_topic(Topic.ACTIONS),
            Profiles(of_topic(Topic.PROFILES), records),
            begin=int(events.at[0]),
            end=max(int(events.at[0]), last_reached(events)) if until is None else until,
            repeats=sum(len(part.repeated) for part in parts),
            refused=tuple(each for part in parts for each in part.refused),
            counted=activity,
        )

    def some(self, most: int) -> History:
        """Return the history of no more than `most` customers, evenly taken."""
        count = len(self.customers)
        if count <= most:
            return self
        chosen = {self.customers[i] for i in np.linspace(0, count - 1, most).astype(np.int64).tolist()}
        keep = np.array([name in chosen for name in self.events.customer_id.tolist()], dtype=np.bool_)
        return History.of(self.events.take(keep), 0, self.end, activity=self.counted)


def _distinct(line: CustomerInstants, customers: int) -> CustomerInstants:
    """Return a timeline with each instant of a customer once."""
    customer = line.customer
    first = np.ones(len(customer), dtype=np.bool_)
    first[1:] = (customer[1:] != customer[:-1]) | (line.at[1:] != line.at[:-1])
    return CustomerInstants.of(customer[first], line.at[first], customers)
