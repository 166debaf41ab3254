from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import Any

import pytest

from consumers.database.database import Database
from consumers.reports.census_months import Mark
from consumers.reports.group_table import OTHER, GroupCounts, Key, group_table
from consumers.reports.groups import BANDS, BY, TENURE, Groups, group_figures, read_groups
from consumers.reports.members import ATTRIBUTES
from consumers.reports.period import Period
from consumers.reports.rate import MIN_CELL
from consumers.reports.retention import Basis, read_retention, retention_figures
from streams.core.outcomes.outcome import CensusSummary, OutcomeKind
from tests.consumers.reports.lost_shop import LostShop, Recount, lost_shop, store_shop, stored_shop
from tests.consumers.stored import empty_database

MARCH = Period.parse("2024-03", "UTC")


def figures(shop: LostShop, database: Database, text: str) -> Groups:
    period = shop.period(text)
    with database.reading() as connection:
        return group_figures(read_groups(connection, period, shop.knowledge), period)


def band(twin: Recount, customer: str, period: Period) -> str:
    first = twin.first_order(customer, period.begin_us)
    if first is None:
        return BANDS[0]
    year, month = map(int, twin.cohort(customer).split("-"))
    months = period.begin.year * 12 + period.begin.month - year * 12 - month
    return BANDS[sum(months > bound for bound in (3, 6, 12, 24))]


def counts_of(found: Groups) -> dict[str, dict[Key, GroupCounts]]:
    return {t.by: {(g.name, g.is_other): g.counts for g in t.groups} for t in found.tables}


def nonzero(groups: dict[Key, GroupCounts]) -> dict[Key, GroupCounts]:
    return {key: own for key, own in groups.items() if own != GroupCounts()}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("text", ["2024-02", "2024-04", "2024-06"])
def test_groups_of_a_month_are_what_the_events_say(seed: int, text: str) -> None:
    """Those of the original by what was known of them at the begin, the others by what is at the end."""
    shop = lost_shop(seed)
    period, twin = shop.period(text), Recount(shop)
    begin, end = twin.active(period.begin_us), twin.active(period.end_us)
    expected: dict[str, dict[Key, GroupCounts]] = {by: defaultdict(GroupCounts) for by in BY}
    for customer in twin.customers:
        then, now = (twin.attributes(customer, at) for at in (period.begin_us, period.end_us))
        for by in BY:
            key = (band(twin, customer, period), False) if by == TENURE else (then[by], False)
            if customer in begin:
                expected[by][key] += GroupCounts(1, int(customer in end), int(customer not in end))
            key = key if by == TENURE else (now[by], False)
            if customer in end:
                fresh = twin.first_order(customer, period.begin_us) is None
                expected[by][key] += GroupCounts(
                    acquired=int(fresh), returned=int(not fresh and customer not in begin), active=1
                )
    found = figures(shop, stored_shop(seed), text)
    assert found.basis is Basis.CENSUS
    assert counts_of(found) == {by: nonzero(groups) for by, groups in expected.items()}
    assert found.failed == ()
    assert found.tables[0].total.lost == len(begin - end)


@pytest.mark.parametrize("text", ["2024-W12", "2024-Q1", "2024-04-20"])
def test_groups_of_another_period_are_what_the_outcomes_say(text: str) -> None:
    shop = lost_shop(1)
    period, twin = shop.period(text), Recount(shop)
    begin, end = twin.active(period.begin_us), twin.active(period.end_us)

    def known(customer: str, at: int) -> dict[str, str | None]:
        came = [
            o.facts
            for o in shop.outcomes
            if o.customer_id == customer
            and o.at < at
            and o.kind in (OutcomeKind.ACQUIRED, OutcomeKind.RETURNED)
        ]
        return {name: getattr(came[-1], name) for name in ATTRIBUTES}

    expected: dict[str, dict[Key, GroupCounts]] = {by: defaultdict(GroupCounts) for by in BY}
    for customer in begin | end:
        for by in BY:
            tenure = (band(twin, customer, period), False)
            if customer in begin:
                key = tenure if by == TENURE else (known(customer, period.begin_us)[by], False)
                expected[by][key] += GroupCounts(1, int(customer in end), int(customer not in end))
            if customer in end:
                key = tenure if by == TENURE else (known(customer, period.end_us)[by], False)
                fresh = twin.first_order(customer, period.begin_us) is None
                expected[by][key] += GroupCounts(
                    acquired=int(fresh), returned=int(not fresh and customer not in begin), active=1
                )
    found = figures(shop, stored_shop(1), text)
    assert found.basis is Basis.OUTCOMES
    assert counts_of(found) == {by: nonzero(groups) for by, groups in expected.items()}
    assert found.failed == ()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("text", ["2024-04", "2024-W12"])
