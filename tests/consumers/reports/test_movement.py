from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import pytest
from scipy import stats  # type: ignore[import-untyped]  # ships no type hints

from consumers.actions import Action, standing
from consumers.database.database import Database
from consumers.reports.census_months import CensusMonth, Counts, Mark
from consumers.reports.knowledge import Knowledge
from consumers.reports.movement import (
    MIN_CHANGES,
    Flows,
    MovementFacts,
    Series,
    Together,
    movement,
    read_movement,
    together,
)
from consumers.reports.period import Period
from streams.contract.instants import instant_us, to_us
from streams.share import Share
from tests.consumers.shop_records import KINDS, NOW, shop_records
from tests.consumers.stored import store_records

HORIZON = timedelta(days=30)
PERIOD = Period.parse("2024-05", "UTC")


def month(number: int, lost: int, marks: tuple[Mark, ...] = ()) -> CensusMonth:
    counts = Counts(original=1_000, kept=1_000 - lost, lost=lost, active=1_000)
    period = Period.parse(f"{2023 + number // 12}-{number % 12 + 1:02}", "UTC")
    return CensusMonth(period, marks, counts, 1_200, 0, (0,), (), (), (), ())


def series(lost: list[int], complaints: list[int], gap: int | None = None) -> Series:
    months = tuple(
        month(number, each, (Mark.INCOMPLETE,) if number == gap else ()) for number, each in enumerate(lost)
    )
    made = movement(MovementFacts(months, tuple(Flows(complaints=each) for each in complaints)))
    return next(each for each in made.series if each.key == "complaints")


def test_changes_in_the_same_direction_are_counted_and_ties_are_not() -> None:
    found = series([10, 20, 15, 15, 30], [5, 9, 9, 4, 8])
    # up with up; a tie; a tie; up with up
    assert found.same == Share(2, 2)
    assert found.verdict is Together.NOT_ENOUGH


def test_a_month_that_is_not_wholly_counted_has_no_value_and_no_change() -> None:
    whole = series([10, 20, 15, 25, 30], [5, 9, 4, 8, 9])
    gap = series([10, 20, 15, 25, 30], [5, 9, 4, 8, 9], gap=2)
    assert whole.same == Share(4, 4)
    assert gap.values[2] is None
    assert gap.same == Share(2, 2)


@pytest.mark.parametrize("n", range(15))
def test_the_verdict_is_that_of_the_sign_test(n: int) -> None:
    for part in range(n + 1):
        p = 2 * min(stats.binom.cdf(part, n, 0.5), stats.binom.sf(part - 1, n, 0.5))
        wanted = Together.WITH if 2 * part > n else Together.AGAINST
        if n < MIN_CHANGES:
            wanted = Together.NOT_ENOUGH
        elif min(p, 1) > 0.05:
            wanted = Together.UNCLEAR
        assert together(Share(part, n)) is wanted


def test_what_moves_by_itself_is_seldom_said_to_move_with_it() -> None:
    chance = random.Random(4)
    said = 0
    for _ in range(300):
        found = series(
            [chance.randint(10, 400) for _ in range(24)], [chance.randint(10, 400) for _ in range(24)]
        )
        said += found.verdict in (Together.WITH, Together.AGAINST)
    # Neighbouring changes of independent months are correlated, and so are the signs: no more than chance.
    assert said / 300 < 0.08


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with closing(Database(database_url)) as made:
        made.prepare()
        for topic in ("churn-census", "actions"):
            records = [each for each in shop_records() if each.topic == topic]
            store_records(made, records, NOW, KINDS[topic])
        yield made


def events(topic: str) -> list[Any]:
    return [json.loads(each.value or b"") for each in shop_records() if each.topic == topic]


def test_flows_are_those_of_the_events(database: Database) -> None:
    with database.reading() as connection:
        found = read_movement(connection, PERIOD, Knowledge("UTC", HORIZON, HORIZON))
    assert [each.month.key for each in found.months] == [
        "2024-01",
        "2024-02",
        "2024-03",
        "2024-04",
        "2024-05",
    ]
    acted = standing(
        Action(
            each["event_id"],
            each["customer_id"],
            instant_us(each["occurred_at"]),
            each["kind"],
            actor=each.get("actor"),
            corrects=each.get("corrects"),
        )
        for each in events("actions")
    )
    for period, flows in zip(found.months, found.flows, strict=True):
        own = period.month
        cells = [
            each["data"]
            for each in events("churn-census")
            if each["type"] == "churn.census.taken"
            and each["data"]["by"] == "profile"
            and datetime.fromisoformat(each["time"]) == own.end_at
        ]
        assert bool(cells) == (Mark.MISSING not in period.marks)
        for name in ("orders", "logins", "complaints", "answers", "satisfaction"):
            assert getattr(flows, name) == sum(cell[name] for cell in cells), name
        assert flows.offers == sum(
            each.kind == "offer" and own.begin_us <= each.at < own.end_us for each in acted
        )
    assert sum(flows.orders for flows in found.flows) > 100


def test_an_offer_that_was_taken_back_does_not_count(database: Database) -> None:
    offers = [each for each in events("actions") if each["kind"] == "offer"]
    first = offers[0]
    month_of = Period.parse(first["occurred_at"][:7], "UTC")

    def count() -> int:
        with database.reading() as connection:
            found = read_movement(connection, PERIOD, Knowledge("UTC", HORIZON, HORIZON))
        return next(f.offers for m, f in zip(found.months, found.flows, strict=True) if m.month == month_of)

    before = count()
    record = next(each for each in shop_records() if each.topic == "actions")
    for number, actor in enumerate(("somebody else", first["actor"])):
        taken = {
            "event_id": f"back-{number}",
            "customer_id": first["customer_id"],
            "occurred_at": PERIOD.end_at.isoformat(),
            "kind": "correct",
            "actor": actor,
            "corrects": first["event_id"],
        }
        value = json.dumps(taken).encode()
        again = type(record)("actions", 0, 10_000 + number, to_us(PERIOD.end_at) // 1000, record.key, value)
        assert store_records(database, [again], NOW, KINDS["actions"]).stored == 1
        assert count() == before - number
