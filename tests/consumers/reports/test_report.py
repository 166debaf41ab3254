from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta

import msgspec
import pytest

from consumers.broker.records import Record
from consumers.database.database import Database
from consumers.reports.complaints import Limits
from consumers.reports.knowledge import Knowledge
from consumers.reports.period import Period
from consumers.reports.report import MAKERS, Report, Terms, make_report
from consumers.reports.views import PARTS, SEEN
from tests.consumers.shop_records import KINDS, NOW, shop_records
from tests.consumers.stored import store_records

HORIZON = timedelta(days=30)
PERIOD = Period.parse("2024-04", "UTC")
TERMS = Terms({}, {}, {}, 20, Limits(timedelta(days=1), timedelta(days=7)))
LATER = NOW + timedelta(days=1)


def store_half(database: Database, second: bool, at: datetime) -> None:
    """Store the first or the second half of each topic's records."""
    by_topic: dict[str, list[Record]] = defaultdict(list)
    for record in shop_records():
        by_topic[record.topic].append(record)
    for topic, records in by_topic.items():
        half = len(records) // 2
        store_records(database, records[half:] if second else records[:half], at, KINDS[topic])


@pytest.fixture
def empty(database_url: str) -> Iterator[Database]:
    with closing(Database(database_url)) as made:
        made.prepare()
        yield made


@pytest.fixture
def database(empty: Database) -> Database:
    store_half(empty, False, NOW)
    store_half(empty, True, LATER)
    return empty


def made(database: Database, known: Knowledge | None = None) -> Report:
    return make_report(database, PERIOD, known or Knowledge("UTC", HORIZON, HORIZON), TERMS)


def test_a_report_has_every_part_says_when_it_begins_and_fails_no_check(database: Database) -> None:
    heard: list[tuple[str, int, int]] = []
    report = make_report(
        database,
        PERIOD,
        Knowledge("UTC", HORIZON, HORIZON),
        TERMS,
        on_part=lambda *given: heard.append(given),
    )
    assert sorted(name for name, _, _ in heard) == sorted(MAKERS)
    assert list(report.parts) == list(MAKERS)
    assert heard[-1][1:] == (len(MAKERS), len(MAKERS))
    assert report.failed == ()
    assert report.is_over
    assert set(MAKERS) <= set(PARTS)
    assert {name for seen in SEEN.values() for name in seen} <= set(PARTS)


def test_made_again_for_a_past_instant_it_is_the_same_bytes(empty: Database) -> None:
    known = Knowledge("UTC", HORIZON, HORIZON, as_of=NOW)
    store_half(empty, False, NOW)
    early = msgspec.json.encode(made(empty, known).as_dict())
    store_half(empty, True, LATER)
    assert msgspec.json.encode(made(empty, known).as_dict()) == early
    assert msgspec.json.encode(made(empty).as_dict()) != early


def test_an_empty_store_makes_a_report_of_nothing(empty: Database) -> None:
    report = made(empty)
    assert report.known_to is None
    assert not report.is_over
    assert report.failed == ()
    assert msgspec.json.encode(report.as_dict())


def test_no_customer_is_named_anywhere(database: Database) -> None:
    text = msgspec.json.encode(made(database).as_dict()).decode()
    customers = {(record.key or b"").decode() for record in shop_records() if record.topic == "actions"}
    assert customers
    assert not [customer for customer in customers if f'"{customer}"' in text]
