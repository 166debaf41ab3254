from __future__ import annotations

from collections import Counter

import pytest

from consumers.database.database import Database
from consumers.reports.base import Base, BaseFacts, base_figures, read_base
from consumers.reports.group_table import GroupCounts, Key
from consumers.reports.groups import BY, GroupFacts
from consumers.reports.report import failed
from consumers.reports.retention import Basis
from tests.consumers.reports.lost_shop import LostShop, Recount, lost_shop, stored_shop


def figures(shop: LostShop, database: Database, text: str) -> Base:
    period = shop.period(text)
    with database.reading() as connection:
        return base_figures(read_base(connection, period, shop.knowledge), period)


@pytest.mark.parametrize("seed", range(3))
def test_the_base_by_origin_is_what_the_events_say(seed: int) -> None:
    shop = lost_shop(seed)
    period, twin = shop.period("2024-04"), Recount(shop)
    found = figures(shop, stored_shop(seed), "2024-04")
    active = twin.active(period.end_us)
    by_origin = Counter(twin.attributes(customer, period.end_us)["origin"] for customer in active)
    assert {each.name: each.counts.active for each in found.table.groups if each.counts.active} == by_origin
    seen = {e.customer_id for e in shop.events if e.at < period.end_us}
    assert found.ever_seen == len(seen)
    shares = [rate.share.part for rate in found.shares if rate is not None]
    hidden = found.table.hidden.active
    assert sum(shares) + hidden == len(active) == found.total.active
    assert found.failed == ()


def test_of_another_period_it_is_not_known_how_many_were_ever_seen() -> None:
    shop = lost_shop(0)
    found = figures(shop, stored_shop(0), "2024-W12")
    assert (found.basis, found.ever_seen) == (Basis.OUTCOMES, None)
    assert found.total.active == len(Recount(shop).active(shop.period("2024-W12").end_us))


def test_a_base_that_does_not_add_up_says_so() -> None:
    shop = lost_shop(0)
    own: dict[Key, GroupCounts] = {("own", False): GroupCounts(100, 90, 10, 5, 0, 90)}
    facts = GroupFacts(Basis.CENSUS, None, (), dict.fromkeys(BY, own), own["own", False])
    found = base_figures(BaseFacts(facts, 100), shop.period("2024-04"))
    assert failed(found) == ["kept + acquired + returned = active at the end: 95 ≠ 90"]
