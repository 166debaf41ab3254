from __future__ import annotations

from functools import cache

import pytest

from consumers.reports.pages.plays import section
from consumers.reports.plays import Plays, plays, read_plays
from consumers.reports.words import Words
from tests.consumers.reports.pages.shown import is_shown, rows, table
from tests.consumers.reports.team_store import helped_shop
from tests.consumers.reports.test_plays import MIN_HOLDOUT, store
from tests.consumers.stored import empty_database


@cache
def made(place: int = 3) -> Plays:
    shop, database = helped_shop(4), empty_database()
    store(shop, database)
    with database.reading() as connection:
        found = read_plays(connection, shop.periods[place], shop.knowledge)
    return plays(found, shop.periods[place], MIN_HOLDOUT)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_tables_have_the_figures_of_the_plays(language: str) -> None:
    part, found = made(), section(made(), Words(language))
    effects = rows(found, "effects")
    assert len(effects) == len(part.effects.compared) > 0
    for row, (effect, _money) in zip(effects, part.effects.compared, strict=True):
        assert row[1:5] == [
            effect.held_out.churn,
            effect.shown.churn,
            effect.shown.contact,
            effect.difference,
        ]
    for row, (_effect, money) in zip(rows(found, "play_money"), part.effects.compared, strict=True):
        assert row[1:5] == [money.spent, money.recorded, money.planned, money.unknown_n]
    spent = rows(found, "spending")
    assert [row[-1] for row in spent] == [each.amount for each in part.spending]
    total = table(found, "spending").total
    assert total is not None
    assert total[-1] == part.total.amount
    assert total[2] == part.total.without_cost
    is_shown(found, language)


def test_a_period_before_the_first_warning_has_no_effect_and_nothing_spent() -> None:
    found = section(made(4), Words())
    assert rows(found, "effects") == rows(found, "spending") == []
    assert found.plots == []
    is_shown(found, "en")
