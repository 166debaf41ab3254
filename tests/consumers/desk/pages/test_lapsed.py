"""The win-back list on the page and as CSV: whom the command lists, filtered in the address."""

from __future__ import annotations

import csv
import io
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode

import pytest

from consumers.database.database import Database
from consumers.desk.people.audit import AuditFilter
from consumers.desk.people.person import Role
from consumers.lapsed.store import stored_facts
from consumers.lapsed.win_back import WinBackFilter, WinBackList, win_back_list
from tests.consumers.desk.desks import Staff, browser
from tests.consumers.desk.stored_shop import patient_desk, store_shop


def expected(database: Database, **wanted: Any) -> WinBackList:
    return win_back_list(stored_facts(database), WinBackFilter(**wanted))


def exported(database: Database, query: str = "", as_: str | None = None) -> list[dict[str, str]]:
    desk = patient_desk(database, staff=None if as_ is None else Staff())
    answer = browser(desk, as_=as_).get(f"/lapsed.csv?{query}")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == 'attachment; filename="lapsed.csv"'
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


@pytest.fixture
def shop(database: Database) -> Database:
    store_shop(database)
    return database


def test_the_list_is_that_of_the_command(shop: Database) -> None:
    found = expected(shop)
    assert len(found.customers) > 3
    rows = exported(shop)
    assert [row["customer_id"] for row in rows] == [each.customer_id for each in found.customers]
    assert [row["value"] for row in rows] == [
        "" if e.value is None else str(e.value) for e in found.customers
    ]
    assert [row["attempts"] for row in rows] == [str(each.attempts) for each in found.customers]
    text = browser(patient_desk(shop)).get("/lapsed").text
    for each in found.customers[:50]:
        assert f'href="/customers/{each.customer_id}"' in text


@pytest.mark.parametrize("column", ["customer_class", "segment", "region"])
def test_each_filter_chooses(shop: Database, column: str) -> None:
    everybody = expected(shop).customers
    word = next(getattr(each, column) for each in everybody if getattr(each, column))
    rows = exported(
        shop,
        urlencode(
            {column.removeprefix("customer_"): word, "segment" if column != "segment" else "region": ""}
        ),
    )
    assert [row["customer_id"] for row in rows] == [
        each.customer_id for each in everybody if getattr(each, column) == word
    ]
    assert len(rows) > 0


def test_value_and_days_choose(shop: Database) -> None:
    everybody = expected(shop).customers
    worth = sorted(each.value for each in everybody if each.value is not None)[-2]
    rows = exported(shop, f"min_value={worth!r}")
    assert len(rows) == 2
    day = rows[0]["left_at"][:10]
    same = exported(shop, f"since={day}&until={day}")
    assert {row["left_at"][:10] for row in same} == {day}
    assert rows[0]["customer_id"] in {row["customer_id"] for row in same}


@pytest.mark.parametrize("query", ["min_value=many", "since=2024-02-30", "offset=-1"])
def test_a_filter_that_is_none_is_refused(shop: Database, query: str) -> None:
    assert browser(patient_desk(shop)).get(f"/lapsed?{query}").status_code == 422


def test_held_out_customers_are_for_operators_who_ask(shop: Database) -> None:
    everybody, shown = expected(shop, holdout=True), expected(shop)
    held_out = {e.customer_id for e in everybody.customers} - {e.customer_id for e in shown.customers}
    assert held_out
    assert {row["customer_id"] for row in exported(shop, "holdout=1")} >= held_out
    assert not held_out & {row["customer_id"] for row in exported(shop, "holdout=1", as_="ann")}
    text = browser(patient_desk(shop, staff=Staff()), as_="ann").get("/lapsed?holdout=1").text
    assert "held out" not in text
    assert not any(f"/customers/{name}" in text for name in held_out)


def test_further_pages_keep_the_filters(shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consumers.desk.pages.lapsed.PAGE", 2)
    client = browser(patient_desk(shop))
    everybody = [each.customer_id for each in expected(shop, holdout=False).customers]
    found: list[str] = []
    for offset in range(0, len(everybody), 2):
        text = client.get(f"/lapsed?offset={offset}").text
        found += [name for name in everybody if f'/customers/{name}"' in text]
        assert ('rel="next"' in text) == (offset + 2 < len(everybody))
        assert ('rel="prev"' in text) == (offset > 0)
    assert found == everybody


def test_an_empty_list_says_what_to_do(database: Database) -> None:
    assert "Nobody is on this list" in browser(patient_desk(database)).get("/lapsed").text


def contact(customer_id: str, **more: str) -> dict[str, str]:
    return {"kind": "contact", "customer_id": customer_id, "back": "/lapsed?segment=a", **more}


def test_a_contact_from_the_list_is_on_its_way_and_can_be_taken_back(shop: Database) -> None:
    desk = patient_desk(shop, staff=Staff())
    client = browser(desk, as_="ann")
    first, second = expected(shop).customers[:2]
    text = client.get("/lapsed").text
    assert text.count("Note the contact") == min(50, len(expected(shop).customers))
    assert "on its way" not in text
    answer = client.post("/act", data=contact(first.customer_id, result="call_back"), follow_redirects=False)
    assert answer.status_code == 303
    address = answer.headers["location"]
    assert address.startswith("/lapsed?segment=a&done=")
    [pending] = desk.actions.of_customers([first.customer_id, second.customer_id])[first.customer_id]
    assert (pending.kind, pending.warning_id, pending.content["result"]) == ("contact", None, "call_back")
    text = client.get(address.replace("segment=a&", "")).text
    row = text.split(f'/customers/{first.customer_id}"')[1].split("</tr>")[0]
    assert "on its way: contact" in row
    assert "Undo" in text
    assert "on its way" not in text.split(f'/customers/{second.customer_id}"')[1].split("</tr>")[0]
    group = address.rsplit("done=", 1)[1]
    assert client.post("/undo", data={"group_id": group, "back": "/lapsed"}).status_code == 200
    assert "on its way" not in client.get("/lapsed").text


def test_who_may_only_look_sees_no_button_and_exports_are_noted(shop: Database) -> None:
    desk = patient_desk(shop, staff=Staff())
    viewer = next(m.person.name for m in desk.access.people.members if m.person.role is Role.VIEWER)
    client = browser(desk, as_=viewer)
    assert "Note the contact" not in client.get("/lapsed").text
    assert client.get("/lapsed.csv?class=key").status_code == 200
    [entry] = desk.audit.page(AuditFilter(what="export.lapsed"), 5)
    assert (entry.person, entry.detail["query"]) == (viewer, "class=key")


def test_the_list_is_asked_for_again_when_somebody_has_acted(shop: Database) -> None:
    desk = patient_desk(shop)
    client = browser(desk)
    customer_id = expected(shop).customers[0].customer_id
    answer = client.post("/act", data=contact(customer_id), headers={"HX-Request": "true"})
    event = answer.headers["hx-trigger"]
    assert f'hx-trigger="{event} from:body" hx-select="#result"' in client.get("/lapsed").text
    script = files("consumers.desk").joinpath("static", "queue.js").read_text()
    assert f'addEventListener("{event}"' in script
