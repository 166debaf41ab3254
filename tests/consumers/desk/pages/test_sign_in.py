"""Sign in with a token, and out: in which browser, how often, and where to."""

import re

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from consumers.database.database import Database
from consumers.desk.app import create_app
from consumers.desk.desk import Desk
from consumers.desk.people.access import AccessTerms
from consumers.desk.people.attempts import AttemptLimits
from consumers.desk.people.audit import AuditFilter
from tests.consumers.desk.desks import ADDRESS, TOKENS, Staff, browser, desk_over

COOKIE = "lapwing_desk"


@pytest.fixture
def database(either_database: Database) -> Database:
    return either_database


@pytest.fixture
def desk(database: Database) -> Desk:
    return desk_over(database, staff=Staff())


def visitor(desk: Desk, address: str = ADDRESS, peer: str = "192.0.2.1") -> TestClient:
    return TestClient(create_app(desk), base_url=address, client=(peer, 50000))


def sign_in(client: TestClient, name: str, token: str, **more: str) -> Response:
    """Sign in as a browser does without any script: with what the form has."""
    form = client.get("/sign-in", params=more).text
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form))
    assert fields.keys() >= {"csrf", "next"}
    fields = {"csrf": fields["csrf"], "next": more.get("next", fields["next"])}
    return client.post("/sign-in", data={**fields, "name": name, "token": token}, follow_redirects=False)


def done(desk: Desk) -> list[tuple[str | None, str]]:
    return [(each.person, each.what) for each in reversed(desk.audit.page(AuditFilter(), 100))]


def test_a_token_opens_the_desk_and_signing_out_closes_it(desk: Desk) -> None:
    client = visitor(desk)
    first = client.get("/?tier=high", follow_redirects=False)
    assert (first.status_code, first.headers["location"]) == (303, "/sign-in?next=%2F%3Ftier%3Dhigh")
    answer = sign_in(client, "ann", TOKENS["ann"], next="/?tier=high")
    assert (answer.status_code, answer.headers["location"]) == (303, "/?tier=high")
    page = client.get("/")
    assert page.status_code == 200
    assert ">ann ·" in page.text
    assert client.get("/sign-in", follow_redirects=False).headers["location"] == "/"

    csrf = re.findall(r'name="csrf" value="(\w+)"', page.text)[0]
    kept = client.cookies[COOKIE]
    assert client.post("/sign-out", data={"csrf": csrf}, follow_redirects=False).status_code == 303
    assert client.get("/", follow_redirects=False).status_code == 303
    client.cookies.set(COOKIE, kept)
    assert client.get("/", follow_redirects=False).status_code == 303
    assert done(desk) == [("ann", "session.begin"), ("ann", "session.end")]


def test_signing_out_everywhere_ends_all_sessions_of_the_person(desk: Desk) -> None:
    here, there, other = (browser(desk, as_=name) for name in ("ann", "ann", "bob"))
    here.post("/sign-out", data={"everywhere": "true"})
    codes = [each.get("/", follow_redirects=False).status_code for each in (here, there, other)]
    assert codes == [303, 303, 200]


def test_the_session_is_never_one_that_was_planted(desk: Desk) -> None:
    client = visitor(desk)
    client.get("/sign-in")
    planted = client.cookies[COOKIE]
    assert sign_in(client, "ann", TOKENS["ann"]).status_code == 303
    assert client.cookies[COOKIE] != planted
    assert client.get("/").status_code == 200
    victim_of = visitor(desk)
    victim_of.cookies.set(COOKIE, planted)
    assert victim_of.get("/", follow_redirects=False).status_code == 303


@pytest.mark.parametrize(
    ("name", "token"),
    [
        ("ann", TOKENS["bob"]),
        ("ann", ""),
        ("ann", "lapwing_nonsense"),
        ("nobody", TOKENS["ann"]),
        ("", TOKENS["ann"]),
        (TOKENS["ann"], "ann"),
        ("ann\x00", TOKENS["ann"]),
    ],
)
def test_a_name_with_the_token_of_another_is_refused(desk: Desk, name: str, token: str) -> None:
    client = visitor(desk)
    answer = sign_in(client, name, token)
    assert answer.status_code in (403, 422)
    assert client.get("/", follow_redirects=False).status_code == 303
    written = str(desk.audit.page(AuditFilter(), 10))
    assert not any(each in written for each in TOKENS.values())


