"""Pages for what went wrong."""

from __future__ import annotations

import logging
from typing import Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException

from consumers.database.many_rows import RowRefused
from consumers.desk.addresses import route_of, sign_in_address
from consumers.desk.people.attempts import WAIT_S
from consumers.desk.rendering import render
from consumers.language import _
from streams.errors import StoreError

log = logging.getLogger(__name__)

TITLES: Final = {
    400: _("This cannot be done"),
    401: _("Please sign in"),
    403: _("Your role does not allow this"),
    404: _("There is no such page"),
    413: _("This is too much at once"),
    422: _("This cannot be done"),
    429: _("Too many requests: please wait a moment"),
    500: _("Something went wrong"),
    503: _("The database cannot be reached at the moment"),
}

HINTS: Final = {
    403: _("An operator can give you another role in the people file."),
    404: _("Look for the customer in the queue, or follow one of the links above."),
    500: _("It was not your fault, and the log of the desk has the details. Try again in a moment."),
    503: _("Nothing is lost: try again in a moment."),
}
"""What somebody can do about it, where the error itself does not say so."""


def install_error_pages(app: FastAPI) -> None:
    """Answer errors with a page, or under `/api` with JSON."""

    @app.exception_handler(HTTPException)
    def on_http(request: Request, error: HTTPException) -> Response:
        return answer(request, error.status_code, detail_of(error))

    @app.exception_handler(RequestValidationError)
    def on_validation(request: Request, error: RequestValidationError) -> Response:
        places = "; ".join(f"{each['loc'][-1]}: {each['msg']}" for each in error.errors())
        return answer(request, 422, places)

    @app.exception_handler(StoreError)
    def on_store(request: Request, error: StoreError) -> Response:
        if isinstance(error, RowRefused):  # such as an id with a NUL, which PostgreSQL does not take
            return answer(request, 422, "")
        log.warning("%s %s: %s", request.method, route_of(request), error)
        return answer(request, 503, "")


def detail_of(error: HTTPException) -> str:
    """Return what an error says beyond its number."""
    return "" if error.detail == HTTPException(error.status_code).detail else str(error.detail)


def answer(request: Request, status: int, detail: str) -> Response:
    """Return what somebody is shown of an error; who has not signed in is led there."""
    headers = {"Retry-After": str(WAIT_S)} if status == 429 else {}
    if request.url.path.startswith("/api/"):
        if status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return JSONResponse({"detail": detail or TITLES.get(status, "")}, status, headers)
    if status == 401 and "text/event-stream" not in request.headers.get("accept", ""):
        where = sign_in_address(request)
        if request.headers.get("hx-request") == "true":
            return Response(status_code=401, headers={"HX-Redirect": where})
        return RedirectResponse(where, 303)
    page = render(
        request,
        "error.html",
        code=status,
        status=status,
        title=TITLES.get(status, TITLES[500]),
        detail=detail,
        hint=HINTS.get(status),
    )
    page.headers.update(headers)
    return page
