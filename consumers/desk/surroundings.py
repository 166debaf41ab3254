"""What surrounds every request: who asks, in which language, and what a browser may do with the answer.

All is refused unless it is allowed: who has not signed in sees the way to sign in, whatever a page forgets.
A request that changes something must come from a page of the desk and be of a bearable size and frequency.
"""

from __future__ import annotations

import hmac
import logging
from typing import Final
from urllib.parse import parse_qs

from fastapi import HTTPException, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from consumers.desk.addresses import route_of
from consumers.desk.desk import Desk
from consumers.desk.errors import answer, detail_of
from consumers.desk.people.access import Visit
from consumers.desk.people.sessions import masked, unmasked
from consumers.language import _, choose, language
from consumers.web.bodies import again, whole_body
from streams.errors import StoreError

log = logging.getLogger(__name__)

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
TRANSPORT: Final = {"Strict-Transport-Security": "max-age=31536000"}
"""Where the desk is reached by https."""
LANGUAGE_COOKIE: Final = "lapwing_language"
MAX_BODY: Final = 1_000_000
"""Bytes of a request; the largest is an action on some thousands of warnings."""
_FOREVER: Final = "public, max-age=31536000, immutable"
_STATIC: Final = "/static/"
_SAFE: Final = ("GET", "HEAD", "OPTIONS")
_FORM: Final = "application/x-www-form-urlencoded"


def is_open(path: str) -> bool:
    """Return whether a page is for those too who have not signed in."""
    return path in ("/sign-in", "/language") or path.startswith("/sign-in/")


class Surroundings:
    """Middleware around all pages; a stream passes through it at once."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        desk: Desk = request.app.state.desk
        is_static = request.url.path.startswith(_STATIC)
        visit: Visit | None = None
        begun = False

        async def with_headers(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                caching = _FOREVER if is_static and message["status"] == 200 else "no-store"
                transport = TRANSPORT if visit is not None and visit.secure else {}
                for name, value in {**HEADERS, **transport, "Cache-Control": caching}.items():
                    headers.setdefault(name, value)
                if visit is not None and visit.is_new and visit.by != "bearer":
                    given = headers.getlist("set-cookie")
                    if not any(each.startswith(f"{visit.cookie}=") for each in given):
                        give_cookie(headers, visit, visit.secret)
            await send(message)

        request.state.person, request.state.csrf, request.state.visit = None, "", None
        request.state.newest = desk.live.newest
        _choose_language(request)
        if not desk.access.knows_host(request.headers.get("host", "")):
            refusal: Response = PlainTextResponse("The desk is not known by this name.\n", 421)
            await refusal(scope, receive, with_headers)
            return
        if is_static:
            await self._app(scope, receive, with_headers)
            return
        try:
            visit = await run_in_threadpool(desk.access.visit, request)
            request.state.visit, request.state.person = visit, visit.person
            request.state.csrf = masked(visit.csrf)
            _choose_language(request)
            if request.method not in _SAFE:
                body = await whole_body(request, MAX_BODY)
                _check_change(desk, request, visit, body)
                receive = again(body, receive)
            if visit.person is None and not is_open(request.url.path):
                raise HTTPException(401)
        except HTTPException as error:
            await answer(request, error.status_code, detail_of(error))(scope, receive, with_headers)
        except StoreError as error:
            log.warning("%s %s: %s", request.method, route_of(request), error)
            await answer(request, 503, "")(scope, receive, with_headers)
        else:
            try:
                await self._app(scope, receive, with_headers)
            except Exception:
                if begun:
                    raise
                # Here and not by the framework, whose answer would have neither the headers nor the look.
                log.exception("%s %s", request.method, route_of(request))
                await answer(request, 500, "")(scope, receive, with_headers)


def give_cookie(headers: MutableHeaders, visit: Visit, secret: str) -> None:
    """Let a browser be known by a secret until it is closed."""
    response = Response()
    response.set_cookie(visit.cookie, secret, path="/", secure=visit.secure, httponly=True, samesite="lax")
    headers.append("Set-Cookie", response.headers["set-cookie"])


def _choose_language(request: Request) -> None:
    person = request.state.person
    language.set(
        choose(
            request.cookies.get(LANGUAGE_COOKIE),
            person.language if person is not None else None,
            accepted=request.headers.get("accept-language", ""),
        )
    )


def _check_change(desk: Desk, request: Request, visit: Visit, body: bytes) -> None:
    """Refuse a request that a page elsewhere may have made, and one of too many."""
    if visit.by != "bearer":
        if not desk.access.is_own_page(request):
            raise HTTPException(403, _("this request comes from another site"))
        given = unmasked(request.headers.get("x-csrf-token") or _field(request, body))
        if visit.is_new or not hmac.compare_digest(given.encode(), visit.csrf.encode()):
            raise HTTPException(403, _("this page is too old: load it again"))
    if (
        visit.person is not None
        and visit.by != "local"
        and not desk.access.attempts.may_change(visit.person.name)
    ):
        raise HTTPException(429)


def _field(request: Request, body: bytes) -> str:
    """Return the field `csrf` of a form."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        return ""
    return parse_qs(body.decode("utf-8", "replace")).get("csrf", [""])[0]
