"""The shop's life, day by day: from the customers' truth to events in event-time order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streams.core.events.batch import ComplaintStatus, OrderStatus
from streams.core.events.topics import Topic
from streams.simulate.events import CATEGORIES, CHANNELS, Events
from streams.simulate.population import Population
from streams.simulate.seasons import EARLIEST, time_of_day

LOGIN_BEFORE_ORDER: Final = 0.92
CANCELLED: Final = 0.015
"""Share of orders cancelled within two days."""
RETURNED: Final = 0.04
"""Share of orders sent back, whole or in part, within two weeks."""
UNRESOLVED: Final = 0.06
"""Share of complaints never resolved, of customers who stay all the same."""
REOPENED: Final = 0.06
"""Share of resolved complaints that are opened again."""
SATISFACTION: Final = (0.04, 0.08, 0.2, 0.4, 0.28)
"""Share of the marks 1 to 5 for the handling of a complaint."""
CATEGORY: Final = (0.3, 0.16, 0.12, 0.32, 0.06, 0.04)
"""Share of each of `CATEGORIES`."""
BACK_SOON: Final = 0.15
"""A holiday-maker who is back orders within this part of the usual gap."""


class CustomerTimeline:
    """A renewal process for each customer, carried from day to day.

    Each customer has a number `due`: what is left, in mean gaps, until the next order. A day takes its season
    times the customer's activity from it; at 0 the customer orders and a new gamma-distributed number is
    drawn. So gaps keep their shape while seasons, fading and holidays stretch them. A day's draws come from
    a generator of its own, keyed by seed and day, in one fixed sequence.
    """

    def __init__(
        self, population: Population, midnights: NDArray[np.int64], seasons: NDArray[np.float64], seed: int
    ) -> None:
        self._p = population
        self._midnights = midnights
        self._seasons = seasons
        self._seed = seed
        self._pending: defaultdict[int, list[Events]] = defaultdict(list)
        self._count = 0
        rng = generator(seed, 1, 0)
        shape = population.regularity.astype(np.float64)
        first = rng.random(len(shape)) * rng.standard_gamma(shape) / shape
        self._due = np.where(population.joined_day > 0, 0.0, first).astype(np.float32)
        self._big = population.big_order_day.copy()

    def __iter__(self) -> Iterator[Events]:
        for day in range(len(self._seasons)):
            yield self._day(day)

    def _day(self, day: int) -> Events:
        """Return the events of a day in order, and put what follows from them on later days."""
        rng = generator(self._seed, 2, day)
        present, faded = self._p.present(day), self._p.faded(day)
        placed = self._orders(rng, day, present, faded)
        parts = [
            self._profiles(day),
            placed,
            self._logins_before(rng, placed),
            self._browsing(rng, day, present, faded),
            self._last_complaints(rng, day),
            *self._pending.pop(day, []),
        ]
        today = Events.concat(parts).in_order(self._count)
        self._count += len(today)
        self._follow_orders(rng, day, today)
        self._follow_complaints(rng, day, today)
        return today

    def _at(self, day: int, share: NDArray[Any]) -> NDArray[np.int64]:
        """Return the instants at shares of a day, `(k,)`; a day of 23 or 25 hours is stretched."""
        begin, end = self._midnights[day], self._midnights[day + 1]
        instants: NDArray[np.int64] = begin + (share * (end - begin)).astype(np.int64)
        return instants

    def _orders(
        self, rng: np.random.Generator, day: int, present: NDArray[np.bool_], faded: NDArray[np.float32]
    ) -> Events:
        """Return the orders placed on a day: at most one a customer."""
        p = self._p
        back = p.returning(day)
        self._due[back] = np.minimum(self._due[back], BACK_SOON * rng.random(len(back)))
        self._due -= np.float32(self._seasons[day]) * present * (1 - faded) ** np.float32(1.5) / p.gap_days
        who = np.flatnonzero((self._due <= 0) & present)
        shape = p.regularity[who].astype(np.float64)
        self._due[who] += (rng.standard_gamma(shape) / shape).astype(np.float32)
        amount = p.amount[who] * rng.lognormal(0.0, 0.35, len(who)) * (1 - 0.5 * faded[who])
        big = self._big[who] <= day
        amount = np.where(big, amount * rng.uniform(8, 15, len(who)), amount)
        self._big[who[big]] = np.iinfo(np.int32).max
        at = self._at(day, time_of_day(rng.random(len(who))))
        cents = np.maximum(np.rint(amount * 100), 100)
        return Events.of(Topic.ORDERS, at, who, status=OrderStatus.PLACED, cents=cents)

    def _logins_before(self, rng: np.random.Generator, placed: Events) -> Events:
        """Return the logins some minutes before most orders."""
        chosen = placed.take(rng.random(len(placed)) < LOGIN_BEFORE_ORDER)
        lead = rng.uniform(60, EARLIEST * 86400 * 0.9, len(chosen)) * 1_000_000
        return self._logins(rng, chosen.at - lead.astype(np.int64), chosen.customer)

    def _browsing(
        self, rng: np.random.Generator, day: int, present: NDArray[np.bool_], faded: NDArray[np.float32]
    ) -> Events:
        """Return the logins that end in no order; a fader's fall faster than the orders."""
        rate = self._p.browsing * present * (1 - faded) ** np.float32(2) * np.float32(self._seasons[day])
        who = np.flatnonzero(rng.random(len(rate), np.float32) < rate)
        return self._logins(rng, self._at(day, time_of_day(rng.random(len(who)))), who)

    def _logins(self, rng: np.random.Generator, at: NDArray[np.int64], who: NDArray[np.int64]) -> Events:
        channel = rng.choice(len(CHANNELS) - 1, len(who), p=[0.6, 0.4])
        return Events.of(Topic.LOGINS, at, who, code=channel)

    def _profiles(self, day: int) -> Events:
        """Return the profiles of those who come today, at midnight and so before their first event."""
        who = np.flatnonzero((self._p.joined_day == day) & (self._p.profile[:, 0] >= 0))
        return Events.of(Topic.PROFILES, np.full(len(who), self._midnights[day]), who)

    def _last_complaints(self, rng: np.random.Generator, day: int) -> Events:
        """Return the complaints that drive people away today; some look in again, hoping for an answer."""
        who = np.flatnonzero((self._p.left_day == day) & (self._p.left_share > 0))
        again = who[rng.random(len(who)) < 0.6]
        self._later(rng, day, rng.integers(1, 6, len(again)), Topic.LOGINS, again)
        category = rng.choice(len(CATEGORIES), len(who), p=(0.2, 0.3, 0.05, 0.4, 0.03, 0.02))
        return Events.of(
            Topic.COMPLAINTS,
            self._at(day, self._p.left_share[who]),
            who,
            status=ComplaintStatus.OPENED,
            code=category,
        )

    def _follow_orders(self, rng: np.random.Generator, day: int, today: Events) -> None:
        """Put complaints, cancellations and returns of today's orders on later days."""
        orders = today.take((today.topic == Topic.ORDERS) & (today.status == OrderStatus.PLACED))
        n = len(orders)
        complains = rng.random(n) < self._p.complaining[orders.customer]
        delay = rng.integers(1, 7, n)
        complains &= day + delay < self._p.left_day[orders.customer]
        category = rng.choice(len(CATEGORIES), n, p=CATEGORY)
        self._later(
            rng,
            day,
            delay[complains],
            Topic.COMPLAINTS,
            orders.customer[complains],
            status=ComplaintStatus.OPENED,
            code=category[complains],
        )
        lot, delay = rng.random(n), rng.integers(3, 15, n)
        part = np.where(rng.random(n) < 0.7, 1.0, rng.uniform(0.2, 0.8, n))
        for status, mask, days, share in (
            (OrderStatus.CANCELLED, lot < CANCELLED, np.minimum(delay, 2), np.ones(n)),
            (OrderStatus.RETURNED, (lot >= CANCELLED) & (lot < CANCELLED + RETURNED), delay, part),
        ):
            cents = np.maximum(orders.cents * share, 1)[mask]
            self._later(
                rng,
                day,
                days[mask],
                Topic.ORDERS,
                orders.customer[mask],
                status=status,
                cents=cents,
                ref=orders.ref[mask],
            )

    def _follow_complaints(self, rng: np.random.Generator, day: int, today: Events) -> None:
        """Put what becomes of today's complaints on later days."""
        complaints = today.take(today.topic == Topic.COMPLAINTS)
        n = len(complaints)
        resolved = complaints.status == ComplaintStatus.RESOLVED
        leaving = self._p.left_day[complaints.customer] <= day
        lot, given = rng.random(n), rng.random(n) < 0.8
        mark = rng.choice(5, n, p=SATISFACTION) + 1
        bad = rng.integers(1, 3, n)
        delay = np.clip(rng.lognormal(0.9, 0.7, n), 1, 14).astype(np.int64)
        late = rng.integers(8, 21, n)
        answered = ~resolved & np.where(leaving, lot < 0.25, lot >= UNRESOLVED)
        again = resolved & ~leaving & (lot < REOPENED)
        for status, mask, days, satisfaction in (
            (
                ComplaintStatus.RESOLVED,
                answered,
                np.where(leaving, late, delay),
                np.where(leaving, bad, mark * given),
            ),
            (ComplaintStatus.REOPENED, again, delay, np.zeros(n)),
        ):
            self._later(
                rng,
                day,
                days[mask],
                Topic.COMPLAINTS,
                complaints.customer[mask],
                status=status,
                code=complaints.code[mask],
                ref=complaints.ref[mask],
                satisfaction=satisfaction[mask],
            )

    def _later(
        self,
        rng: np.random.Generator,
        day: int,
        delay: NDArray[np.int64],
        topic: Topic,
        who: NDArray[np.int64],
        **columns: Any,
    ) -> None:
        """Put events `delay` days later, at a time of the day; those after the last day do not happen."""
        share = time_of_day(rng.random(len(who)))
        for days in np.unique(delay):
            rows = delay == days
            if day + int(days) < len(self._seasons):
                at = self._at(day + int(days), share[rows])
                chosen = {k: np.broadcast_to(v, len(who))[rows] for k, v in columns.items()}
                self._pending[day + int(days)].append(Events.of(topic, at, who[rows], **chosen))


def generator(seed: int, stream: int, day: int) -> np.random.Generator:
    """Return the generator of one stream of draws on one day; no two share a sequence."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(stream, day))))
