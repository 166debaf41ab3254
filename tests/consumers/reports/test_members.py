from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy import text as sql

from consumers.database.database import Database
from consumers.database.outcomes import LIFE_TYPES
from consumers.reports.knowledge import Knowledge
from consumers.reports.members import (
    AGE_DAYS,
    ATTRIBUTES,
    NEVER,
    counted,
    read_flows,
    read_profiles,
    read_standings,
    tenure_band,
)
from consumers.reports.period import Period
from consumers.scorecard.facts import LIVES
from consumers.sink.kinds import OUTCOMES
from streams.contract.outcomes import encode_outcome
from streams.core.outcomes.outcome import OutcomeKind
from tests.consumers.reports.lost_shop import (
    STORED,
    LostShop,
    Recount,
    lost_shop,
    put,
    store_shop,
    stored_shop,
)
from tests.consumers.stored import empty_database
from tests.oracle.days import DAY

PERIODS = ("2024-02", "2024-03", "2024-Q1", "2024-W12", "2024-03-10", "2023-12", "2024-02-10..2024-05-20")


Given = tuple[LostShop, Database]


@pytest.fixture(params=range(3))
def given(request: pytest.FixtureRequest) -> Given:
    return lost_shop(request.param), stored_shop(request.param)


@pytest.mark.postgres
def test_postgresql_counts_the_same(postgres_url: str) -> None:
    database = Database(postgres_url)
    database.prepare()
    shop = lost_shop(3)
    store_shop(database, shop)
    for text in PERIODS:
        test_the_standings_are_what_the_events_say((shop, database), text)
        test_flows_are_the_outcomes_of_the_period((shop, database), text)
        for edge in ("begin", "end"):
            test_profiles_are_those_of_the_last_acquisition_or_return((shop, database), text, edge)
    database.close()


@pytest.mark.parametrize("text", PERIODS)
def test_the_standings_are_what_the_events_say(given: Given, text: str) -> None:
    shop, database = given
    period, twin = shop.period(text), Recount(shop)
    with database.reading() as connection:
        found = read_standings(connection, period, shop.knowledge)
    begin, end = twin.active(period.begin_us), twin.active(period.end_us)
    ever = {c for c in twin.customers if twin.orders(c, period.end_us)}
    expected: Counter[tuple[object, ...]] = Counter()
    for customer in ever:
        lost = twin.lost_at(customer, period.end_us)
        band = NEVER
        if lost is not None:
            band = sum(period.end_us - lost >= days * DAY for days in AGE_DAYS)
        expected[
            customer in begin,
            customer in end,
            twin.tier(customer, period.begin_us) if customer in begin else None,
            band,
            twin.first_order(customer, period.begin_us) is None,
        ] += 1
    got = Counter[tuple[object, ...]]()
    for s in found:
        got[s.active_begin, s.active_end, s.tier, s.lost_band, s.acquired] += s.n
    assert got == expected
    assert counted(found, begin=True) == len(begin)
    assert counted(found, begin=True, end=False) == len(begin - end)


@pytest.mark.parametrize("text", PERIODS)
@pytest.mark.parametrize("edge", ["begin", "end"])
def test_profiles_are_those_of_the_last_acquisition_or_return(given: Given, text: str, edge: str) -> None:
    shop, database = given
    period, twin = shop.period(text), Recount(shop)
    with database.reading() as connection:
        found = read_profiles(connection, period, shop.knowledge, edge)
    at, other = (period.begin_us, period.end_us)[:: 1 if edge == "begin" else -1]
    expected: Counter[tuple[object, ...]] = Counter()
    for customer in twin.active(at):
        came = [
            o
            for o in shop.outcomes
            if o.customer_id == customer
            and o.kind in (OutcomeKind.ACQUIRED, OutcomeKind.RETURNED)
            and o.at < at
        ]
        facts = came[-1].facts
        first = twin.first_order(customer, period.begin_us)
        tenure = NEVER if first is None else tenure_band(months_between(twin.cohort(customer), period))
        expected[
            tuple(getattr(facts, name) for name in ATTRIBUTES),
            tenure,
            twin.is_active(customer, other),
            first is None,
        ] += 1
    got = Counter[tuple[object, ...]]()
    for each in found:
        got[each.values, each.tenure_band, each.stays, each.acquired] += each.n
    assert got == expected


