from __future__ import annotations

from functools import cache

import pytest

from consumers.reports.document import HIDDEN, Under
from consumers.reports.pages.reason_titles import SHIPPED
from consumers.reports.pages.reasons import section
from consumers.reports.rate import MIN_CELL
from consumers.reports.reasons import ReasonCount, Reasons, read_reasons, reasons
from consumers.reports.words import Words
from streams.rulebook.reasons_file import shipped_reasons
from streams.share import Share
from tests.consumers.reports.pages.shown import is_shown, rows, table
from tests.consumers.reports.team_store import GROUP_OF, helped_shop
from tests.consumers.stored import empty_database


@cache
def made(place: int = 3) -> Reasons:
    shop, database = helped_shop(4), empty_database()
    shop.store(database)
    with database.reading() as connection:
        found = read_reasons(connection, shop.periods[place], shop.knowledge)
    return reasons(found, shop.periods[place], GROUP_OF)


def cells(of: ReasonCount) -> list[object]:
    part = made()
    pairs = ((of.confirmed, part.confirmed), (of.stated, part.stated), (of.suggested, part.suggested))
    return [Share(n, whole) if whole else None for n, whole in pairs]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_tables_have_the_figures_and_sub_reasons_stand_under_their_group(language: str) -> None:
    part, found = made(), section(made(), Words(language))
    expected = [each for group in part.groups for each in (group, *group.parts)]
    shown = rows(found, "reasons")
    assert len(shown) == len(expected)
    for row, each in zip(shown, expected, strict=True):
        assert isinstance(row[0], Under) == (each not in part.groups)
        for cell, value, source in zip(
            row[1:], cells(each), ("confirmed", "stated", "suggested"), strict=True
        ):
            assert cell is HIDDEN if source in each.hidden else cell == value or value is None
    known = rows(found, "reasons_known")
    assert [row[1] for row in known] == [part.known, part.unknown, part.not_reached, part.not_asked]
    total = table(found, "reasons_known").total
    assert total is not None
    assert total[1] == part.lost == sum(int(str(row[1])) for row in known)
    assert len(rows(found, "agreement_by_month")) == 12
    is_shown(found, language)


def test_no_count_of_fewer_than_five_customers_is_shown() -> None:
    counts = [each for group in made(0).groups for each in (group, *group.parts)]
    small = [
        (each, source)
        for each in counts
        for source in ("suggested", "confirmed", "stated")
        if 0 < getattr(each, source) < MIN_CELL
    ]
    assert small
    assert all(source in each.hidden and each.as_dict()[source] is None for each, source in small)


def test_reasons_are_called_as_reasons_yaml_says_and_in_the_readers_language() -> None:
    assert {code: reason.title for code, reason in shipped_reasons().by_code.items()} == dict(SHIPPED)
    first = made().groups[0].code
    assert rows(section(made(), Words("zh")), "reasons")[0][0] == Words("zh").gettext(SHIPPED[first])
    own = section(made(), Words(), {first: "As we say"})
    assert rows(own, "reasons")[0][0] == "As we say"
