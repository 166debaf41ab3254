"""The twin of `value`: DESIGN 7 recounted from the events themselves, one customer at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import numpy as np

from streams.core.events.batch import MILLION, OrderStatus, ProfileRecord
from streams.core.events.topics import Topic
from streams.core.features.buying_model import FEWEST_HISTORIES, Histories, fit
from tests.oracle.days import local_day
from tests.oracle.history import Event, is_placed

MONDAY = 719_167
"""1970-01-05, from which blocks of 28 days are counted, as a proleptic ordinal."""


@dataclass(slots=True)
class TwinValue:
    """Values at the sweeps of one partition, asked for in the order of time."""

    zone: ZoneInfo
    horizon_days: int = 365
    prior: float = 3.0
    margins: Mapping[str | None, float] = field(default_factory=dict)
    referral: float = 0.0
    block: int | None = None
    fitted: tuple[float, float, float] | None = None
    """r, alpha and the population's mean spend of an order day."""

    def sweep(self, events: Sequence[Event], at: int) -> dict[str, float | None]:
        """Return the value of each customer at a sweep, of all events that it sees."""
        today = local_day(at - 1, self.zone)
        own: dict[str, list[Event]] = {}
        for event in events:
            if event.judged_at < at:
                own.setdefault(event.customer_id, []).append(event)
        if (block := (today - MONDAY) // 28) != self.block:
            self.block = block
            self._fit(own, today)
        return {customer: self.value(known, today) for customer, known in own.items()}

    def _order_days(self, known: Sequence[Event]) -> list[int]:
        return sorted({local_day(e.at, self.zone) for e in known if is_placed(e)})

    def _spend(self, known: Sequence[Event]) -> float:
        of_orders = [e for e in known if e.topic == Topic.ORDERS]
        return sum(e.amount if e.status == OrderStatus.PLACED else -e.amount for e in of_orders) / MILLION

    def _fit(self, own: Mapping[str, Sequence[Event]], today: int) -> None:
        days = {customer: found for customer, known in own.items() if (found := self._order_days(known))}
        if len(days) < FEWEST_HISTORIES:
            return
        known = [(len(d) - 1, d[-1] - d[0], today - d[0]) for d in days.values()]
        model = fit(Histories(*(np.array(column, dtype=np.float64) for column in zip(*known, strict=True))))
        mean = sum(self._spend(known) for known in own.values()) / sum(map(len, days.values()))
        self.fitted = model.r, model.alpha, mean

    def order_day_spend(self, known: Sequence[Event]) -> float | None:
        """Return the mean spend of an order day of a customer of whom these events are known."""
        if self.fitted is None:
            return None
        days = len(self._order_days(known))
        return (self.prior * self.fitted[2] + max(self._spend(known), 0.0)) / (self.prior + days)

    def value(self, known: Sequence[Event], today: int) -> float | None:
        """Return the value of a customer of whom these events are known, on a local day."""
        days = self._order_days(known)
        if self.fitted is None or not days:
            return None
        r, alpha, _ = self.fitted
        profiles = sorted((e for e in known if e.topic == Topic.PROFILES), key=lambda e: e.at)
        record = profiles[-1].record if profiles else None
        named = record.customer_class if isinstance(record, ProfileRecord) else None
        a_day = (r + len(days) - 1) / (alpha + today - days[0])
        spend = self.order_day_spend(known)
        margin = self.margins.get(named, 1.0)
        assert spend is not None
        return a_day * self.horizon_days * spend * margin * (1 + self.referral)
