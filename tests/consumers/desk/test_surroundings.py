"""Changes come from pages of the desk alone, small enough and not too often; whatever a page forgets."""

import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient

from consumers.database.database import Database
from consumers.database.many_rows import RowRefused
from consumers.desk.desk import Desk
from consumers.desk.people.attempts import AttemptLimits
from consumers.desk.surroundings import MAX_BODY
from streams.errors import StoreError
from tests.consumers.desk.desks import TOKENS, Staff, browser, desk_over


@pytest.fixture
def desk(database: Database) -> Desk:
    return desk_over(database, staff=Staff())


def with_pages(client: TestClient) -> TestClient:
    """Give a desk pages whose author forgot to say who may see them."""
    app = client.app
    assert isinstance(app, FastAPI)

    @app.post("/change")
    async def change(request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    @app.get("/forgotten")
    def forgotten() -> str:
        return "secret"

    @app.get("/stream")
    def stream() -> StreamingResponse:
        def parts() -> Iterator[bytes]:
            yield b"one"
            yield b"two"

        return StreamingResponse(parts())

    return client


def changes(client: TestClient, **headers: str) -> int:
    given = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    return with_pages(client).post("/change", headers=given).status_code


@pytest.mark.parametrize("local", [True, False])
def test_a_page_elsewhere_changes_nothing(database: Database, local: bool) -> None:
    desk = desk_over(database, staff=None if local else Staff())

    def here() -> TestClient:
        return browser(desk, as_=None if local else "ann")

    own = "http://127.0.0.1:8085"
    assert changes(here()) == 200
    assert changes(here(), sec_fetch_site="same-origin", origin=own) == 200
    assert changes(here(), sec_fetch_site="none") == 200
    assert changes(here(), origin=own) == 200
    for foreign in ("cross-site", "same-site"):
        assert changes(here(), sec_fetch_site=foreign) == 403
    for origin in (
        "https://evil.example",
        "null",
        "http://127.0.0.1:9999",
        "http://127.0.0.1:8085.evil.example",
    ):
        assert changes(here(), origin=origin) == 403
    assert changes(here(), x_csrf_token="") == 403
    assert changes(here(), x_csrf_token="é" * 64) == 403
    without = here()
    without.cookies.clear()
    assert changes(without) == 403
    mine, yours = here(), here()
    mine.headers["X-CSRF-Token"] = yours.headers["X-CSRF-Token"]
    assert changes(mine) == 403


def test_a_pages_token_looks_different_each_time_and_is_good_in_its_own_browser_only(desk: Desk) -> None:
    def tokens(client: TestClient) -> list[str]:
        return [re.findall(r'name="csrf" value="(\w+)"', client.get("/silences").text)[0] for _ in range(2)]

    mine, yours = (with_pages(browser(desk, as_="olga")) for _ in range(2))
    first, second = tokens(mine)
    assert first != second
    for token in (first, second):
        assert mine.post("/change", headers={"X-CSRF-Token": token}).status_code == 200
        assert yours.post("/change", headers={"X-CSRF-Token": token}).status_code == 403
        assert mine.post("/change", headers={"X-CSRF-Token": token[:-1] + "g"}).status_code == 403
        assert mine.post("/change", headers={"X-CSRF-Token": "0" * 128}).status_code == 403


def test_a_form_carries_the_token_in_a_field_and_comes_whole_to_its_page(desk: Desk) -> None:
    client = with_pages(browser(desk, as_="ann"))
    token = client.headers.pop("X-CSRF-Token")
    answer = client.post("/change", data={"csrf": token, "note": "x" * 100})
    assert (answer.status_code, answer.json()) == (200, {"bytes": len(f"csrf={token}&note=") + 100})
    assert client.post("/change", data={"csrf": "wrong"}).status_code == 403
    assert client.post("/change", files={"csrf": token}).status_code == 403
    assert client.post("/change", json={"csrf": token}).status_code == 403
    assert client.request("DELETE", "/change", headers={"X-CSRF-Token": token}).status_code == 405


def test_what_a_page_forgets_is_refused_all_the_same(desk: Desk) -> None:
    stranger = with_pages(browser(desk))
    assert stranger.get("/forgotten", follow_redirects=False).status_code == 303
    assert stranger.post("/change", follow_redirects=False).status_code == 303
    assert stranger.get("/api/forgotten").status_code == 401
    assert stranger.get("/no-such-page", follow_redirects=False).status_code == 303
    assert stranger.get("/static/desk.css").status_code == 200
    assert stranger.get("/static/../app.py", follow_redirects=False).status_code in (303, 404)
    assert stranger.get("/static/%2e%2e/app.py", follow_redirects=False).status_code in (303, 404)
    assert with_pages(browser(desk, as_="vic")).get("/forgotten").json() == "secret"


def test_a_large_body_is_refused_before_it_is_whole(desk: Desk) -> None:
    client = with_pages(browser(desk, as_="ann"))
    assert client.post("/change", content=b"x" * MAX_BODY).json() == {"bytes": MAX_BODY}
    assert client.post("/change", content=b"x" * (MAX_BODY + 1)).status_code == 413
    given = 0

    def endless() -> Iterator[bytes]:
        nonlocal given
        while True:
            given += 100_000
            yield b"x" * 100_000
            if given > 50 * MAX_BODY:
                return

    assert client.post("/change", content=endless()).status_code == 413


def test_who_changes_too_much_has_to_wait_and_may_still_look(database: Database) -> None:
    desk = desk_over(database, staff=Staff(), limits=AttemptLimits(changes=5))
    ann, bob = with_pages(browser(desk, as_="ann")), with_pages(browser(desk, as_="bob"))
    answers = [ann.post("/change") for _ in range(7)]
    assert [each.status_code for each in answers] == [200] * 5 + [429] * 2
    assert answers[-1].headers["retry-after"] == "60"
    assert ann.get("/").status_code == 200
    assert bob.post("/change").status_code == 200


def test_a_name_that_leads_here_by_rebinding_sees_nothing(database: Database) -> None:
    client = browser(desk_over(database))
    for host in ("evil.example", "127.0.0.1.evil.example", ""):
        answer = client.get("/", headers={"Host": host})
        assert answer.status_code == 421
        assert "Lapwing" not in answer.text


def test_a_token_of_the_api_needs_no_page(desk: Desk) -> None:
    client = browser(desk)
    client.cookies.clear()
    headers = {"Authorization": f"Bearer {TOKENS['ann']}", "X-CSRF-Token": ""}
    answer = client.post("/api/none", headers=headers)
    assert answer.status_code == 404
    assert "set-cookie" not in answer.headers


def test_without_a_database_one_is_told_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    client = browser(desk, as_="ann")

    def away(secret: str) -> None:
        msg = "the database is away"
        raise StoreError(msg)

    monkeypatch.setattr(desk.access.sessions, "find", away)
    answer = client.get("/")
    assert answer.status_code == 503
    assert "database" in answer.text


def test_what_no_database_takes_is_a_wrong_question(desk: Desk) -> None:
    client = browser(desk, as_="ann")
    app = client.app
    assert isinstance(app, FastAPI)

    @app.get("/nul")
    def nul() -> None:
        msg = "PostgreSQL text fields cannot contain NUL (0x00) bytes"
        raise RowRefused(msg)

    assert client.get("/nul").status_code == 422


def test_every_answer_has_the_headers_that_bind_a_browser(desk: Desk) -> None:
    client = with_pages(browser(desk, as_="ann"))
    for path in ("/", "/no-such-page", "/stream", "/sign-in", "/static/desk.css", "/static/none"):
        headers = client.get(path, follow_redirects=False).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "unsafe" not in headers["content-security-policy"]
        assert "no-store" in headers["cache-control"] or path == "/static/desk.css"
    assert "immutable" in client.get("/static/desk.css").headers["cache-control"]


def test_a_fault_is_a_page_with_all_headers_and_stands_in_the_log(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    client = browser(desk, as_="ann")
    app = client.app
    assert isinstance(app, FastAPI)

    @app.get("/fault")
    @app.get("/api/fault")
    def fault() -> None:
        msg = "a secret of the machine"
        raise RuntimeError(msg)

    for path in ("/fault", "/api/fault"):
        answer = client.get(path)
        assert answer.status_code == 500
        assert "Something went wrong" in answer.text
        assert "secret" not in answer.text
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        assert f"GET {path}" in caplog.text
