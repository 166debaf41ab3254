"""Both funnels against a plain count over the lines that the store was filled from."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from consumers.actions import Action
from consumers.database.database import Database
from consumers.reports.funnels import Stage, Unit, funnel, funnels, read_funnels
from consumers.reports.period import Period
from tests.consumers.reports.team_store import Shop, closing_shop, helped_shop
from tests.consumers.scorecard.stored import NOW
from tests.consumers.scorecard.twin import us
from tests.consumers.stored import empty_database

YES = ("accepted", "will_return", "returned")


def contacts(shop: Shop, customer: str, since: int, until: int, with_since: bool) -> list[Action]:
    return [
        a
        for a in shop.standing
        if a.customer_id == customer
        and a.kind in ("contact", "offer")
        and a.result != "wrong_contact"
        and (since < a.at or (with_since and since == a.at))
        and a.at <= until
    ]


def warned(shop: Shop, period: Period, tier: str | None = None) -> tuple[list[int], int]:
    """Return what each step counts, and how many of the accepted have not matured."""
    counts, open_ = [0] * 6, 0
    matured = {
        line["data"]["warning_id"]: line["data"]["churned"]
        for line in shop.outcome_lines
        if line["type"] == "churn.warning.matured"
    }
    for line in shop.step_lines:
        data, at = line["data"], us(line["time"])
        if data["step"] != 1 or not period.begin_us <= at < period.end_us or tier not in (None, data["tier"]):
            continue
        counts[0] += 1
        if (data["decision"] or {}).get("verdict") != "rescue" or data["holdout"]:
            continue
        counts[1] += 1
        done = contacts(shop, line["subject"], at, at + shop.horizon, with_since=False)
        if not done:
            continue
        counts[2] += 1
        if not any(a.result not in (None, "not_reached") for a in done):
            continue
        counts[3] += 1
        if not any(a.result in YES for a in done):
            continue
        counts[4] += 1
        if data["warning_id"] not in matured:
            open_ += 1
        elif not matured[data["warning_id"]]:
            counts[5] += 1
    return counts, open_


def tried(shop: Shop, period: Period) -> dict[str, int]:
    """Return the contacts about the warnings worth rescuing by their result, each once."""
    found = {
        (a.customer_id, a.event_id): a.result or "not_recorded"
        for line in shop.step_lines
        if line["data"]["step"] == 1 and period.begin_us <= us(line["time"]) < period.end_us
        if (line["data"]["decision"] or {}).get("verdict") == "rescue" and not line["data"]["holdout"]
        for at in [us(line["time"])]
        for a in contacts(shop, line["subject"], at, at + shop.horizon, with_since=False)
    }
    return dict(Counter(found.values()))


def lapsed(shop: Shop, period: Period) -> tuple[list[int], int]:
    """Return what each step counts, and how many came back in all."""
    counts, came_back = [0] * 5, 0
    lapses: dict[str, int] = {}
    for line in sorted(shop.outcome_lines, key=lambda e: us(e["time"])):
        at = us(line["time"])
        if line["type"] == "churn.customer.lapsed" and period.begin_us < at <= period.end_us:
            lapses.setdefault(line["subject"], at)
    for customer, at in lapses.items():
        back = [
            us(e["time"])
            for e in shop.outcome_lines
            if e["subject"] == customer and e["type"] == "churn.customer.returned" and us(e["time"]) >= at
        ]
        done = contacts(shop, customer, at, min(back, default=2**62), with_since=True)
        came_back += bool(back)
        counts[0] += 1
        if not done:
            continue
        counts[1] += 1
        if not any(a.result not in (None, "not_reached") for a in done):
            continue
        counts[2] += 1
        if not any(a.result in YES for a in done):
            continue
        counts[3] += 1
        counts[4] += bool(back)
    return counts, came_back


def check(shop: Shop, database: Database) -> list[Any]:
    shop.store(database)
    found = []
    with database.reading() as connection:
        for period in shop.periods:
            made = funnels(read_funnels(connection, period, shop.knowledge))
            counts, open_ = warned(shop, period)
            assert [step.n for step in made.warnings.steps] == counts
            assert made.warnings.steps[-1].not_known == made.warnings.beside["not_matured"] == open_
            for tier, own in made.by_tier.items():
                assert [step.n for step in own.steps] == warned(shop, period, tier)[0]
            assert made.results == tried(shop, period)
            counts, came_back = lapsed(shop, period)
            assert [step.n for step in made.lapsed.steps] == counts
            assert made.lapsed.beside["returned_in_all"] == came_back
            assert made.failed == ()
            for each in (made.warnings, made.lapsed, *made.by_tier.values()):
                shares = [share for step in each.steps for share in (step.of_before, step.of_first)]
                assert all(share.part <= share.whole for share in shares)
            json.dumps(made.as_dict())
            found.append(made)
    return found


@pytest.mark.parametrize("seed", [4, 5])
def test_funnels_of_a_shop_with_decisions_are_those_of_a_plain_count(seed: int) -> None:
    found = check(helped_shop(seed), empty_database())
    assert all(step.n for step in found[3].warnings.steps)
    assert all(step.n for step in found[3].lapsed.steps)
    assert found[3].warnings.beside["held_out"] > 0
    assert not any(step.n for step in (*found[4].warnings.steps, *found[4].lapsed.steps))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_funnels_of_a_random_history_are_those_of_a_plain_count(seed: int) -> None:
    found = check(closing_shop(seed), empty_database())
    assert found[0].lapsed.steps[0].n > 0


def test_funnels_are_the_same_on_either_database(database_url: str) -> None:
    database = Database(database_url)
    database.prepare()
    check(helped_shop(4), database)
    database.close()


def test_what_was_stored_later_is_not_counted() -> None:
    shop = helped_shop(4)
    database = empty_database()
    shop.store(database)
    before = replace(shop.knowledge, as_of=NOW - timedelta(seconds=1))
    with database.reading() as connection:
        made = funnels(read_funnels(connection, shop.periods[3], before))
    assert made.warnings.steps[0].n == made.lapsed.steps[0].n == 0


def test_a_conversion_leaves_out_what_is_not_known_yet() -> None:
    made = funnel(Unit.WARNINGS, [(Stage.WARNED, 10), (Stage.ACCEPTED, 8), (Stage.STAYED, 3)], {}, 4)
    last = made.steps[-1]
    assert (last.of_before.part, last.of_before.whole, last.of_first.whole) == (3, 4, 6)
    assert [after.n <= before.n for before, after in pairwise(made.steps)] == [True, True]


def test_a_step_that_counts_more_than_the_one_before_is_reported() -> None:
    made = funnel(Unit.WARNINGS, [(Stage.WARNED, 10), (Stage.ACCEPTED, 11)], {})
    assert not made.is_monotone
