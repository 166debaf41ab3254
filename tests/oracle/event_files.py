"""Event files read as the contract says it (DESIGN 2), apart from the decoders that are tested."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

from streams.core.events.batch import (
    MILLION,
    ActionRecord,
    ClosureRecord,
    ComplaintStatus,
    OrderStatus,
    ProfileRecord,
)
from streams.core.events.topics import FILE_TYPES, Topic
from tests.oracle.days import instant
from tests.oracle.history import Event


def read_events(path: Path) -> list[Event]:
    """Return the events of a `.jsonl` or `.jsonl.gz` file in event time; every line must be a good one."""
    return sorted((event_of(json.loads(line, parse_float=Decimal)) for line in lines(path)), key=_order)


def _order(event: Event) -> tuple[int, int, str, str]:
    return event.order


def lines(path: Path) -> Iterator[str]:
    """Yield the lines that are not blank."""
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    yield from (line for line in text.split("\n") if line.strip())


def millionths(number: Decimal | int) -> int:
    """Return a number in millionths."""
    return int((Decimal(number) * MILLION).to_integral_value(ROUND_HALF_EVEN))


def event_of(said: dict[str, Any]) -> Event:
    """Return the event that an object of a file says."""
    topic = FILE_TYPES[said["type"]]
    more: dict[str, Any] = {}
    if topic == Topic.ORDERS:
        more["status"] = int(OrderStatus[said.get("status", "placed").upper()])
        more["amount"] = millionths(said["amount"])
    elif topic == Topic.COMPLAINTS:
        more["status"] = int(ComplaintStatus[said.get("status", "opened").upper()])
        more["complaint_id"] = said["complaint_id"]
        if more["status"] == ComplaintStatus.RESOLVED:
            more["satisfaction"] = said.get("satisfaction") or 0
    elif topic == Topic.FEEDBACK:
        more["amount"] = millionths(Decimal(said["score"]) / Decimal(said["scale"]))
    elif topic == Topic.PROFILES:
        more["record"] = profile_of(said)
    elif topic == Topic.ACTIONS:
        until = said.get("until")
        more["record"] = ActionRecord(
            said.get("warning_id"),
            said["kind"],
            result=said.get("result"),
            actor=said.get("actor"),
            until=None if until is None else instant(until),
            corrects=said.get("corrects"),
        )
    elif topic == Topic.CLOSURES:
        more["record"] = ClosureRecord(said.get("reason"), said.get("churn_type"))
    return Event(topic, instant(said["occurred_at"]), said["customer_id"], said["event_id"], **more)


def profile_of(said: dict[str, Any]) -> ProfileRecord:
    """Return the attributes that a profile says."""
    ends = said.get("contract_ends_at")
    return ProfileRecord(
        customer_class=said.get("customer_class"),
        segment=said.get("segment"),
        region=said.get("region"),
        origin=said.get("origin"),
        account_owner=said.get("account_owner"),
        contract_ends_at=None if ends is None else instant(ends),
    )
