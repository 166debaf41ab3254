"""What somebody does about a customer, and takes back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time, timedelta
from typing import Annotated, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from consumers.desk.acting.action_desk import UNDO_FOR, Undone
from consumers.desk.addresses import customer_of, own_path
from consumers.desk.desk import Desk
from consumers.desk.local_times import read_day, read_time
from consumers.desk.pages import customer
from consumers.desk.people.person import Person
from consumers.desk.people.sign_in import Agent
from consumers.desk.refusals import explained
from consumers.desk.rendering import html, zone_of
from consumers.drafts import KINDS, LASTING_KINDS, Draft
from consumers.language import gettext
from streams.contract.instants import to_us
from streams.errors import ActError

router = APIRouter()
MORNING: Final = time(9)


@router.post("/act")
def act(
    request: Request,
    person: Agent,
    customer_id: Annotated[str, Form()],
    kind: Annotated[str, Form()],
    warning_id: Annotated[str, Form()] = "",
    lasts: Annotated[str, Form()] = "",
    until: Annotated[str, Form()] = "",
    play: Annotated[str, Form()] = "",
    result: Annotated[str, Form()] = "",
    reason: Annotated[list[str] | None, Form()] = None,
    assignee: Annotated[str, Form()] = "",
    corrects: Annotated[str, Form()] = "",
    gift: Annotated[str, Form()] = "",
    communication: Annotated[str, Form()] = "",
    labour: Annotated[str, Form()] = "",
    discount: Annotated[str, Form()] = "",
    other: Annotated[str, Form()] = "",
    once: Annotated[str, Form()] = "",
    back: Annotated[str, Form()] = "",
) -> Response:
    """Do something about a warning, or to win a customer back."""
    desk: Desk = request.app.state.desk
    items = {
        "gift": gift,
        "communication": communication,
        "labour": labour,
        "discount": discount,
        "other": other,
    }
    if kind not in KINDS:
        raise HTTPException(422)
    try:
        draft = Draft(
            customer_id=customer_id,
            kind=kind,
            warning_id=warning_id or None,
            until=_until(desk, person, kind, lasts, until),
            play=play or None,
            result=result or None,
            reasons=tuple(dict.fromkeys(reason or ())),
            cost=_amounts(items),
            assignee=assignee_of(desk, assignee),
            corrects=corrects or None,
        )
        group_id = desk.actions.submit(person, [draft], group_id=once or None)
    except ActError as error:
        return refused(request, explained(error))
    return _answer(request, person, back, toast(request, desk, person, group_id, back), group_id)


@router.post("/undo")
def undo(
    request: Request,
    person: Agent,
    group_id: Annotated[str, Form()],
    back: Annotated[str, Form()] = "",
) -> Response:
    """Take back what one has just done."""
    desk: Desk = request.app.state.desk
    try:
        undone = desk.actions.undo(person, group_id)
    except ActError as error:
        return refused(request, explained(error))
    return _answer(request, person, back, html(request, "toast.html", text=undone_text(undone), click=None))


def toast(request: Request, desk: Desk, person: Person, group_id: str, back: str) -> str:
    """Return what says that something was done on the page `back`, with a button that takes it back."""
    return html(
        request,
        "toast.html",
        text=None,
        click=desk.actions.click(person, group_id),
        address=own_path(back),
        seconds=int(UNDO_FOR.total_seconds()),
    )


def undone_text(undone: Undone) -> str:
    """Return what became of the actions that somebody took back."""
    if undone.too_late and not (undone.undone or undone.corrected):
        return gettext("Too late: it was sent already and cannot be taken back.")
    if undone.too_late:
        return gettext("Taken back, but for what was closed already.")
    return gettext("Taken back.")


def _answer(
    request: Request, person: Person, back: str, toast_html: str, group_id: str | None = None
) -> Response:
    address = own_path(back)
    split = urlsplit(address)
    if not request.headers.get("HX-Request"):
        # Without scripts the page of before comes again, with what was done.
        done = f"done={group_id}" if group_id else ""
        query = "&".join(each for each in (_without_done(split.query), done) if each)
        return RedirectResponse(f"{split.path}?{query}" if query else split.path, 303)
    shown = f'<div id="toasts" hx-swap-oob="innerHTML">{toast_html}</div>'
    customer_id = customer_of(address)
    if customer_id is not None:
        return HTMLResponse(customer.part(request, person, customer_id, split.query) + shown)
    # The queue listens, and asks for what has changed.
    return HTMLResponse(shown, headers={"HX-Trigger": "lapwing:acted", "HX-Reswap": "none"})


def refused(request: Request, why: str) -> Response:
    """Answer that something cannot be done: in a toast, or without scripts on a page."""
    if not request.headers.get("HX-Request"):
        raise HTTPException(422, why)
    shown = html(request, "toast.html", text=why, click=None)
    return HTMLResponse(shown, 422, {"HX-Retarget": "#toasts", "HX-Reswap": "innerHTML"})


def assignee_of(desk: Desk, text: str) -> str | None:
    """Return to whom a form gives a warning, `None` for whoever acts. Raises `ActError` for nobody's name."""
    name = text.strip() or None
    agents = desk.access.agents
    if name is not None and agents and name not in agents:
        msg = gettext("Nobody here is called %(name)s: choose one of %(names)s.")
        raise ActError(msg % {"name": name[:80], "names": ", ".join(agents)})
    return name


def _without_done(query: str) -> str:
    return "&".join(each for each in query.split("&") if each and not each.startswith("done="))


def _until(desk: Desk, person: Person, kind: str, lasts: str, until: str) -> int | None:
    """Return when an acknowledgement or a snooze ends: at a local time, on a morning, or after some hours."""
    if kind not in LASTING_KINDS:
        return None
    zone, now = zone_of(desk, person), desk.clock.now()
    try:
        if until:
            return to_us(read_time(until, zone))
        if lasts.startswith("morning+"):
            today = now.astimezone(ZoneInfo(zone)).date().isoformat()
            return to_us(read_day(today, zone, after=int(lasts.removeprefix("morning+")), at=MORNING))
        return to_us(now + timedelta(hours=int(lasts))) if lasts else None
    except (ValueError, OverflowError) as error:
        msg = gettext("This is not a time: choose a day and an hour.")
        raise ActError(msg) from error


def _amounts(items: Mapping[str, str]) -> dict[str, float]:
    found = {}
    for name, text in items.items():
        if not text.strip():
            continue
        try:
            found[name] = float(text)
        except ValueError as error:
            msg = gettext("An amount is a number: %(text)s is none.") % {"text": text[:40]}
            raise ActError(msg) from error
    return found
