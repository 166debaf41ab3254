"""A customer: what they did, why they are warned of, what it is worth, and what was done."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from consumers.desk.acting.action_desk import Click
from consumers.desk.addresses import customer_address
from consumers.desk.customer.history import CustomerHistory, read_customer
from consumers.desk.customer.view import (
    arithmetic,
    causes_shown,
    life,
    reason_groups,
    standing_of,
    suggested,
)
from consumers.desk.desk import Desk
from consumers.desk.people.person import Person, Role
from consumers.desk.people.sign_in import Viewer
from consumers.desk.queue.filter import QueueFilter
from consumers.desk.queue.reader import StillLoading
from consumers.desk.rendering import html, render, zone_of
from consumers.drafts import RESULTS
from consumers.language import _

router = APIRouter()
_OWN: Final = frozenset({"id", "warning", "done"})
"""What of an address is about the page and not a filter of the queue."""
NOT_FOUND: Final = _("No customer of this id is stored.")
"""The same where somebody may not see the customer."""
OPS = {"<": _("below"), "<=": _("at most"), "=": _("exactly"), ">=": _("at least"), ">": _("above")}
NOTICES = {
    "told": _("The team was sent a notice"),
    "held": _("The notice waits"),
    "muted": _("The notice was muted"),
}

DELIVERY = {
    # states of messages and of deliveries
    "sent": _("sent"),
    "pending": _("waits"),
    "waiting": _("waits"),
    "given_up": _("given up"),
    "muted": _("muted"),
    "entered": _("in the outbox"),
    "dropped": _("dropped"),
    # kinds of messages
    "notice": _("notice"),
    "digest": _("digest"),
    "gathered": _("gathered"),
    # why a notice or a message was not sent, or later
    "silence": _("silence"),
    "quiet_hours": _("quiet hours"),
    "inhibited": _("hidden by a worse one"),
    "flapping": _("opens again and again"),
    "invalid": _("not readable"),
    "fatigue": _("too many warnings"),
    "holdout": _("holdout"),
    "do_not_contact": _("must not be contacted"),
    "withheld": _("withheld"),
    "over": _("the warning had ended"),
    "attended": _("somebody took care of it"),
    "another": _("another stands for it"),
    "empty": _("nothing to report"),
    # what complaints are about
    "product": _("product"),
    "service": _("service"),
    "price": _("price"),
    "delivery": _("delivery"),
    "channel": _("channel"),
    "other": _("other"),
}
"""What is shown for words of messages and complaints; another text, such as an error, stands as it is."""


@router.get("/customers")
def find(request: Request, person: Viewer, id: str = "") -> Response:
    """Go to a customer whose id somebody has typed in, or show the one whose address this is."""
    if not id:
        return RedirectResponse("/", 303)
    address = customer_address(id)
    if address.startswith("/customers?"):
        return show_customer(request, person, id)
    return RedirectResponse(address, 303)


@router.get("/customers/{customer_id:path}")
def show(request: Request, person: Viewer, customer_id: str) -> Response:
    """Show a customer."""
    return show_customer(request, person, customer_id)


@router.get("/standing")
@router.get("/standing/{customer_id:path}")
def standing(request: Request, person: Viewer, customer_id: str = "", id: str = "") -> Response:
    """Show what changes on the page of a customer while somebody looks, but for the forms."""
    return render(request, "customer_news.html", **context(request, person, customer_id or id))


def history_of(desk: Desk, person: Person, customer_id: str, warning_id: str | None) -> CustomerHistory:
    """Return what is known about a customer; 404 where nothing is, or not for this person."""
    if not customer_id or "\0" in customer_id or len(customer_id) > 200:
        raise HTTPException(404, NOT_FOUND)
    found = read_customer(desk.database, customer_id, warning_id, holdout=person.may(Role.OPERATOR))
    if found is None:
        raise HTTPException(404, NOT_FOUND)
    return found


def show_customer(
    request: Request, person: Person, customer_id: str, *, code: int = 200, query: str | None = None
) -> Response:
    """Return the page of a customer, or its main part alone where htmx asks for it."""
    template = "customer_main.html" if request.headers.get("HX-Request") else "customer.html"
    return render(request, template, code=code, **context(request, person, customer_id, query))


def context(request: Request, person: Person, customer_id: str, query: str | None = None) -> dict[str, Any]:
    """Return all that the page of a customer is filled with; `query` is that of its address."""
    desk: Desk = request.app.state.desk
    pairs = parse_qsl(request.url.query if query is None else query)
    given = dict(pairs)
    filters = urlencode([pair for pair in pairs if pair[0] not in _OWN])
    history = history_of(desk, person, customer_id, given.get("warning"))
    rulebook = desk.rulebook.current()
    base = desk.config.base_url or str(request.base_url)
    return {
        "history": history,
        "newest": history.newest.data if history.newest is not None else None,
        "causes": causes_shown(history, desk.rulebook),
        "decision": arithmetic(history.decision, rulebook),
        "life": life(history),
        "rulebook": rulebook,
        "rule_titles": {each.id: each.title for each in rulebook.rules},
        "reason_titles": {each.id: each.title for each in rulebook.reasons},
        "reason_groups": reason_groups(rulebook),
        "suggested": suggested(history, rulebook),
        "people": _colleagues(desk),
        "results": RESULTS,
        "ops": OPS,
        "notices": NOTICES,
        "delivery": DELIVERY,
        "address": _address(customer_id, pairs),
        "filters": filters,
        "once": secrets.token_hex(16),
        "zone_now": desk.clock.now().astimezone(ZoneInfo(zone_of(desk, person))),
        "done": just_done(desk, person, given.get("done")),
        **_neighbours(desk, person, history, pairs),
        "permalink": base.rstrip("/") + customer_address(customer_id),
        "usual": _usual(desk, history),
        **_standing(desk, history),
    }


def _neighbours(
    desk: Desk, person: Person, history: CustomerHistory, pairs: Sequence[tuple[str, str]]
) -> dict[str, str | None]:
    """Return the customers before and after this one in the queue as the address filters it."""
    if history.chosen is None:
        return {"previous": None, "next": None}
    wanted = QueueFilter.from_query(pair for pair in pairs if pair[0] not in _OWN)
    try:
        beside = desk.board.neighbours(wanted, person, history.chosen.id)
        rows = desk.board.rows([each for each in beside if each is not None], person)
    except StillLoading:
        return {"previous": None, "next": None}
    customers = {row.warning_id: row.customer_id for row in rows}
    previous, following = (customers.get(each) if each else None for each in beside)
    return {"previous": previous, "next": following}


def _colleagues(desk: Desk) -> list[str]:
    """Return to whom a warning can be given; nobody is named where nobody signs in."""
    return desk.access.agents


def _address(customer_id: str, pairs: Sequence[tuple[str, str]]) -> str:
    return customer_address(customer_id, urlencode([pair for pair in pairs if pair[0] not in ("id", "done")]))


def _usual(desk: Desk, history: CustomerHistory) -> int | None:
    """Return how long an acknowledgement of the chosen warning lasts by default, microseconds."""
    return desk.config.acknowledge_for.get(history.chosen.tier) if history.chosen is not None else None


def just_done(desk: Desk, person: Person, group_id: str | None) -> Click | None:
    """Return what somebody has just done, to be taken back where their browser runs no scripts."""
    return desk.actions.click(person, group_id) if group_id else None


def _standing(desk: Desk, history: CustomerHistory) -> dict[str, Any]:
    pending = desk.actions.of_customer(history.customer_id)
    return {"history": history, "standing": standing_of(history, pending), "pending": pending}


def part(request: Request, person: Person, customer_id: str, query: str) -> str:
    """Return the main part of the page, after an action."""
    return html(request, "customer_main.html", **context(request, person, customer_id, query))
