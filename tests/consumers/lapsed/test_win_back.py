from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from consumers.actions import Action
from consumers.lapsed.facts import facts_of
from consumers.lapsed.win_back import DAY_US, WinBackFilter, WinBackList, win_back_list
from tests.consumers.scorecard.made import Made, events, made
from tests.consumers.scorecard.twin import us

Line = dict[str, Any]
ORDER = ("acquired", "lapsed", "closed", "returned")


@pytest.fixture(scope="module", params=range(4))
def given(request: pytest.FixtureRequest) -> Made:
    found = made(request.param)
    return replace(found, actions=[*found.actions, *attempts(found)])


def attempts(given: Made) -> list[Action]:
    """Return calls to customers after they left, some with a reason, some taken back."""
    found: list[Action] = []
    for number, event in enumerate(events(given.outcomes)):
        if event["type"].endswith(("lapsed", "closed")):
            for turn in range(number % 4):
                found.append(
                    Action(
                        event_id=f"w{number}-{turn}",
                        customer_id=event["subject"],
                        at=us(event["time"]) + turn * DAY_US,
                        kind=("contact", "offer", "confirm")[(number + turn) % 3],
                        result=(None, "not_reached", "declined")[(number + 2 * turn) % 3],
                        actor="ann",
                        reasons=((), ("price",), ("unknown",), ("service", "price"))[(number + turn) % 4],
                        corrects=f"w{number}-0" if turn == 2 else None,
                    )
                )
    return found


def listed(given: Made, **wanted: Any) -> WinBackList:
    facts = facts_of(events(given.outcomes), given.actions, events(given.steps))
    return win_back_list(facts, WinBackFilter(**wanted))


class Twin:
    """The list by its definitions, from the raw lines one by one."""

    def __init__(self, given: Made) -> None:
        self.outcomes = events(given.outcomes)
        self.steps = events(given.steps)
        self.now = max(us(e["time"]) for e in [*self.outcomes, *self.steps])
        self.actions = [
            a
            for a in sorted(given.actions, key=lambda a: (a.at, a.event_id))
            if not any(
                b.corrects == a.event_id
                and (b.customer_id, b.actor) == (a.customer_id, a.actor)
                and (b.at, b.event_id) > (a.at, a.event_id)
                for b in given.actions
            )
        ]

    def life(self, customer: str) -> list[Line]:
        own = [
            e for e in self.outcomes if e["subject"] == customer and e["type"].startswith("churn.customer.")
        ]
        return sorted(own, key=lambda e: (us(e["time"]), ORDER.index(e["type"].rpartition(".")[2])))

    def leaving(self, customer: str) -> list[Line]:
        """Return the lapses and closures since the customer was there for the last time."""
        found: list[Line] = []
        for event in self.life(customer):
            gone = event["type"].endswith(("lapsed", "closed"))
            found = [*found, event] if gone else []
        return found

    def row(self, customer: str) -> Line | None:
        left = self.leaving(customer)
        if not left:
            return None
        first, last = left[0], left[-1]
        closures = [e for e in left if e["type"].endswith("closed")]
        steps = [e["data"] for e in self.steps if e["subject"] == customer]
        step = max(steps, key=lambda d: (us(d["opened_at"]), d["step"]), default=None)
        at = us(first["time"])
        mine = [a for a in self.actions if a.customer_id == customer]
        tried = [a for a in mine if a.kind in ("contact", "offer") and a.at >= at]
        results = [a.result for a in tried if a.result]
        since = first["data"].get("silent_since") or last["data"]["last_order_at"]
        value = first["data"].get("value")
        if value is None and step is not None:
            value = step["decision"]["value"]
        return {
            "left_at": at,
            "closed": bool(closures),
            "days_away": None if since is None else round((self.now - us(since)) / DAY_US, 6),
            "value": value,
            "owner": last["data"].get("account_owner") or (step or {}).get("account_owner"),
            "reasons": self.reasons(mine, closures, step, at),
            "warning": step and step["warning_id"],
            "churned": self.churned(step),
            "attempts": len(tried),
            "result": results[-1] if results else None,
        }

    def churned(self, step: Line | None) -> bool | None:
        for event in self.outcomes:
            matured = event["type"] == "churn.warning.matured"
            if matured and step is not None and event["data"]["warning_id"] == step["warning_id"]:
                return bool(event["data"]["churned"])
        return None

    def reasons(
        self, mine: list[Action], closures: list[Line], step: Line | None, at: int
    ) -> tuple[tuple[str, ...], str | None]:
        begin = at if step is None else min(at, us(step["opened_at"]))
        named = [
            tuple(r for r in a.reasons if r not in ("unknown", "not_reached")) for a in mine if a.at >= begin
        ]
        confirmed = [reasons for reasons in named if reasons]
        if confirmed:
            return confirmed[-1], "team"
        if closures and closures[-1]["data"]["reason"]:
            return (closures[-1]["data"]["reason"],), "customer"
        if step is not None:
            return tuple(dict.fromkeys(cause["reason"] for cause in step["causes"])), "warning"
        return (), None

    def barred(self, customer: str) -> bool:
        steps = [e["data"] for e in self.steps if e["subject"] == customer]
        step = max(steps, key=lambda d: (us(d["opened_at"]), d["step"]), default=None)
        return bool(
            self.leaving(customer)[-1]["data"].get("do_not_contact")
            or (step is not None and step["decision"]["why"] == "do_not_contact")
        )


