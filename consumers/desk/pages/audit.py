"""The audit log: who did what at the desk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import StreamingResponse

from consumers.desk.desk import Desk
from consumers.desk.local_times import NoTime, read_day
from consumers.desk.people.audit import AuditEntry, AuditFilter
from consumers.desk.people.person import Person
from consumers.desk.people.sign_in import Operator
from consumers.desk.rendering import render, zone_of
from consumers.desk.spreadsheet import csv_answer
from consumers.language import _
from streams.contract.instants import format_instant, to_us

PAGE: Final = 100
WORDS: Final = {
    "session.begin": _("signed in"),
    "session.refuse": _("failed to sign in"),
    "session.end": _("signed out"),
    "export.list": _("exported"),
    "export.queue": _("exported the queue"),
    "export.lapsed": _("exported the lapsed customers"),
    "export.audit": _("exported the audit log"),
    "export.report": _("exported a report"),
    "view.save": _("saved a view"),
    "view.delete": _("removed a view"),
    "silence.add": _("added a silence"),
    "silence.end": _("ended a silence"),
}
"""What people do, beside actions."""
HEADS: Final = ("seq", "at", "person", "what", "customer_id", "detail")

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Question:
    """Which entries are asked for, as in the address; days by the reader's clock."""

    person: str = ""
    what: str = ""
    customer: str = ""
    since: str = ""
    until: str = ""

    def filter(self, desk: Desk, operator: Person, before: int | None = None) -> AuditFilter:
        """Return the filter. Raises `HTTPException` where a day is none."""
        zone = zone_of(desk, operator)
        try:
            since = read_day(self.since, zone) if self.since else None
            until = read_day(self.until, zone, after=1) if self.until else None
        except NoTime as error:
            raise HTTPException(422, str(error)) from error
        return AuditFilter(
            self.person or None, self.what or None, self.customer or None, since, until, before
        )


Asked = Annotated[Question, Depends()]


@router.get("/audit")
def show(
    request: Request,
    operator: Operator,
    asked: Asked,
    before: int | None = None,
) -> Response:
    """Show who did what, the newest first."""
    desk: Desk = request.app.state.desk
    wanted = asked.filter(desk, operator, before)
    found = desk.audit.page(wanted, PAGE + 1)
    given = asdict(asked)
    query = urlencode({name: value for name, value in given.items() if value})
    return render(
        request,
        "audit.html",
        entries=found[:PAGE],
        further=found[PAGE - 1].seq if len(found) > PAGE else None,
        given=given,
        query=query,
        words=WORDS,
        kinds=desk.audit.kinds(),
        people=[each.person.name for each in desk.access.people.members],
    )


@router.get("/audit.csv")
def as_csv(
    request: Request,
    operator: Operator,
    asked: Asked,
) -> Response:
    """Export who did what, as CSV."""
    found = _exported(request, operator, "csv", asked)
    rows = (
        [
            each.seq,
            format_instant(to_us(each.at)),
            each.person,
            each.what,
            each.customer_id,
            _detail(each),
        ]
        for each in found
    )
    return csv_answer("audit.csv", HEADS, rows)


@router.get("/audit.jsonl")
def as_lines(
    request: Request,
    operator: Operator,
    asked: Asked,
) -> Response:
    """Export who did what, a JSON object a line."""
    found = _exported(request, operator, "jsonl", asked)
    lines = (json.dumps(_plain(each), ensure_ascii=False) + "\n" for each in found)
    return StreamingResponse(
        lines,
        media_type="application/x-ndjson",
        headers={"Content-Disposition": 'attachment; filename="audit.jsonl"'},
    )


def _exported(request: Request, operator: Person, kind: str, asked: Question) -> Iterator[AuditEntry]:
    desk: Desk = request.app.state.desk
    wanted = asked.filter(desk, operator)
    desk.audit.write(operator, "export.audit", format=kind)
    return desk.audit.all(wanted)


def _plain(entry: AuditEntry) -> dict[str, Any]:
    return {
        "seq": entry.seq,
        "at": format_instant(to_us(entry.at)),
        "person": entry.person,
        "what": entry.what,
        "customer_id": entry.customer_id,
        "detail": entry.detail,
    }


def _detail(entry: AuditEntry) -> str:
    return json.dumps(entry.detail, ensure_ascii=False, sort_keys=True)
