"""Sign in and out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from consumers.desk.addresses import own_path
from consumers.desk.desk import Desk
from consumers.desk.people.access import Visit
from consumers.desk.people.sessions import new_secret
from consumers.desk.people.sign_in import Viewer
from consumers.desk.rendering import render
from consumers.desk.surroundings import give_cookie

router = APIRouter()


@router.get("/sign-in")
def show(request: Request, next: str = "/") -> Response:
    """Show the ways to sign in, or go on where somebody has signed in already."""
    if request.state.person is not None:
        return RedirectResponse(own_path(next), 303)
    return _form(request, next)


def _form(request: Request, back: str, *, failed: bool = False) -> Response:
    visit: Visit = request.state.visit
    return render(
        request,
        "sign_in.html",
        code=403 if failed else 200,
        back=own_path(back),
        failed=failed,
        unknown=visit.unknown,
    )


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
