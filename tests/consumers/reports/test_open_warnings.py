from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete

from consumers.database.database import Database
from consumers.database.warnings import WarningStepRow
from consumers.reports.knowledge import Knowledge
from consumers.reports.open_warnings import OpenWarnings, first_stored_after, read_open_warnings
from tests.consumers.shop_records import KINDS, NOW, shop_records
from tests.consumers.stored import store_records

TOPIC = "churn-warnings"
HORIZON = timedelta(days=30)
LATER = NOW + timedelta(days=1)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with closing(Database(database_url)) as made:
        made.prepare()
        records = [each for each in shop_records() if each.topic == TOPIC]
        half = len(records) // 2
        for part, at in ((records[:half], NOW), (records[half:], LATER)):
            store_records(made, part, at, KINDS[TOPIC])
        yield made


def twin(at: datetime, only_first_half: bool) -> tuple[OpenWarnings, ...]:
    """Return the same by going through all steps in order."""
    records = [each for each in shop_records() if each.topic == TOPIC]
    newest: dict[str, dict[str, Any]] = {}
    for record in records[: len(records) // 2] if only_first_half else records:
        event = json.loads(record.value or b"")
        data = event["data"]
        if datetime.fromisoformat(event["time"]) < at:
            before = newest.get(data["warning_id"])
            if before is None or before["step"] < data["step"]:
                newest[data["warning_id"]] = data
    found = []
    for tier in ("high", "low", "medium"):
        own = [data for data in newest.values() if data["state"] == "open" and data["tier"] == tier]
        known = [data["value_at_risk"] for data in own if data["value_at_risk"] is not None]
        if own:
            found.append(OpenWarnings(tier, len(own), round(sum(known), 6), len(known)))
    return tuple(found)


def read(database: Database, at: datetime, as_of: datetime | None = None) -> tuple[OpenWarnings, ...]:
    with database.reading() as connection:
        return read_open_warnings(connection, at, Knowledge("UTC", HORIZON, HORIZON, as_of))


def test_open_are_those_of_the_slow_twin_on_every_day(database: Database) -> None:
    sizes = set()
    for day in range(5, 140, 4):
        at = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=day)
        found = read(database, at)
        assert found == twin(at, only_first_half=False)
        assert read(database, at, as_of=LATER) == found
        sizes.add(sum(each.n for each in found))
    assert len(sizes) > 3


def test_what_was_stored_later_does_not_close_a_warning(database: Database) -> None:
    differing = 0
    for day in range(5, 140, 4):
        at = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=day)
        assert read(database, at, as_of=NOW) == twin(at, only_first_half=True)
        differing += read(database, at, as_of=NOW) != read(database, at)
    assert differing > 3


def test_the_first_row_stored_after_an_instant_is_found_across_gaps(database: Database) -> None:
    columns = (WarningStepRow.seq, WarningStepRow.received_at)
    records = sum(each.topic == TOPIC for each in shop_records())
    first = records // 2 + 1
    with database.writing() as connection:
        assert first_stored_after(connection, *columns, NOW) == first
        assert first_stored_after(connection, *columns, NOW - timedelta(days=1)) == 1
        assert first_stored_after(connection, *columns, LATER) is None
        gone = WarningStepRow.seq.between(first - 3, first + 4)
        connection.execute(delete(WarningStepRow).where(gone))
        assert first_stored_after(connection, *columns, NOW) == first + 5
        connection.execute(delete(WarningStepRow))
        assert first_stored_after(connection, *columns, NOW) is None
