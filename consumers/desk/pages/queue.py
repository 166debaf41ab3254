"""The queue."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from consumers.desk.people.sign_in import Viewer
from consumers.desk.rendering import render
from consumers.stored_warnings import WarningFilter, find_warnings

router = APIRouter()


@router.get("/")
def show(request: Request, person: Viewer) -> Response:
    """Show the queue."""
    found = find_warnings(request.app.state.desk.database, WarningFilter())
    return render(request, "queue.html", warnings=found[:50])
