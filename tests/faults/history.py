"""What a seed's shop sends: good events, the same again, out of order within the limit, and garbage."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

import numpy as np
import polars as pl

from streams.core.events.partitioner import partitions
from streams.core.events.topics import FILE_TYPES, Topic
from streams.simulate.records import json_lines
from streams.simulate.shop import Shop

START: Final = date(2024, 1, 1)
DISORDER_DAYS: Final = 0.5
"""How much later than it happened an event is sent at the most, and how much later still its repeat."""
REORDER_DAYS: Final = 5
"""The worker's `reorder`: days go by in a second here, so topics are a day or two apart at times."""
DISORDERED: Final = 0.3
REPEATED: Final = 0.05
GARBAGE: Final = 0.02
CHUNK_DAYS: Final = 0.5
TOPICS: Final = (Topic.COMPLAINTS, Topic.LOGINS, Topic.ORDERS, Topic.PROFILES)
"""What the shop sends to."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much of a shop is played."""

    customers: tuple[int, int] = (300, 1_200)
    """Between so many."""
    backlog_days: int = 45
    """What lies on the broker before a worker starts."""
    live_days: int = 30
    """What is sent while faults happen."""


@dataclass(frozen=True, slots=True)
class Record:
    """What is sent."""

    topic: Topic
    key: bytes
    value: bytes
    mapped: bool = False
    """Whether it is in the shop's own form, on the shop's own topic."""


@dataclass(frozen=True, slots=True)
class History:
    """A shop's events as a file, and as they are sent."""

    lines: Sequence[str]
    """The good events, once each, for `lapwing replay`."""
    backlog: Sequence[Record]
    chunks: Sequence[Sequence[Record]]
    """What is sent live, in order, half a day at a time."""
    closing: Sequence[Record]
    """An event for each partition, so long after all others that the watermark passes these."""
    until: datetime
    """The last event's time but for the closing ones: up to here all warnings are due."""
    garbage: frozenset[bytes]
    repeats: int


def history_of(seed: int, size: Size, partition_count: int) -> History:
    """Return the history that follows from `seed`."""
    dice = random.Random(f"history {seed}")
    days = size.backlog_days + size.live_days
    shop = Shop(customers=dice.randint(*size.customers), days=days, seed=seed, start=START)
    frame = pl.concat(list(shop.frames()))
    at_days = frame["occurred_at"].dt.timestamp("us").to_numpy() / 86_400e6
    at_days = at_days - datetime(START.year, START.month, START.day, tzinfo=UTC).timestamp() / 86_400
    good = [
        Record(FILE_TYPES[kind], key.encode(), value.encode())
        for kind, key, value in zip(
            frame["type"], frame["customer_id"], json_lines(frame, with_type=False), strict=True
        )
    ]
    sent: list[tuple[float, Record]] = []
    for record, at in zip(good, at_days.tolist(), strict=True):
        arrives = at + (dice.uniform(0, DISORDER_DAYS) if dice.random() < DISORDERED else 0.0)
        sent.append((arrives, record))
        if dice.random() < REPEATED:
            sent.append((arrives + dice.uniform(0, DISORDER_DAYS), record))
    repeats = len(sent) - len(good)
    bad = [_garbage(dice, number, dice.choice(good)) for number in range(int(GARBAGE * len(good)))]
    sent += [(dice.uniform(0, days), record) for record in bad]
    sent.sort(key=lambda pair: pair[0])
    until = frame["occurred_at"].max()
    assert isinstance(until, datetime)
    closing = _closing(frame["customer_id"].unique().sort().to_list(), until, partition_count)
    return History(
        lines=[*json_lines(frame, with_type=True), *(_login_line(record) for record in closing)],
        backlog=[record for at, record in sent if at < size.backlog_days],
        chunks=_chunks([(at, record) for at, record in sent if at >= size.backlog_days]),
        closing=closing,
        until=until,
        garbage=frozenset(record.value for record in bad),
        repeats=repeats,
    )


def _chunks(sent: Sequence[tuple[float, Record]]) -> list[list[Record]]:
    chunks: dict[int, list[Record]] = {}
    for at, record in sent:
        chunks.setdefault(int(at / CHUNK_DAYS), []).append(record)
    return [chunks[number] for number in sorted(chunks)]


def _closing(customers: Sequence[str], until: datetime, partition_count: int) -> list[Record]:
    """Return a login for each partition that lies more than `reorder` after all events."""
    at = (until + timedelta(days=REORDER_DAYS + 2)).isoformat()
    numbers = partitions(np.array(customers, dtype=object), partition_count)
    found = {int(number): customer for number, customer in zip(numbers, customers, strict=True)}
    assert len(found) == partition_count, "a partition without customers"
    return [
        Record(
            Topic.LOGINS,
            customer.encode(),
            json.dumps({"event_id": f"last{number}", "customer_id": customer, "occurred_at": at}).encode(),
        )
        for number, customer in sorted(found.items())
    ]


def _login_line(record: Record) -> str:
    return json.dumps({"type": "login"} | json.loads(record.value))


def _garbage(dice: random.Random, number: int, good: Record) -> Record:
    """Return a record that must be refused, each with a value of its own."""
    event = json.loads(good.value) | {"event_id": f"bad{number}"}
    match dice.randrange(5):
        case 0:
            return Record(good.topic, good.key, b"\xff\x00 no event %d" % number)
        case 1:
            return Record(good.topic, good.key, json.dumps(event).encode()[:-20])
        case 2:
            return Record(good.topic, b"someone-else", json.dumps(event).encode())
        case 3:
            event["occurred_at"] = "2199-01-01T00:00:00Z"
        case _:
            del event["occurred_at"]
    return Record(good.topic, good.key, json.dumps(event).encode())
