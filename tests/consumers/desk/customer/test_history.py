"""What the database has of customers, against the records themselves."""

from __future__ import annotations

import functools
import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from consumers.database.database import Database
from consumers.database.schema import METADATA
from consumers.desk.customer.history import MATURED, CustomerHistory, Day, read_customer
from consumers.notify.outbox import Outbox
from streams.core.steps import Tier
from tests.consumers.desk.stored_shop import store_shop
from tests.consumers.notify.notice_shop import opened
from tests.consumers.notify.routed_shop import RoutedShop, tree
from tests.consumers.shop_records import shop_records

ROUTES = """\
version: 1
receivers:
  - {name: team, channels: desk}
  - {name: lead, channels: mail}
route:
  receiver: team
  digest: '08:00'
  routes:
    - {name: north, match: {region: north}, receiver: lead}
"""
Datas = dict[str, list[dict[str, Any]]]
STEPS, OUTCOMES, DAYS, ACTIONS = ("churn-warnings", "churn-outcomes", "shop.customer-days", "actions")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path_factory.mktemp('shop') / 'shop.db'}")
    with made.writing() as connection:
        METADATA.create_all(connection)
    store_shop(made)
    yield made
    made.close()


@functools.cache
def contents(topic: str) -> dict[str, list[dict[str, Any]]]:
    """Return by customer the records of a topic, in its order."""
    found: Datas = defaultdict(list)
    for record in shop_records():
        if record.topic == topic:
            event = json.loads(record.value or b"")
            found[event.get("subject") or event["customer_id"]].append(event)
    return found


def histories(shop: Database, *, holdout: bool = True) -> Iterator[tuple[str, CustomerHistory]]:
    for customer in contents(STEPS):
        found = read_customer(shop, customer, holdout=holdout)
        if found is not None:
            yield customer, found


def test_warnings_and_what_came_of_them_are_those_of_the_records(shop: Database) -> None:
    matured = 0
    for customer, history in histories(shop):
        newest = {step["data"]["warning_id"]: step["data"] for step in contents(STEPS)[customer]}
        assert {each.id: (each.state, each.tier, each.holdout) for each in history.warnings} == {
            key: (data["state"], data["tier"], data["holdout"]) for key, data in newest.items()
        }
        begun = [each.opened_at for each in history.warnings]
        assert begun == sorted(begun, reverse=True)
        came = {
            event["data"]["warning_id"]: event["data"]["churned"]
            for event in contents(OUTCOMES)[customer]
            if event["type"] == MATURED
        }
        assert came == {
            each.id: each.matured["churned"] for each in history.warnings if each.matured is not None
        }
        matured += len(came)
    assert matured > 4


def test_steps_are_those_of_the_warning_that_is_looked_at(shop: Database) -> None:
    several = 0
    for customer, history in histories(shop):
        for warning in history.warnings:
            found = read_customer(shop, customer, warning.id, holdout=True)
            assert found is not None
            assert found.chosen == warning
            of_it = [step for step in contents(STEPS)[customer] if step["data"]["warning_id"] == warning.id]
            assert [each.id for each in found.steps] == [step["id"] for step in of_it]
            several += len(of_it) > 1
        if any(each.is_open for each in history.warnings):
            assert history.chosen is not None
            assert history.chosen.is_open
    assert several > 5


def plain_days(customer: str) -> dict[date, Day]:
    """Return each day as the newest record that has it says, those without a record empty."""
    found: dict[date, Day] = {}
    for event in contents(DAYS)[customer]:
        data = event["data"]
        day, last = date.fromisoformat(data["first_day"]), date.fromisoformat(data["last_day"])
        listed = {each["day"]: each for each in data["days"]}
        while day <= last:
            each = listed.get(day.isoformat())
            if each is not None:
                before = found.get(day)
                found[day] = Day(
                    day,
                    each["orders"],
                    each["spend"],
                    each["logins"],
                    each["complaints"],
                    before.probability if before else None,
                )
            found.setdefault(day, Day(day))
            if day == last:
                known = found[day]
                found[day] = Day(
                    day, known.orders, known.spend, known.logins, known.complaints, data["churn_probability"]
                )
            day += timedelta(days=1)
    return found


