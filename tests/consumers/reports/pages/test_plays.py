from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import pytest

from consumers.effects.effect import Effect
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


def more_than_one_tier(effects: Sequence[Effect]) -> bool:
    return sum(each.tier is not None and each.held_out.n + each.shown.n > 0 for each in effects) > 1


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_tables_have_the_figures_of_the_plays(language: str) -> None:
    part, found = made(), section(made(), Words(language))
    effects = rows(found, "effects")
    compared = [
        (effect, money)
        for play in part.effects.plays
        for effect, money in zip(play.effects, play.money, strict=True)
        if effect.held_out.n + effect.shown.n > 0
        and (effect.tier is None or more_than_one_tier(play.effects))
    ]
    assert 0 < len(effects) == len(compared) < len(part.effects.compared)
    for row, (effect, _money) in zip(effects, compared, strict=True):
        assert row[1:5] == [
            effect.held_out.churn,
            effect.shown.churn,
            effect.shown.contact,
            effect.difference,
        ]
    for row, (_effect, money) in zip(rows(found, "play_money"), compared, strict=True):
        assert row[1:5] == [money.spent, money.recorded, money.planned, money.unknown_n]
    spent = rows(found, "spending")
    assert [row[-1] for row in spent] == [each.amount for each in part.spending]
    total = table(found, "spending").total
    assert total is not None
    assert total[-1] == part.total.amount
    assert total[2] == part.total.without_cost
    is_shown(found, language)


def test_warnings_on_neither_side_are_counted_by_why() -> None:
    part = made()
    found = {row[0]: row[1:] for row in rows(section(part, Words()), "left_out_warnings")}
    assert found
    for play in part.effects.plays:
        why = play.excluded
        counts = [why.other_verdict, why.other_experiment, why.not_first, play.effects[0].not_drawn.n]
        assert found.get(play.play, [0, 0, 0, 0]) == counts


def test_a_period_before_the_first_warning_has_no_effect_and_nothing_spent() -> None:
    found = section(made(4), Words())
    assert rows(found, "effects") == rows(found, "spending") == []
    assert found.plots == []
    is_shown(found, "en")
