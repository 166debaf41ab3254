"""What can be asked of the API, and by whom."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Annotated, Any, Final, Literal
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request
from sqlalchemy import select

from consumers.database.warnings import WarningRow, WarningStepRow
from consumers.desk.acting.action_desk import PendingAction
from consumers.desk.api import models
from consumers.desk.api.models import instant_of, us_of
from consumers.desk.customer.history import CustomerHistory, read_customer
from consumers.desk.desk import Desk
from consumers.desk.pages.acting import assignee_of
from consumers.desk.pages.lapsed import LapsedQuery, asked
from consumers.desk.pages.reports import ReportQuery
from consumers.desk.people.audit import AuditFilter
from consumers.desk.people.person import Person, Role
from consumers.desk.people.sign_in import Agent, Operator, Viewer
from consumers.desk.queue.filter import QueueFilter
from consumers.desk.queue.order import Section
from consumers.desk.queue.reader import StillLoading
from consumers.desk.queue.views import SavedView, ViewRefused, delete_view, save_view, views_of
from consumers.desk.rendering import zone_of
from consumers.drafts import Draft
from consumers.reports.period import PeriodKind
from consumers.reports.views import View
from streams.contract.instants import read_instant
from streams.errors import ActError, BrokerError, ContractError

MOST: Final = 500
"""Rows of one answer."""
MOST_STEPS: Final = 500
_REFUSED: Final[dict[int | str, dict[str, Any]]] = {
    code: {"model": models.Refused, "description": text}
    for code, text in {
        400: "The request cannot be read",
        401: "Nobody is signed in",
        403: "The role does not allow it",
        404: "There is no such thing, or it is not shown",
        409: "It cannot be done, or not any more",
        413: "This is too much at once",
        422: "The request is not what it should be",
        429: "Too many requests",
        503: "Something that is needed cannot be reached at the moment",
    }.items()
}

router = APIRouter(prefix="/api", responses=_REFUSED)
Offset = Annotated[int, Query(ge=0, le=1_000_000_000)]
Limit = Annotated[int, Query(ge=1, le=MOST)]
Words = Annotated[list[Annotated[str, Query(max_length=300)]] | None, Query()]
Flag = Annotated[Literal["1"] | None, Query()]
SectionWord = Literal["today", "unserved", "unknown", "attended", "dont", "held-out"]


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


TheDesk = Annotated[Desk, Depends(_desk)]


@contextmanager
def _refusals() -> Iterator[None]:
    """Answer what the desk refuses with the code that belongs to it."""
    try:
        yield
    except (ActError, ContractError, ViewRefused) as error:
        raise HTTPException(409, str(error)) from error
    except (BrokerError, StillLoading) as error:
        raise HTTPException(503, str(error)) from error


@router.get("/me")
def me(person: Viewer, desk: TheDesk) -> models.Me:
    """Return who asks."""
    return models.Me.model_validate(
        {
            "name": person.name,
            "role": person.role.name.lower(),
            "team": person.team.name if person.team is not None else None,
            "time_zone": zone_of(desk, person),
            "language": person.language,
        }
    )


def queue_filter(
    request: Request,
    tier: Annotated[list[Literal["high", "medium", "low"]] | None, Query()] = None,
    customer_class: Annotated[
        list[Literal["key", "ordinary", "small", "problem"]] | None, Query(alias="class")
    ] = None,
    segment: Words = None,
    region: Words = None,
    reason: Words = None,
    rule: Words = None,
    owner: Words = None,
    mine: Flag = None,
    team: Flag = None,
    unassigned: Flag = None,
    snoozed: Flag = None,
    near: Flag = None,
    all: Flag = None,
    show: Annotated[list[SectionWord] | None, Query()] = None,
    customer: Annotated[str | None, Query(max_length=300)] = None,
) -> QueueFilter:
    """Return the filter of an address, as the page of the queue has it."""
    return QueueFilter.from_query(request.query_params.multi_items())


@router.get("/queue")
def queue(
    person: Viewer,
    desk: TheDesk,
    wanted: Annotated[QueueFilter, Depends(queue_filter)],
    offset: Offset = 0,
    limit: Limit = 50,
) -> models.Queue:
    """Return a page of the queue, in its order."""
    with _refusals():
        page = desk.board.page(wanted, person, offset=offset, limit=limit)
    return models.Queue.model_validate(
        {
            "matched": page.matched,
            "offset": page.offset,
            "limit": page.limit,
            "capacity": page.capacity,
            "attended_today": page.attended_today,
            "sections": {Section(section).word: totals for section, totals in page.sections.items()},
            "rows": page.rows,
        }
    )


@router.get("/warnings/{warning_id:path}")
def warning(person: Viewer, desk: TheDesk, warning_id: str) -> models.Warning:
    """Return a warning with its steps."""
    steps = (
        select(WarningStepRow.step, WarningStepRow.time, WarningStepRow.type, WarningStepRow.data)
        .where(WarningStepRow.warning_id == warning_id)
        .order_by(WarningStepRow.step.desc())
        .limit(MOST_STEPS)
    )
    with desk.database.reading() as connection:
        row = connection.execute(
            select(*WarningRow.__table__.columns).where(WarningRow.id == warning_id)
        ).first()
        found = connection.execute(steps).all()[::-1] if row is not None else ()
    if row is None or (row.holdout and not person.may(Role.OPERATOR)):
        raise HTTPException(404)
    with _refusals():
        entry = desk.board.row(warning_id, person)
    return models.Warning.model_validate(
        {
            "warning_id": row.id,
            "customer_id": row.customer_id,
            "state": row.state,
            "tier": row.tier,
            "opened_at": row.opened_at,
            "closed_at": row.closed_at,
            "steps": found,
            "pending": desk.actions.pending([warning_id]).get(warning_id, ()),
            "queue": entry,
        }
    )


@router.get("/customers/{customer_id:path}")
def customer(person: Viewer, desk: TheDesk, customer_id: str) -> models.Customer:
    """Return what is known about a customer."""
    found = read_customer(desk.database, customer_id, holdout=person.may(Role.OPERATOR))
    if found is None:
        raise HTTPException(404)
    return _customer(found, desk.actions.of_customer(customer_id))


def _customer(found: CustomerHistory, pending: tuple[PendingAction, ...]) -> models.Customer:
    return models.Customer.model_validate(
        {
            **{
                name: getattr(found, name)
                for name in models.Customer.model_fields
                if name not in ("pending", "warning_id")
            },
            "warning_id": found.chosen.id if found.chosen is not None else None,
            "pending": pending,
        }
    )


@router.post("/actions", status_code=202)
def act(person: Agent, desk: TheDesk, given: models.NewActions) -> models.ActionGroup:
    """Do something about warnings or customers.

    Where one of the actions cannot be, none is written; of warnings that have ended since they are left out.
    """
    with _refusals():
        drafts = _drafts(desk, person, given)
        group_id = desk.actions.submit(person, drafts, given.hold, group_id=given.group_id)
    return models.ActionGroup.model_validate({"group_id": group_id, "actions": desk.actions.group(group_id)})


def _drafts(desk: Desk, person: Person, given: models.NewActions) -> list[Draft]:
    unnamed = {each.warning_id for each in given.actions if each.warning_id and each.customer_id is None}
    customers = _customers(desk, person, unnamed)
    made = []
    for each in given.actions:
        found = each.customer_id
        if found is None and each.warning_id is not None:
            found = customers.get(each.warning_id)
        if found is None:
            what = f"there is no warning {each.warning_id}" if each.warning_id else "customer_id: is missing"
            raise HTTPException(404 if each.warning_id else 422, what)
        made.append(
            Draft(
                customer_id=found,
                kind=each.kind,
                warning_id=each.warning_id,
                until=None if each.until is None else us_of(each.until),
                play=each.play,
                result=each.result,
                reasons=tuple(each.reasons),
                cost=each.cost,
                assignee=assignee_of(desk, each.assignee or ""),
                corrects=each.corrects,
            )
        )
    return made


def _customers(desk: Desk, person: Person, warning_ids: set[str]) -> dict[str, str]:
    """Return the customers of warnings, open or not, that somebody may see."""
    found = desk.board.customers(warning_ids, person)
    rest = sorted(warning_ids - found.keys())
    columns = (WarningRow.id, WarningRow.customer_id, WarningRow.holdout)
    with desk.database.reading() as connection:
        for begin in range(0, len(rest), MOST):
            query = select(*columns).where(WarningRow.id.in_(rest[begin : begin + MOST]))
            for row in connection.execute(query):
                if not row.holdout or person.may(Role.OPERATOR):
                    found[row.id] = row.customer_id
    return found


@router.get("/actions/{group_id}")
def actions(person: Viewer, desk: TheDesk, group_id: str) -> models.ActionGroup:
    """Return one's own actions of one request."""
    found = [each for each in desk.actions.group(group_id) if each.actor == person.name]
    if not found:
        raise HTTPException(404)
    return models.ActionGroup.model_validate({"group_id": group_id, "actions": found})


