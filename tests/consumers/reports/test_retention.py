from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from consumers.database.database import Database
from consumers.reports.census_months import Mark
from consumers.reports.retention import Basis, Retention, Why, read_retention, retention_figures
from streams.core.outcomes.outcome import CensusCell, CensusSummary
from tests.consumers.reports.lost_shop import LostShop, Recount, lost_shop, store_shop, stored_shop
from tests.consumers.stored import empty_database

PERIODS = ("2024-02", "2024-03", "2024-05", "2024-Q1", "2024-W12", "2024-03-10", "2024-02-10..2024-05-20")


def figures(shop: LostShop, database: Database, text: str) -> Retention:
    with database.reading() as connection:
        return retention_figures(read_retention(connection, shop.period(text), shop.knowledge))


def expected(shop: LostShop, text: str) -> dict[str, int]:
    """Return the figures as the events have them, whatever the engine put out."""
    period, twin = shop.period(text), Recount(shop)
    begin, end = twin.active(period.begin_us), twin.active(period.end_us)
    fresh = {customer for customer in end if twin.first_order(customer, period.begin_us) is None}
    return {
        "original": len(begin),
        "kept": len(begin & end),
        "lost": len(begin - end),
        "acquired": len(fresh),
        "returned": len(end - begin - fresh),
        "active": len(end),
    }


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("text", PERIODS)
def test_it_is_what_the_events_say(seed: int, text: str) -> None:
    shop = lost_shop(seed)
    found = figures(shop, stored_shop(seed), text)
    twin = expected(shop, text)
    assert {name: getattr(found.own, name) for name in twin} == twin
    assert found.own.basis is (Basis.CENSUS if len(text) == 7 and "Q" not in text else Basis.OUTCOMES)
    assert found.own.why is (None if found.own.basis is Basis.CENSUS else Why.NO_MONTH)
    for other in (found.before, found.year_before):
        twin = expected(shop, other.period.key)
        assert {name: getattr(other, name) or 0 for name in ("original", "kept", "lost")} == {
            name: twin[name] for name in ("original", "kept", "lost")
        }
    assert found.identities
    assert all(each.holds for each in found.identities)


@pytest.mark.parametrize("seed", range(3))
def test_by_census_and_by_outcomes_a_whole_month_is_the_same(seed: int) -> None:
    shop = lost_shop(seed)
    for text in ("2024-01", "2024-02", "2024-03", "2024-04", "2024-05", "2024-06"):
        found = figures(shop, stored_shop(seed), text)
        assert found.by_outcomes == (found.own.original, found.own.lost)
        assert found.own.lost


def test_postgresql_has_the_same_figures(database_url: str) -> None:
    database = Database(database_url)
    database.prepare()
    shop = lost_shop(1)
    store_shop(database, shop)
    for text in ("2024-03", "2024-W12"):
        assert figures(shop, database, text).as_dict() == figures(shop, stored_shop(1), text).as_dict()
    database.close()


def test_relative_churn_is_the_value_lost_of_all_value() -> None:
    shop = lost_shop(0)
    found = figures(shop, stored_shop(0), "2024-03").own
    cells = [
        cell
        for cell in shop.census
        if isinstance(cell, CensusCell) and cell.by == "cohort" and cell.at == shop.period("2024-03").end_us
    ]
    relative = found.relative
    assert relative is not None
    assert relative.part == pytest.approx(sum(cell.value_lost or 0 for cell in cells))
    assert relative.whole == pytest.approx(sum(cell.value_original or 0 for cell in cells))
    assert (relative.part_n, relative.whole_n) == (
        sum(cell.value_lost_n or 0 for cell in cells),
        sum(cell.value_original_n or 0 for cell in cells),
    )
    assert 0 < relative.part < relative.whole
    assert found.original == relative.whole_n + sum(each.n for each in relative.exclusions)


def test_changes_are_in_points_and_need_both_rates() -> None:
    shop = lost_shop(0)
    found = figures(shop, stored_shop(0), "2024-03")
    own, before = found.own.churn, found.before.churn
    assert own is not None
    assert before is not None
    change = found.as_dict()["churn_change"]["before"]
    assert change["points"] == pytest.approx(100 * ((own.value or 0) - (before.value or 0)))
    assert found.since_year_before is None
    assert found.as_dict()["churn_change"]["year_before"] is None