def test_it_is_what_the_twin_finds(given: Made) -> None:
    found = listed(given, holdout=True)
    twin = Twin(given)
    customers = {e["subject"] for e in twin.outcomes}
    gone = {customer: row for customer in customers if (row := twin.row(customer)) is not None}
    barred = {customer for customer in gone if twin.barred(customer)}
    own = {
        each.customer_id: {
            "left_at": each.left_at,
            "closed": each.closed,
            "days_away": None if each.days_away is None else round(each.days_away, 6),
            "value": each.value,
            "owner": each.account_owner,
            "reasons": (each.reasons, each.reasons_from),
            "warning": each.last_warning and each.last_warning.warning_id,
            "churned": each.last_warning and each.last_warning.churned,
            "attempts": each.attempts,
            "result": each.last_attempt_result,
        }
        for each in found.customers
    }
    assert own == {customer: row for customer, row in gone.items() if customer not in barred}
    assert found.left_out == {"do_not_contact": len(barred), "held_out": 0}
    assert found.gone == len(gone)


def test_there_is_something_to_find() -> None:
    seen: Counter[str] = Counter()
    for seed in range(4):
        base = made(seed)
        found = listed(replace(base, actions=[*base.actions, *attempts(base)]), holdout=True)
        seen.update(str(each.reasons_from) for each in found.customers)
        seen.update("closed" if each.closed else "lapsed" for each in found.customers)
        seen["owner"] += sum(each.account_owner is not None for each in found.customers)
        seen["tried"] += sum(each.attempts > 0 for each in found.customers)
        seen["barred"] += found.left_out["do_not_contact"]
    words = ("team", "customer", "warning", "closed", "lapsed", "owner", "tried", "barred")
    assert min(seen[word] for word in words) > 0, seen


def test_the_order_of_lines_changes_nothing(given: Made) -> None:
    draw = random.Random(1)
    outcomes, steps = (draw.sample(lines, len(lines)) for lines in (given.outcomes, given.steps))
    facts = facts_of(events(outcomes), draw.sample(given.actions, len(given.actions)), events(steps))
    assert win_back_list(facts, WinBackFilter()).as_dict() == listed(given).as_dict()


def lapse(customer: str, value: float | None = 10.0, day: int = 1, **more: Any) -> Line:
    data = {
        "customer_id": customer,
        "customer_class": "ordinary",
        "segment": None,
        "region": None,
        "last_order_at": "2024-01-01T00:00:00Z",
        "silent_since": "2024-01-01T00:00:00Z",
        "value": value,
        "warned": None,
        "holdout": False,
        **more,
    }
    return {
        "id": customer,
        "type": "churn.customer.lapsed",
        "time": f"2024-06-{day:02}T00:00:00Z",
        "data": data,
    }


def names(events: list[Line], **wanted: Any) -> list[str]:
    return [each.customer_id for each in win_back_list(facts_of(events), WinBackFilter(**wanted)).customers]


def test_those_worth_most_come_first_and_those_of_unknown_value_last() -> None:
    assert names([lapse("a"), lapse("b", None), lapse("c", 30.0), lapse("d", day=2)]) == ["c", "d", "a", "b"]


def test_filters_take_those_that_match() -> None:
    every = [
        lapse("a", 5.0, segment="s", account_owner="ann"),
        lapse("b", 50.0, day=9, region="east", customer_class="key"),
        lapse("c", None),
    ]
    assert names(every, segments=("s",)) == ["a"]
    assert names(every, regions=("east", "west")) == ["b"]
    assert names(every, classes=("key",)) == ["b"]
    assert names(every, owners=("ann",)) == ["a"]
    assert names(every, min_value=10.0) == ["b"]
    assert names(every, since=us("2024-06-02T00:00:00Z")) == ["b"]
    assert names(every, until=us("2024-06-02T00:00:00Z")) == ["a", "c"]


def test_who_is_held_out_or_must_not_be_contacted_is_counted_and_not_listed() -> None:
    every = [lapse("a", holdout=True), lapse("b", do_not_contact=True), lapse("c")]
    every.append(lapse("d", holdout=True, customer_class="key"))
    found = win_back_list(facts_of(every), WinBackFilter(exempt=("key",)))
    assert [each.customer_id for each in found.customers] == ["c", "d"]
    assert found.left_out == {"do_not_contact": 1, "held_out": 1}
    assert names(every, holdout=True) == ["a", "c", "d"]
    assert json.loads(json.dumps(found.as_dict()))["customers"][0]["days_away"] == 152


def test_who_came_back_is_not_gone() -> None:
    back = {"id": "x", "type": "churn.customer.returned", "time": "2024-06-03T00:00:00Z"}
    back["data"] = lapse("a")["data"]
    assert names([lapse("a"), back]) == []
    assert names([back, lapse("a", day=4)]) == ["a"]
