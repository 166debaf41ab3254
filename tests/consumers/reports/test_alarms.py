"""Alarm quality of a period, read by what it needs: the scorecard of everything, and that of the twin."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from consumers.database.database import Database
from consumers.reports.alarms import Alarms, alarms, read_alarms, shown_groups
from consumers.reports.period import Period
from consumers.reports.rate import MIN_CELL
from consumers.scorecard.facts import facts_of
from consumers.scorecard.scorecard import Scorecard, scorecard
from tests.consumers.reports.team_store import Shop, by_their_day, closing_shop, helped_shop
from tests.consumers.scorecard.twin import Twin
from tests.consumers.stored import empty_database


def of_everything(shop: Shop, begin: int, end: int) -> Scorecard:
    facts = facts_of(map(json.loads, by_their_day(shop.outcomes)), shop.actions, shop.step_lines)
    known_to = facts_of(shop.outcome_lines, shop.actions, shop.step_lines).known_to
    return scorecard(replace(facts, known_to=known_to), shop.horizon, since=begin, until=end)


def comparable(card: Scorecard) -> dict[str, Any]:
    found = card.as_dict(1_000_000)
    # The status of a rule that has no cause in what was read is not known.
    found["rules"] = [{k: v for k, v in rule.items() if k != "status"} for rule in found["rules"]]
    return found


def made(shop: Shop, database: Database, period: Period) -> Alarms:
    with database.reading() as connection:
        return alarms(read_alarms(connection, period, shop.knowledge), period)


def check(shop: Shop, database: Database) -> None:
    shop.store(database)
    for period in shop.periods:
        found = made(shop, database, period)
        begin, end, back = period.begin_us, period.end_us, shop.horizon
        assert comparable(found.now) == comparable(of_everything(shop, begin, end))
        assert comparable(found.before) == comparable(of_everything(shop, begin - back, end - back))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_card_of_a_period_is_that_of_everything(seed: int) -> None:
    check(closing_shop(seed), empty_database())


def test_the_card_of_a_shop_with_a_team_is_that_of_everything() -> None:
    check(helped_shop(4), empty_database())


def test_the_card_is_the_same_on_either_database(database_url: str) -> None:
    database = Database(database_url)
    database.prepare()
    check(closing_shop(1), database)
    database.close()


@pytest.mark.parametrize("seed", [1, 2])
def test_precision_and_misses_are_those_of_the_twin(seed: int) -> None:
    shop = closing_shop(seed)
    database = empty_database()
    shop.store(database)
    period = shop.periods[0]
    card = made(shop, database, period).now
    twin = Twin(
        by_their_day(shop.outcomes), shop.steps, shop.actions, shop.horizon, period.begin_us, period.end_us
    )
    assert card.losses == len(twin.losses())
    for each in card.warnings:
        own = twin.warning(each.tier)
        score = each.score
        assert (score.precision.part, score.precision.whole) == own["precision"]
        assert (score.recall.part, score.recall.whole) == own["recall"]
        assert score.not_matured == own["not_matured"]
    for rule in card.rules:
        own = twin.rule(rule.rule, rule.tier)
        assert (rule.score.precision.part, rule.score.precision.whole) == own["precision"]
        assert (rule.score.recall.part, rule.score.recall.whole) == own["recall"]
        assert (rule.alone.part, rule.alone.whole) == own["alone"]
    missed = twin.missed(lambda loss: loss["segment"])
    assert {group.value: (group.missed, group.lost) for group in card.missed.groups["segment"]} == missed


def test_no_customer_is_named_and_small_groups_have_no_figures() -> None:
    shop = closing_shop(1)
    database = empty_database()
    shop.store(database)
    found = made(shop, database, shop.periods[1])
    text = json.dumps(found.as_dict())
    assert not [line for line in shop.outcome_lines if f'"{line["subject"]}"' in text]
    groups = found.missed.groups["segment"]
    small = {group.value for group in groups if 0 < group.lost < MIN_CELL}
    assert small <= {group.value for group, is_shown in shown_groups(groups) if not is_shown}


def test_an_empty_store_has_empty_cards() -> None:
    shop = closing_shop(1)
    found = made(shop, empty_database(), shop.periods[0])
    assert (found.now.losses, found.now.rules, found.before.known_to) == (0, (), None)


def test_of_very_many_steps_it_is_not_known_how_many_causes_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = closing_shop(1)
    database = empty_database()
    shop.store(database)
    whole = made(shop, database, shop.periods[0]).now
    monkeypatch.setattr("consumers.reports.alarms.MOST_STEPS", 1)
    found = made(shop, database, shop.periods[0]).now
    assert {rule.score.not_matured for rule in found.rules} == {None}
    assert [rule.score.precision for rule in found.rules] == [
        rule.score.precision for rule in whole.rules if rule.score.precision.whole or rule.score.recall.part
    ]
    assert [each.score.not_matured for each in found.warnings] == [
        each.score.not_matured for each in whole.warnings
    ]
