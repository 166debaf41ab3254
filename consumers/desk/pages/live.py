"""The stream of what changes while somebody looks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from sse_starlette import EventSourceResponse, ServerSentEvent

from consumers.desk.desk import Desk
from consumers.desk.live.feed import LiveEvent
from consumers.desk.people.person import Person, Role
from consumers.desk.people.sign_in import Viewer

router = APIRouter()
_LONGEST_ID = 128
PING_S = 15


@router.get("/live")
async def stream(
    request: Request,
    person: Viewer,
    customer: str = "",
    after: str = "",
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Stream events; whoever names a customer is shown to others as looking at that customer.

    The page says after which event it was made, so that nothing is lost between it and its stream; a browser
    that comes back says which event it saw last.
    """
    desk: Desk = request.app.state.desk

    async def events() -> AsyncIterator[ServerSentEvent]:
        number = desk.presence.enter(person.name, customer[:_LONGEST_ID]) if customer else None
        try:
            async for each in desk.live.listen(
                last_event_id or after, lambda event: seen_by(desk, person, event)
            ):
                yield ServerSentEvent(data=each.text, event=each.kind, id=each.id, retry=1_000)
        finally:
            if number is not None:
                desk.presence.leave(number)

    return EventSourceResponse(events(), ping=PING_S)


def seen_by(desk: Desk, person: Person, event: LiveEvent) -> LiveEvent | None:
    """Return of an event what somebody may see; `None` where that is nothing."""
    if event.kind == "presence":
        looking = event.data["looking"]
        seen = {
            customer: names for customer, names in looking.items() if desk.board.may_see(person, customer)
        }
        return replace(event, data={"looking": seen})
    if event.kind != "queue":
        return event
    gone_held_out = event.data["gone_held_out"] if person.may(Role.OPERATOR) else []
    changed = desk.board.seen_by(person, event.data["changed"])
    gone = [*event.data["gone"], *gone_held_out]
    if not changed and not gone:
        return None
    return replace(event, data={"version": event.data["version"], "changed": changed, "gone": gone})
