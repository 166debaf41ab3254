"""The queue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Form, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from consumers.desk.desk import Desk
from consumers.desk.local_times import NoTime, read_day, read_time
from consumers.desk.pages.acting import assignee_of, refused, toast
from consumers.desk.pages.customer import just_done
from consumers.desk.people.person import Person
from consumers.desk.people.sign_in import Agent, Viewer
from consumers.desk.queue import export
from consumers.desk.queue.filter import WORDS, QueueFilter
from consumers.desk.queue.order import Section
from consumers.desk.queue.reader import StillLoading
from consumers.desk.queue.views import Sharing, ViewRefused, delete_view, save_view, views_of
from consumers.desk.refusals import explained
from consumers.desk.rendering import render, zone_of
from consumers.desk.spreadsheet import csv_answer
from consumers.drafts import Draft
from consumers.language import _, gettext, ngettext
from streams.contract.instants import to_us
from streams.errors import ActError

router = APIRouter()

ROWS: Final = 50
NINE: Final = time(9)
"""The hour of a past day at which the queue is shown where none is given."""
MOST_ROWS: Final = 200
"""Rows that are asked for at once."""
LABELS: Final = {
    "tier": _("Tier"),
    "class": _("Class"),
    "segment": _("Segment"),
    "region": _("Region"),
    "reason": _("Reason"),
    "rule": _("Rule"),
    "owner": _("Account owner"),
    "mine": _("Mine"),
    "team": _("My team's"),
    "unassigned": _("Unassigned"),
    "snoozed": _("Snoozed"),
    "near": _("Deadline near"),
    "all": _("Other teams' too"),
    "show": _("Part"),
    "customer": _("Customer"),
}
SECTIONS: Final = {
    Section.TODAY: _("Today"),
    Section.UNSERVED: _("Not served today"),
    Section.UNKNOWN: _("Undecided"),
    Section.ATTENDED: _("In hand"),
    Section.DONT: _("Not worth a rescue"),
    Section.HELD_OUT: _("Held out"),
}
KINDS: Final = {
    "acknowledge": _("acknowledge"),
    "snooze": _("snooze"),
    "assign": _("assign"),
    "unassign": _("give back"),
    "false_alarm": _("false alarm"),
    "expire": _("close"),
}
"""What can be done about several at once."""


@router.get("/")
def show(
    request: Request,
    person: Viewer,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    done: str = "",
) -> Response:
    """Show the queue, or the part of the page that htmx asks for."""
    desk: Desk = request.app.state.desk
    wanted = QueueFilter.from_query(request.query_params.multi_items())
    at = _past(request, desk, person)
    board = desk.board if at is None else desk.past.at(at)
    try:
        page = board.page(wanted, person, offset=offset, limit=ROWS)
    except StillLoading as error:
        return render(request, "queue_loading.html", code=503, loading=error.loading)
    given: dict[str, Any] = {
        **_shared(request, wanted),
        "page": page,
        "at": at,
        "past": request.query_params.get("at", ""),
        "budgets_known": at is None or desk.budgets_at(at).are_known,
        "agents": desk.access.agents,
        "looking": {} if at is not None else desk.presence.looking(),
        "Section": Section,
    }
    if request.headers.get("hx-request") and request.headers.get("hx-request-type") != "full":
        answer = render(request, "queue_list.html", **given)
        answer.headers["HX-Push-Url"] = _address(given["query"], at=given["past"])
    else:
        answer = render(
            request,
            "queue.html",
            **given,
            views=views_of(desk.database, person),
            done=just_done(desk, person, done),
        )
    answer.headers["Vary"] = "HX-Request, HX-Request-Type"
    return answer


def _shared(request: Request, wanted: QueueFilter) -> dict[str, Any]:
    """Return what the list and a single row need."""
    desk: Desk = request.app.state.desk
    rulebook = desk.rulebook.current()
    return {
        "wanted": wanted,
        "query": wanted.to_query(),
        "labels": LABELS,
        "section_names": SECTIONS,
        "kinds": KINDS,
        "filter_words": WORDS,
        "plays": {each.id: each.title for each in rulebook.plays},
        "titles": {each.id: each.title for each in rulebook.rules},
    }


def _past(request: Request, desk: Desk, person: Person) -> datetime | None:
    """Return the past instant that is asked for, by the reader's clock."""
    text = request.query_params.get("at", "").strip()
    if not text:
        return None
    try:
        zone = zone_of(desk, person)
        at = read_time(text, zone) if "T" in text else read_day(text, zone, at=NINE)
    except NoTime as error:
        raise HTTPException(422, str(error)) from error
    return at if at < desk.clock.now() else None


@router.get("/queue/rows")
def rows(request: Request, person: Viewer, id: Annotated[list[str], Query()]) -> Response:
    """Return some rows as they are now, one element for each that is open."""
    desk: Desk = request.app.state.desk
    found = desk.board.rows(id[:MOST_ROWS], person)
    shared = _shared(request, QueueFilter.from_query(request.query_params.multi_items()))
    looking = desk.presence.looking()
    return render(request, "queue_rows.html", rows=found, looking=looking, **shared, at=None)


