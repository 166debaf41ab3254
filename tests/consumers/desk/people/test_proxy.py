"""Which headers are believed, and from whom."""

from ipaddress import ip_network

import pytest
from starlette.requests import HTTPConnection

from consumers.desk.people.proxy import Proxies, is_address, is_loopback

PROXIES = Proxies((ip_network("10.0.0.0/24"), ip_network("fd00::/8")))


def connection(peer: str | None, *headers: tuple[str, str], scheme: str = "http") -> HTTPConnection:
    return HTTPConnection(
        {
            "type": "http",
            "scheme": scheme,
            "client": (peer, 1234) if peer is not None else None,
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers],
        }
    )


@pytest.mark.parametrize(
    ("peer", "identity"),
    [
        ("10.0.0.7", "ann"),
        ("::ffff:10.0.0.7", "ann"),
        ("fd00::1", "ann"),
        ("10.0.1.7", None),
        ("127.0.0.1", None),
        ("", None),
        ("testclient", None),
        (None, None),
    ],
)
def test_only_a_proxy_says_who_somebody_is(peer: str | None, identity: str | None) -> None:
    assert PROXIES.identity(connection(peer, ("Remote-User", " ann ")), "remote-user") == identity


@pytest.mark.parametrize("values", [("ann", "olga"), ("ann", ""), ("",), ("  ",), ()])
def test_a_header_that_is_not_there_once_is_nobodys(values: tuple[str, ...]) -> None:
    given = connection("10.0.0.7", *(("Remote-User", value) for value in values))
    assert PROXIES.identity(given, "Remote-User") is None


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.9", ["198.51.100.1"], "192.0.2.9"),  # no proxy: anybody can write this
        ("10.0.0.7", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.7", ["6.6.6.6, 198.51.100.1, 10.0.0.8"], "198.51.100.1"),
        ("10.0.0.7", ["6.6.6.6", "198.51.100.1"], "198.51.100.1"),
        ("10.0.0.7", ["nonsense"], "10.0.0.7"),
        ("10.0.0.7", ["198.51.100.1, nonsense"], "10.0.0.7"),
        ("10.0.0.7", [], "10.0.0.7"),
        ("10.0.0.7", ["10.0.0.8"], "10.0.0.8"),
    ],
)
def test_the_address_is_the_last_that_a_proxy_saw(peer: str, forwarded: list[str], client: str) -> None:
    assert PROXIES.client(connection(peer, *(("X-Forwarded-For", each) for each in forwarded))) == client


def test_only_a_proxy_says_that_a_browser_came_by_https() -> None:
    header = ("X-Forwarded-Proto", "https")
    assert PROXIES.scheme(connection("10.0.0.7", header)) == "https"
    assert PROXIES.scheme(connection("192.0.2.9", header)) == "http"
    assert PROXIES.scheme(connection("10.0.0.7", ("X-Forwarded-Proto", "javascript"))) == "http"


def test_what_only_this_machine_reaches() -> None:
    assert all(map(is_loopback, ["localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]"]))
    assert not any(
        map(is_loopback, ["", "0.0.0.0", "::", "192.0.2.1", "localhost.evil.example", "127.0.0.1.x"])
    )
    assert is_address("192.0.2.1")
    assert not is_address("desk.example")
