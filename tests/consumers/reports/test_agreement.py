"""Agreement of reasons by month; of very many warnings a random sample is looked at."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumers.effects.report import report
from consumers.effects.store import stored_input
from consumers.reports.agreement import drawn_prefixes
from consumers.reports.period import Period
from consumers.reports.reasons import read_reasons, reasons
from streams.share import Share
from tests.consumers.reports.team_store import GROUP_OF, helped_shop
from tests.consumers.reports.test_reasons import agreed
from tests.consumers.stored import empty_database


def test_agreement_by_month_is_that_of_each_month() -> None:
    shop = helped_shop(4)
    database = empty_database()
    shop.store(database)
    period = Period.parse("2024-06", "UTC")
    with database.reading() as connection:
        made = reasons(read_reasons(connection, period, shop.knowledge), period, GROUP_OF)
    assert [month.key for month, _ in made.months][-2:] == ["2024-05", "2024-06"]
    assert len(made.months) == 12
    for month, found in made.months:
        assert found.as_dict() == agreed(database, month)
    assert made.months[-1][1] == made.agreement
    assert sum(found.answered for _, found in made.months) > 20


def test_of_very_many_warnings_a_draw_by_their_ids_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consumers.reports.agreement.DRAWN", 120)
    shop = helped_shop(4)
    database = empty_database()
    shop.store(database)
    period = Period.parse("2024-06", "UTC")
    with database.reading() as connection:
        made = reasons(read_reasons(connection, period, shop.knowledge), period, GROUP_OF)
    count = sum(a.warning_id is not None for a in shop.actions)
    prefixes = drawn_prefixes(count, 120)
    assert made.draw is not None
    assert made.draw == Share(len(prefixes), 16 ** len(prefixes[0]))
    given = stored_input(database)
    assert given.steps is not None
    drawn = replace(given, steps=tuple(s for s in given.steps if s.warning_id.startswith(prefixes)))
    for month, found in made.months:
        expected = report(
            drawn, min_holdout=20, group_of=GROUP_OF, since=month.begin_us, until=month.end_us
        ).reasons
        assert found == expected
    assert 0 < sum(found.answered for _, found in made.months) < len({s.warning_id for s in given.steps})


@pytest.mark.parametrize("count", [1, 119, 120, 121, 400, 5_000, 10**6, 10**9])
def test_a_draw_takes_about_as_many_as_wanted(count: int) -> None:
    prefixes = drawn_prefixes(count, 120)
    if count <= 120:
        assert prefixes == ()
        return
    part = len(prefixes) / 16 ** len(prefixes[0])
    assert 60 <= part * count <= 120
    assert len(set(map(len, prefixes))) == 1
