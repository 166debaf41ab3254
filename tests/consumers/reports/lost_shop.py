"""A shop whose customers come, fall silent, close and return, replayed and stored as production does it.

`Recount` is the slow twin: it looks through the shop's events again for every question.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from consumers.broker.records import Record
from consumers.database.database import Database
from consumers.reports.knowledge import Knowledge
from consumers.reports.period import Period
from consumers.sink.kinds import CENSUS, OUTCOMES, WARNINGS, AnyKind
from streams.contract.census import census_key, encode_census
from streams.contract.outcomes import encode_outcome
from streams.contract.warnings import encode_step
from streams.core.engine import Engine
from streams.core.events.batch import MILLION, ClosureRecord, LabelsRecord, OrderStatus, ProfileRecord
from streams.core.events.topics import Topic
from streams.core.outcomes.outcome import CensusEvent, Outcome
from streams.core.steps import Step
from streams.offline.replay import replay
from tests.consumers.stored import empty_database, store_records
from tests.oracle.days import DAY, HOUR, local_day, midnight
from tests.oracle.drive import engine_settings
from tests.oracle.engine import OracleSettings
from tests.oracle.histories import as_batch
from tests.oracle.history import Event
from tests.streams.backtest.histories import compiled, rules_of

HORIZON: Final = 30 * DAY
ACTIVE_WITHIN: Final = 24 * DAY
FIRST_DAY: Final = datetime(2023, 12, 11, tzinfo=UTC).date().toordinal()
DAYS: Final = 210
STORED: Final = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class LostShop:
    """What happened, and what the engines put out of it."""

    zone: ZoneInfo
    events: tuple[Event, ...]
    outcomes: tuple[Outcome, ...]
    census: tuple[CensusEvent, ...]
    steps: tuple[Step, ...]

    @property
    def knowledge(self) -> Knowledge:
        """What a report of it knows."""
        return Knowledge(
            self.zone.key, timedelta(microseconds=HORIZON), timedelta(microseconds=ACTIVE_WITHIN)
        )

    def period(self, text: str) -> Period:
        """Return a period in its zone."""
        return Period.parse(text, self.zone.key)


def made_events(seed: int, zone: ZoneInfo, customers: int = 60) -> list[Event]:
    """Return customers with a pace, pauses, closures, a profile that may change, and orders at midnight."""
    rng = random.Random(seed)
    found: list[Event] = []

    def add(topic: Topic, at: int, customer: str, **more: Any) -> None:
        found.append(Event(topic, at, customer, f"e{len(found):05}", **more))

    def profile() -> ProfileRecord:
        return ProfileRecord(
            rng.choice((None, "key", "ordinary", "ordinary", "small")),
            rng.choice((None, "s1", "s2")),
            rng.choice(("north", "south")),
            rng.choice(
                (None, "own", "own", "elsewhere", "elsewhere", "rare" if rng.random() < 0.3 else "own")
            ),
        )

    for number in range(customers):
        customer = f"c{number:03}"
        begin = 0 if rng.random() < 0.4 else rng.randrange(DAYS - 20)
        pace, channel = rng.choice((3, 6, 9, 14)), rng.choice((None, "web", "app"))
        day = float(begin)
        if rng.random() < 0.8:
            add(
                Topic.PROFILES,
                midnight(FIRST_DAY + begin, zone) + rng.randrange(DAY),
                customer,
                record=profile(),
            )
        while day < DAYS:
            at = midnight(FIRST_DAY + int(day), zone)
            at += rng.choice((0, 0, 1, HOUR, rng.randrange(20 * HOUR)))
            add(
                Topic.ORDERS,
                at,
                customer,
                status=int(OrderStatus.PLACED),
                amount=rng.randrange(5, 90) * MILLION,
                record=LabelsRecord(rng.choice((channel, channel, "web")), None),
            )
            chance = rng.random()
            if chance < 0.03:
                add(
                    Topic.CLOSURES,
                    at + rng.choice((0, HOUR, 2 * DAY)),
                    customer,
                    record=ClosureRecord("price"),
                )
                day += rng.choice((5, 40, DAYS))
            elif chance < 0.1:
                day += rng.choice((25, 30, 50, 90, DAYS))
            elif chance < 0.15:
                add(Topic.PROFILES, at + HOUR, customer, record=profile())
            if rng.random() < 0.3:
                add(Topic.LOGINS, at + 2 * HOUR, customer)
            day += 1 + rng.expovariate(1 / pace)
    end = midnight(FIRST_DAY + DAYS, zone)
    return sorted((event for event in found if event.at < end), key=lambda event: event.order)


@cache
def lost_shop(seed: int, zone: str = "Europe/Berlin", partitions: int = 2, outage: bool = False) -> LostShop:
    """Return the shop of a seed; with an outage no order comes for twelve days around a census."""
    place = ZoneInfo(zone)
    events = made_events(seed, place)
    if outage:
        first, last = (midnight(FIRST_DAY + day, place) for day in (104, 116))  # around 1 April 2024
        events = [e for e in events if not (e.topic == Topic.ORDERS and first <= e.at < last)]
    settings = replace(
        engine_settings(OracleSettings(zone=place)),
        horizon_us=HORIZON,
        active_within_us=ACTIVE_WITHIN,
        outcomes=True,
        quiet_after_us={Topic.ORDERS: 7 * DAY} if outage else {},
    )
    outcomes: list[Outcome] = []
    census: list[CensusEvent] = []
    steps: list[Step] = []
    batch = as_batch(events)
    replay(
        batch.take(batch.order()),
        [Engine(settings, compiled(rules_of()), None, n) for n in range(partitions)],
        until=midnight(FIRST_DAY + DAYS, place),
        on_steps=steps.extend,
        on_outcomes=outcomes.extend,
        on_census=census.extend,
    )
    return LostShop(place, tuple(events), tuple(outcomes), tuple(census), tuple(steps))


@cache
def stored_shop(seed: int, **changes: Any) -> Database:
    """Return a database in memory with all of a shop, for tests that only read."""
    database = empty_database()
    store_shop(database, lost_shop(seed, **changes))
    return database


def store_shop(
    database: Database,
    shop: LostShop,
    at: datetime = STORED,
    wanted: Callable[[Any], bool] = lambda made: True,
) -> None:
    """Store what is wanted of the shop, at a time of the sink's clock."""
    put(database, OUTCOMES, [(o.customer_id, encode_outcome(o, "a")) for o in shop.outcomes if wanted(o)], at)
    put(database, CENSUS, [(census_key(c), encode_census(c, "a")) for c in shop.census if wanted(c)], at)
    put(database, WARNINGS, [(s.customer_id, encode_step(s, "a")) for s in shop.steps if wanted(s)], at)


