from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from consumers.database.database import Database
from consumers.reports.lapses import TENURE_DAYS, WEEKDAYS, Lapses, lapse_figures, read_lapses
from consumers.reports.rate import hidden_cells
from tests.consumers.reports.lost_shop import (
    ACTIVE_WITHIN,
    LostShop,
    Recount,
    lost_shop,
    store_shop,
    stored_shop,
)
from tests.consumers.stored import empty_database
from tests.oracle.days import DAY, local_day, midnight

PERIODS = ("2024-03", "2024-Q2", "2024-W20", "2024-01-20..2024-05-20")
Loss = tuple[str, int, int | None]


def figures(shop: LostShop, database: Database, text: str) -> Lapses:
    period = shop.period(text)
    with database.reading() as connection:
        facts = read_lapses(connection, period, shop.knowledge)
    return lapse_figures(facts, period, shop.knowledge.active_within)


def losses(shop: LostShop, begin: int, end: int) -> tuple[list[Loss], int]:
    """Return customer, instant and last activity of the losses that sweeps of a period's days find.

    The second is how many closures came after a lapse.
    """
    twin, again = Recount(shop), 0
    found: list[Loss] = []
    for customer, events in twin.by_customer.items():
        times = [e.at for e in events if e.topic.name == "ORDERS"]
        for place, last in enumerate(times):
            following = times[place + 1] if place + 1 < len(times) else 2**62
            closed = [c for c in twin.closures(customer, 2**62) if last < c <= following]
            day = local_day(last, shop.zone)
            while midnight(day, shop.zone) - ACTIVE_WITHIN < last:
                day += 1
            lapse = midnight(day, shop.zone)
            if following < lapse:
                lapse = 2**62
            left = min([lapse, *closed])
            if left == 2**62:
                continue
            if closed and lapse < closed[0]:
                again += begin <= closed[0] < end
            if left in closed and begin <= left < end:
                found.append((customer, left, None))
            elif left == lapse and begin < lapse <= end:
                found.append((customer, lapse, last))
    return found, again


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("text", PERIODS)
def test_they_are_what_the_events_say(seed: int, text: str) -> None:
    shop = lost_shop(seed)
    period = shop.period(text)
    expected, again = losses(shop, period.begin_us, period.end_us)
    twin, found = Recount(shop), figures(shop, stored_shop(seed), text)
    assert found.lapsed == sum(since is not None for _, _, since in expected)
    assert found.closed == sum(since is None for _, _, since in expected)
    assert found.closed_after_lapse == again
    tenure = Counter[int]()
    for customer, at, _ in expected:
        days = (at - twin.by_customer[customer][0].at) / DAY
        tenure[sum(days >= bound for bound in TENURE_DAYS)] += 1
    assert_bars(found.tenure.counts, [tenure[n] for n in range(len(TENURE_DAYS) + 1)])
    weekdays = Counter(
        date.fromordinal(local_day(since, shop.zone)).weekday()
        for _, _, since in expected
        if since is not None
    )
    assert_bars(found.weekday.counts, [weekdays[n] for n in range(7)])
    months = Counter(
        date.fromordinal(local_day(at - (since is not None), shop.zone)).isoformat()[:7]
        for _, at, since in expected
    )
    assert found.month.names == tuple(month.key for month in period.touched_months())
    assert_bars(found.month.counts, [months[name] for name in found.month.names])
    assert found.waited == 0
    assert found.tenure.total == found.lapsed + found.closed


def assert_bars(found: tuple[int | None, ...], expected: list[int]) -> None:
    hidden = hidden_cells(expected)
    assert found == tuple(None if place in hidden else n for place, n in enumerate(expected))


def test_there_is_something_to_count() -> None:
    found = [figures(lost_shop(seed), stored_shop(seed), "2024-Q2") for seed in range(3)]
    assert all(each.lapsed > 5 and each.closed for each in found)
    assert any(each.closed_after_lapse for each in found)
    assert len(WEEKDAYS) == 7


def test_after_an_outage_a_pile_comes_that_has_waited() -> None:
    shop = lost_shop(0, outage=True)
    found = figures(shop, stored_shop(0, outage=True), "2024-04")
    assert 0 < found.waited < found.lapsed


def test_of_an_empty_store_nothing_is_said() -> None:
    found = figures(lost_shop(0), empty_database(), "2024-03")
    assert found.as_dict() == {"period": "2024-03", "known": False}


def test_postgresql_has_the_same_figures(database_url: str) -> None:
    database = Database(database_url)
    database.prepare()
    shop = lost_shop(1)
    store_shop(database, shop)
    for text in PERIODS:
        assert figures(shop, database, text).as_dict() == figures(shop, stored_shop(1), text).as_dict()
    database.close()
