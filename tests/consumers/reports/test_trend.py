from __future__ import annotations

import pytest

from consumers.database.database import Database
from consumers.reports.census_months import Mark
from consumers.reports.trend import MONTHS, WINDOW, Trend, read_trend, trend_figures
from streams.core.outcomes.outcome import CensusCell, CensusSummary
from tests.consumers.reports.lost_shop import LostShop, Recount, lost_shop, store_shop, stored_shop
from tests.consumers.stored import empty_database


def figures(shop: LostShop, database: Database, text: str) -> Trend:
    with database.reading() as connection:
        period = shop.period(text)
        return trend_figures(read_trend(connection, period, shop.knowledge), period)


def lost_of(shop: LostShop, text: str) -> tuple[int, int]:
    period, twin = shop.period(text), Recount(shop)
    begin, end = twin.active(period.begin_us), twin.active(period.end_us)
    return len(begin - end), len(begin)


@pytest.mark.parametrize("seed", range(3))
def test_each_month_is_what_the_events_say(seed: int) -> None:
    shop = lost_shop(seed)
    found = figures(shop, stored_shop(seed), "2024-06")
    months = [each.month.month.key for each in found.months]
    assert months == ["2023-12", "2024-01", "2024-02", "2024-03", "2024-04", "2024-05", "2024-06"]
    assert found.months[0].month.marks == (Mark.FIRST,)
    assert found.months[0].churn is None
    pairs = [lost_of(shop, text) for text in months[1:]]
    for place, each in enumerate(found.months[1:]):
        churn, retention = each.churn, each.retention
        assert churn is not None
        assert retention is not None
        assert (churn.share.part, churn.share.whole) == pairs[place]
        assert (retention.value or 0) + (churn.value or 0) == pytest.approx(1)
        window = pairs[max(0, place + 1 - WINDOW) : place + 1]
        assert each.average is not None
        assert (each.average.part, each.average.whole) == tuple(map(sum, zip(*window, strict=True)))
        assert each.average_of == len(window)
    assert found.average is not None
    assert (found.average.part, found.average.whole) == tuple(map(sum, zip(*pairs, strict=True)))
    assert found.average_of == 6


def test_a_missing_month_is_missing_and_is_in_no_average() -> None:
    shop = lost_shop(0)
    end = shop.period("2024-04").end_us
    database = empty_database()
    store_shop(
        database,
        shop,
        wanted=lambda each: not isinstance(each, CensusCell | CensusSummary) or each.at != end,
    )
    found = {each.month.month.key: each for each in figures(shop, database, "2024-06").months}
    april = found["2024-04"].as_dict()
    assert (april["marks"], april["lost"], april["absolute_churn"]) == (["missing"], None, None)
    assert found["2024-06"].average_of == 2
    pairs = [lost_of(shop, text) for text in ("2024-05", "2024-06")]
    average = found["2024-06"].average
    assert average is not None
    assert (average.part, average.whole) == tuple(map(sum, zip(*pairs, strict=True)))
    assert found["2024-04"].average_of == 2


def test_a_month_after_the_newest_census_is_missing() -> None:
    shop = lost_shop(0)
    found = figures(shop, stored_shop(0), "2024-08").months
    assert [each.month.marks for each in found[-2:]] == [(Mark.MISSING,)] * 2
    assert len(found) == 9


def test_a_quiet_month_has_its_rate_and_is_in_no_average() -> None:
    shop = lost_shop(0, outage=True)
    found = {e.month.month.key: e for e in figures(shop, stored_shop(0, outage=True), "2024-06").months}
    assert found["2024-03"].churn is not None
    assert (found["2024-03"].average_of, found["2024-04"].average_of, found["2024-06"].average_of) == (
        2,
        1,
        2,
    )


def test_of_an_empty_store_there_is_no_month() -> None:
    assert figures(lost_shop(0), empty_database(), "2024-03") == Trend((), None, 0)
    assert MONTHS == 13
