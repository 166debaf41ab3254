"""Generated histories: few customers, bursts, ties, midnights, clock changes, repeats, late arrivals.

`histories` is the hypothesis strategy, which shrinks to a minimal history; `random_history` makes larger
ones from a seed. Both build on `Draw`, so that they know the same tricks.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import strategies as st

from streams.core.events.batch import (
    MILLION,
    ActionRecord,
    Batch,
    ClosureRecord,
    ComplaintStatus,
    OrderStatus,
    ProfileRecord,
)
from streams.core.events.topics import Topic
from tests.oracle.days import DAY, HOUR, SECOND, instant, local_day, midnight
from tests.oracle.history import Event

T = TypeVar("T")

ZONES: Final = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "America/Havana")
"""Half hours, both hemispheres' clock changes, and in Havana one that skips or repeats midnight itself."""

STARTS: Final = ("2011-01-03", "2024-02-25", "2024-09-20", "1999-12-01")
"""First days; within 90 days of the middle two the clocks change in Europe and America."""

CUSTOMERS: Final = ("c1", "c2", "ä3")
EDGES: Final = (0, -1, 1, 12 * HOUR, 12 * HOUR + 1, 2 * HOUR + HOUR // 2, 23 * HOUR, DAY - 1)
"""Distances from a local midnight."""
DELAYS: Final = (SECOND, HOUR, 3 * DAY, 14 * DAY, 31 * DAY, 89 * DAY, 90 * DAY, 120 * DAY)
AMOUNTS: Final = (0, 1, 333_333, MILLION, 19_990_000, 250 * MILLION, 10**15)
SHARES: Final = (0, 200_000, 333_333, 500_000, MILLION)


class Draw(Protocol):
    """Where choices come from: hypothesis or a seeded generator."""

    def pick(self, values: Sequence[T]) -> T:
        """Return one of the values; the first is the simplest."""
        ...

    def number(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both included."""
        ...


@dataclass(frozen=True)
class SeededDraw:
    """Choices of a seeded generator."""

    source: random.Random

    def pick(self, values: Sequence[T]) -> T:
        return self.source.choice(values)

    def number(self, low: int, high: int) -> int:
        return self.source.randint(low, high)


@dataclass(frozen=True)
class HypothesisDraw:
    """Choices of hypothesis, which it can shrink."""

    draw: Any

    def pick(self, values: Sequence[T]) -> T:
        chosen: T = self.draw(st.sampled_from(values))
        return chosen

    def number(self, low: int, high: int) -> int:
        chosen: int = self.draw(st.integers(low, high))
        return chosen


@dataclass(frozen=True, slots=True)
class History:
    """Records in the order of their arrival, and the zone they live in."""

    zone: ZoneInfo
    arrivals: tuple[Event, ...]


def moment(draw: Draw, first_day: int, days: int, zone: ZoneInfo, taken: Sequence[int]) -> int:
    """Return an instant: often one already taken, at a local midnight or a breath beside it."""
    way = draw.number(0, 9)
    if way == 9 and taken:
        return draw.pick(taken)
    if way == 8 and taken:
        return max(0, draw.pick(taken) + draw.pick((-1, 1, SECOND, -100_000, 2 * DAY, 30 * DAY)))
    begin = midnight(first_day + draw.number(0, days), zone)
    return begin + (draw.pick(EDGES) if way < 6 else draw.number(0, DAY - 1))


def content(draw: Draw, topic: Topic, at: int) -> dict[str, Any]:
    """Return the fields that the topic's events carry."""
    if topic == Topic.ORDERS:
        status = draw.pick((OrderStatus.PLACED, OrderStatus.PLACED, *OrderStatus))
        return {"status": int(status), "amount": draw.pick(AMOUNTS)}
    if topic == Topic.COMPLAINTS:
        kind = draw.pick(tuple(ComplaintStatus))
        mark = draw.number(0, 5) if kind == ComplaintStatus.RESOLVED else 0
        return {"status": int(kind), "complaint_id": draw.pick(("k1", "k2", "k3")), "satisfaction": mark}
    if topic == Topic.FEEDBACK:
        return {"amount": draw.pick(SHARES)}
    if topic == Topic.PROFILES:
        ends = at + draw.pick((0, 1, -DAY, 400 * DAY)) if draw.number(0, 1) else None
        kind_of = draw.pick((None, "key", "ordinary", "small", "problem"))
        return {
            "record": ProfileRecord(
                kind_of,
                draw.pick((None, "s1")),
                draw.pick((None, "é")),
                None,
                None,
                ends,
                account_owner=draw.pick((None, "ann")),
                do_not_contact=kind_of == "small" and ends is None,
            )
        }
    if topic == Topic.ACTIONS:
        return {"record": ActionRecord("no-such-warning", "call")}
    if topic == Topic.CLOSURES:
        return {"record": ClosureRecord("moved")}
    return {}


TOPICS: Final = (
    *(Topic.ORDERS,) * 6,
    *(Topic.LOGINS,) * 4,
    *(Topic.COMPLAINTS,) * 4,
    Topic.FEEDBACK,
    Topic.FEEDBACK,
    Topic.PROFILES,
    Topic.ACTIONS,
    Topic.CLOSURES,
)


def events(draw: Draw, zone: ZoneInfo, size: int, days: int, topics: Sequence[Topic] = TOPICS) -> list[Event]:
    """Return `size` events without order, some of them repeats of others."""
    first_day = local_day(instant(draw.pick(STARTS)), zone)
    made: list[Event] = []
    for i in range(size):
        if made and draw.number(0, 11) == 11:
            shift = draw.pick((0, 0, 1, 2 * DAY, 2 * DAY + 1, -2 * DAY, 7 * DAY))
            twin = draw.pick(made)
            made.append(replace(twin, at=max(0, twin.at + shift)))
            continue
        topic = draw.pick(topics)
        at = moment(draw, first_day, days, zone, [e.at for e in made])
        # ids run backwards for some events, so that the order of ids is not the order of making
        name = f"e{i if draw.number(0, 1) == 0 else 999 - i:03}"
        fields = content(draw, topic, at)
        made.append(Event(topic=topic, at=at, customer_id=draw.pick(CUSTOMERS), event_id=name, **fields))
    return made


def in_time(made: Sequence[Event]) -> list[Event]:
    """Return the events as a file is read: nothing is late."""
    return sorted(made, key=lambda e: e.order)


def shuffled_within(made: Sequence[Event], reorder_us: int, draw: Draw) -> list[Event]:
    """Return another order of arrival in which nothing is late."""
    return [e for _, _, e in sorted((e.at + draw.number(0, reorder_us), i, e) for i, e in enumerate(made))]


def delayed(made: Sequence[Event], draw: Draw, delays: Sequence[int] = DELAYS) -> list[Event]:
    """Return an order of arrival in which some records come long after their time."""
    keyed = []
    for i, event in enumerate(made):
        delay = draw.pick(delays) if draw.number(0, 4) == 4 else 0
        keyed.append((event.at + delay, i, event))
    return [e for _, _, e in sorted(keyed, key=lambda item: item[:2])]


@st.composite
def histories(
    draw: st.DrawFn, *, size: int = 25, days: int = 100, late: bool = False, zones: Sequence[str] = ZONES
) -> History:
    """Draw a history; with `late`, some of its records arrive long after their time."""
    source = HypothesisDraw(draw)
    zone = ZoneInfo(draw(st.sampled_from(zones)))
    made = in_time(events(source, zone, draw(st.integers(1, size)), draw(st.integers(0, days))))
    return History(zone, tuple(delayed(made, source) if late else made))


def random_history(
    seed: int,
    *,
    size: int = 120,
    days: int = 200,
    late: bool = False,
    topics: Sequence[Topic] = TOPICS,
    delays: Sequence[int] = DELAYS,
) -> History:
    """Return the history of a seed."""
    source = SeededDraw(random.Random(seed))
    zone = ZoneInfo(source.pick(ZONES))
    made = in_time(events(source, zone, size, days, topics))
    return History(zone, tuple(delayed(made, source, delays) if late else made))


def as_batch(records: Sequence[Event]) -> Batch:
    """Return the records as columns, in their order."""
    names = ("topic", "at", "customer_id", "event_id", "status", "amount", "complaint_id", "satisfaction")
    return Batch.of([{name: getattr(e, name) for name in (*names, "record")} for e in records])


def cut(records: Sequence[Event], sizes: Sequence[int]) -> list[Batch]:
    """Return the records as batches of the given sizes, taken in turn until all are used."""
    batches: list[Batch] = []
    start = turn = 0
    while start < len(records):
        size = max(1, sizes[turn % len(sizes)])
        batches.append(as_batch(records[start : start + size]))
        start, turn = start + size, turn + 1
    return batches


def same_columns(a: Batch, b: Batch) -> bool:
    """Say whether two batches hold the same rows in the same order."""
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in a.__slots__)
