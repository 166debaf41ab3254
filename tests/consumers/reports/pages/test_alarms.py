from __future__ import annotations

from functools import cache

import pytest

from consumers.reports.alarms import Alarms, alarms, read_alarms
from consumers.reports.document import HIDDEN, MISSING, NOT_ENOUGH
from consumers.reports.pages.alarms import section
from consumers.reports.rate import TOO_FEW
from consumers.reports.words import Words
from tests.consumers.reports.pages.shown import is_shown, rows, table
from tests.consumers.reports.team_store import closing_shop
from tests.consumers.stored import empty_database

STATUSES = {
    "en": {"active": "in force", "shadow": "in shadow"},
    "zh": {"active": "生效中", "shadow": "影子运行"},
}


@cache
def made(place: int = 0) -> Alarms:
    shop, database = closing_shop(1), empty_database()
    shop.store(database)
    with database.reading() as connection:
        return alarms(read_alarms(connection, shop.periods[place], shop.knowledge), shop.periods[place])


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_tables_have_the_figures_of_both_cards(language: str) -> None:
    part, found = made(), section(made(), Words(language))
    for suffix, card in (("", part.now), ("_before", part.before)):
        by_rule = rows(found, f"alarms_by_rule{suffix}")
        assert [row[0] for row in by_rule] == [each.rule for each in card.rules]
        for row, each in zip(by_rule, card.rules, strict=True):
            precision = each.score.precision
            assert row[2] == STATUSES[language][each.status]
            assert row[3] == precision.whole
            enough = precision if precision.whole >= TOO_FEW else NOT_ENOUGH
            assert row[5] == (enough if precision.whole else MISSING)
        total = table(found, f"alarms_by_tier{suffix}").total
        assert total is not None
        assert total[1] == card.warnings[0].score.precision.whole
    total = table(found, "missed_by_segment").total
    assert total is not None
    assert total[1] == part.missed.all.rate
    is_shown(found, language)


def test_a_small_group_has_no_figures_and_is_not_the_only_one() -> None:
    found = section(made(), Words())
    sizes = {
        row[0]: row[1] is HIDDEN
        for key in ("customer_class", "segment")
        for row in rows(found, f"missed_by_{key}")
    }
    small = [
        group
        for key in ("customer_class", "segment")
        for group in made().missed.groups[key]
        if 0 < group.lost < 5
    ]
    assert small
    assert sum(sizes.values()) > 1
    assert all(sizes[group.value or "not known"] for group in small if group.value in sizes)


def test_no_customer_is_named() -> None:
    text = is_shown(section(made(), Words()), "en")
    assert not [line for line in closing_shop(1).outcome_lines if f">{line['subject']}<" in text]