@router.post("/actions/{group_id}/undo")
def undo(person: Agent, desk: TheDesk, group_id: str) -> models.Undone:
    """Take back one's own actions of one request."""
    if not any(each.actor == person.name for each in desk.actions.group(group_id)):
        raise HTTPException(404)
    with _refusals():
        return models.Undone.model_validate(desk.actions.undo(person, group_id))


@router.get("/views")
def views(person: Viewer, desk: TheDesk) -> list[models.View]:
    """Return the saved views that somebody sees."""
    return [_view(each) for each in views_of(desk.database, person)]


@router.post("/views", status_code=201)
def add_view(person: Viewer, desk: TheDesk, given: models.NewView) -> models.View:
    """Save a view, for oneself, the team or all."""
    wanted = QueueFilter.from_query(parse_qsl(given.query))
    with _refusals():
        saved = save_view(desk.database, person, given.name, given.shared_with, wanted, desk.clock.wall())
    desk.audit.write(person, "view.save", name=saved.name, shared_with=given.shared_with)
    return _view(saved)


@router.delete("/views/{view_id}", status_code=204)
def remove_view(person: Viewer, desk: TheDesk, view_id: Annotated[int, Path(ge=1, le=2**62)]) -> None:
    """Delete a view of one's own; operators delete any that they see."""
    if not any(each.seq == view_id for each in views_of(desk.database, person)):
        raise HTTPException(404)
    with _refusals():
        delete_view(desk.database, person, view_id)
    desk.audit.write(person, "view.delete", view=view_id)