def test_tiers_are_those_at_the_begin(seed: int, text: str) -> None:
    shop = lost_shop(seed)
    period, twin = shop.period(text), Recount(shop)
    begin, end = twin.active(period.begin_us), twin.active(period.end_us)
    expected: dict[Key, GroupCounts] = defaultdict(GroupCounts)
    for customer in begin:
        tier = twin.tier(customer, period.begin_us) or "none"
        expected[tier, False] += GroupCounts(1, int(customer in end), int(customer not in end))
    with stored_shop(seed).reading() as connection:
        found = retention_figures(read_retention(connection, period, shop.knowledge))
    assert {(g.name, g.is_other): g.counts for g in found.tiers.groups} == expected
    assert found.failed == ()
    lost = [twin.lost_at(customer, period.end_us) for customer in twin.customers]
    days = [(period.end_us - at) / 86_400_000_000 for at in lost if at is not None]
    edges = [0, 30, 90, 180, 365, 10**6]
    assert found.ages == tuple(sum(low <= each < high for each in days) for low, high in pairwise(edges))


def test_postgresql_has_the_same_figures(database_url: str) -> None:
    database = Database(database_url)
    database.prepare()
    store_shop(database, lost_shop(1))
    for text in ("2024-03", "2024-W12"):
        shop = lost_shop(1)
        assert figures(shop, database, text).as_dict() == figures(shop, stored_shop(1), text).as_dict()
    database.close()


def test_the_first_month_has_a_base_and_no_original() -> None:
    shop = lost_shop(0)
    found = figures(shop, stored_shop(0), "2023-12")
    total = found.base.total
    assert found.marks == (Mark.FIRST,)
    assert (total.original, total.lost) == (0, 0)
    assert total.active == total.acquired == len(Recount(shop).active(shop.period("2023-12").end_us))


def test_a_month_of_which_a_partition_is_missing_has_no_groups() -> None:
    shop = lost_shop(0)
    end = shop.period("2024-03").end_us
    database = empty_database()
    store_shop(
        database, shop, wanted=lambda e: not isinstance(e, CensusSummary) or (e.at, e.partition) != (end, 1)
    )
    found = figures(shop, database, "2024-03")
    assert found.marks == (Mark.INCOMPLETE,)
    assert [table.groups for table in found.tables] == [()] * len(BY)


def made(**counts: tuple[int, int]) -> dict[str, Any]:
    own: dict[Key, GroupCounts] = {
        (None if name == "unknown" else name, name == OTHER): GroupCounts(original, original - lost, lost)
        for name, (original, lost) in counts.items()
    }
    return group_table("origin", own, sum(own.values(), GroupCounts()), MARCH).as_dict()


def test_share_of_the_lost_and_rate_within_are_two_figures() -> None:
    found = made(own=(1996, 400), elsewhere=(1615, 897), brand=(517, 305))
    shares = {g["name"]: (g["share_of_lost"]["value"], g["rate_within"]["value"]) for g in found["groups"]}
    assert shares["elsewhere"] == pytest.approx((897 / 1602, 897 / 1615))
    assert sum(share for share, _ in shares.values()) == pytest.approx(1)
    assert all(each["holds"] for each in found["identities"])
    assert {g["share_of_lost"]["whole_is"] for g in found["groups"]} != {
        g["rate_within"]["whole_is"] for g in found["groups"]
    }


def test_small_groups_are_hidden_so_that_none_can_be_found() -> None:
    found = made(big=(90, 9), small=(2, 1), middle=(8, 3), other=(40, 2))
    hidden = {g["name"] for g in found["groups"] if g["hidden"]}
    assert hidden == {"small", "middle"}
    assert [g for g in found["groups"] if g["hidden"]] == [
        {"name": "middle", "other": False, "hidden": True},
        {"name": "small", "other": False, "hidden": True},
    ]
    assert (found["hidden"]["groups"], found["hidden"]["original"], found["hidden"]["lost"]) == (2, 10, 4)
    assert found["hidden"]["below"] == MIN_CELL
    assert [g["other"] for g in found["groups"]] == [False, True, False, False]


def test_groups_that_do_not_add_up_are_found() -> None:
    own: dict[Key, GroupCounts] = {
        ("a", False): GroupCounts(100, 90, 10),
        (None, False): GroupCounts(50, 44, 5),
    }
    table = group_table("origin", own, GroupCounts(160, 144, 16), MARCH)
    assert [each.holds for each in table.identities] == [False, False, True, True, False, False]