@pytest.mark.parametrize("text", PERIODS)
def test_flows_are_the_outcomes_of_the_period(given: Given, text: str) -> None:
    shop, database = given
    period = shop.period(text)
    with database.reading() as connection:
        found = read_flows(connection, period, shop.knowledge)
    expected: Counter[str] = Counter()
    for outcome in shop.outcomes:
        shift = -1 if outcome.kind == OutcomeKind.LAPSED else 0
        if period.begin_us <= outcome.at + shift < period.end_us:
            expected[outcome.kind.value] += 1
    assert found.as_dict() == {
        name: expected[f"customer.{name}"] for name in ("acquired", "returned", "lapsed", "closed")
    }


@pytest.mark.parametrize("seed", range(4))
def test_there_is_something_to_count(seed: int) -> None:
    shop = lost_shop(seed)
    kinds = Counter(outcome.kind for outcome in shop.outcomes)
    assert min(kinds[kind] for kind in tuple(OutcomeKind)[:4]) > 3
    assert {step.tier.label for step in shop.steps} >= {"high", "low"}


def months_between(cohort: str, period: Period) -> int:
    year, month = map(int, cohort.split("-"))
    return period.begin.year * 12 + period.begin.month - (year * 12 + month)


@pytest.mark.parametrize("kinds", [("closed", "returned"), ("returned", "closed")])
def test_late_events_at_one_instant_of_the_clock_count_in_their_order(kinds: tuple[str, str]) -> None:
    shop = lost_shop(0)
    made = {
        kind: next(o for o in shop.outcomes if o.kind.value == f"customer.{kind}")
        for kind in ("acquired", *kinds)
    }
    period = shop.period("2024-04")
    at = period.begin_us + 5 * DAY
    database = empty_database()
    lines = [
        (outcome.customer_id, encode_outcome(outcome, "a"))
        for outcome in (
            made["acquired"]._replace(customer_id="x", at=period.begin_us - DAY),
            *(made[kind]._replace(customer_id="x", at=at, late=True) for kind in kinds),
        )
    ]
    put(database, OUTCOMES, lines, STORED)
    with database.reading() as connection:
        [found] = read_standings(connection, period, shop.knowledge)
    assert (found.active_begin, found.active_end) == (True, kinds[1] == "returned")


@pytest.mark.postgres
def test_postgresql_counts_who_is_active_by_the_index_made_for_it(postgres_url: str) -> None:
    assert set(LIFE_TYPES) == set(LIVES)
    asked: list[tuple[str, Any]] = []
    database = Database(postgres_url)
    database.prepare()
    store_shop(database, lost_shop(1))
    known = Knowledge("Europe/Berlin", timedelta(days=30), timedelta(days=30))
    with database.reading() as connection:
        # Of a small table the planner takes any other way.
        connection.execute(sql("SET LOCAL enable_seqscan = off"))
        connection.execute(sql("DROP INDEX outcomes_by_customer, outcomes_by_type"))
        listened = (connection, "before_cursor_execute", lambda *given: asked.append((given[2], given[3])))
        event.listen(*listened)
        read_standings(connection, Period.parse("2024-03", known.zone), known)
        event.remove(*listened)
        driver = connection.connection.driver_connection
        assert driver is not None
        plans = [
            "\n".join(line for (line,) in driver.execute(f"EXPLAIN {query}", given)) for query, given in asked
        ]
    database.close()
    assert any("outcomes_of_lives" in plan for plan in plans), plans
