"""A desk over a simulated shop with a team, stored as the sink stores it."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime
from functools import cache
from typing import Any

from consumers.broker.records import Record
from consumers.database.database import Database
from consumers.desk.desk import Desk
from tests.consumers.desk.desks import desk_over
from tests.consumers.shop_records import KINDS, NOW, shop_records
from tests.consumers.stored import store_records

HORIZON_US = 30 * 86_400_000_000
"""The shop's."""


def by_topic() -> dict[str, list[Record]]:
    """Return the shop's records."""
    found: dict[str, list[Record]] = defaultdict(list)
    for record in shop_records():
        found[record.topic].append(record)
    return found


@cache
def lines(topic: str) -> tuple[dict[str, Any], ...]:
    """Return what stands in the records of a topic."""
    return tuple(json.loads(record.value or b"") for record in by_topic()[topic])


def last_instant() -> datetime:
    """Return the event time of the newest step."""
    return max(datetime.fromisoformat(line["time"]) for line in lines("churn-warnings"))


def store_shop(database: Database) -> None:
    """Store all that the shop left behind."""
    for topic, records in by_topic().items():
        counts = store_records(database, records, NOW, KINDS[topic])
        assert counts.unreadable == counts.refused == 0, topic


def patient_desk(database: Database, now: datetime | None = None, **changes: Any) -> Desk:
    """Return a desk whose pages wait until reports are there, at the shop's last instant."""
    desk = desk_over(database, last_instant() if now is None else now, horizon=HORIZON_US, **changes)
    desk.reports.wait_s = 120
    return desk
