from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient

from consumers.database.database import Database
from consumers.desk.desk import Desk
from consumers.desk.people.person import Person, Role
from tests.consumers.desk.desks import NOW, Staff, browser, desk_over
from tests.consumers.stored import store_records
from tests.consumers.warning_events import life, records, value, warning_id

WARNING = warning_id("c1")
BACK = "/customers/c1?tier=high"


@pytest.fixture
def database(either_database: Database) -> Database:
    return either_database


@pytest.fixture
def desk(database: Database) -> Desk:
    store_records(database, records([value(customer="c1"), *life("c2")]))
    return desk_over(database)


@pytest.fixture
def client(desk: Desk) -> TestClient:
    return browser(desk)


def form(kind: str, **more: Any) -> dict[str, Any]:
    return {"customer_id": "c1", "warning_id": WARNING, "kind": kind, "back": BACK, **more}


def contents(desk: Desk) -> list[dict[str, Any]]:
    return [dict(each.content) for each in desk.actions.of_customer("c1")]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (form("acknowledge"), {}),
        (form("acknowledge", lasts="24"), {"until": "2011-03-21T09:00:00Z"}),
        (form("snooze", lasts="morning+1"), {"until": "2011-03-21T09:00:00Z"}),
        (form("snooze", lasts="morning+1", until="2011-04-01T10:30"), {"until": "2011-04-01T10:30:00Z"}),
        (form("assign", assignee=" bob "), {"assignee": "bob"}),
        (form("assign"), {}),
        (form("unassign"), {}),
        (
            form("contact", result="reached", reason=["price", "service", "price"], labour="12.5", gift=""),
            {"result": "reached", "reasons": ["price", "service"], "cost": {"labour": 12.5}},
        ),
        (form("offer", play="care-call", gift="20"), {"play": "care-call", "cost": {"gift": 20.0}}),
        (form("confirm", result="false_alarm"), {"result": "false_alarm"}),
        (form("expire"), {}),
    ],
)
def test_every_form_becomes_an_action(
    desk: Desk, client: TestClient, given: dict[str, Any], expected: dict[str, Any]
) -> None:
    answer = client.post("/act", data=given, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/customers/c1?tier=high&done=")
    (event,) = contents(desk)
    common = {"event_id", "occurred_at", "customer_id", "warning_id", "kind", "actor"}
    assert {name: value for name, value in event.items() if name not in common} == expected
    assert (event["kind"], event["actor"]) == (given["kind"], "you")


def test_with_scripts_the_page_comes_back_with_a_way_to_undo(desk: Desk, client: TestClient) -> None:
    scripts = {"HX-Request": "true"}
    answer = client.post("/act", data=form("contact"), headers=scripts)
    assert answer.status_code == 200
    assert answer.text.startswith('<div id="customer"') or '<div id="customer"' in answer.text
    assert "contacted by you" in answer.text
    assert 'hx-swap-oob="innerHTML"' in answer.text
    found = re.search(r'name="group_id" value="([^"]+)"', answer.text)
    assert found is not None
    undone = client.post("/undo", data={"group_id": found[1], "back": BACK}, headers=scripts)
    assert "Taken back." in undone.text
    assert contents(desk) == []


def test_without_scripts_the_page_says_what_was_done_and_undoes_it(desk: Desk, client: TestClient) -> None:
    page = client.post("/act", data=form("expire"))
    assert "Done: close" in page.text
    found = re.search(r'name="group_id" value="([^"]+)"', page.text)
    assert found is not None
    answer = client.post("/undo", data={"group_id": found[1], "back": BACK}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/customers/c1?tier=high")
    assert contents(desk) == []


def test_a_double_click_is_one_action(desk: Desk, client: TestClient) -> None:
    for _ in range(2):
        assert client.post("/act", data=form("contact", once="n-1")).status_code == 200
    assert len(contents(desk)) == 1


def test_of_the_queue_only_the_toast_comes_and_the_queue_is_called(client: TestClient) -> None:
    answer = client.post("/act", data=form("acknowledge", back="/?mine=1"), headers={"HX-Request": "true"})
    assert answer.headers["HX-Trigger"] == "lapwing:acted"
    assert 'id="customer"' not in answer.text
    assert 'name="back" value="/?mine=1"' in answer.text


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (form("snooze", until="soon"), "This is not a time"),
        (form("snooze", until="2001-01-01T00:00"), "has passed"),
        (form("snooze", lasts="9" * 40), "This is not a time"),
        (form("offer", gift="much"), "An amount is a number"),
        (form("offer", gift="-1"), "What it cost: an amount from 0"),
        (form("contact", reason=["too dear"]), "Reasons: not one of those that there are"),
        (form("contact", result="no such"), "What came of it: not one of those that there are"),
        ({**form("acknowledge"), "warning_id": warning_id("c2"), "customer_id": "c2"}, "has ended"),
        ({**form("acknowledge"), "warning_id": "other"}, "There is no such warning."),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    desk: Desk, client: TestClient, given: dict[str, Any], says: str
) -> None:
    plain = client.post("/act", data=given)
    assert plain.status_code == 422
    assert says in plain.text
    with_scripts = client.post("/act", data=given, headers={"HX-Request": "true"})
    assert (with_scripts.status_code, with_scripts.headers["HX-Retarget"]) == (422, "#toasts")
    assert says in with_scripts.text
    assert contents(desk) == []


def test_who_may_look_only_cannot_act(database: Database) -> None:
    store_records(database, records([value(customer="c1")]))
    desk = desk_over(database, staff=Staff())
    client = browser(desk, as_="vic")
    assert client.post("/act", data=form("acknowledge")).status_code == 403
    assert client.post("/undo", data={"group_id": "g"}).status_code == 403
    assert 'action="/act"' not in client.get("/customers/c1").text
    assert contents(desk) == []


def test_nobody_is_led_elsewhere(client: TestClient) -> None:
    for back in ("https://evil.example/", "//evil.example", "/\\evil.example", "/a\r\nX: y"):
        answer = client.post("/act", data=form("assign", back=back), follow_redirects=False)
        assert answer.headers["location"].startswith("/?done=")


def test_an_earlier_action_of_ones_own_is_taken_back_by_a_correction(desk: Desk, client: TestClient) -> None:
    client.post("/act", data=form("correct", corrects="act-1"))
    (event,) = contents(desk)
    assert (event["kind"], event["corrects"]) == ("correct", "act-1")


def test_a_morning_is_one_by_the_readers_clock(database: Database) -> None:
    store_records(database, records([value(customer="c1")]))
    desk = desk_over(database, datetime(2011, 3, 20, 23, 0, tzinfo=UTC))
    person = Person("ann", Role.AGENT, time_zone="Asia/Shanghai")
    browser(desk, as_=person).post("/act", data=form("snooze", lasts="morning+1"))
    # It is the 21st there already.
    assert json.dumps(contents(desk)[0]["until"]) == '"2011-03-22T01:00:00Z"'
    assert desk.clock.now() > NOW