def put(database: Database, kind: AnyKind, contents: Sequence[tuple[str, bytes]], at: datetime) -> None:
    now_ms = int(at.timestamp() * 1000)
    records = [
        Record(f"{kind.name}-{at:%m%d%H}", 0, number, now_ms, key.encode(), value)
        for number, (key, value) in enumerate(contents)
    ]
    counts = store_records(database, records, at, kind)
    assert counts.unreadable == counts.refused == 0
    assert counts.stored == len(records)


@dataclass
class Recount:
    """Recounts from the shop's events, which a file gives in order, so that none is late."""

    shop: LostShop
    by_customer: dict[str, list[Event]] = field(init=False)

    def __post_init__(self) -> None:
        self.by_customer = {}
        for event in self.shop.events:
            self.by_customer.setdefault(event.customer_id, []).append(event)

    @property
    def customers(self) -> list[str]:
        return sorted(self.by_customer)

    def orders(self, customer: str, before: int) -> list[int]:
        """Return the times of the orders before an instant, which a sweep there does not see."""
        return [e.at for e in self.by_customer[customer] if e.topic == Topic.ORDERS and e.at < before]

    def closures(self, customer: str, before: int) -> list[int]:
        return [e.at for e in self.by_customer[customer] if e.topic == Topic.CLOSURES and e.at < before]

    def is_active(self, customer: str, at: int) -> bool:
        """Say, as a sweep sees it, whether the last order lies in (at - A, at] and no closure follows."""
        orders = self.orders(customer, at)
        if not orders or orders[-1] <= at - ACTIVE_WITHIN:
            return False
        # At one instant a closure comes before an order.
        return not any(closed > orders[-1] for closed in self.closures(customer, at))

    def active(self, at: int) -> set[str]:
        return {customer for customer in self.customers if self.is_active(customer, at)}

    def first_order(self, customer: str, before: int = 2**62) -> int | None:
        return min(self.orders(customer, before), default=None)

    def cohort(self, customer: str) -> str:
        first = self.first_order(customer)
        assert first is not None
        day = datetime.fromordinal(local_day(first, self.shop.zone))
        return f"{day:%Y-%m}"

    def attributes(self, customer: str, before: int) -> dict[str, str | None]:
        """Return class, segment, region, origin and the channel of the last order, before an instant."""
        own = [e for e in self.by_customer[customer] if e.at < before]
        records = [e.record for e in own if e.topic == Topic.PROFILES]
        profile = records[-1] if records else ProfileRecord()
        assert isinstance(profile, ProfileRecord)
        labels = [e.record for e in own if e.topic == Topic.ORDERS]
        last = labels[-1] if labels else None
        return {
            "customer_class": profile.customer_class,
            "segment": profile.segment,
            "region": profile.region,
            "origin": profile.origin,
            "channel": last.channel if isinstance(last, LabelsRecord) else None,
        }

    def tier(self, customer: str, at: int) -> str | None:
        """Return the tier of the warning open just before an instant, by its steps."""
        found: str | None = None
        for step in self.shop.steps:
            if step.customer_id == customer and step.at < at:
                found = None if step.kind.value in ("resolved", "withdrawn", "expired") else step.tier.label
        return found

    def lost_at(self, customer: str, at: int) -> int | None:
        """Return the sweep or the closure at which a customer was lost who is not active at an instant."""
        if self.is_active(customer, at) or not self.orders(customer, at):
            return None
        last = self.orders(customer, at)[-1]
        closed = min((c for c in self.closures(customer, at) if c > last), default=None)
        day = local_day(last, self.shop.zone)
        while not (sweep := midnight(day, self.shop.zone)) - ACTIVE_WITHIN >= last:
            day += 1
        return sweep if closed is None else min(sweep, closed)
