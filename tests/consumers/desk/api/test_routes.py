"""The API: what the pages show, by the same rights; what is done by it is done as at the desk."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl, quote

import pytest
from fastapi.testclient import TestClient

from consumers.database.database import Database
from consumers.desk.app import create_app
from consumers.desk.desk import Desk
from consumers.desk.people.audit import AuditFilter
from consumers.desk.queue.filter import QueueFilter
from consumers.reports.report import MAKERS
from streams.contract.instants import format_instant, to_us
from streams.contract.warnings import encode_step
from streams.errors import ReportError
from tests.consumers.desk.desks import ADDRESS, NOW, STAFF, TOKENS, Sent, Staff, browser, desk_over
from tests.consumers.desk.queue.test_board import filled, instants
from tests.consumers.desk.stored_shop import by_topic, last_instant, patient_desk, store_shop
from tests.consumers.shop_records import KINDS
from tests.consumers.shop_records import NOW as STORED
from tests.consumers.stored import store_records
from tests.consumers.warning_events import life, records, step, warning_id

ODD = "<b>a/b</b> ?&# \u5ba2"
SOON = format_instant(to_us(NOW + timedelta(days=2)))


@pytest.fixture
def desk(database: Database) -> Desk:
    held = encode_step(replace(step(customer="held", number=1), holdout=True), "lapwing")
    store_records(database, records([held, *life("open")[:2], *life("over"), *life(ODD)[:1]]))
    return desk_over(database, staff=Staff())


def api(desk: Desk, name: str) -> TestClient:
    headers = {"Authorization": f"Bearer {TOKENS[name]}"}
    return TestClient(create_app(desk), base_url=ADDRESS, headers=headers)


def acted(client: TestClient, code: int, *actions: dict[str, Any], **more: Any) -> Any:
    answer = client.post("/api/actions", json={"actions": list(actions), **more})
    assert answer.status_code == code, answer.text
    return answer.json()


def test_who_asks(desk: Desk) -> None:
    assert api(desk, "ann").get("/api/me").json() == {
        "name": "ann", "role": "agent", "team": "north", "time_zone": "Europe/Berlin", "language": None,
    }  # fmt: skip
    assert api(desk, "olga").get("/api/me").json()["time_zone"] == "Asia/Shanghai"


def test_the_queue_is_that_of_the_page(database: Database) -> None:
    now = instants()[4]
    filled(database, now)
    desk = desk_over(database, now, staff=Staff(), app="shop", capacity=3)
    for name in ("vic", "ann", "olga"):
        person = next(each for each in STAFF if each.name == name)
        for query in ("", "tier=high", "show=held-out&all=1", "show=attended&show=today&all=1", "all=1"):
            wanted = QueueFilter.from_query(parse_qsl(query))
            page = desk.board.page(wanted, person, offset=1, limit=4)
            given = api(desk, name).get(f"/api/queue?{query}&offset=1&limit=4").json()
            assert given["matched"] == page.matched
            assert [each["warning_id"] for each in given["rows"]] == [each.warning_id for each in page.rows]
            assert [each["decision"]["net"] for each in given["rows"]] == [
                each.decision.net for each in page.rows
            ]
            held = [each for each in given["rows"] if each["holdout"]]
            assert bool(held) == (name == "olga" and "held-out" in query)
    waiting = api(desk, "olga").get("/api/queue?all=1&limit=500").json()
    assert waiting["matched"] == len(waiting["rows"]) > 4
    assert {each["section"] for each in waiting["rows"]} >= {"today", "unserved"}
    assert waiting["sections"]["today"]["count"] <= 3


def test_a_warning_has_its_steps_and_what_is_on_its_way(desk: Desk) -> None:
    client = api(desk, "ann")
    found = client.get(f"/api/warnings/{warning_id('open')}").json()
    assert [each["step"] for each in found["steps"]] == [1, 2]
    assert found["queue"]["customer_id"] == found["customer_id"] == "open"
    acted(client, 202, {"warning_id": warning_id("open"), "kind": "acknowledge"})
    pending = client.get(f"/api/warnings/{warning_id('open')}").json()["pending"]
    assert [(each["kind"], each["actor"]) for each in pending] == [("acknowledge", "ann")]
    over = client.get(f"/api/warnings/{warning_id('over')}").json()
    assert (over["state"], over["queue"], len(over["steps"])) == ("resolved", None, 4)


@pytest.mark.parametrize("customer", ["open", "over", ODD])
def test_a_customer_is_found_by_any_id(desk: Desk, customer: str) -> None:
    answer = api(desk, "vic").get(f"/api/customers/{quote(customer, safe='')}")
    assert answer.status_code == 200
    assert answer.json()["customer_id"] == customer
    assert [each["id"] for each in answer.json()["warnings"]] == [warning_id(customer)]


@pytest.mark.parametrize("path", ["/api/warnings/{warning}", "/api/customers/held"])
def test_who_is_held_out_is_there_for_operators_alone(desk: Desk, path: str) -> None:
    address = path.replace("{warning}", warning_id("held"))
    assert [api(desk, name).get(address).status_code for name in ("vic", "ann", "olga")] == [404, 404, 200]
    known = {"warning_id": warning_id("held"), "kind": "acknowledge"}
    acted(api(desk, "ann"), 404, known)
    acted(api(desk, "ann"), 409, {**known, "customer_id": "held"})
    acted(api(desk, "olga"), 202, known)


def test_actions_are_those_of_the_desk(desk: Desk) -> None:
    client = api(desk, "ann")
    done = acted(
        client,
        202,
        {"warning_id": warning_id("open"), "kind": "snooze", "until": SOON},
        {
            "customer_id": "gone",
            "kind": "contact",
            "result": "reached",
            "reasons": ["price"],
            "cost": {"gift": 2.5},
        },
        {"warning_id": warning_id(ODD), "kind": "assign", "assignee": "bob"},
    )
    by_kind = {each["kind"]: each for each in done["actions"]}
    assert by_kind["snooze"]["customer_id"] == "open"
    assert by_kind["assign"]["customer_id"] == ODD
    assert (by_kind["contact"]["warning_id"], by_kind["contact"]["state"]) == (None, "held")
    again = client.get(f"/api/actions/{done['group_id']}").json()
    assert again == done
    assert api(desk, "bob").get(f"/api/actions/{done['group_id']}").status_code == 404
    assert api(desk, "bob").post(f"/api/actions/{done['group_id']}/undo").status_code == 404
    undone = client.post(f"/api/actions/{done['group_id']}/undo").json()
    assert sum(undone.values()) == 3
    assert {each.what for each in desk.audit.page(AuditFilter(person="ann"), 20)} >= {
        "action.snooze",
        "action.contact",
        "action.assign",
    }


def test_the_same_request_again_does_nothing_more(desk: Desk) -> None:
    client = api(desk, "ann")
    first = acted(client, 202, {"customer_id": "c", "kind": "contact"}, group_id="mine")
    second = acted(client, 202, {"customer_id": "c", "kind": "contact"}, group_id="mine")
    assert first == second
    assert len(first["actions"]) == 1


@pytest.mark.parametrize(
    ("action", "code"),
    [
        ({"warning_id": "none", "kind": "acknowledge"}, 404),
        ({"kind": "contact"}, 422),
        ({"warning_id": warning_id("open"), "customer_id": "another", "kind": "acknowledge"}, 409),
        ({"warning_id": warning_id("open"), "kind": "dance"}, 422),
        ({"warning_id": warning_id("open"), "kind": "snooze", "until": "tomorrow"}, 422),
        ({"warning_id": warning_id("open"), "kind": "snooze", "until": "1999-01-01T00:00:00Z"}, 409),
        ({"warning_id": warning_id("open"), "kind": "contact", "until": SOON}, 409),
        ({"warning_id": warning_id("open"), "kind": "contact", "cost": {"gift": -1}}, 409),
        ({"warning_id": warning_id("open"), "kind": "contact", "result": "nonsense"}, 409),
        ({"warning_id": warning_id("open"), "kind": "contact", "surprise": 1}, 422),
        ({"customer_id": "c", "kind": "correct"}, 409),
        ({"customer_id": "c" * 10_000, "kind": "contact"}, 422),
        ({"customer_id": "", "kind": "contact"}, 422),
        ({"customer_id": 7, "kind": "contact"}, 422),
    ],
)
def test_what_cannot_be_done_says_why_and_writes_nothing(desk: Desk, action: Any, code: int) -> None:
    good = {"warning_id": warning_id("open"), "kind": "assign"}
    assert acted(api(desk, "ann"), code, good, action)["detail"]
    assert desk.actions.pending() == {}


def test_what_has_ended_is_left_out_of_several_and_refused_alone(desk: Desk) -> None:
    over = {"warning_id": warning_id("over"), "kind": "acknowledge"}
    assert "has ended" in acted(api(desk, "ann"), 409, over)["detail"]
    done = acted(api(desk, "ann"), 202, over, {"warning_id": warning_id("open"), "kind": "acknowledge"})
    assert [each["customer_id"] for each in done["actions"]] == ["open"]


def test_viewers_change_nothing(desk: Desk) -> None:
    client = api(desk, "vic")
    acted(client, 403, {"customer_id": "c", "kind": "contact"})
    assert client.post("/api/views", json={"name": "x"}).status_code == 201
    assert client.post("/api/views", json={"name": "x", "shared_with": "all"}).status_code == 409
    assert api(desk, "ann").post("/api/silences", json={}).status_code == 403
    assert api(desk, "ann").get("/api/audit").status_code == 403


def test_views_are_saved_shared_and_removed(desk: Desk) -> None:
    ann, bob = api(desk, "ann"), api(desk, "bob")
    mine = ann.post("/api/views", json={"name": " High  ones ", "query": "tier=high&nonsense=1"}).json()
    assert (mine["name"], mine["query"], mine["author"]) == ("High ones", "tier=high", "ann")
    shared = ann.post("/api/views", json={"name": "All", "shared_with": "all", "query": ""}).json()
    assert [each["id"] for each in ann.get("/api/views").json()] == [shared["id"], mine["id"]]
    assert [each["id"] for each in bob.get("/api/views").json()] == [shared["id"]]
    assert bob.delete(f"/api/views/{mine['id']}").status_code == 404
    assert bob.delete(f"/api/views/{shared['id']}").status_code == 409
    assert ann.delete(f"/api/views/{shared['id']}").status_code == 204
    assert bob.get("/api/views").json() == []
    no_team = api(desk, "olga").post("/api/views", json={"name": "x", "shared_with": "team"})
    assert no_team.status_code == 409


def test_silences_are_added_and_ended_by_operators(desk: Desk) -> None:
    client = api(desk, "olga")
    given = {"reason": "Easter", "ends_at": SOON, "segments": ["a"], "tiers": ["low"]}
    made = client.post("/api/silences", json=given)
    assert made.status_code == 201, made.text
    silence = made.json()["silence"]
    assert (silence["author"], silence["matchers"]["segments"]) == ("olga", ["a"])
    sent = desk.sender
    assert isinstance(sent, Sent)
    assert len(sent.records) == 1
    assert [each["silence"]["id"] for each in client.get("/api/silences?state=active").json()] == [
        silence["id"]
    ]
    ended = client.post(f"/api/silences/{silence['id']}/end")
    assert ended.json()["state"] == "expired"
    assert client.post(f"/api/silences/{silence['id']}/end").status_code == 409
    assert client.post("/api/silences/none/end").status_code == 404
    nothing = client.post("/api/silences", json={"reason": "x", "ends_at": SOON})
    assert nothing.status_code == 409
    assert [each.what for each in desk.audit.page(AuditFilter(person="olga"), 9)] == [
        "silence.end",
        "silence.add",
    ]


def test_the_lapsed_are_those_of_the_page(database: Database) -> None:
    store_shop(database)
    desk = patient_desk(database, staff=Staff())
    shown = api(desk, "ann").get("/api/lapsed?limit=3&offset=1&holdout=1").json()
    held = api(desk, "olga").get("/api/lapsed?holdout=1&limit=500").json()
    assert held["matched"] > shown["matched"] > 3
    rows = browser(desk, as_="ann").get("/lapsed.csv").text.splitlines()[2:5]
    assert [row.partition(",")[0] for row in rows] == [each["customer_id"] for each in shown["customers"]]


def test_a_report_is_that_of_the_page_and_of_the_command(database: Database) -> None:
    store_shop(database)
    desk = patient_desk(database, last_instant() + timedelta(days=1), staff=Staff())
    viewer = api(desk, "vic")
    kept = browser(desk, as_="vic").get("/reports/file.json?period=2024-04").json()
    for query in ("", "?period=2024-04", "?period=month", "?since=2024-04-01&until=2024-04-30"):
        given = viewer.get(f"/api/report{query}").json()
        assert given.pop("computed_at") is not None
        assert given == kept
    assert kept["parts"].keys() == MAKERS.keys()
    assert kept["parts"]["retention"]["original"] > 0
    assert viewer.get("/api/report?period=2024-W14").json()["period"]["key"] == "2024-W14"


def test_a_report_made_again_is_the_same_and_what_changed_since_is_listed(database: Database) -> None:
    early, week = STORED - timedelta(days=1), "/api/report?period=2024-W10&"
    for topic, all_of_it in by_topic().items():
        in_time = [each for number, each in enumerate(all_of_it) if number % 5 or topic != "churn-outcomes"]
        store_records(database, in_time, early, KINDS[topic])
    viewer = api(patient_desk(database, staff=Staff()), "vic")
    before = viewer.get(week).json()
    assert before["corrections"] is None  # nothing was known a day after that week
    store_records(database, by_topic()["churn-outcomes"], STORED, KINDS["churn-outcomes"])
    viewer = api(patient_desk(database, staff=Staff()), "vic")
    again = viewer.get(f"{week}as_of={format_instant(to_us(early))}").json()
    assert again["as_of"] == "2025-05-31T00:00:00Z"
    assert (again["parts"], again["known_to"]) == (before["parts"], before["known_to"])
    now = viewer.get(f"{week}corrected_since={format_instant(to_us(early))}").json()
    assert now["parts"]["retention"]["original"] != again["parts"]["retention"]["original"]
    found = now["corrections"]
    assert (found["since"], found["was_known"]) == ("2025-05-31T00:00:00Z", True)
    changed = {each["figure"]: (each["then"], each["now"]) for each in found["corrections"]}
    assert changed["retention/original"] == tuple(
        each["parts"]["retention"]["original"] for each in (again, now)
    )


@pytest.mark.parametrize("query", ["as_of=yesterday", "corrected_since=2024-05-02"])
def test_an_instant_that_is_none_is_refused(desk: Desk, query: str) -> None:
    assert api(desk, "vic").get(f"/api/report?period=2024-04&{query}").status_code == 422


@pytest.mark.parametrize(
    "query",
    ["period=2024-13", "period=9999", "period=", "since=2024-04-01", "until=9999-12-31&since=9999-12-31",
     "since=2024-04-02&until=2024-04-01", "since=x&until=2024-04-01"],
)  # fmt: skip
def test_what_is_no_period_is_refused_with_the_reason(desk: Desk, query: str) -> None:
    answer = api(desk, "vic").get(f"/api/report?{query}")
    assert answer.status_code == 422
    assert answer.json()["detail"]


def test_a_report_that_is_being_computed_is_not_waited_for(desk: Desk) -> None:
    desk.reports.wait_s = 0
    with patch.object(desk.reports.reporter, "report", side_effect=ReportError("it is away")):
        assert api(desk, "vic").get("/api/report?period=2024-04").status_code == 503
        desk.reports.wait_s = 60
        answer = api(desk, "vic").get("/api/report?period=2024-04")
    assert (answer.status_code, answer.json()["detail"]) == (503, "it is away")


def test_the_audit_log_is_that_of_the_page(desk: Desk) -> None:
    acted(api(desk, "ann"), 202, {"customer_id": "c", "kind": "contact"})
    found = api(desk, "olga").get("/api/audit", params={"by": "ann"}).json()
    assert [(each["what"], each["customer_id"]) for each in found] == [("action.contact", "c")]


def test_a_browser_asks_it_too_with_the_token_of_its_page(desk: Desk) -> None:
    client = browser(desk, as_="ann")
    body = {"actions": [{"customer_id": "c", "kind": "contact"}]}
    assert client.post("/api/actions", json=body).status_code == 202
    del client.headers["X-CSRF-Token"]
    assert client.post("/api/actions", json=body).status_code == 403
