"""Plays of a period: the effects are those of `lapwing effects`, what was spent is a plain sum."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import replace

import polars as pl
import pytest

from consumers.database.database import Database
from consumers.effects.report import report
from consumers.effects.store import stored_input
from consumers.reports.plays import plays, read_plays
from consumers.sink.kinds import OUTCOMES, WARNINGS, actions
from tests.consumers.effects.helped import helped
from tests.consumers.reports.team_store import Shop, helped_shop
from tests.consumers.scorecard.stored import NOW, event_key, put
from tests.consumers.stored import empty_database

MIN_HOLDOUT = 5


def store(shop: Shop, database: Database) -> list[dict[str, object]]:
    """Store the shop with its team's costs; return the actions as events."""
    lines = [line for line in helped(4, 250, 240).event_lines if line["type"] == "action"]
    contents = [(line["customer_id"].encode(), json.dumps(line).encode()) for line in lines]
    put(database, actions(3_600_000_000), contents, NOW)
    put(database, OUTCOMES, [(event_key(line), line) for line in shop.outcomes], NOW)
    put(database, WARNINGS, [(event_key(line), line) for line in shop.steps], NOW)
    return lines


def check(database: Database) -> None:
    shop = helped_shop(4)
    lines = store(shop, database)
    everything = stored_input(database)
    for period in shop.periods:
        with database.reading() as connection:
            made = plays(read_plays(connection, period, shop.knowledge), period, MIN_HOLDOUT)
        known = replace(everything, matured=everything.matured.filter(pl.col("opened_at") < period.end_us))
        expected = report(known, min_holdout=MIN_HOLDOUT, group_of={}, until=period.end_us)
        assert made.as_dict()["plays"] == expected.as_dict()["plays"]
        amounts: defaultdict[object, float] = defaultdict(float)
        contacts: Counter[object] = Counter()
        for line in lines:
            at = str(line["occurred_at"])
            if period.begin_at.isoformat() <= at.replace("Z", "+00:00") < period.end_at.isoformat():
                contacts[line["play"]] += 1
                cost = line["cost"]
                assert isinstance(cost, dict)
                amounts[line["play"]] += sum(amount for amount in cost.values() if amount is not None)
        assert {each.play: each.contacts for each in made.spending} == contacts
        assert {each.play: each.amount for each in made.spending} == pytest.approx(dict(amounts))
        assert made.total.amount == pytest.approx(sum(amounts.values()))
        assert made.failed == ()
        json.dumps(made.as_dict())


def test_effects_and_spending_are_those_of_the_lines(database_url: str) -> None:
    database = Database(database_url)
    database.prepare()
    check(database)
    database.close()


def test_an_empty_store_has_no_plays() -> None:
    shop = helped_shop(4)
    with empty_database().reading() as connection:
        made = plays(read_plays(connection, shop.periods[0], shop.knowledge), shop.periods[0], MIN_HOLDOUT)
    assert (made.effects.plays, made.spending, made.total.amount) == ((), (), 0)


def test_of_very_many_warnings_the_newest_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consumers.reports.plays.ENOUGH", 30)
    shop, database = helped_shop(4), empty_database()
    store(shop, database)
    period = shop.periods[3]
    with database.reading() as connection:
        facts = read_plays(connection, period, shop.knowledge)
    assert facts.since is not None
    opened = stored_input(database).matured["opened_at"].sort(descending=True)
    assert facts.since == opened[30]
    inside = pl.col("opened_at").is_between(facts.since, period.end_us, closed="left")
    given = stored_input(database)
    known = replace(given, matured=given.matured.filter(inside))
    expected = report(known, min_holdout=MIN_HOLDOUT, group_of={}, since=facts.since, until=period.end_us)
    assert plays(facts, period, MIN_HOLDOUT).as_dict()["plays"] == expected.as_dict()["plays"]
