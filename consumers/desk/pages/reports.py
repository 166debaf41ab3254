"""Reports of periods: what was lost, why, and whether it helped. No customer is named in them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from markupsafe import Markup

from consumers import charts
from consumers.desk.desk import Desk
from consumers.desk.people.sign_in import Viewer
from consumers.desk.rendering import render
from consumers.language import LOCALES, _, gettext, language
from consumers.reports.document import Document
from consumers.reports.formats.csv_files import csv_zip
from consumers.reports.formats.page import STYLE, body, for_screens, page
from consumers.reports.formats.pdf import pdf
from consumers.reports.formats.workbook import workbook
from consumers.reports.pages.whole import VIEW_NAMES
from consumers.reports.period import ONE_DAY, Period, PeriodKind
from consumers.reports.views import View
from streams.errors import ReportError

router = APIRouter()

KINDS: Final = {
    PeriodKind.DAY: _("Daily"),
    PeriodKind.WEEK: _("Weekly"),
    PeriodKind.MONTH: _("Monthly"),
    PeriodKind.QUARTER: _("Quarterly"),
    PeriodKind.YEAR: _("Yearly"),
}
FORMATS: Final[dict[str, tuple[str, Callable[[Document], bytes]]]] = {
    "html": ("text/html; charset=utf-8", lambda document: page(document).encode()),
    "pdf": ("application/pdf", pdf),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", workbook),
    "zip": ("application/zip", csv_zip),
}
"""What can be kept as a file, beside JSON."""
FORMAT_NAMES: Final = {
    "html": _("Page"),
    "pdf": "PDF",
    "xlsx": "Excel",
    "zip": _("CSV files"),
    "json": "JSON",
}
STYLESHEET: Final = STYLE + charts.STYLE
VERSION: Final = hashlib.sha256(STYLESHEET.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class ReportQuery:
    """What is asked for, as it stands in the address."""

    period: str
    view: View
    since: date | None = None
    until: date | None = None

    def chosen(self, desk: Desk) -> Period:
        """Return the period: by its name, by its kind the newest one, or from one day to another."""
        try:
            found = self._named(desk)
        except (ReportError, ValueError, OverflowError) as error:
            raise HTTPException(422, str(error)) from error
        if not found.is_reportable:
            raise HTTPException(422, gettext("A period lies between 1971 and 2200."))
        return found

    def _named(self, desk: Desk) -> Period:
        zone = desk.reports.reporter.zone
        if self.since is not None and self.until is not None:
            return Period.between(self.since, self.until, zone)
        if self.period in KINDS:
            return desk.reports.last_period(PeriodKind(self.period))
        return Period.parse(self.period, zone)


def asked(
    period: str = PeriodKind.MONTH.value,
    view: View = View.ALL,
    since: str = "",
    until: str = "",
) -> ReportQuery:
    """Return what an address asks for; an empty field of the form is none."""
    try:
        days = [date.fromisoformat(text) if text else None for text in (since, until)]
    except ValueError as error:
        raise HTTPException(422, str(error)) from error
    return ReportQuery(period or PeriodKind.MONTH.value, view, *days)


def address(period: Period | str, view: View) -> str:
    """Return the address of a report."""
    key = period.key if isinstance(period, Period) else period
    return "/reports?" + urlencode({"period": key, "view": view.value})


@router.get("/reports")
def show(request: Request, person: Viewer, wanted: Annotated[ReportQuery, Depends(asked)]) -> Response:
    """Show the report of a period."""
    desk: Desk = request.app.state.desk
    period = wanted.chosen(desk)
    result = desk.reports.period(period)
    shown = None
    if result.value is not None:
        written = desk.reports.reporter.written(result.value, wanted.view, language.get())
        shown = Markup(body(written, for_screens, "div"))
    query = urlencode({"period": period.key, "view": wanted.view.value})
    return render(
        request,
        "reports.html",
        result=result,
        shown=shown,
        period=period,
        title=period.title(LOCALES[language.get()]),
        wanted=wanted,
        last_day=(period.end - ONE_DAY).isoformat(),
        kinds=KINDS,
        views=VIEW_NAMES,
        address=address,
        address_here=address(period, wanted.view),
        files={f"/reports/file.{name}?{query}": text for name, text in FORMAT_NAMES.items()},
        style=f"/reports/style.css?v={VERSION}",
    )


@router.get("/reports/file.{name}")
def keep(
    request: Request, person: Viewer, name: str, wanted: Annotated[ReportQuery, Depends(asked)]
) -> Response:
    """Return the report of a period as a file."""
    desk: Desk = request.app.state.desk
    if name not in FORMAT_NAMES:
        raise HTTPException(404)
    period = wanted.chosen(desk)
    result = desk.reports.period(period)
    if result.value is None:
        raise HTTPException(503, result.error or gettext("This is being computed. Try again in a minute."))
    view = wanted.view.value
    if name == "json":
        kind, content = "application/json", json.dumps(result.value.as_dict()).encode()
        view = View.ALL.value
    else:
        kind, make = FORMATS[name]
        try:
            content = make(desk.reports.reporter.written(result.value, wanted.view, language.get()))
        except ReportError as error:
            raise HTTPException(503, str(error)) from error
    desk.audit.write(person, "export.report", period=period.key, view=view, format=name)
    named = f"lapwing-{period.key.replace('..', '-to-')}-{view}.{name}"
    headers = {"Content-Disposition": f'attachment; filename="{named}"'}
    return Response(content, media_type=kind, headers=headers)


@router.get("/reports/style.css")
def style(request: Request, person: Viewer, v: Annotated[str, Query()] = "") -> Response:
    """Return the look of reports, the same as in a file that is kept."""
    caching = "private, max-age=31536000, immutable" if v == VERSION else "no-store"
    return Response(STYLESHEET, media_type="text/css; charset=utf-8", headers={"Cache-Control": caching})
