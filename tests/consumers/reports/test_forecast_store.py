from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import pytest

from consumers.broker.records import Record
from consumers.database.database import Database
from consumers.reports.forecast import Expectation, ForecastFacts, read_forecast
from consumers.reports.knowledge import Knowledge
from consumers.reports.period import Period
from tests.consumers.shop_records import KINDS, NOW, shop_records
from tests.consumers.stored import store_records

PERIOD = Period.parse("2024-07-20..2024-08-14", "UTC")
HORIZON = timedelta(days=30)
TOPIC = "churn-census"


def census_records() -> list[Record]:
    return [each for each in shop_records(customers=60, days=260, seed=4) if each.topic == TOPIC]


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with closing(Database(database_url)) as made:
        made.prepare()
        yield made


def store(database: Database, records: Sequence[Record], at: datetime = NOW) -> None:
    store_records(database, records, at, KINDS[TOPIC])


def read(database: Database, as_of: datetime | None = None) -> ForecastFacts:
    with database.reading() as connection:
        return read_forecast(connection, PERIOD, Knowledge("UTC", HORIZON, HORIZON, as_of))


def changed(record: Record, offset: int, **data: Any) -> Record:
    """Return a record as another one would have come: of another partition, or quiet."""
    event = json.loads(record.value or b"")
    event["id"] += f"-{offset}"
    event["data"] |= data
    return Record(TOPIC, 0, 100_000 + offset, record.timestamp_ms, record.key, json.dumps(event).encode())


def test_totals_are_those_of_the_events_in_every_family(database: Database) -> None:
    records = census_records()
    store(database, records)
    found = read(database)
    for family in ("profile", "cohort", "channel"):
        taken: dict[str, Any] = defaultdict(lambda: [0, 0, 0.0])
        became: dict[str, Any] = defaultdict(lambda: [0, 0, 0])
        for record in records:
            event = json.loads(record.value or b"")
            data = event["data"]
            if data.get("by") != family:
                continue
            if event["type"] == "churn.census.taken":
                for place, name in enumerate(("active", "scored", "expected")):
                    taken[event["time"]][place] += data[name]
            elif event["type"] == "churn.census.matured":
                given = (data["active"], data["churned"], data["untreated"]["churned"])
                for place, count in enumerate(given):
                    became[data["census_at"]][place] += count
        newest = max(at for at in taken if datetime.fromisoformat(at) <= PERIOD.end_at)
        assert found.now == datetime.fromisoformat(newest)
        active, scored, expected = taken[newest]
        assert found.expectation == Expectation(active, scored, round(expected, 6))
        assert len(became) > 5
        assert [
            [each.all.before.active, each.all.churned, each.untreated.churned] for each in found.matured
        ] == [became[at] for at in sorted(became)]


def test_a_census_is_not_seen_before_it_was_stored(database: Database) -> None:
    records = census_records()
    half = len(records) // 2
    store(database, records[:half])
    early = read(database)
    store(database, records[half:], NOW + timedelta(days=1))
    assert read(database, as_of=NOW) == early
    assert len(early.matured) < len(read(database).matured)
    assert read(database, as_of=NOW - timedelta(days=1)) == ForecastFacts(None, None, ())


def test_partitions_are_added_and_a_census_that_lacks_one_is_left_out_and_counted(
    database: Database,
) -> None:
    records = census_records()
    store(database, records)
    alone = read(database)
    lacking = json.loads(summaries(records)[2].value or b"")["time"]
    others = [each for each in records if json.loads(each.value or b"")["time"] != lacking]
    store(database, [changed(each, n, partition=1) for n, each in enumerate(others)])
    found = read(database)
    assert found.left_out == 1
    assert found.expectation is not None
    assert alone.expectation is not None
    assert found.expectation.active == 2 * alone.expectation.active
    assert found.expectation.expected == pytest.approx(2 * alone.expectation.expected)
    kept = [each for each in alone.matured if each.at != datetime.fromisoformat(lacking)]
    assert len(kept) == len(alone.matured) - 1
    assert [(each.at, each.all.churned, each.untreated.churned) for each in found.matured] == [
        (each.at, 2 * each.all.churned, 2 * each.untreated.churned) for each in kept
    ]


def test_a_census_without_its_cells_is_left_out(database: Database) -> None:
    records = census_records()
    store(database, records)
    store(database, [changed(each, n, partition=1) for n, each in enumerate(summaries(records))])
    found = read(database)
    assert (found.now, found.expectation, found.matured) == (None, None, ())
    assert found.left_out == len(summaries(records))


def test_a_census_with_a_quiet_source_is_left_out_and_counted(database: Database) -> None:
    records = census_records()
    quiet = summaries(records)[2]
    store(database, [changed(each, 1, quiet=True) if each is quiet else each for each in records])
    found = read(database)
    assert found.left_out == 1
    months = [each.at.month for each in found.matured]
    assert months == [2, 3, 5, 6, 7, 8]


def summaries(records: Sequence[Record]) -> list[Record]:
    return [each for each in records if b"churn.census.summary" in (each.value or b"")]
