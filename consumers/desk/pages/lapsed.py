"""Customers who are gone, to be won back."""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response

from consumers.desk.desk import Desk
from consumers.desk.local_times import NoTime, read_day
from consumers.desk.pages.customer import just_done
from consumers.desk.people.person import Person, Role
from consumers.desk.people.sign_in import Viewer
from consumers.desk.rendering import render, zone_of
from consumers.desk.spreadsheet import csv_answer
from consumers.drafts import RESULTS
from consumers.language import _, gettext
from consumers.lapsed.win_back import ReasonSource, WinBackCustomer, WinBackFilter
from consumers.scorecard.verdicts import FALSE_ALARM
from streams.contract.instants import format_instant, to_us

router = APIRouter()

PAGE = 50
CLASSES = ("key", "ordinary", "small", "problem")
SOURCES = {
    ReasonSource.TEAM: _("found by the team"),
    ReasonSource.CUSTOMER: _("stated by the customer"),
    ReasonSource.WARNING: _("suggested by the warning"),
}
COLUMNS = (
    *("customer_id", "value", "left_at", "closed", "away_since", "days_away", "customer_class", "segment"),
    *("region", "account_owner", "reasons", "reasons_from", "last_warning_at", "last_warning_tier"),
    *("last_warning_rules", "contacts_about_it", "attempts", "last_attempt_result"),
)


@dataclass(frozen=True, slots=True)
class LapsedQuery:
    """The filters as they stand in the address."""

    customer_class: tuple[str, ...] = ()
    segment: tuple[str, ...] = ()
    region: tuple[str, ...] = ()
    owner: tuple[str, ...] = ()
    min_value: float | None = None
    since: str = ""
    until: str = ""
    """The last day on which they may have left."""
    holdout: bool = False

    def address(self, **changes: Any) -> str:
        """Return the filters as a query, with some changed."""
        own = {
            "class": self.customer_class,
            "segment": self.segment,
            "region": self.region,
            "owner": self.owner,
            "min_value": "" if self.min_value is None else f"{self.min_value:g}",
            "since": self.since,
            "until": self.until,
            "holdout": "1" if self.holdout else "",
        } | changes
        return urlencode({name: value for name, value in own.items() if value not in ("", ())}, doseq=True)

    def filter(self, desk: Desk, person: Person) -> WinBackFilter:
        """Return which customers somebody wants to see and may see. Raises `HTTPException`."""
        zone = zone_of(desk, person)
        try:
            since = to_us(read_day(self.since, zone)) if self.since else None
            until = to_us(read_day(self.until, zone, after=1)) if self.until else None
        except NoTime as error:
            raise HTTPException(422, str(error)) from error
        return WinBackFilter(
            classes=self.customer_class,
            segments=self.segment,
            regions=self.region,
            owners=self.owner,
            min_value=self.min_value,
            since=since,
            until=until,
            holdout=self.holdout and person.may(Role.OPERATOR),
            exempt=tuple(desk.config.holdout_exempt),
        )


def asked(
    customer_class: Annotated[list[str] | None, Query(alias="class")] = None,
    segment: Annotated[list[str] | None, Query()] = None,
    region: Annotated[list[str] | None, Query()] = None,
    owner: Annotated[list[str] | None, Query()] = None,
    min_value: str = "",
    since: str = "",
    until: str = "",
    holdout: str = "",
) -> LapsedQuery:
    """Return the filters of an address; an empty field of the form is none."""
    try:
        return LapsedQuery(
            customer_class=_words(customer_class),
            segment=_words(segment),
            region=_words(region),
            owner=_words(owner),
            min_value=_amount(min_value),
            since=since.strip(),
            until=until.strip(),
            holdout=bool(holdout),
        )
    except ValueError as error:
        raise HTTPException(422, gettext("This is not an amount.")) from error


def _amount(text: str) -> float | None:
    found = float(text) if text.strip() else None
    if found is not None and not math.isfinite(found):
        raise ValueError(text)
    return found


def _words(given: list[str] | None) -> tuple[str, ...]:
    return tuple(word for word in given or () if word)


@router.get("/lapsed")
def show(
    request: Request,
    person: Viewer,
    wanted: Annotated[LapsedQuery, Depends(asked)],
    offset: Annotated[int, Query(ge=0)] = 0,
    done: str = "",
) -> Response:
    """Show who is gone, those worth most first."""
    desk: Desk = request.app.state.desk
    result = desk.reports.lapsed()
    chosen = wanted.filter(desk, person)
    found = result.value.choose(chosen) if result.value is not None else None
    shown = found.customers[offset : offset + PAGE] if found is not None else ()
    view = desk.rulebook.current()
    return render(
        request,
        "lapsed.html",
        shown=shown,
        pending=desk.actions.of_customers([each.customer_id for each in shown]),
        done=just_done(desk, person, done),
        here="/lapsed?" + wanted.address(offset=offset or ""),
        once=secrets.token_hex(8),
        results=[result for result in RESULTS if result != FALSE_ALARM],
        result=result,
        found=found,
        wanted=wanted,
        offset=offset,
        page=PAGE,
        classes=CLASSES,
        sources=SOURCES,
        operator=person.may(Role.OPERATOR),
        reasons={each.id: each.title for each in view.reasons},
        rules={each.id: each.title for each in view.rules},
    )


@router.get("/lapsed.csv")
def export(request: Request, person: Viewer, wanted: Annotated[LapsedQuery, Depends(asked)]) -> Response:
    """Return the same customers, all of them, as CSV."""
    desk: Desk = request.app.state.desk
    result = desk.reports.lapsed()
    if result.value is None:
        raise HTTPException(503, result.error or gettext("This is being computed. Try again in a minute."))
    found = result.value.choose(wanted.filter(desk, person))
    desk.audit.write(person, "export.lapsed", query=wanted.address(), rows=len(found.customers))
    return csv_answer("lapsed.csv", COLUMNS, _rows(found.customers))


def _rows(customers: Sequence[WinBackCustomer]) -> Iterator[list[Any]]:
    for each in customers:
        warning = each.last_warning
        yield [
            each.customer_id,
            each.value,
            format_instant(each.left_at),
            "yes" if each.closed else "no",
            None if each.away_since is None else format_instant(each.away_since),
            None if each.days_away is None else round(each.days_away, 1),
            each.customer_class,
            each.segment,
            each.region,
            each.account_owner,
            each.reasons,
            each.reasons_from,
            None if warning is None else format_instant(warning.opened_at),
            None if warning is None else warning.tier,
            () if warning is None else warning.rules,
            None if warning is None else warning.actions,
            each.attempts,
            each.last_attempt_result,
        ]
