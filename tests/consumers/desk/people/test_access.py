"""Who asks: sessions with their ends, proxies, tokens of the API, names of the desk."""

from datetime import datetime, timedelta
from ipaddress import ip_network

import pytest
from fastapi.testclient import TestClient

from consumers.database.database import Database
from consumers.desk.app import create_app
from consumers.desk.clock import DeskClock
from consumers.desk.desk import Desk
from consumers.desk.people.access import Access, AccessTerms
from consumers.desk.people.audit import AuditFilter
from consumers.desk.people.people import token_hash
from consumers.desk.people.person import Person, Role
from consumers.desk.people.proxy import Proxies
from tests.consumers.desk.desks import (
    ADDRESS,
    NOW,
    STAFF,
    TOKENS,
    Sent,
    ShippedRules,
    Staff,
    browser,
    desk_over,
    member,
)
from tests.consumers.desk.desks import CONFIG as DESK

COOKIE = "lapwing_desk"


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def desk_with_clock(database: Database, staff: Staff) -> tuple[Desk, Clock]:
    clock = Clock()
    given = DeskClock(clock, clock)
    access = Access(database, given.wall, AccessTerms(), staff)
    return Desk(DESK, database, given, ShippedRules(), Sent(), access), clock


def is_signed_in(client: TestClient) -> bool:
    answer = client.get("/", follow_redirects=False)
    assert answer.status_code in (200, 303)
    return answer.status_code == 200


def test_a_session_ends_when_it_is_idle_and_after_its_time(database: Database) -> None:
    desk, clock = desk_with_clock(database, Staff())
    client = browser(desk, as_="ann")
    for _ in range(11):
        clock.now += timedelta(hours=1)
        assert is_signed_in(client)
    clock.now += timedelta(hours=1)
    assert not is_signed_in(client)

    client = browser(desk, as_="ann")
    clock.now += timedelta(hours=4) - timedelta(seconds=1)
    assert is_signed_in(client)
    clock.now += timedelta(hours=4)
    assert not is_signed_in(client)


def test_a_stranger_and_a_made_up_session_are_nobody(database: Database) -> None:
    desk = desk_over(database, staff=Staff())
    assert not is_signed_in(browser(desk))
    for secret in ("x", "", "a" * 10_000, "../..", "' OR 1=1 --"):
        client = TestClient(create_app(desk), base_url=ADDRESS)
        client.cookies.set(COOKIE, secret)
        assert not is_signed_in(client)


def test_the_database_has_no_secret_of_a_session(database: Database) -> None:
    desk = desk_over(database, staff=Staff())
    client = browser(desk, as_="ann")
    with database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM desk_sessions").all()
    assert len(rows) == 1
    assert client.cookies[COOKIE] not in str(rows)
    assert TOKENS["ann"] not in str(rows)


def test_who_leaves_is_signed_out_for_good_and_a_new_role_counts_at_once(database: Database) -> None:
    staff = Staff()
    desk = desk_over(database, staff=staff)
    ann, bob = browser(desk, as_="ann"), browser(desk, as_="bob")
    assert is_signed_in(ann)
    staff.become(*(member(each) for each in STAFF if each.name != "ann"))
    assert is_signed_in(bob)
    staff.become(*map(member, STAFF))
    assert not is_signed_in(ann)
    assert is_signed_in(bob)


def test_a_new_token_ends_the_sessions_of_the_old_one(database: Database) -> None:
    staff = Staff()
    desk = desk_over(database, staff=staff)
    ann = browser(desk, as_="ann")
    assert is_signed_in(ann)
    others = [member(each) for each in STAFF if each.name != "ann"]
    staff.become(member(STAFF[1], token_hash=token_hash("another")), *others)
    assert not is_signed_in(ann)


def by_proxy(database: Database, peer: str, staff: Staff | None = None) -> tuple[Desk, TestClient]:
    terms = AccessTerms(proxy_header="Remote-User", proxies=Proxies((ip_network("10.0.0.0/24"),)))
    desk = desk_over(database, staff=staff or Staff(), terms=terms)
    return desk, TestClient(create_app(desk), base_url=ADDRESS, client=(peer, 50000))


