"""Who may do what: every route of the desk, asked by each role and by a stranger."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.testclient import TestClient
from httpx2 import Response
from starlette.routing import Mount

from consumers.database.database import Database
from consumers.desk.app import create_app
from consumers.desk.desk import Desk
from consumers.desk.people.person import LOCAL, Person, Role
from consumers.desk.people.sign_in import Needs
from consumers.desk.surroundings import is_open
from streams.contract.warnings import encode_step
from tests.consumers.desk.desks import Staff, browser, desk_over
from tests.consumers.stored import store_records
from tests.consumers.warning_events import life, records, step

WHO = {"vic": Role.VIEWER, "ann": Role.AGENT, "olga": Role.OPERATOR}
OWN_AFFAIRS = {"/sign-out", "/views", "/views/{seq}/delete", "/api/views", "/api/views/{view_id}"}
"""What a viewer too may change: their own affairs."""
STREAMS = {"/live"}
"""Answers that do not end."""


def routes(app: FastAPI) -> Iterator[Any]:
    """Yield the routes of the pages and of the API, with the whole path of each."""
    for each in app.routes:
        if hasattr(each, "effective_route_contexts"):
            yield from each.effective_route_contexts()
        else:
            assert isinstance(each, Mount), each
            assert each.path == "/static"


def needs(dependant: Dependant) -> Role | None:
    """Return the role that a route asks for by its parameters."""
    own = [dependant.call.role] if isinstance(dependant.call, Needs) else []
    inner = [role for each in dependant.dependencies if (role := needs(each)) is not None]
    return max(own + inner, default=None)


def every(database: Database) -> list[tuple[str, str, Role | None]]:
    found = [
        (method, route.path, needs(route.dependant))
        for route in routes(create_app(desk_over(database)))
        for method in sorted(route.methods)
    ]
    assert len(found) >= 5
    return found


def ask(client: TestClient, method: str, path: str, **filled: str) -> Response:
    address = re.sub(r"{(\w+)(?::\w+)?}", lambda part: filled.get(part[1], "none"), path)
    return client.request(method, address, follow_redirects=False)


def test_every_route_asks_for_a_role(database: Database) -> None:
    without = {path for _method, path, role in every(database) if role is None}
    assert {path for path in without if not is_open(path)} == set()


def test_who_only_looks_changes_nothing(database: Database) -> None:
    changing = [(path, role) for method, path, role in every(database) if method not in ("GET", "HEAD")]
    weak = {path for path, role in changing if role is Role.VIEWER}
    assert weak <= OWN_AFFAIRS


def test_each_route_lets_in_who_may_and_nobody_else(database: Database) -> None:
    desk = desk_over(database, staff=Staff())
    stranger = browser(desk)
    staff = {name: browser(desk, as_=name) for name in WHO}
    for method, path, role in every(database):
        if is_open(path):
            continue
        refused = ask(stranger, method, path)
        assert refused.status_code in (401, 303), path
        if refused.status_code == 303:
            assert refused.headers["location"].startswith("/sign-in"), path
        for name, theirs in WHO.items():
            assert role is not None
            if path in STREAMS or path in OWN_AFFAIRS:
                continue
            code = ask(staff[name], method, path).status_code
            if theirs >= role:
                assert code not in (401, 403), (name, method, path, code)
            else:
                assert code == 403, (name, method, path, code)


@pytest.mark.parametrize("name", WHO)
def test_only_operators_find_who_is_held_out(database: Database, name: str) -> None:
    held = replace(step(customer="held-out-one", number=1), holdout=True)
    store_records(database, records([encode_step(held, "lapwing"), *life("shown-one")[:1]]))
    desk: Desk = desk_over(database, staff=Staff())
    client = browser(desk, as_=name)
    warning_id = held.warning_id
    seen = set()
    for method, path, role in every(database):
        if method != "GET" or path in STREAMS or is_open(path) or role is None or WHO[name] < role:
            continue
        answer = ask(client, method, path, customer_id="held-out-one", warning_id=warning_id)
        asked = re.sub(r"{customer_id(?::path)?}", "held-out-one", path)
        content = answer.text.replace(asked, "")
        if "held-out-one" in content or warning_id in content:
            seen.add(path)
    if WHO[name] is not Role.OPERATOR:
        assert seen == set()


def test_a_higher_role_may_all_that_a_lower_one_may() -> None:
    assert [[Person("x", role).may(each) for each in Role] for role in Role] == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]
    assert LOCAL.may(Role.OPERATOR)
