"""Why customers left, against a plain count over the lines that the store was filled from."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from consumers.actions import Action
from consumers.database.database import Database
from consumers.effects.report import EffectsInput, report
from consumers.effects.store import stored_input
from consumers.reports.period import Period
from consumers.reports.reasons import Reasons, read_reasons, reasons
from tests.consumers.reports.team_store import (
    CODES,
    GROUP_OF,
    Line,
    Shop,
    by_their_day,
    closing_shop,
    helped_shop,
)
from tests.consumers.scorecard.twin import Twin, us
from tests.consumers.stored import empty_database

NONE = ("unknown", "not_reached")


def lost(shop: Shop, period: Period) -> dict[str, Line]:
    """Return the last leaving of each customer who left in the period."""
    twin = Twin(
        by_their_day(shop.outcomes), shop.steps, shop.actions, shop.horizon, period.begin_us, period.end_us
    )
    losses = [each | {"at": each["at"] + ("silent_since" in each)} for each in twin.losses()]
    return {each["customer_id"]: each for each in sorted(losses, key=lambda each: each["at"])}


def found_out(shop: Shop, customer: str, since: int, until: int) -> list[Action]:
    return [
        a
        for a in shop.standing
        if a.customer_id == customer
        and a.kind in ("confirm", "contact", "offer")
        and a.result != "wrong_contact"
        and since <= a.at <= until
    ]


def counted(shop: Shop, period: Period) -> dict[str, Any]:
    codes = {name: Counter[str]() for name in ("suggested", "confirmed", "stated")}
    groups = {name: Counter[str]() for name in codes}
    apart: Counter[str] = Counter()
    for customer, loss in lost(shop, period).items():
        own = [e for e in shop.outcome_lines if e["subject"] == customer and us(e["time"]) >= loss["at"]]
        until = min((us(e["time"]) for e in own if e["type"].endswith("returned")), default=2**62)
        closures = [
            e["data"]["reason"] for e in own if e["type"].endswith("closed") and us(e["time"]) <= until
        ]
        warned = loss["warned"]
        since = loss["at"] if warned is None else us(warned["opened_at"])
        acted = found_out(shop, customer, since, until)
        named = {
            "suggested": {
                cause["reason"]
                for step in shop.step_lines
                if warned
                and step["data"]["warning_id"] == warned["warning_id"]
                and us(step["time"]) <= loss["at"]
                for cause in step["data"]["causes"]
            },
            "confirmed": {code for a in acted for code in a.reasons} - set(NONE),
            "stated": {reason for reason in closures if reason is not None} - set(NONE),
        }
        for name, of in named.items():
            apart[f"{name}_n"] += bool(of)
            codes[name].update(of)
            groups[name].update({GROUP_OF.get(code, code) for code in of})
        if not named["confirmed"] and not named["stated"]:
            reached = "unknown" in closures or any(
                a.result != "not_reached" and ("not_reached" not in a.reasons or "unknown" in a.reasons)
                for a in acted
            )
            apart["unknown" if reached else "not_reached" if acted else "not_asked"] += 1
    return {"codes": codes, "groups": groups, "apart": apart}


def agreed(database: Database, period: Period) -> dict[str, Any]:
    """Return the agreement as `lapwing effects` has it."""
    given: EffectsInput = stored_input(database)
    made = report(
        given, min_holdout=20, group_of=GROUP_OF, since=period.begin_us, until=period.end_us
    ).reasons
    assert made is not None
    return made.as_dict()


def check(shop: Shop, database: Database) -> list[Reasons]:
    shop.store(database)
    made = []
    for period in shop.periods:
        with database.reading() as connection:
            found = reasons(read_reasons(connection, period, shop.knowledge), period, GROUP_OF)
        twin = counted(shop, period)
        assert found.lost == len(lost(shop, period))
        for name in ("suggested", "confirmed", "stated"):
            assert getattr(found, name) == twin["apart"][f"{name}_n"]
            shown = {group.code: getattr(group, name) for group in found.groups}
            assert +Counter(shown) == twin["groups"][name]
            parts = {p.code: getattr(p, name) for group in found.groups for p in group.parts or (group,)}
            assert +Counter(parts) == twin["codes"][name]
        for name in ("unknown", "not_reached", "not_asked"):
            assert getattr(found, name) == twin["apart"][name]
        assert found.failed == ()
        assert found.agreement.as_dict() == agreed(database, period)
        contacts = [
            a
            for a in shop.standing
            if a.kind in ("contact", "offer") and period.begin_us <= a.at < period.end_us
        ]
        results = {each.result: each for each in found.results}
        assert {name: each.n for name, each in results.items()} == Counter(
            a.result or "not_recorded" for a in contacts
        )
        for name, each in results.items():
            own = [a for a in contacts if (a.result or "not_recorded") == name]
            assert dict(each.reasons) == Counter(code for a in own for code in set(a.reasons))
        json.dumps(found.as_dict())
        made.append(found)
    return made


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_reasons_of_a_random_history_are_those_of_a_plain_count(seed: int) -> None:
    found = check(closing_shop(seed), empty_database())[0]
    assert found.suggested
    assert found.confirmed


def test_reasons_of_a_shop_with_a_team_are_those_of_a_plain_count() -> None:
    found = check(helped_shop(4), empty_database())[3]
    assert min(found.confirmed, found.unknown, found.not_reached, found.not_asked) > 0
    assert sum(len(group.parts) for group in found.groups) > 0
    assert {part.code for group in found.groups for part in group.parts or (group,)} <= set(CODES) | {
        "silence",
        "price",
    }


def test_reasons_are_the_same_on_either_database(database_url: str) -> None:
    database = Database(database_url)
    database.prepare()
    check(closing_shop(1), database)
    database.close()
