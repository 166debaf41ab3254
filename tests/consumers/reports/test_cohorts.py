from __future__ import annotations

import pytest

from consumers.database.database import Database
from consumers.reports.cohorts import Cohorts, cohort_figures, read_cohorts
from consumers.reports.rate import MIN_CELL
from streams.core.outcomes.outcome import CensusCell, CensusSummary
from tests.consumers.reports.lost_shop import LostShop, Recount, lost_shop, store_shop, stored_shop
from tests.consumers.stored import empty_database

MONTHS = ("2023-12", "2024-01", "2024-02", "2024-03", "2024-04", "2024-05", "2024-06")


def figures(shop: LostShop, database: Database, text: str) -> Cohorts:
    period = shop.period(text)
    with database.reading() as connection:
        return cohort_figures(read_cohorts(connection, period, shop.knowledge), period)


@pytest.mark.parametrize("seed", range(3))
def test_each_cell_is_what_the_events_say(seed: int) -> None:
    shop = lost_shop(seed)
    twin = Recount(shop)
    found = figures(shop, stored_shop(seed), "2024-06")
    assert [each.month.key for each in found.cohorts] == list(MONTHS)
    assert [each.is_backlog for each in found.cohorts] == [True, *[False] * 6]
    for place, cohort in enumerate(found.cohorts):
        members = {c for c in twin.customers if twin.orders(c, 2**62) and twin.cohort(c) == MONTHS[place]}
        active = [len(members & twin.active(shop.period(text).end_us)) for text in MONTHS[place:]]
        assert cohort.size == active[0]
        for count, cell in zip(active, cohort.cells, strict=True):
            if active[0] == 0:
                assert cell is None
                continue
            assert cell is not None
            excluded = sum(each.n for each in cell.exclusions)
            assert (cell.share.part + excluded, cell.share.whole) == (count, active[0])
            assert cell.share.part <= cell.share.whole
        if 0 < max(active) < MIN_CELL:
            assert cohort.hidden
            assert set(cohort.as_dict()) == {"month", "backlog", "hidden"}


def test_of_the_zone_is_the_month_that_counts() -> None:
    shop = lost_shop(2, zone="America/Los_Angeles")
    found = figures(shop, stored_shop(2, zone="America/Los_Angeles"), "2024-06")
    twin = Recount(shop)
    for cohort in found.cohorts:
        members = {c for c in twin.customers if twin.orders(c, 2**62) and twin.cohort(c) == cohort.month.key}
        assert cohort.size == len(members & twin.active(cohort.month.end_us))


def test_a_month_without_a_census_is_missing_in_every_cohort() -> None:
    shop = lost_shop(0)
    end = shop.period("2024-03").end_us
    database = empty_database()
    store_shop(
        database,
        shop,
        wanted=lambda each: not isinstance(each, CensusCell | CensusSummary) or each.at != end,
    )
    found = {each.month.key: each for each in figures(shop, database, "2024-05").cohorts}
    assert found["2023-12"].cells[3] is None
    assert found["2023-12"].cells[4] is not None
    assert found["2024-03"].size is None
    assert set(found["2024-03"].cells) == {None}


def test_only_what_was_over_by_the_end_of_the_period_counts() -> None:
    shop = lost_shop(0)
    assert [len(each.cells) for each in figures(shop, stored_shop(0), "2024-02").cohorts] == [3, 2, 1]
    assert figures(shop, stored_shop(0), "2023-11").cohorts == ()
    assert figures(shop, empty_database(), "2024-02").cohorts == ()


def test_postgresql_has_the_same_figures(database_url: str) -> None:
    database = Database(database_url)
    database.prepare()
    shop = lost_shop(1)
    store_shop(database, shop)
    assert figures(shop, database, "2024-05").as_dict() == figures(shop, stored_shop(1), "2024-05").as_dict()
    database.close()
