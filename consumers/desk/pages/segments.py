"""Segments: how many of their customers are warned of, and their own warnings, open ones and past ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from markupsafe import Markup
from sqlalchemy import or_, select

from consumers import charts
from consumers.database.database import Database
from consumers.database.warnings import SegmentWarningRow
from consumers.desk.desk import Desk
from consumers.desk.pages.rules import whole_queue
from consumers.desk.people.person import Role
from consumers.desk.people.sign_in import Viewer
from consumers.desk.queue.filter import QueueFilter
from consumers.desk.rendering import Times, render, word, zone_of
from consumers.desk.reports.live_counts import GroupCounts, LiveCounts
from consumers.language import _, gettext
from consumers.stored_warnings import OPEN
from streams.contract.instants import to_us

router = APIRouter()

HISTORY = timedelta(days=180)
MOST = 200
"""Warnings that are shown."""
QUERY = {"customer_class": "class", "segment": "segment", "region": "region"}
"""What the queue calls these filters."""
TITLES = {"customer_class": _("By class"), "segment": _("By segment"), "region": _("By region")}


@dataclass(frozen=True, slots=True)
class SegmentWarning:
    """A warning of a segment as its newest step left it."""

    dimension: str
    value: str
    tier: str
    state: str
    opened_at: datetime
    closed_at: datetime | None
    causes: Sequence[dict[str, Any]]

    @property
    def name(self) -> str:
        """Return the segment as it is written."""
        return f"{self.dimension}={self.value}"


@router.get("/segments")
def show(request: Request, person: Viewer) -> Response:
    """Show segments."""
    desk: Desk = request.app.state.desk
    now = desk.clock.now()
    live = desk.reports.live()
    found = warnings_of(desk.database, now - HISTORY)
    operator = person.may(Role.OPERATOR)

    def queue(dimension: str, name: str) -> str:
        return whole_queue(person, QueueFilter.from_query([(QUERY[dimension], name)]))

    return render(
        request,
        "segments.html",
        live=live,
        groups=groups_of(live.value, operator) if live.value is not None else {},
        operator=operator,
        titles=TITLES,
        queue=queue,
        open_ones=[each for each in found if each.state == OPEN],
        past=[each for each in found if each.state != OPEN],
        chart=chart(found, now, Times(zone_of(desk, person), now)),
        has_rules=any(rule.by for rule in desk.rulebook.current().rules if rule.status == "active"),
        history_days=HISTORY.days,
    )


def groups_of(live: LiveCounts, operator: bool) -> dict[str, list[tuple[str | None, GroupCounts]]]:
    """Return the groups that have an open warning that somebody may see, the most first."""
    found = {}
    for dimension, groups in live.groups.items():
        seen = [(name, each) for name, each in groups.items() if each.warnings.seen(operator)]
        seen.sort(key=lambda pair: (-pair[1].warnings.seen(operator), pair[0] or ""))
        found[dimension] = seen
    return found


def warnings_of(database: Database, since: datetime) -> list[SegmentWarning]:
    """Return the segments' warnings that are open or closed later, the newest first."""
    row = SegmentWarningRow
    query = (
        select(row.dimension, row.value, row.tier, row.state, row.opened_at, row.closed_at, row.causes)
        .where(or_(row.state == OPEN, row.closed_at >= since))
        .order_by(row.opened_at.desc(), row.id)
        .limit(MOST)
    )
    with database.reading() as connection:
        return [SegmentWarning(*each) for each in connection.execute(query)]


def chart(found: Sequence[SegmentWarning], now: datetime, times: Times) -> Markup | None:
    """Return when each segment was warned of, as a plot; `None` where none was."""
    if not found:
        return None
    by_name: dict[str, list[charts.Span]] = {}
    for each in sorted(found, key=lambda warning: warning.name):
        end = each.closed_at or now
        until = gettext("open") if each.closed_at is None else times.exact(each.closed_at)
        title = f"{each.name}, {word(each.tier)}: {times.exact(each.opened_at)} – {until}"
        span = charts.Span(to_us(each.opened_at), to_us(end), each.tier, title)
        by_name.setdefault(each.name, []).append(span)
    begin = now - HISTORY
    marks = [
        (float(to_us(at)), times.day_of(to_us(at)))
        for at in (begin + timedelta(days=days) for days in range(0, HISTORY.days + 1, 30))
    ]
    ends = (float(to_us(begin)), float(to_us(now)))
    label = gettext("When segments were warned of")
    rows = list(by_name.items())
    return Markup(charts.for_both(lambda width: charts.spans(rows, ends, marks, label, width=width)))
