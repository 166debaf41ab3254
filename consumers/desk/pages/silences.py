"""Silences: which notices are muted, until when; operators add and end them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from consumers.desk.desk import Desk
from consumers.desk.local_times import NoTime, read_time
from consumers.desk.people.person import Person
from consumers.desk.people.sign_in import Operator, Viewer
from consumers.desk.refusals import explained
from consumers.desk.rendering import render, wall_times, zone_of
from consumers.language import _, gettext
from consumers.silences import NamedRule, name_problems
from streams.contract.silences import WEEKDAYS, Recurring, make_recurring
from streams.errors import BrokerError, ContractError

router = APIRouter()

TIERS = ("high", "medium", "low")
CLASSES = ("key", "ordinary", "small", "problem")
STATES = {"active": _("in force"), "pending": _("not yet begun"), "expired": _("over")}
LASTING = {
    "1h": (_("1 hour"), timedelta(hours=1)),
    "4h": (_("4 hours"), timedelta(hours=4)),
    "1d": (_("1 day"), timedelta(days=1)),
    "7d": (_("7 days"), timedelta(days=7)),
    "30d": (_("30 days"), timedelta(days=30)),
}
MATCHERS = {
    "everything": _("all warnings"),
    "customers": _("customers"),
    "customer_classes": _("classes"),
    "segments": _("segments"),
    "regions": _("regions"),
    "account_owners": _("account owners"),
    "tiers": _("tiers"),
    "rules": _("rules"),
    "reasons": _("reasons"),
}
DAYS = {
    "mon": _("Monday"),
    "tue": _("Tuesday"),
    "wed": _("Wednesday"),
    "thu": _("Thursday"),
    "fri": _("Friday"),
    "sat": _("Saturday"),
    "sun": _("Sunday"),
}
EXPIRED = 50
"""So many of those that are over are shown."""


class FormError(ValueError):
    """What is wrong with a form, in the reader's language."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a form asks for."""

    reason: str
    matchers: Mapping[str, Any]
    starts_at: datetime | None
    ends_at: datetime | None
    recurring: Recurring | None


@router.get("/silences")
def show(request: Request, person: Viewer) -> Response:
    """Show all silences."""
    return _page(request, person, FormData(), ())


@router.post("/silences")
async def add(request: Request, person: Operator) -> Response:
    """Add a silence."""
    form = await request.form()
    desk: Desk = request.app.state.desk
    zone = zone_of(desk, person)
    try:
        asked = read_form(form, zone, desk.clock.wall())
        _check_names(asked.matchers, desk)
        made = await run_in_threadpool(
            desk.silences.add,
            person.name,
            asked.reason,
            asked.matchers,
            asked.starts_at,
            asked.ends_at,
            asked.recurring,
        )
    except (FormError, NoTime, ContractError) as error:
        return await run_in_threadpool(_page, request, person, form, (explained(error),), 422)
    except BrokerError as error:
        why = gettext("The broker cannot be reached; nothing was added: %(why)s") % {"why": error}
        return await run_in_threadpool(_page, request, person, form, (why,), 503)
    await run_in_threadpool(desk.audit.write, person, "silence.add", silence=made.id, reason=made.reason)
    return RedirectResponse("/silences", 303)


@router.post("/silences/{silence_id}/end")
def end(request: Request, person: Operator, silence_id: str) -> Response:
    """End a silence now; what it deferred and is still open is sent."""
    desk: Desk = request.app.state.desk
    try:
        over = desk.silences.end(silence_id, person.name)
    except ContractError as error:
        raise HTTPException(409, explained(error)) from error
    except BrokerError as error:
        why = gettext("The broker cannot be reached; nothing was changed: %(why)s") % {"why": error}
        raise HTTPException(503, why) from error
    desk.audit.write(person, "silence.end", silence=over.id)
    return RedirectResponse("/silences", 303)