@pytest.mark.parametrize("identity", ["ann", "ann@shop.example", "ANN@shop.example"])
def test_a_proxy_says_who_somebody_is(database: Database, identity: str) -> None:
    _desk, client = by_proxy(database, "10.0.0.7")
    answer = client.get("/", headers={"Remote-User": identity})
    assert answer.status_code == 200
    assert ">ann ·" in answer.text
    assert not is_signed_in(client)


def test_the_same_header_from_elsewhere_is_ignored_and_logged(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    _desk, client = by_proxy(database, "192.0.2.66")
    for _ in range(3):
        answer = client.get("/", headers={"Remote-User": "olga"}, follow_redirects=False)
        assert answer.status_code == 303
    assert caplog.text.count("192.0.2.66") == 1
    assert "ignored" in caplog.text


def test_a_proxy_that_lets_the_browsers_own_header_through_signs_nobody_in(database: Database) -> None:
    _desk, client = by_proxy(database, "10.0.0.7")
    headers = [("Remote-User", "olga"), ("Remote-User", "ann")]
    assert client.get("/", headers=headers, follow_redirects=False).status_code == 303


def test_who_is_unknown_behind_a_proxy_is_told_so(database: Database) -> None:
    _desk, client = by_proxy(database, "10.0.0.7")
    answer = client.get("/", headers={"Remote-User": '<script>alert("x")'})
    assert answer.url.path == "/sign-in"
    assert "&lt;script&gt;alert(" in answer.text
    assert "<script>alert" not in answer.text


def test_a_token_opens_the_api_and_no_page(database: Database) -> None:
    desk = desk_over(database, staff=Staff())
    client = TestClient(create_app(desk), base_url=ADDRESS)
    headers = {"Authorization": f"Bearer {TOKENS['ann']}"}
    assert client.get("/", headers=headers, follow_redirects=False).status_code == 303
    assert client.get("/api/none", headers=headers).status_code == 404
    wrong = client.get("/api/none", headers={"Authorization": "Bearer nonsense"})
    assert (wrong.status_code, wrong.headers["www-authenticate"]) == (401, "Bearer")
    assert client.get("/api/none").status_code == 401
    assert [each.what for each in desk.audit.page(AuditFilter(), 9)] == ["session.refuse"]


def test_guessing_tokens_of_the_api_comes_to_an_end(database: Database) -> None:
    desk = desk_over(database, staff=Staff())
    client = TestClient(create_app(desk), base_url=ADDRESS)
    codes = [
        client.get("/api/none", headers={"Authorization": f"Bearer {number}"}).status_code
        for number in range(12)
    ]
    assert codes == [401] * 10 + [429] * 2
    last = client.get("/api/none", headers={"Authorization": f"Bearer {TOKENS['ann']}"})
    assert (last.status_code, last.headers["retry-after"]) == (429, "60")


@pytest.mark.parametrize(
    ("host", "base_url", "local", "signed_in"),
    [
        ("127.0.0.1:8085", None, True, True),
        ("localhost", None, True, True),
        ("[::1]:8085", None, True, True),
        ("desk.example", None, False, True),
        ("evil.example", "https://desk.example/retention", False, False),
        ("desk.example", "https://desk.example/retention", True, True),
        ("192.0.2.1:80", "https://desk.example", False, True),
        ("", None, False, True),
        ("127.0.0.1.evil.example", None, False, True),
        ("127.0.0.1.evil.example", "https://desk.example", False, False),
        ("desk.example@evil.example", "https://desk.example", False, False),
    ],
)
def test_only_the_names_of_the_desk_lead_to_it(
    database: Database, host: str, base_url: str | None, local: bool, signed_in: bool
) -> None:
    terms = AccessTerms(base_url=base_url)
    assert desk_over(database, terms=terms).access.knows_host(host) is local
    assert desk_over(database, terms=terms, staff=Staff()).access.knows_host(host) is signed_in


def test_somebody_without_anything_to_show_stays_outside(database: Database) -> None:
    """A session of nothing must not fit somebody who has nothing."""
    bare = member(Person("vic", Role.VIEWER), token_hash=None, email=None)
    desk = desk_over(database, staff=Staff(bare))
    secret = desk.access.sessions.begin("vic", by="token")
    client = TestClient(create_app(desk), base_url=ADDRESS)
    client.cookies.set(COOKIE, secret)
    assert not is_signed_in(client)
