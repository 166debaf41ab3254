from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from consumers.database.database import Database
from consumers.reports.forecast import forecast
from consumers.reports.knowledge import Knowledge
from consumers.reports.period import Period
from consumers.reports.value import Amount, Value, ValueFacts, read_value, value_figures
from tests.consumers.reports.test_forecast import MONTH, census, facts
from tests.consumers.shop_records import KINDS, NOW, shop_records
from tests.consumers.stored import store_records

HORIZON = timedelta(days=30)
PERIOD = Period.parse("2024-04", "UTC")


@pytest.fixture(scope="module")
def events() -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {"churn-warnings": [], "churn-outcomes": [], "churn-census": []}
    for record in shop_records():
        if record.topic in found:
            found[record.topic].append(json.loads(record.value or b""))
    return found


@pytest.fixture
def figures(database_url: str) -> Iterator[Value]:
    with closing(Database(database_url)) as database:
        database.prepare()
        for topic in ("churn-warnings", "churn-outcomes", "churn-census"):
            records = [each for each in shop_records() if each.topic == topic]
            store_records(database, records, NOW, KINDS[topic])
        with database.reading() as connection:
            known = Knowledge("UTC", HORIZON, HORIZON)
            yield value_figures(read_value(connection, PERIOD, known), PERIOD)


def total(values: list[float | None]) -> tuple[Any, int, int]:
    known = [value for value in values if value is not None]
    return (pytest.approx(sum(known)), len(known), len(values))


def shown(amount: Amount | None) -> tuple[Any, int, int]:
    assert amount is not None
    return (amount.total, amount.known, amount.n)


def test_what_was_lost_is_that_of_the_lapses(figures: Value, events: dict[str, list[Any]]) -> None:
    gone: set[str] = set()
    lapsed: list[float | None] = []
    closed = 0
    order = (
        "churn.customer.acquired",
        "churn.customer.lapsed",
        "churn.customer.closed",
        "churn.customer.returned",
    )
    lives = [each for each in events["churn-outcomes"] if each["type"] in order]
    for event in sorted(lives, key=lambda e: (e["subject"], e["time"], order.index(e["type"]))):
        customer, at = event["subject"], datetime.fromisoformat(event["time"])
        if event["type"] == order[1]:
            at -= timedelta(microseconds=1)  # it belongs to the day that its sweep ends
        inside = PERIOD.begin_at <= at < PERIOD.end_at
        if event["type"] in order[1:3]:
            if customer not in gone and inside:
                if event["type"] == order[1]:
                    lapsed.append(event["data"]["value"])
                else:
                    closed += 1
            gone.add(customer)
        else:
            gone.discard(customer)
    assert len(lapsed) > 5
    assert shown(figures.lapsed) == total(lapsed)
    assert figures.closed == closed


def test_at_risk_is_what_the_newest_steps_of_open_warnings_say(
    figures: Value, events: dict[str, list[Any]]
) -> None:
    newest: dict[str, Any] = {}
    for event in events["churn-warnings"]:
        data = event["data"]
        before = newest.get(data["warning_id"], {"step": 0})["step"]
        if datetime.fromisoformat(event["time"]) < PERIOD.end_at and data["step"] > before:
            newest[data["warning_id"]] = data
    for each in figures.at_risk:
        own = [d for d in newest.values() if d["state"] == "open" and each.tier in (None, d["tier"])]
        assert shown(each.at_risk) == total([data["value_at_risk"] for data in own])
    assert figures.at_risk[0].at_risk.n == sum(each.at_risk.n for each in figures.at_risk[1:])


def test_the_value_of_the_lost_is_the_sum_over_the_censuses(
    figures: Value, events: dict[str, list[Any]]
) -> None:
    cells = [
        each["data"]
        for each in events["churn-census"]
        if each["type"] == "churn.census.taken"
        and each["data"]["by"] == "profile"
        and datetime.fromisoformat(each["time"]) <= PERIOD.end_at
        and each["data"]["original"] is not None
    ]
    assert figures.months == 3
    lost = (
        sum(c["value_lost"] for c in cells),
        sum(c["value_lost_n"] for c in cells),
        sum(c["lost"] for c in cells),
    )
    assert shown(figures.lost) == (pytest.approx(lost[0]), lost[1], lost[2])
    original = [c for c in cells if datetime.fromisoformat(c["since"]) == PERIOD.begin_at]
    assert shown(figures.base) == (
        pytest.approx(sum(c["value_original"] for c in original)),
        sum(c["value_original_n"] for c in original),
        sum(c["original"] for c in original),
    )
    assert figures.base_month == PERIOD


def test_the_forecast_in_money_is_its_customers_times_the_mean_of_the_lost(database_url: str) -> None:
    made = forecast(facts([census(i, 190 + i, 200.0, MONTH) for i in range(8)], now=10), MONTH)
    assert made.all is not None
    assert made.all.leaves is not None
    nothing = value_figures(ValueFacts((), (), (), made), PERIOD)
    assert (nothing.leaving, nothing.expected, nothing.lost.mean, nothing.base) == (None, None, None, None)
    with closing(Database(database_url)) as database:
        database.prepare()
        records = [each for each in shop_records() if each.topic == "churn-census"]
        store_records(database, records, NOW, KINDS["churn-census"])
        with database.reading() as connection:
            found = read_value(connection, PERIOD, Knowledge("UTC", HORIZON, HORIZON))
    figures = value_figures(replace(found, forecast=made), PERIOD)
    mean = figures.lost.mean
    assert mean is not None
    assert mean == figures.lost.total / figures.lost.known
    assert figures.leaving is not None
    assert (figures.leaving.low, figures.leaving.middle, figures.leaving.high) == tuple(
        n * mean for n in made.all.leaves
    )
    assert figures.expected == 200.0 * mean
