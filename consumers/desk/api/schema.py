"""The description of the API in OpenAPI, for whoever may ask it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.openapi.utils import get_openapi

from consumers.desk.api.routes import router as described
from consumers.desk.people.sign_in import Viewer

router = APIRouter(prefix="/api")


@router.get("/openapi.json", include_in_schema=False)
def openapi(request: Request, person: Viewer) -> dict[str, Any]:
    """Return the description."""
    return schema(request.app.title)


def schema(title: str) -> dict[str, Any]:
    """Return the description: every question needs the token with which somebody signs in."""
    made = get_openapi(title=title, version="1", routes=described.routes)
    made["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    made["security"] = [{"token": []}]
    return made