def test_days_are_those_of_the_records_one_after_the_other(shop: Database) -> None:
    busy = 0
    for customer, history in histories(shop):
        expected = plain_days(customer)
        shown = [each.day for each in history.days]
        assert shown == [shown[0] + timedelta(days=n) for n in range(len(shown))]
        assert shown[-1] == max(expected)
        for each in history.days:
            assert each == expected.get(each.day, Day(each.day)), (customer, each.day)
        busy += sum(each.orders > 0 for each in history.days)
    assert busy > 20


def test_the_decision_is_the_newest_of_step_and_day(shop: Database) -> None:
    of_days = 0
    for customer, history in histories(shop):
        assert history.chosen is not None
        own = [
            (event["time"], rank, event["data"]["decision"])
            for rank, events in enumerate((contents(STEPS)[customer], contents(DAYS)[customer]))
            for event in events
            if event["data"]["warning_id"] == history.chosen.id
        ]
        newest = max(own, key=lambda each: each[:2])
        assert history.decision == newest[2]
        of_days += newest[1]
    assert of_days > 2


def shown_type(kind: str) -> bool:
    return kind == MATURED or kind.startswith("churn.customer.")


def test_customers_in_the_holdout_are_there_for_those_who_may_see_them_only(shop: Database) -> None:
    hidden = 0
    for customer, history in histories(shop):
        others = read_customer(shop, customer)
        unmatured = any(each.holdout and each.matured is None for each in history.warnings)
        rest = [
            *(each for each in history.warnings if not each.holdout),
            *contents(ACTIONS)[customer],
            *(
                each
                for each in contents(OUTCOMES)[customer]
                if not each["data"]["holdout"] and shown_type(each["type"])
            ),
        ]
        assert (others is None) == (unmatured or not rest), customer
        if others is not None:
            assert not any(each.holdout for each in others.warnings)
            hidden += len(others.warnings) < len(history.warnings)
        else:
            hidden += 1
    assert hidden > 3


def test_nobody_is_no_customer(shop: Database) -> None:
    assert read_customer(shop, "no-such") is None
    assert read_customer(shop, "") is None


def test_actions_are_shown_with_whether_they_stand(shop: Database) -> None:
    acted = 0
    for customer, history in histories(shop):
        assert [each.event_id for each in history.actions][::-1] == [
            each["event_id"]
            for each in sorted(contents(ACTIONS)[customer], key=lambda event: event["occurred_at"])
        ]
        acted += sum(each.stands for each in history.actions)
    assert acted > 1


@pytest.fixture
def notified() -> Iterator[Database]:
    made = opened()
    yield made
    made.close()


def test_who_was_sent_it_by_which_route_and_in_which_state(notified: Database) -> None:
    shop = RoutedShop(notified, tree(ROUTES), ("desk", "mail"))
    shop.run()
    shop.step("c1", region="north")
    shop.run()
    found = read_customer(notified, "c1")
    assert found is not None
    assert [(each.channel, each.route, each.kind, each.state, each.step) for each in found.sent] == [
        ("mail", "all/north", "notice", "sent", 1)
    ]
    assert [(each.step, each.verdict) for each in found.notices] == [(1, "told")]


def test_what_goes_into_a_digest_is_shown_too(notified: Database) -> None:
    shop = RoutedShop(notified, tree(ROUTES), ("desk", "mail"))
    shop.run()
    shop.step("c1", tier=Tier.LOW, region="south")
    shop.run()
    for _ in range(2):
        shop.clock.push(86_400)
        shop.run()
    found = read_customer(notified, "c1")
    assert found is not None
    assert ("desk", "digest", "sent") in {(each.channel, each.kind, each.state) for each in found.sent}


def test_who_was_sent_it_without_routes(notified: Database) -> None:
    shop = RoutedShop(notified, tree(ROUTES), ("desk",))
    box = Outbox(notified, "one")
    box.add_channels(["desk"], shop.clock(), from_now=False)
    shop.step("c1")
    box.fill(["desk"], shop.clock())
    (delivery,) = box.claim("desk", 5, shop.clock())
    box.sent(delivery, shop.clock())
    found = read_customer(notified, "c1")
    assert found is not None
    assert [(each.channel, each.route, each.state) for each in found.sent] == [("desk", None, "sent")]
