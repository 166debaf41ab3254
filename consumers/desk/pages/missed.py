"""Who left without a warning, and of which customers that happens most."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from consumers.desk.desk import Desk
from consumers.desk.pages.rules import PERIOD_NAMES
from consumers.desk.people.person import Role
from consumers.desk.people.sign_in import Viewer
from consumers.desk.rendering import render
from consumers.desk.reports.reports import PERIODS
from consumers.language import _

router = APIRouter()

LISTED = 100
TITLES = {"customer_class": _("By class"), "segment": _("By segment"), "value": _("By value")}


@router.get("/missed")
def show(request: Request, person: Viewer, days: int | None = None) -> Response:
    """Show who left without a warning."""
    desk: Desk = request.app.state.desk
    chosen = days if days in PERIODS else None
    result = desk.reports.scorecard(chosen)
    return render(
        request,
        "missed.html",
        result=result,
        periods=PERIOD_NAMES,
        chosen=chosen,
        titles=TITLES,
        most=LISTED,
        operator=person.may(Role.OPERATOR),
    )
