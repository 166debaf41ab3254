"""The choice of a language."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse

from consumers.desk.addresses import own_path
from consumers.desk.surroundings import LANGUAGE_COOKIE
from consumers.language import LANGUAGES

router = APIRouter()
_YEAR_S = 365 * 86_400


@router.post("/language")
def choose_language(
    request: Request, language: Annotated[str, Form()], back: Annotated[str, Form()] = "/"
) -> RedirectResponse:
    """Remember a language for a year and go back."""
    if language not in LANGUAGES:
        raise HTTPException(422)
    answer = RedirectResponse(own_path(back), 303)
    secure = request.state.visit.secure
    answer.set_cookie(
        LANGUAGE_COOKIE, language, max_age=_YEAR_S, secure=secure, samesite="lax", httponly=True
    )
    return answer