def test_after_some_failures_an_address_has_to_wait_and_others_have_not(desk: Desk) -> None:
    guessing, other = visitor(desk), visitor(desk, peer="192.0.2.2")
    codes = [sign_in(guessing, "ann", f"guess {number}").status_code for number in range(12)]
    assert codes == [403] * 10 + [429] * 2
    assert sign_in(guessing, "ann", TOKENS["ann"]).status_code == 429
    assert sign_in(other, "ann", TOKENS["ann"]).status_code == 303
    assert done(desk).count((None, "session.refuse")) == 10


def test_a_name_is_not_guessed_at_from_many_addresses(database: Database) -> None:
    desk = desk_over(database, staff=Staff(), limits=AttemptLimits(failed_by_name=5))
    codes = [
        sign_in(visitor(desk, peer=f"192.0.2.{number}"), "ann", "guess").status_code for number in range(7)
    ]
    assert codes == [403] * 5 + [429] * 2
    assert sign_in(visitor(desk), "bob", TOKENS["bob"]).status_code == 303


@pytest.mark.parametrize(
    "back",
    [
        "//evil.example/", "https://evil.example/", "/\\evil.example", "/\t/evil.example", "/\n/evil.example",
        "javascript:alert(1)", "evil.example", "\\\\evil.example", "/\r\nSet-Cookie: a=b", "",
        " //evil.example",
    ],
)  # fmt: skip
def test_the_way_back_leads_nowhere_else(desk: Desk, back: str) -> None:
    answer = sign_in(visitor(desk), "ann", TOKENS["ann"], next=back)
    assert answer.headers["location"] == "/"
    assert "a=b" not in answer.headers["set-cookie"]
    signed_in = browser(desk, as_="ann").get("/sign-in", params={"next": back}, follow_redirects=False)
    assert signed_in.headers["location"] == "/"


def test_cookies_are_for_this_host_for_no_script_and_by_https_only_for_https(desk: Desk) -> None:
    plain = sign_in(visitor(desk), "ann", TOKENS["ann"]).headers["set-cookie"]
    assert re.fullmatch(rf"{COOKIE}=[\w-]+; HttpOnly; Path=/; SameSite=lax", plain)
    client = visitor(desk, "https://127.0.0.1:8085")
    answer = sign_in(client, "ann", TOKENS["ann"])
    secured = answer.headers["set-cookie"]
    assert re.fullmatch(rf"__Host-{COOKIE}=[\w-]+; HttpOnly; Path=/; SameSite=lax; Secure", secured)
    assert answer.headers["strict-transport-security"]
    client.cookies.set(COOKIE, browser(desk, as_="olga").cookies[COOKIE])
    assert ">ann ·" in client.get("/").text


def test_behind_a_proxy_of_https_the_address_that_people_see_counts(database: Database) -> None:
    terms = AccessTerms(base_url="https://desk.example")
    client = visitor(desk_over(database, staff=Staff(), terms=terms), "http://desk.example")
    assert client.get("/sign-in").headers["set-cookie"].startswith(f"__Host-{COOKIE}=")


def test_htmx_is_led_to_the_page_to_sign_in_and_a_stream_is_refused(desk: Desk) -> None:
    client = visitor(desk)
    part = client.get("/", headers={"HX-Request": "true", "HX-Current-URL": f"{ADDRESS}/?tier=high"})
    assert (part.status_code, part.headers["hx-redirect"]) == (401, "/sign-in?next=%2F%3Ftier%3Dhigh")
    foreign = client.get("/", headers={"HX-Request": "true", "HX-Current-URL": "https://evil.example//x"})
    assert foreign.headers["hx-redirect"] == "/sign-in"
    assert client.get("/live", headers={"Accept": "text/event-stream"}).status_code == 401