def test_the_first_census_is_a_backlog_and_no_rate() -> None:
    shop = lost_shop(0)
    found = figures(shop, stored_shop(0), "2023-12").own
    assert found.marks == (Mark.FIRST,)
    assert (found.original, found.retention, found.churn, found.relative) == (None,) * 4
    assert found.as_dict()["backlog"] == found.active == found.acquired


def without(wanted: Callable[[Any], bool], seed: int = 0, **changes: Any) -> Database:
    database = empty_database()
    store_shop(database, lost_shop(seed, **changes), wanted=wanted)
    return database


def test_a_missing_partition_leaves_no_rate_and_is_named() -> None:
    shop = lost_shop(0)
    end = shop.period("2024-03").end_us
    database = without(
        lambda each: not isinstance(each, CensusSummary) or (each.at, each.partition) != (end, 1)
    )
    found = figures(shop, database, "2024-03").own
    assert found.marks == (Mark.INCOMPLETE,)
    assert (found.original, found.lost, found.active, found.churn) == (None,) * 4
    after = figures(shop, database, "2024-04").own
    assert after.marks == ()
    assert after.lost == expected(shop, "2024-04")["lost"]


def test_a_missing_cell_is_seen() -> None:
    shop = lost_shop(0)
    end = shop.period("2024-03").end_us
    some = next(c for c in shop.census if isinstance(c, CensusCell) and c.at == end and c.by == "profile")
    found = figures(shop, without(lambda each: each is not some), "2024-03").own
    assert (found.marks, found.original) == ((Mark.INCOMPLETE,), None)


def test_without_a_census_the_outcomes_are_counted_and_it_says_so() -> None:
    shop = lost_shop(0)
    end = shop.period("2024-03").end_us
    database = without(lambda each: not isinstance(each, CensusCell | CensusSummary) or each.at != end)
    found = figures(shop, database, "2024-03").own
    assert (found.basis, found.why, found.marks) == (Basis.OUTCOMES, Why.NO_CENSUS, (Mark.MISSING,))
    assert {name: getattr(found, name) for name in ("original", "lost")} == {
        name: expected(shop, "2024-03")[name] for name in ("original", "lost")
    }
    assert found.relative is None
    after = figures(shop, database, "2024-04").own
    assert (after.basis, after.marks) == (Basis.CENSUS, ())


def test_a_census_that_looks_back_further_is_no_month() -> None:
    shop = lost_shop(0)
    earlier, end = shop.period("2024-02").begin_us, shop.period("2024-03").end_us

    census = tuple(
        replace(each, since=earlier)
        if isinstance(each, CensusCell | CensusSummary) and each.at == end
        else each
        for each in shop.census
    )
    database = empty_database()
    store_shop(database, replace(shop, census=census))
    found = figures(shop, database, "2024-03").own
    assert (found.basis, found.why, found.marks) == (Basis.OUTCOMES, Why.GAP, (Mark.GAP,))


def test_a_quiet_census_is_marked_at_both_of_its_months() -> None:
    shop = lost_shop(0, outage=True)
    database = stored_shop(0, outage=True)
    marks = {text: figures(shop, database, text).own.marks for text in ("2024-02", "2024-03", "2024-04")}
    assert marks == {"2024-02": (), "2024-03": (Mark.QUIET,), "2024-04": (Mark.QUIET_BEFORE,)}
    assert figures(shop, database, "2024-03").own.churn is not None


def test_of_an_empty_store_nothing_is_said() -> None:
    shop = lost_shop(0)
    found = figures(shop, empty_database(), "2024-03")
    assert (found.own.churn, found.own.original, found.since_before) == (None, None, None)
    assert (found.own.why, found.flows, found.ages) == (Why.UNKNOWN, None, None)
    assert all(each.holds for each in found.identities)


@pytest.mark.parametrize("text", ["2022-03", "2025-W10", "2025-03"])
def test_of_a_period_before_or_after_all_that_is_known_nothing_is_0(text: str) -> None:
    found = figures(lost_shop(0), stored_shop(0), text)
    assert found.own.why is Why.UNKNOWN
    assert (found.own.original, found.own.lost, found.own.active, found.flows) == (None,) * 4
    assert found.as_dict()["by_outcomes"] is None


def test_a_period_that_is_not_over_says_so() -> None:
    shop = lost_shop(0)
    period = shop.period("2024-07")
    assert period.begin_us < max(outcome.at for outcome in shop.outcomes) < period.end_us
    found = figures(shop, stored_shop(0), "2024-07").own
    assert (found.why, found.original) == (Why.NOT_OVER, len(Recount(shop).active(period.begin_us)))
