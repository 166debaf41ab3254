"""Addresses of the desk's own pages."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from fastapi import Request

_FOLDERS: Final = (".", "..")


def own_path(text: str) -> str:
    """Return the address of a page of ours to go to, or `/` where it may lead elsewhere.

    Browsers leave out tabs and line breaks, and take a backslash for a slash.

    >>> [own_path(text) for text in ("/rules?a=1", "//evil.example", "https://evil.example")]
    ['/rules?a=1', '/', '/']
    """
    inside = text.startswith("/") and text.isprintable() and not text.startswith(("//", "/\\"))
    return text if inside else "/"


def customer_address(customer_id: str, query: str = "", page: str = "customers") -> str:
    """Return the address of a page about a customer.

    A browser takes `.` and `..` in a path for folders, however they are written there.

    >>> customer_address("a/b", "tier=high"), customer_address("..", "tier=high")
    ('/customers/a%2Fb?tier=high', '/customers?id=..&tier=high')
    """
    if customer_id in _FOLDERS:
        query = f"id={customer_id}&{query}" if query else f"id={customer_id}"
        return f"/{page}?{query}"
    path = f"/{page}/{quote(customer_id, safe='')}"
    return f"{path}?{query}" if query else path


def customer_of(address: str) -> str | None:
    """Return the customer of an address that `customer_address` returned; `None` for that of another page.

    >>> [customer_of(each) for each in ("/customers/a%2Fb?tier=high", "/customers?id=..", "/")]
    ['a/b', '..', None]
    """
    split = urlsplit(address)
    if split.path == "/customers":
        return dict(parse_qsl(split.query)).get("id")
    if not split.path.startswith("/customers/"):
        return None
    return unquote(split.path.removeprefix("/customers/"))


def sign_in_address(request: Request) -> str:
    """Return where to sign in, and to come back from there to where one was."""
    here = request.url
    if request.headers.get("hx-request") == "true":
        page = urlsplit(request.headers.get("hx-current-url", "/"))
        back = page.path + (f"?{page.query}" if page.query else "")
    elif request.method == "GET":
        back = here.path + (f"?{here.query}" if here.query else "")
    else:
        back = "/"
    back = own_path(back)
    return "/sign-in" if back == "/" else f"/sign-in?next={quote(back, safe='')}"


def route_of(request: Request) -> str:
    """Return which page was asked for, as the log has it: the path without the customer in it."""
    return str(getattr(request.scope.get("route"), "path", "some page"))
