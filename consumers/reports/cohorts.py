"""How much of each month's new customers is still there, month after month, by the census."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, func, select

from consumers.database.outcomes import CensusRow
from consumers.language import _
from consumers.reports.census_months import Censuses, read_censuses
from consumers.reports.knowledge import TAKEN, Knowledge
from consumers.reports.period import Period
from consumers.reports.rate import Exclusion, Rate, hidden_cells
from streams.share import Share

STILL: Final = _("customers of the cohort who were active at the end of a later month")
COHORT: Final = _("customers of the cohort who were active at the end of the month of their first activity")
CAME_LATER: Final = _("customers of the cohort who were first active at a later census")

Active = Mapping[tuple[Period, Period], int]
"""By the month of the first activity and the month at whose end they were active."""


@dataclass(frozen=True, slots=True)
class CohortFacts:
    """The active of each cohort at each census, all partitions together."""

    censuses: Censuses
    active: Active


@dataclass(frozen=True, slots=True)
class Cohort:
    """The customers whose first activity lies in one month, or of a backlog, in any month before."""

    month: Period
    is_backlog: bool
    size: int | None
    """Active at the end of that month; `None` where that is not known."""
    cells: tuple[Rate | None, ...]
    """Still active, from the end of that month on; `None` where a month is not known."""
    hidden: bool
    """So few customers that they could be recognised."""

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values, of a hidden cohort nothing but its month."""
        own = {"month": self.month.key, "backlog": self.is_backlog, "hidden": self.hidden}
        if self.hidden:
            return own
        cells = [None if cell is None else cell.as_dict() for cell in self.cells]
        return {**own, "size": self.size, "after_months": cells}


@dataclass(frozen=True, slots=True)
class Cohorts:
    """All cohorts up to a period's last month that is over, the oldest first."""

    cohorts: tuple[Cohort, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        return {"cohorts": [each.as_dict() for each in self.cohorts]}


def read_cohorts(connection: Connection, period: Period, knowledge: Knowledge) -> CohortFacts:
    """Read the cohorts of all censuses up to the end of a period."""
    months = read_censuses(connection, (), knowledge).months(period.trailing_months(1)[0])
    censuses = read_censuses(connection, months, knowledge)
    return CohortFacts(censuses, _active(connection, months, knowledge) if months else {})


def _active(connection: Connection, months: Sequence[Period], knowledge: Knowledge) -> Active:
    data = CensusRow.data
    begin, end = months[0].after().begin_at, months[-1].after().end_at
    query = select(
        CensusRow.time,
        data["cohort"].as_string().label("cohort"),
        data["active"].as_integer().label("active"),
    ).where(CensusRow.type == TAKEN, CensusRow.time >= begin, CensusRow.time < end, CensusRow.by == "cohort")
    cells = knowledge.known(query, CensusRow.stored_at).subquery()
    keys = (cells.c.time, cells.c.cohort)
    found: dict[tuple[Period, Period], int] = defaultdict(int)
    for at, cohort, active in connection.execute(
        select(*keys, func.sum(cells.c.active)).where(cells.c.cohort.is_not(None)).group_by(*keys)
    ):
        month = Period.parse(cohort, knowledge.zone)
        found[month, _month_before(at, months)] += active
    return found


def _month_before(at: datetime, months: Sequence[Period]) -> Period:
    """Return the month at whose end a census was taken."""
    return next(month for month in reversed(months) if month.end_at <= at)


def cohort_figures(facts: CohortFacts, period: Period) -> Cohorts:
    """Return the cohorts up to the end of a period."""
    months = facts.censuses.months(period.trailing_months(1)[0])
    known = {month: facts.censuses.month(month).is_counted for month in months}
    rows: list[tuple[Period, list[int | None]]] = []
    for place, cohort in enumerate(months):
        # Whoever is there at the first census came before it, at any time.
        members = [own for own, _at in facts.active if own <= cohort] if place == 0 else [cohort]
        counts = [
            sum(facts.active.get((own, later), 0) for own in set(members)) if known[later] else None
            for later in months[place:]
        ]
        rows.append((cohort, counts))
    hidden = hidden_cells([max([n or 0 for n in counts], default=0) for _cohort, counts in rows])
    return Cohorts(
        tuple(
            Cohort(cohort, place == 0, counts[0], _cells(cohort, counts), place in hidden)
            for place, (cohort, counts) in enumerate(rows)
        )
    )


def _cells(cohort: Period, counts: list[int | None]) -> tuple[Rate | None, ...]:
    size = counts[0]
    found: list[Rate | None] = []
    for count in counts:
        if count is None or not size:
            found.append(None)
            continue
        # Who closed within the first month and came back is no member of what is counted here.
        later = max(0, count - size)
        exclusions = (Exclusion(CAME_LATER, later),) if later else ()
        found.append(Rate(Share(count - later, size), STILL, COHORT, cohort, exclusions))
    return tuple(found)
