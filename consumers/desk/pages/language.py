"""The choice of a language."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException
from fastapi.responses import RedirectResponse

from consumers.desk.language import LANGUAGES
from consumers.desk.surroundings import LANGUAGE_COOKIE

router = APIRouter()
_YEAR_S = 365 * 86_400


@router.post("/language")
def choose_language(language: Annotated[str, Form()], back: Annotated[str, Form()] = "/") -> RedirectResponse:
    """Remember a language for a year and go back."""
    if language not in LANGUAGES:
        raise HTTPException(422)
    inside = back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/"
    answer = RedirectResponse(inside, 303)
    answer.set_cookie(LANGUAGE_COOKIE, language, max_age=_YEAR_S, samesite="lax", httponly=True)
    return answer