def _view(view: SavedView) -> models.View:
    return models.View(
        id=view.seq, name=view.name, shared_with=view.shared_with, query=view.query, author=view.author
    )


@router.get("/silences")
def silences(
    person: Viewer, desk: TheDesk, state: Literal["pending", "active", "expired"] | None = None
) -> list[models.SilenceState]:
    """Return silences, the newest first."""
    return [
        models.SilenceState(
            state=each.state, on_its_way=each.on_its_way, silence=each.silence.model_dump(mode="json")
        )
        for each in desk.silences.all()
        if state in (None, each.state)
    ]


@router.post("/silences", status_code=201)
def add_silence(person: Operator, desk: TheDesk, given: models.NewSilence) -> models.SilenceState:
    """Add a silence."""
    matchers = given.model_dump(exclude={"reason", "starts_at", "ends_at"})
    with _refusals():
        made = desk.silences.add(
            person.name,
            given.reason,
            {name: tuple(words) if isinstance(words, list) else words for name, words in matchers.items()},
            None if given.starts_at is None else read_instant(given.starts_at),
            read_instant(given.ends_at),
            None,
        )
    desk.audit.write(person, "silence.add", silence=made.id, reason=made.reason)
    return models.SilenceState(
        state=made.state(desk.clock.wall()), on_its_way=True, silence=made.model_dump(mode="json")
    )


@router.post("/silences/{silence_id}/end")
def end_silence(person: Operator, desk: TheDesk, silence_id: str) -> models.SilenceState:
    """End a silence now."""
    if not any(each.silence.id == silence_id for each in desk.silences.all()):
        raise HTTPException(404)
    with _refusals():
        over = desk.silences.end(silence_id, person.name)
    desk.audit.write(person, "silence.end", silence=over.id)
    return models.SilenceState(
        state=over.state(desk.clock.wall()), on_its_way=True, silence=over.model_dump(mode="json")
    )


@router.get("/lapsed")
def lapsed(
    person: Viewer,
    desk: TheDesk,
    wanted: Annotated[LapsedQuery, Depends(asked)],
    offset: Offset = 0,
    limit: Limit = 50,
) -> models.Lapsed:
    """Return customers who are gone, to be won back."""
    result = desk.reports.lapsed()
    if result.value is None:
        raise HTTPException(503, result.error or "this is being computed: ask again in a minute")
    found = result.value.choose(wanted.filter(desk, person)).customers
    return models.Lapsed.model_validate(
        {
            "as_of": result.at,
            "matched": len(found),
            "offset": offset,
            "limit": limit,
            "customers": [
                {
                    **{
                        name: getattr(each, name)
                        for name in models.LapsedCustomer.model_fields
                        if name != "left_at"
                    },
                    "left_at": instant_of(each.left_at),
                }
                for each in found[offset : offset + limit]
            ],
        }
    )


@router.get("/report")
def report(
    person: Viewer,
    desk: TheDesk,
    period: Annotated[str, Query(max_length=50)] = PeriodKind.MONTH.value,
    since: date | None = None,
    until: date | None = None,
    as_of: models.Instant | None = None,
    corrected_since: models.Instant | None = None,
) -> models.Report:
    """Return the figures of a period, and what has changed in them since it was over.

    `period` is its name, as `2026-03`, or a kind, as `month`: the newest one that is over. The days `since`
    and `until` take its place. With `as_of` the figures are those of what was stored by then, whenever they
    are asked for; changes are then listed only with `corrected_since`. Both are instants of the database's
    clock.
    """
    if (since is None) != (until is None):
        raise HTTPException(422, "since and until: each needs the other")
    chosen = ReportQuery(period, View.ALL, since, until).chosen(desk)
    then, changed = (None if each is None else read_instant(each) for each in (as_of, corrected_since))
    result = desk.reports.period(chosen, then, changed)
    if result.value is None:
        raise HTTPException(503, result.error or "this is being computed: ask again in a minute")
    return models.Report.model_validate({"computed_at": result.at, **result.value.as_dict()})


@router.get("/audit")
def audit(
    person: Operator,
    desk: TheDesk,
    by: Annotated[str | None, Query(max_length=100)] = None,
    what: Annotated[str | None, Query(max_length=100)] = None,
    customer_id: Annotated[str | None, Query(max_length=500)] = None,
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    limit: Limit = 100,
) -> list[models.AuditLine]:
    """Return who did what, the newest first."""
    wanted = AuditFilter(person=by, what=what, customer_id=customer_id, before=before)
    return [models.AuditLine.model_validate(each) for each in desk.audit.page(wanted, limit)]
