"""Addresses of the desk's own pages."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from fastapi import Request


def own_path(text: str) -> str:
    """Return the address of a page of ours to go to, or `/` where it may lead elsewhere.

    Browsers leave out tabs and line breaks, and take a backslash for a slash.

    >>> [own_path(text) for text in ("/rules?a=1", "//evil.example", "https://evil.example")]
    ['/rules?a=1', '/', '/']
    """
    inside = text.startswith("/") and text.isprintable() and not text.startswith(("//", "/\\"))
    return text if inside else "/"


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
