"""Sign in and out."""

from __future__ import annotations

import logging
from typing import Annotated, Final
from urllib.parse import quote, unquote

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from consumers.desk.addresses import own_path
from consumers.desk.desk import Desk
from consumers.desk.people.access import Visit
from consumers.desk.people.oidc import CALLBACK, SignInRefused
from consumers.desk.people.sessions import new_secret
from consumers.desk.people.sign_in import Viewer
from consumers.desk.refusals import explained
from consumers.desk.rendering import render
from consumers.desk.surroundings import give_cookie

log = logging.getLogger(__name__)

ATTEMPT_COOKIE: Final = "lapwing_attempt"
_ATTEMPT_S: Final = 600
_SECRET_LENGTH: Final = len(new_secret())

router = APIRouter()


@router.get("/sign-in")
def show(request: Request, next: str = "/") -> Response:
    """Show the ways to sign in, or go on where somebody has signed in already."""
    if request.state.person is not None:
        return RedirectResponse(own_path(next), 303)
    return _form(request, next)


def _form(request: Request, back: str, *, failed: bool = False, refused: str = "") -> Response:
    desk: Desk = request.app.state.desk
    visit: Visit = request.state.visit
    return render(
        request,
        "sign_in.html",
        code=403 if failed or refused else 200,
        back=own_path(back),
        failed=failed,
        refused=refused,
        unknown=visit.unknown,
        oidc=desk.access.oidc is not None,
    )


@router.get("/sign-in/oidc")
def to_provider(request: Request, next: str = "/") -> Response:
    """Send a browser to the OpenID provider."""
    desk: Desk = request.app.state.desk
    if desk.access.oidc is None:
        raise HTTPException(404)
    visit: Visit = request.state.visit
    secret = new_secret()
    try:
        answer = RedirectResponse(desk.access.oidc.authorization_url(secret), 303)
    except SignInRefused as error:
        log.warning("%s", error)
        return _form(request, next, refused=explained(error))
    answer.set_cookie(
        ATTEMPT_COOKIE,
        f"{secret}{quote(own_path(next), safe='')}",
        max_age=_ATTEMPT_S,
        path="/sign-in",
        secure=visit.secure,
        httponly=True,
        samesite="lax",
    )
    return answer


@router.get(CALLBACK)
def from_provider(request: Request) -> Response:
    """Sign in whom the OpenID provider names."""
    desk: Desk = request.app.state.desk
    visit: Visit = request.state.visit
    attempt = request.cookies.get(ATTEMPT_COOKIE, "")
    secret, back = attempt[:_SECRET_LENGTH], own_path(unquote(attempt[_SECRET_LENGTH:]))
    try:
        session = desk.access.sign_in_with_answer(visit, secret, dict(request.query_params))
    except SignInRefused as error:
        log.warning("sign-in from %s: %s", visit.address, error)
        refused = _form(request, back, refused=explained(error))
        refused.delete_cookie(ATTEMPT_COOKIE, path="/sign-in")
        return refused
    answer = RedirectResponse(back, 303)
    answer.delete_cookie(ATTEMPT_COOKIE, path="/sign-in")
    give_cookie(answer.headers, visit, session)
    return answer


@router.post("/sign-in")
def sign_in(
    request: Request,
    name: Annotated[str, Form(max_length=200)],
    token: Annotated[str, Form(max_length=500)],
    next: Annotated[str, Form()] = "/",
) -> Response:
    """Sign in with a token."""
    desk: Desk = request.app.state.desk
    visit: Visit = request.state.visit
    secret = desk.access.sign_in_with_token(visit, name, token)
    if secret is None:
        return _form(request, next, failed=True)
    answer = RedirectResponse(own_path(next), 303)
    give_cookie(answer.headers, visit, secret)
    return answer


@router.post("/sign-out")
def sign_out(request: Request, person: Viewer, everywhere: Annotated[bool, Form()] = False) -> Response:
    """Sign out, in this browser or in all."""
    desk: Desk = request.app.state.desk
    visit: Visit = request.state.visit
    desk.access.sign_out(visit, everywhere=everywhere)
    answer = RedirectResponse("/sign-in", 303)
    give_cookie(answer.headers, visit, new_secret())
    return answer
