"""Whatever stands in an address or a form: an answer, never a fault, a script or another site."""

from __future__ import annotations

import re
from urllib.parse import quote, urlencode

from fastapi.dependencies.models import Dependant

from consumers.database.database import Database
from consumers.desk.app import create_app
from tests.consumers.desk.desks import browser, desk_over
from tests.consumers.desk.test_rights import STREAMS, routes
from tests.consumers.stored import store_records
from tests.consumers.warning_events import life, records, warning_id

HOSTILE = (
    *("\0", "x" * 3_000, "..", "<script>alert(1)</script>", "%2e%2e%2f", "nan", "9" * 30, "\u202e\U0001f600"),
    *("0001-01-01", "9999-12-31", "9999-12-31T23:59", "T", "' OR 1=1 --"),
)


def parameters(dependant: Dependant) -> set[str]:
    """Return what a route reads of the address behind the question mark."""
    own = {each.alias for each in dependant.query_params}
    return own.union(*map(parameters, dependant.dependencies))


def test_no_address_brings_the_desk_down(database: Database) -> None:
    store_records(database, records(life("c1")[:1]))
    desk = desk_over(database)
    client = browser(desk)
    asked = 0
    for route in routes(create_app(desk)):
        if "GET" not in route.methods or route.path in STREAMS:
            continue
        names = parameters(route.dependant) | {"at", "tier", "customer", "show"}
        addresses = [f"{route.path}?{urlencode({name: text})}" for name in sorted(names) for text in HOSTILE]
        addresses += [re.sub(r"{[\w:]+}", quote(text, safe=""), route.path) for text in HOSTILE]
        for address in addresses:
            filled = re.sub(r"{[\w:]+}", "c1", address)
            answer = client.get(filled, follow_redirects=False)
            assert answer.status_code < 500 or answer.status_code == 503, filled
            if answer.headers.get("content-type", "").startswith("text/html"):
                assert "<script>alert" not in answer.text, filled
            asked += 1
    assert asked > 1_000


def test_no_form_brings_the_desk_down(database: Database) -> None:
    steps = life("c1")[:1]
    store_records(database, records(steps))
    desk = desk_over(database)
    client = browser(desk)
    fields = {
        "/act": "kind customer_id warning_id lasts until play result reason assignee corrects gift once back",
        "/undo": "group_id back",
        "/queue/act": "kind id query until assignee everything click",
        "/views": "name sharing query",
        "/views/1/delete": "query",
        "/silences": "reason tiers rules customers regions starts_at ends_at lasting days dates begins ends",
        "/silences/none/end": "",
        "/language": "language back",
    }
    changing = {
        r.path for r in routes(create_app(desk)) if "POST" in r.methods and not r.path.startswith("/api")
    }
    assert changing - {"/sign-in", "/sign-out"} == {
        path.replace("/1/", "/{seq}/").replace("/none/", "/{silence_id}/") for path in fields
    }
    usual = {
        "/act": {"kind": "snooze", "customer_id": "c1", "warning_id": warning_id("c1"), "back": "/"},
        "/queue/act": {"kind": "snooze", "id": warning_id("c1")},
        "/silences": {"reason": "why", "everything": "1", "lasting": "until", "ends_at": "2030-01-01T00:00"},
    }
    for path, names in fields.items():
        for name in names.split():
            for text in HOSTILE:
                data = {**usual.get(path, {}), name: text}
                answer = client.post(path, data=data, follow_redirects=False)
                assert answer.status_code < 500, (path, name, text)
                assert "<script>alert" not in answer.text, (path, name)
                place = answer.headers.get("location", "/")
                assert place.startswith("/"), (path, name, place)
                assert not place.startswith(("//", "/\\")), (path, name, place)