@router.get("/queue/news")
def news(request: Request, person: Viewer, since: Annotated[int, Query(ge=0)]) -> Response:
    """Return how many warnings of a filter came after a version of the board, in words."""
    desk: Desk = request.app.state.desk
    wanted = QueueFilter.from_query(request.query_params.multi_items())
    count = desk.board.came_since(since, wanted, person)
    text = ngettext("%(num)d new", "%(num)d new", count) % {"num": count}
    return JSONResponse({"count": count, "text": text})


@router.get("/queue.csv")
def as_csv(request: Request, person: Viewer) -> Response:
    """Return what the filter finds as CSV."""
    desk: Desk = request.app.state.desk
    wanted = QueueFilter.from_query(request.query_params.multi_items())
    at = _past(request, desk, person)
    board = desk.board if at is None else desk.past.at(at)
    found = board.every_row(wanted, person)
    desk.audit.write(person, "export.queue", query=wanted.to_query(), rows=len(found))
    return csv_answer("queue.csv", export.COLUMNS, map(export.cells, found))


@router.post("/queue/act")
async def act(request: Request, person: Agent) -> Response:
    """Do the same about all that is chosen, and go back to the queue."""
    form = await request.form()
    pairs = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    return await run_in_threadpool(_act, request, person, pairs)


def _act(request: Request, person: Person, pairs: Sequence[tuple[str, str]]) -> Response:
    desk: Desk = request.app.state.desk
    fields = dict(pairs)
    query = fields.get("query", "")
    wanted = QueueFilter.from_query(parse_qsl(query))
    kind, _sep, only = fields.get("kind", "").partition(":")
    if kind not in KINDS:
        raise HTTPException(422)
    if only:
        chosen = [only]
    elif fields.get("everything"):
        chosen = desk.board.ids(wanted, person)
    else:
        chosen = [value for name, value in pairs if name == "id"]
    customers = desk.board.customers(chosen, person)
    try:
        until = _until(fields.get("until", ""), zone_of(desk, person))
        assignee = assignee_of(desk, fields.get("assignee", "")) if kind == "assign" else None
        drafts = [
            _draft(kind, customers[each], each, until, assignee) for each in chosen if each in customers
        ]
        if not drafts:
            raise ActError(gettext("Choose at least one warning first"))
        group = desk.actions.submit(person, drafts, group_id=fields.get("click") or None)
    except (ActError, ValueError) as error:
        return refused(request, explained(error))
    if request.headers.get("hx-request"):
        shown = HTMLResponse(toast(request, desk, person, group, _address(query)))
        shown.headers["HX-Trigger"] = "lapwing:acted"  # the rows are renewed where they stand
        return shown
    return _back(query, done=group)


def _draft(kind: str, customer: str, warning_id: str, until: int | None, assignee: str | None) -> Draft:
    if kind == "false_alarm":
        return Draft(customer, "confirm", warning_id, result="false_alarm")
    if kind == "assign":
        return Draft(customer, "assign", warning_id, assignee=assignee)
    lasting = until if kind in ("acknowledge", "snooze") else None
    return Draft(customer, kind, warning_id, until=lasting)


def _until(text: str, zone: str) -> int | None:
    """Return the instant of a field of a form, by the reader's clock."""
    return to_us(read_time(text, zone)) if text.strip() else None


def _back(query: str, *, done: str = "") -> Response:
    """Go back to the queue as it was looked at."""
    return RedirectResponse(_address(query, done=done), 303)


def _address(query: str, **more: str) -> str:
    """Return the address of the queue with a filter."""
    pairs = QueueFilter.from_query(parse_qsl(query)).to_pairs()
    pairs += [(name, value) for name, value in more.items() if value]
    return f"/?{urlencode(pairs)}" if pairs else "/"


@router.post("/views")
def save(
    request: Request,
    person: Viewer,
    name: Annotated[str, Form()],
    sharing: Annotated[Sharing, Form()] = "me",
    query: Annotated[str, Form()] = "",
) -> Response:
    """Save a view."""
    desk: Desk = request.app.state.desk
    wanted = QueueFilter.from_query(parse_qsl(query))
    try:
        save_view(desk.database, person, name, sharing, wanted, desk.clock.wall())
    except ViewRefused as error:
        return refused(request, explained(error))
    desk.audit.write(person, "view.save", name=name, sharing=sharing, query=wanted.to_query())
    return _back(query)


@router.post("/views/{seq}/delete")
def drop(request: Request, person: Viewer, seq: int, query: Annotated[str, Form()] = "") -> Response:
    """Delete a view."""
    desk: Desk = request.app.state.desk
    try:
        delete_view(desk.database, person, seq)
    except ViewRefused as error:
        return refused(request, explained(error))
    desk.audit.write(person, "view.delete", view=seq)
    return _back(query)