def _page(
    request: Request, person: Person, form: FormData, errors: tuple[str, ...], code: int = 200
) -> Response:
    desk: Desk = request.app.state.desk
    found, view = desk.silences.all(), desk.rulebook.current()
    by_state = {
        state: [each for each in found if each.state == state][: EXPIRED if state == "expired" else None]
        for state in STATES
    }
    rules = [rule for rule in view.rules if rule.by is None and rule.status in ("active", "paused")]
    return render(
        request,
        "silences.html",
        code=code,
        by_state=by_state,
        states=STATES,
        muted=desk.reports.muted(),
        matchers=MATCHERS,
        days=DAYS,
        lasting=LASTING,
        tiers=TIERS,
        classes=CLASSES,
        rules=rules,
        rule_titles={rule.id: rule.title for rule in view.rules},
        groups=sorted({rule.reason for rule in rules}),
        group_titles={reason.id: reason.title for reason in view.reasons},
        form=form,
        errors=errors,
        times=wall_times(request, person),
    )


def read_form(form: FormData, zone: str, now: datetime) -> Asked:
    """Return what a form asks for; raise `FormError`, `NoTime` or `ContractError` with what is wrong."""
    reason = _text(form, "reason")
    if not reason:
        raise FormError(gettext("Say why: others will ask."))
    matchers: dict[str, Any] = {"everything": form.get("everything") == "1"}
    for name in ("customers", "segments", "regions", "account_owners"):
        matchers[name] = _listed(form, name)
    for name in ("customer_classes", "tiers", "rules", "reasons"):
        matchers[name] = tuple(str(word) for word in form.getlist(name) if word)
    named = any(matchers[name] for name in MATCHERS if name != "everything")
    if matchers["everything"] == named:
        raise FormError(gettext("Choose either all warnings or at least one thing to match."))
    hours = _recurring(form, zone)
    starts_at = _local(form, "starts_at", zone)
    return Asked(reason, matchers, starts_at, _end(form, zone, starts_at or now, hours), hours)


def _end(form: FormData, zone: str, starts_at: datetime, hours: Recurring | None) -> datetime | None:
    choice = _text(form, "lasting")
    if choice == "until":
        found = _local(form, "ends_at", zone)
        if found is None:
            raise FormError(gettext("Say until when."))
        if found <= starts_at:
            raise FormError(gettext("It ends before it begins."))
        return found
    if choice in LASTING:
        return starts_at + LASTING[choice][1]
    if hours is None:
        raise FormError(gettext("Only a silence of hours that come again may go on without an end."))
    return None


def _recurring(form: FormData, zone: str) -> Recurring | None:
    if form.get("recurs") != "1":
        return None
    days = tuple(str(each) for each in form.getlist("days") if each in WEEKDAYS)
    try:
        dates = tuple(date.fromisoformat(each) for each in _listed(form, "dates"))
    except ValueError:
        raise FormError(gettext("Days are written as 2026-12-24, with commas between them.")) from None
    if not days and not dates:
        raise FormError(gettext("Choose the days on which the hours begin."))
    return make_recurring(
        days=days,
        dates=dates,
        begins=_text(form, "begins") or "00:00",
        ends=_text(form, "ends") or "00:00",
        time_zone=zone,
    )


def _check_names(matchers: Mapping[str, Any], desk: Desk) -> None:
    known = [
        NamedRule(rule.id, rule.reason, rule.status, rule.by is not None)
        for rule in desk.rulebook.current().rules
    ]
    for problem in name_problems(matchers["rules"], matchers["reasons"], known):
        if problem.status is None:
            why = gettext("No notice is sent of %(name)s: nothing of this name warns.")
            raise FormError(why % {"name": problem.name})


def _text(form: FormData, name: str) -> str:
    return str(form.get(name, "")).strip()


def _listed(form: FormData, name: str) -> tuple[str, ...]:
    given = _text(form, name).replace("\n", ",")
    return tuple(dict.fromkeys(word.strip() for word in given.split(",") if word.strip()))


def _local(form: FormData, name: str, zone: str) -> datetime | None:
    given = _text(form, name)
    return read_time(given, zone) if given else None
